"""What the fields of a file must be. Files are untrusted: what is used later has its type checked at reading."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeGuard

from ganbench.api import DIRECTIONS as DIRECTIONS
from ganbench.errors import UsageError, short

Types = tuple[type, ...]
NULL = type(None)
"""A type of a field that may be null, or missing."""
NUMBER: Types = (int, float)
"""Finite ones; neither true nor false."""
MISSING = object()
DEEPEST = 20
"""Levels of lists and objects in a file; a record has six."""
LARGEST = 2**63
"""What a whole number stays below in size, so that tables can hold it."""
RUN_FILES = ("spec.json", "result.json", "error.json")
"""A folder with any of them is that of a run."""
SUITE: dict[str, Types] = {
    "suite.id": (str,),
    "suite.name": (str,),
    "suite.version": (int,),
    "suite.tier": (str,),
    "suite.title": (str,),
    "suite.table": (str,),
    "suite.ranks": (bool,),
    "suite.headline": (str,),
    "suite.columns": (list,),
    "suite.note": (str, NULL),
    "suite.levels": (dict, NULL),
    "suite.split": (str, NULL),
    "suite.tuning": (dict, NULL),
    "suite.tuning.trials": (int, NULL),
    "suite.tuning.seeds": (list, NULL),
    "suite.tuning.headline": (str, NULL),
    "suite.tuning.split": (str, NULL),
    "suite.tuning.data": (str, NULL),
    "suite.tuning.space": (dict, NULL),
}
"""The suite, as a specification and the record of its run both have it."""


def require_sound(file: Path, value: Any) -> None:
    """A `UsageError` where a file holds, in whatever place, what its readers would stumble over: endless nesting,
    numbers that are not finite or have more than 64 bits, text that no file can hold (halves of surrogate pairs)."""
    if (found := _unsound(value, 0)) is not None:
        path, problem = found
        raise broken(file, path.lstrip(".").encode(errors="backslashreplace").decode() or "file", problem)


def _unsound(value: Any, depth: int) -> tuple[str, str] | None:
    """The path to the first value that is not sound, and what is wrong with it."""
    if isinstance(value, dict):
        if depth == DEEPEST:
            return "", f"nested more than {DEEPEST} levels deep"
        for key, child in value.items():
            if (found := _unsound(key, depth) or _unsound(child, depth + 1)) is not None:
                return f".{key}{found[0]}", found[1]
    elif isinstance(value, list):
        if depth == DEEPEST:
            return "", f"nested more than {DEEPEST} levels deep"
        for at, child in enumerate(value):
            if (found := _unsound(child, depth + 1)) is not None:
                return f"[{at}]{found[0]}", found[1]
    elif isinstance(value, str):
        return None if _is_text(value) else ("", "half a surrogate pair, which is no text")
    elif isinstance(value, float):
        return None if math.isfinite(value) else ("", "not a finite number")
    elif isinstance(value, int) and abs(value) >= LARGEST:
        return "", "a whole number of more than 64 bits"
    return None


def require_fields(file: Path, value: Mapping[str, Any], fields: Mapping[str, Types], within: str = "") -> None:
    """Hold the fields of an object to their types. fields: dotted key -> types. within: where the object stands."""
    for key, types in fields.items():
        found = get(value, key)
        if found is not MISSING or NULL not in types:
            require(file, f"{within}.{key}" if within else key, found, types)


def require_each(file: Path, key: str, values: Iterable[Any], types: Types) -> None:
    """Hold every item of a list to its types."""
    for at, value in enumerate(values):
        require(file, f"{key}[{at}]", value, types)


def get(record: Mapping[str, Any], dotted: str) -> Any:
    """The value at a dotted key, or `MISSING`."""
    value: Any = record
    for key in dotted.split("."):
        if not isinstance(value, Mapping) or key not in value:
            return MISSING
        value = value[key]
    return value


def require(file: Path, key: str, value: Any, types: Types) -> None:
    """A `UsageError` where a value is missing, or of no such type, or a number that is not finite."""
    if value is MISSING:
        raise broken(file, key, "missing")
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        wanted = " or ".join("null" if kind is NULL else kind.__name__ for kind in types)
        raise broken(file, key, f"{type(value).__name__}, not {wanted}")
    if isinstance(value, int | float) and not _finite(value):
        raise broken(file, key, "not a finite number")


def is_number(value: Any) -> TypeGuard[int | float]:
    """Whether a value is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and _finite(value)


def one_of(file: Path, key: str, value: str, allowed: tuple[str, ...]) -> None:
    """A `UsageError` where a word is not one of a few."""
    if value not in allowed:
        raise broken(file, key, f"{short(value)}, not one of {', '.join(allowed)}")


def is_file_name(text: str) -> bool:
    """Whether a text names a file or a folder, and can lead to no other place than where it is looked for."""
    return text.isprintable() and Path(text).name == text and text not in ("", "..")


def broken(file: Path, key: str, problem: str) -> UsageError:
    """The user's line for a field that is wrong."""
    return UsageError(f"{file}: `{' '.join(key.split())[:100]}` is {problem}; restore the file or remove its folder")


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _finite(value: Any) -> bool:
    try:
        return math.isfinite(float(value))
    except OverflowError:
        return False
