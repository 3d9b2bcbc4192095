"""`RunSpec`: one training run (a row of the scale; foreign samples), complete and frozen, with a canonical form and an
id."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import rfc8785

from ganbench.api import API_VERSION, Recipe
from ganbench.errors import UsageError
from ganbench.plan.modes import REFERENCE
from ganbench.plan.spec_fields import check_spec
from ganbench.record.files import read_json, write_json_atomic

TRAINED, SCALE, FOREIGN = "trained", "scale", "foreign"
TEST, VAL = "test", "val"
"""The reference's splits: the first is used once, at the end; whatever chooses looks at the second one."""
DIGITS = 12
"""Of a measurement's fingerprint."""
COUNTERS = ("real_images", "generator_steps", "discriminator_steps", "seconds")


def fingerprint(value: Any, length: int = 16) -> str:
    """The first hex digits of the sha256 of a value's canonical JSON form (RFC 8785); a `UsageError` for a whole number
    that this form does not have."""
    try:
        return hashlib.sha256(rfc8785.dumps(_plain(value))).hexdigest()[:length]
    except rfc8785.IntegerDomainError as error:
        number = str(error).partition(" ")[0]
        raise UsageError(
            f"{number} is too large: whole numbers of a run stay below 2^53 = 9,007,199,254,740,992"
        ) from None


def identified(measurement: Mapping[str, Any], spec: RunSpec) -> dict[str, Any]:
    """What a score says of how it was measured: the fingerprint decides which numbers share a column, the comparability
    key which rows may be ranked."""
    print_ = fingerprint(measurement, DIGITS)
    table = {
        "measurement": print_,
        "data": spec.data,
        "suite": spec.suite["name"],
        "version": spec.suite["version"],
        "budget": spec.suite["budget"],
        "conditional": spec.conditional,
    }
    return {
        "n": measurement["samples"],
        "fingerprint": print_,
        "comparability": fingerprint(table, DIGITS),
        "measurement": measurement,
    }


@dataclass(frozen=True)
class RunSpec:
    """What one worker does.

    The *training* part (`identity`) decides the run's id; the rest says how it is scored and shown.

    kind: `"trained"`, `"scale"`, or `"foreign"` (samples of another program; `data` has their hash). suite: id, name,
    version, tier and how its table is shown. entry: what is trained: label, architecture, loss, … components: every
    component by name, brought ones included. recipe: key -> value and origin. data: stream -> data set's name, split
    and content hash. budget: counter and amount. plugins: provenance of the modules that take part in training. score:
    what is measured, and with which plugins. skip: why it is not run. asked: options of the command that planned it, by
    name, for whoever wants to make it again.
    """

    kind: str
    suite: Mapping[str, Any]
    entry: Mapping[str, Any]
    components: tuple[str, ...]
    recipe: Mapping[str, Mapping[str, Any]]
    seed: int
    suite_seed: int
    data: Mapping[str, Mapping[str, Any]]
    conditional: bool
    budget: Mapping[str, Any]
    mode: str
    device: str
    threads: int
    plugins: tuple[Mapping[str, Any], ...]
    score: Mapping[str, Any]
    skip: str | None = None
    api_version: int = API_VERSION
    asked: Mapping[str, Any] = field(default_factory=dict, compare=False)
    identity: Mapping[str, Any] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        entry = {k: v for k, v in self.entry.items() if k not in ("label", "preset", "role")}
        object.__setattr__(
            self,
            "identity",
            {
                "kind": self.kind,
                "entry": entry,
                "components": self.components,
                "recipe": {k: v["value"] for k, v in self.recipe.items()},
                "seed": self.seed,
                "suite_seed": self.suite_seed,
                "data": self.data,
                "conditional": self.conditional,
                "budget": self.budget if self.kind == TRAINED else {"samples": self.score["samples"]},
                "mode": self.mode,
                "device": self.device if self.kind == TRAINED else "any",
                "threads": self.threads,
                "plugins": sorted((p["module"], p["sha256"]) for p in self.plugins),
                "api_version": self.api_version,
            },
        )

    @property
    def split(self) -> str:
        """Of the reference: what the samples are measured against."""
        return str(self.score.get("split", TEST))

    @property
    def run_id(self) -> str:
        """16 hex digits: same id, same work."""
        return fingerprint(self.identity)

    @property
    def entry_key(self) -> str:
        """Identifies the row: everything but the seed, the data and the code's hash."""
        parts = ("kind", "entry", "components", "recipe", "conditional", "mode")
        return fingerprint({k: self.identity[k] for k in parts})

    @property
    def seed_key(self) -> str:
        """The row's key in the reference mode: an entry begins with the same weights in every mode."""
        return dataclasses.replace(self, mode=REFERENCE.name).entry_key

    @property
    def folder(self) -> str:
        """Name of the run's folder: readable, and unique by the id."""
        words = "".join(c if c.isascii() and (c.isalnum() or c in "-+=.") else "-" for c in self.entry["label"])
        while "--" in words:
            words = words.replace("--", "-")
        return f"{words.strip('-')[:80]}-s{self.seed}-{self.run_id[:8]}"

    def values(self) -> Recipe:
        """The resolved recipe without its origins."""
        return Recipe({k: v["value"] for k, v in self.recipe.items()})

    def json(self) -> dict[str, Any]:
        """As written to `spec.json`."""
        fields = {f.name: _plain(getattr(self, f.name)) for f in dataclasses.fields(self) if f.init}
        return {"run_id": self.run_id, **fields}

    def write(self, folder: Path) -> None:
        """Write `spec.json`."""
        write_json_atomic(folder / "spec.json", self.json())

    @classmethod
    def read(cls, folder: Path) -> RunSpec:
        """Read `spec.json`, and hold it to its own id."""
        path = folder / "spec.json"
        value = read_json(path)
        names = {f.name for f in dataclasses.fields(cls) if f.init}
        value = {"asked": {}, **value}
        if missing := names - set(value):
            raise UsageError(f"{path}: lacks {', '.join(sorted(missing))}; delete the folder and run again")
        check_spec(path, value, COUNTERS)
        try:
            spec = cls(**{n: _frozen(value[n]) if n in ("components", "plugins") else value[n] for n in names})
            same = spec.run_id == value.get("run_id")
        except (TypeError, KeyError, AttributeError, ValueError, UsageError) as error:
            raise UsageError(f"{path}: is no run specification ({error}); delete the folder and run again") from None
        if not same:
            raise UsageError(
                f"{path}: was edited (its content does not give its run_id); delete the folder and run again"
            )
        return spec


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    return value


def _frozen(value: Any) -> Any:
    return tuple(value)
