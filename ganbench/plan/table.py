"""A TOML table whose keys are taken one by one."""

from __future__ import annotations

import difflib
from typing import Any

from ganbench.errors import UsageError, nearest


class Table:
    """A TOML table whose keys are taken one by one; what is left over is an error."""

    def __init__(self, value: Any, where: str) -> None:
        if not isinstance(value, dict):
            raise UsageError(f"{where}: expected a table {{…}}, not {value!r}")
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
            names = " or ".join(k.__name__ for k in kinds)
            raise UsageError(f"{self.where}: '{key}' must be a {names}, not {value!r}")
        return value

    def words(self, key: str, *default: Any) -> tuple[str, ...]:
        value = self.take(key, (str, list), *default)
        values = (value,) if isinstance(value, str) else tuple(value)
        if not all(isinstance(v, str) for v in values):
            raise UsageError(f"{self.where}: '{key}' must hold names, not {list(values)!r}")
        return values

    def done(self) -> None:
        for key in self.value:
            raise UsageError(f"{self.where}: unknown key '{key}'; {nearest(key, self.known)}")
