"""What a record is held to when its plugin is registered: all that can be checked without running it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ganbench import api
from ganbench.errors import nearest, short

NEEDS = ("features", "logits", "labels", "samples", "training")


class HookError(TypeError):
    """A hook that is none, cannot be called, or gives what is no record; `file` and `line` are where."""

    def __init__(self, message: str, function: Any, line: int | None = None) -> None:
        super().__init__(message)
        code = getattr(inspect.unwrap(function), "__code__", None)
        self.file: str | None = getattr(code, "co_filename", None)
        self.line: int | None = line or getattr(code, "co_firstlineno", None)


def check_version(written_for: object) -> None:
    """Refuse a plugin that says, by `ganbench_api = 2`, that it was written for another API than there is here."""
    if written_for is None:
        return
    if type(written_for) is not int:
        raise TypeError(f"ganbench_api = {written_for!r:.40} must be a whole number, such as {api.API_VERSION}")
    if written_for > api.API_VERSION:
        raise TypeError(
            f"it is written for version {written_for} of the plugin API, and this ganbench has {api.API_VERSION}: "
            "pip install --upgrade ganbench"
        )
    if written_for < api.OLDEST_API:
        raise TypeError(
            f"it is written for version {written_for} of the plugin API, and this ganbench takes {api.OLDEST_API} and "
            "later: get a newer release of the plugin, or see docs/plugins.md for what to change"
        )


def records(kind: str, expected: type, hook: Callable[[], Any]) -> Iterator[Any]:
    """What a hook yields, each held to the contract; a `HookError` names the line that yields another thing."""
    given = hook()
    if not isinstance(given, Iterable) or isinstance(given, Mapping | str):
        raise HookError(
            f"hook {getattr(hook, '__name__', kind)} must yield its records, and returned {_named(given)}: "
            f"write yield {expected.__name__}(…)",
            hook,
        )
    for record in given:
        try:
            validate(kind, record, expected)
        except HookError:
            raise
        except TypeError as error:
            frame = getattr(given, "gi_frame", None)
            raise HookError(str(error), hook, frame.f_lineno if frame else None) from None
        yield record


def validate(kind: str, record: Any, expected: type) -> None:
    """Hold a record to its type, its name, and the names its functions ask for; raises a `TypeError`."""
    if not isinstance(record, expected):
        raise TypeError(f"a {kind} hook must yield {expected.__name__}, not {type(record).__name__}")
    name = getattr(record, "name", None)
    if not isinstance(name, str) or not name or name != name.strip() or any(c in name for c in "/:\\ \n\t"):
        raise TypeError(f"{kind} name {name!r} must be a word without spaces, '/', ':' or '\\'")
    if isinstance(record, api.Component):
        for term in (record.discriminator, record.generator):
            if term is not None:
                _term(kind, name, term)
        if not (record.discriminator or record.generator or record.build):
            raise TypeError(f"{kind} '{name}' has neither a term nor a build: it would do nothing")
    if isinstance(record, api.Loss) and not (record.discriminator or record.generator):
        raise TypeError(f"loss '{name}' has no term")
    if isinstance(record, api.SuiteFile) and not isinstance(record.file, Path):
        raise TypeError(f"suite '{name}' needs the Path of its file, not {record.file!r}")
    if isinstance(record, api.Metric):
        _metric(name, record)


def _term(kind: str, name: str, term: Callable[..., Any]) -> None:
    """A term names what it needs; a parameter with a default is its own, and is never filled in."""
    parameters = inspect.signature(term).parameters.values()
    asked = {p.name for p in parameters if p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}
    if unknown := sorted(asked - api.TERM_NAMES):
        raise HookError(
            f"{kind} '{name}': a term cannot name '{unknown[0]}'; {nearest(unknown[0], api.TERM_NAMES)}", term
        )


def _metric(name: str, metric: api.Metric) -> None:
    """Columns and needs are read by everything after the measurement: a mistake there would show up in its tables."""
    if not callable(metric.compute):
        raise TypeError(f"metric '{name}': compute must be a function, not {_named(metric.compute)}")
    if not isinstance(metric.needs, tuple | list):
        raise TypeError(
            f"metric '{name}': needs must be a tuple of words, such as (\"features\",), not {_named(metric.needs)}"
        )
    for need in metric.needs:
        if need not in NEEDS:
            raise TypeError(f"metric '{name}': it cannot need {short(need)}; {nearest(str(need), NEEDS)}")
    if not isinstance(metric.columns, tuple | list) or not metric.columns:
        raise TypeError(
            f'metric \'{name}\': columns must be a tuple such as (Column("{name}", "lower"),), not '
            f"{_named(metric.columns)}"
        )
    for column in metric.columns:
        if not isinstance(column, api.Column):
            raise TypeError(f"metric '{name}': a column must be Column(name, direction), not {_named(column)}")
        word = column.name
        if not isinstance(word, str) or not word.isprintable() or not word.strip() or "/" in word:
            raise TypeError(f"metric '{name}': column name {short(word)} must be a word without '/'")
        where = f"metric '{name}', column '{word}'"
        if column.direction not in api.DIRECTIONS:
            said = nearest(str(column.direction), api.DIRECTIONS)
            raise TypeError(f"{where}: direction {short(column.direction)} is none; {said}")
        if not isinstance(column.unit, str):
            raise TypeError(f'{where}: unit must be a word, or "", not {short(column.unit)}')
        if not isinstance(column.positive, bool):
            raise TypeError(f"{where}: positive must be True or False, not {short(column.positive)}")
    twice = sorted(w for w in {c.name for c in metric.columns} if sum(c.name == w for c in metric.columns) > 1)
    if twice:
        raise TypeError(f"metric '{name}' has two columns '{twice[0]}'")
    if not isinstance(metric.params, Mapping):
        raise TypeError(f"metric '{name}': params must be a Recipe, not {_named(metric.params)}")
    if unknown := sorted(set(metric.neutral) - set(metric.params)):
        raise TypeError(
            f"metric '{name}': neutral names no parameter '{unknown[0]}'; {nearest(unknown[0], metric.params)}"
        )
    for key, least in (("version", 1), ("minimum", 0), ("jackknife", 0)):
        value = getattr(metric, key)
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise TypeError(f"metric '{name}': {key} must be a whole number from {least} on, not {short(value)}")


def _named(value: object) -> str:
    return short(value) if isinstance(value, str | int | float | tuple | list | type(None)) else type(value).__name__
