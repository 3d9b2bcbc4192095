"""Which checkpoint a run takes up, and what that must agree with."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganbench.errors import UsageError
from ganbench.record.checkpoints import previous
from ganbench.record.schema import is_number
from ganbench.train.checkpoint import Damaged, load_checkpoint

OLDER = ("engine code", "vector code")
"""Circumstances that checkpoints of earlier days do not tell; that is not held against them."""


@dataclass(frozen=True)
class Found:
    """A checkpoint that can be taken up. differences: what -> there and here, of what decides bits."""

    file: Path
    tensors: dict[str, Tensor]
    plain: dict[str, Any]
    differences: dict[str, list[str]]


def circumstances(environment: Mapping[str, Any], engine_code: str) -> dict[str, str]:
    """What decides a run's bits beside its spec, in words: versions, the engine's code, the kind of machine."""
    cpu, gpu = environment["cpu"], environment["gpu"] or {}
    return {
        "ganbench": str(environment["versions"]["ganbench"]),
        "engine code": engine_code[:12],
        "torch": str(torch.__version__),
        "system": str(environment["system"]),
        "processor": f"{cpu['model']} {'-'.join(cpu['numbers'])} ({', '.join(cpu['instruction_sets'])})",
        "vector code": str(environment["vector_code"]),
        "GPU": ", ".join(f"{k} {v}" for k, v in gpu.items()) or "none",
    }


def find_checkpoint(path: Path, events: Path, run_id: str, here: Mapping[str, str], forced: bool) -> Found | None:
    """The newest checkpoint of this run that is whole, None where there is none at all.

    path: of the newest; one that is damaged is removed where the one before it can be taken up, with a line on stderr.
    events: a checkpoint knows how long this file was. here: `circumstances`. forced: take it up although they differ.
    """
    there = [p for p in (path, previous(path)) if p.exists()]
    damage: list[Damaged] = []
    for file in there:
        try:
            tensors, plain = load_checkpoint(file, torch.device("cpu"))
            _check(file, plain, events)
        except Damaged as error:
            damage.append(error)
            continue
        if damage:
            print(f"{damage[0]}; going on from the one before it", file=sys.stderr)
            path.unlink()
        return Found(file, tensors, plain, _differences(file, plain, run_id, here, forced))
    if damage:
        raise damage[0]
    return None


def _differences(
    file: Path, plain: Mapping[str, Any], run_id: str, here: Mapping[str, str], forced: bool
) -> dict[str, list[str]]:
    if plain["run_id"] != run_id:
        raise UsageError(
            f"{file.name}: is of run {plain['run_id']}, and here is run {run_id}: another specification, data set or "
            "plugin code; delete the checkpoint to start this run anew"
        )
    there = {**{key: here[key] for key in OLDER}, **plain["made_with"]}
    found = {k: [str(there.get(k)), v] for k, v in here.items() if there.get(k) != v}
    if found and not forced:
        changes = "; ".join(f"{key}: {was}, here {now}" for key, (was, now) in found.items())
        raise UsageError(
            f"{file.name}: was written under other circumstances ({changes}), so the run would not go on bit for bit; "
            "--resume forced takes it up all the same and says so in the row, --resume all starts the runs anew"
        )
    return found


def _check(file: Path, plain: Mapping[str, Any], events: Path) -> None:
    """Hold what is not the engine's to its types."""
    offset, seconds, rates = plain.get("offset"), plain.get("seconds"), plain.get("rates")
    good = (
        _is_count(offset)
        and is_number(seconds)
        and isinstance(rates, list)
        and all(map(is_number, rates))
        and _is_count(plain.get("flops"))
        and _is_line(plain.get("run_id"))
        and isinstance(plain.get("made_with"), dict)
        and all(map(_is_line, plain["made_with"].values()))
        and _are_objects(plain.get("looks"))
        and _are_objects(plain.get("forced"))
        and all(_are_counts(plain.get(name)) for name in ("counters", "taken", "positions"))
        and isinstance(plain.get("told"), dict)
        and _is_count(plain["told"].get("step"))
        and is_number(plain["told"].get("progress"))
        and isinstance(plain.get("window"), dict)
        and all(isinstance(cycles, list) and all(map(_is_count, cycles)) for cycles in plain["window"].values())
    )
    if not good:
        raise Damaged(f"{file}: is no checkpoint of ganbench (its values are not what a run leaves); delete it")
    size = events.stat().st_size if events.exists() else 0
    if size < plain["offset"]:
        raise Damaged(
            f"{file}: {events.name} has lost what was told before it ({size} of {plain['offset']} bytes are there); "
            "delete the checkpoint and the run starts anew"
        )


def _is_line(value: Any) -> bool:
    """Whether it can stand in a message."""
    return isinstance(value, str) and len(value) < 300 and value.isprintable()


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _are_counts(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_is_count, value.values()))


def _are_objects(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) for item in value)
