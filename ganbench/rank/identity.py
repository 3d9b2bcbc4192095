"""What a row is, as flat facts: what was trained on what, how it was measured, and on which machine that was done.

Two rows differ where their facts do; some of those say that the rows may not be ranked against each other at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ganbench.rank.records import Record
from ganbench.rank.rows import Column, Row

_SUITE = ("name", "version", "tier")
_ENTRY = ("architecture", "loss", "regularizers", "augmentations", "preset", "game", "mode", "conditional")
_COMPARABILITY = ("suite", "budget", "data", "conditional", "headline", "measurement")
_HASH = 12
"""Digits of a sha256 that are shown."""

Facts = Mapping[str, tuple[str, ...]]
"""Name of a fact -> its values over the seeds of a row, each once, as words; none where it is not there."""


@dataclass(frozen=True)
class Difference:
    """One fact of two rows; several words where the seeds of a row differ in it."""

    what: str
    a: tuple[str, ...]
    b: tuple[str, ...]


def identity(row: Row, headline: Column) -> Facts:
    """What decides the scores of a row: suite, entry, recipe, data, plugins, measurement."""
    return _over(row, lambda record: _identity(record, row.variant, headline.name))


def surroundings(row: Row) -> Facts:
    """Where and with what a row was made, which decides no score but its last bits."""
    return _over(row, _surroundings)


def differences(a: Facts, b: Facts) -> list[Difference]:
    """The facts that are not the same in both, those of one kind together; of measurement none where one row was not
    measured at all."""
    kinds = list(dict.fromkeys(map(_kind, {**a, **b})))
    found = [Difference(what, a.get(what, ()), b.get(what, ())) for what in {**a, **b} if a.get(what) != b.get(what)]
    if "measurement" not in a or "measurement" not in b:
        found = [one for one in found if _kind(one.what) != "measurement"]
    return sorted(found, key=lambda one: kinds.index(_kind(one.what)))


def barriers(found: Iterable[Difference]) -> list[str]:
    """What of these facts a comparability key is made of, in words: with another one, rows are never ranked."""
    kinds: dict[str, list[str]] = {}
    for one in found:
        if _kind(one.what) in _COMPARABILITY and one.what != "suite tier":
            kinds.setdefault(_kind(one.what), []).extend(one.what.partition(" ")[2:])
    each = {kind: ", ".join(filter(None, names)) for kind, names in kinds.items()}
    return [f"{kind} ({names})" if names else kind for kind, names in each.items()]


def _kind(what: str) -> str:
    return what.partition(" ")[0]


def _over(row: Row, facts: Callable[[Record], Iterable[tuple[str, str]]]) -> Facts:
    found: dict[str, dict[str, None]] = {}
    for seed in [seed for seed in row.seeds if seed.counts] or row.seeds:
        for what, value in facts(seed.record):
            found.setdefault(what, {})[value] = None
    return {what: tuple(sorted(values)) for what, values in found.items()}


def _identity(record: Record, variant: str, headline: str) -> Iterator[tuple[str, str]]:
    suite, entry = record["suite"], record["entry"]
    yield from ((f"suite {key}", str(suite[key])) for key in _SUITE)
    yield from ((f"budget {key}", _words(value)) for key, value in (suite.get("budget") or {}).items())
    yield from ((key, _words(entry[key])) for key in _ENTRY if entry.get(key) not in (None, [], ""))
    if variant:
        yield "weights", variant
    for key, setting in _items(entry.get("recipe")):
        yield f"recipe {key}", _words(setting.get("value") if isinstance(setting, dict) else setting)
    for stream, data in _items(record.get("data")):
        yield from ((f"data {stream} {key}", _words(value)) for key, value in _items(data))
    for plugin in record.get("plugins") or []:
        if isinstance(plugin, dict):
            yield f"plugin {plugin.get('module')}", str(plugin.get("sha256"))[:_HASH]
    yield "headline", headline
    for score in record.get("scores") or []:
        if score["column"] == headline and score["variant"] == variant:
            yield "measurement", str(score["fingerprint"])
            yield from _flat("measurement", score.get("measurement"))


def _surroundings(record: Record) -> Iterator[tuple[str, str]]:
    environment = record.get("environment") or {}
    for key in ("machine", "vector_code", "system", "python"):
        if environment.get(key):
            yield key, _words(environment[key])
    for part, key in (("cpu", "model"), ("gpu", "name")):
        device = environment.get(part)
        if isinstance(device, dict) and device.get(key):
            yield part, _words(device[key])
    yield from ((package, _words(version)) for package, version in _items(environment.get("versions")))


def _flat(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _flat(f"{path} {key}", child)
    elif path != "measurement":
        yield path, _words(value)


def _items(value: Any) -> Iterable[tuple[str, Any]]:
    return value.items() if isinstance(value, dict) else ()


def _words(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value))
    text = str(value)
    return text[:_HASH] if len(text) == 64 and not set(text) - set("0123456789abcdef") else text
