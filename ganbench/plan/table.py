"""A TOML table whose keys are taken one by one."""

from __future__ import annotations

import difflib
import tomllib
from pathlib import Path
from typing import Any

from ganbench.errors import UsageError, nearest, short

LARGEST = 2**20
"""Bytes of a file."""
LONGEST_NAME, DEEPEST = 200, 20
LARGEST_NUMBER = 2**53 - 1
"""Of numbers that every reader of JSON takes for the same one."""

WORDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a string",
    list: "a list",
    dict: "a table {…}",
}
"""What a file's values are called."""


class Table:
    """A TOML table whose keys are taken one by one; what is left over is an error."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise UsageError(f"{where}: expected a table {{…}}, not {short(value)}")
        self.value, self.where, self.known = dict(value), where, set[str]()

    def take(self, key: str, kind: type | tuple[type, ...], *default: Any) -> Any:
        self.known.add(key)
        if key not in self.value:
            if default:
                return default[0]
            meant = difflib.get_close_matches(key, self.value, n=1)
            raise UsageError(f"{self.where}: lacks the key '{key}'" + (f"; is '{meant[0]}' meant?" if meant else ""))
        value = self.value.pop(key)
        kinds = kind if isinstance(kind, tuple) else (kind,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            names = " or ".join(word for k, word in WORDS.items() if k in kinds and not (k is int and float in kinds))
            raise UsageError(f"{self.where}: '{key}' must be {names}, not {short(value)}")
        return value

    def words(self, key: str, *default: Any) -> tuple[str, ...]:
        value = self.take(key, (str, list), *default)
        values = (value,) if isinstance(value, str) else tuple(value)
        if not all(isinstance(v, str) and v.isprintable() and len(v) <= LONGEST_NAME for v in values):
            raise UsageError(f"{self.where}: '{key}' must hold names, not {short(list(values))}")
        return values

    def done(self) -> None:
        for key in self.value:
            raise UsageError(f"{self.where}: unknown key '{key}'; {nearest(key, self.known)}")


def read_table(file: Path, where: str) -> Table:
    """A TOML file's table, with no value in it that nothing here can hold. where: the file, for errors."""
    try:
        if file.stat().st_size > LARGEST:
            raise UsageError(f"{where}: is larger than {LARGEST:,} bytes, which none needs")
        raw = tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{where}: cannot be read ({error.strerror or error})") from None
    except (ValueError, RecursionError) as error:  # also what TOML and UTF-8 say
        raise UsageError(f"{where}: not valid TOML: {' '.join(str(error).split())[:200]}") from None
    check_values(raw, where)
    return Table(raw, where)


def check_values(value: Any, where: str, path: tuple[str, ...] = ()) -> None:
    """Refuse what no suite holds: long or unprintable names, numbers that JSON cannot carry, endless nesting."""
    if len(path) > DEEPEST:
        raise UsageError(f"{where}: nested more than {DEEPEST} levels deep")
    if isinstance(value, dict):
        for key, child in value.items():
            if not key.isprintable() or len(key) > LONGEST_NAME:
                raise UsageError(f"{where}: {short(key)} is no name for a key")
            check_values(child, where, (*path, key))
    elif isinstance(value, list):
        for at, child in enumerate(value):
            check_values(child, where, (*path, str(at)))
    elif isinstance(value, int | float) and not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:
        raise UsageError(f"{where}: '{'.'.join(path)}' must be a number up to {LARGEST_NUMBER:,}, not {short(value)}")
