"""Killed anywhere, a run goes on bit for bit: weights, events, samples."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from killing import killer
from tiny_runs import PARTS, lasting, plan_runs

from ganbench import plugins
from ganbench.plan.spec import RunSpec

CYCLES = 48
MLP = 'architecture = "mlp", recipe = {{ width = 8, depth = 1 }}, {}'
KINDS = {
    "plain": MLP.format('loss = "non-saturating"'),
    "penalty": MLP.format('loss = "wgan-gp"'),
    "conditional": 'architecture = "cdcgan", loss = "hinge", recipe = { width = 4, batch_size = 4, ema_half_life = 0 }',
    "memory and average": MLP.format('loss = "hinge", regularizers = ["t-memory"]'),
}


@dataclass
class Kind:
    """One kind of GAN: its run, and what it leaves where nobody interrupts it."""

    spec: RunSpec
    whole: dict[str, Any]


@dataclass
class Killed:
    """Runs to be killed."""

    attempt: Callable[..., int]
    kinds: dict[str, Kind]
    place: Path

    def __call__(self, name: str, point: dict[str, Any], checkpoint_seconds: float) -> None:
        """Kill one run at a point, have it go on, and hold what it leaves to what an uninterrupted one does."""
        kind, folder = self.kinds[name], self.place / f"{name}-{random.getrandbits(64):x}"
        kind.spec.write(folder)
        ended = self.attempt(folder=folder, checkpoint_seconds=checkpoint_seconds, **point)
        assert ended == 9, "it was killed, and not too late"
        assert self.attempt(folder=folder, checkpoint_seconds=60.0) == 0
        assert lasting(folder) == kind.whole
        left = {p.name for p in folder.rglob("*") if p.name.startswith(".") or "checkpoint" in p.name}
        assert left <= {".pulse"}, "nothing of the killed attempt stays"


def whole(attempt: Callable[..., int], spec: RunSpec, folder: Path) -> Kind:
    """The kind, with its run trained to the end at once."""
    spec.write(folder)
    assert attempt(folder=folder, checkpoint_seconds=60.0, fork=False) == 0
    kind = Kind(spec, lasting(folder))
    assert kind.whole["trained"]["status"] == "completed"
    return kind


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killed]:
    place, parts = tmp_path_factory.mktemp("killed"), plugins.load([str(PARTS)])
    with killer() as attempt:
        kinds = {}
        for name, entry in KINDS.items():
            spec = plan_runs(parts, place / "tiny.toml", entry, f"generator_steps = {CYCLES}")[-1]
            kinds[name] = whole(attempt, spec, place / f"whole {name}")
        yield Killed(attempt, kinds, place)


def moment(seed: int) -> tuple[dict[str, Any], float]:
    """A random moment, and how often a checkpoint is written: after every cycle, now and then, never."""
    draw = random.Random(f"moment {seed}")
    point = {"cycle": draw.randrange(1, CYCLES), "delay": draw.uniform(0.0, 0.02)}
    return point, draw.choice((0.0, 0.03, 60.0))


def write(seed: int) -> tuple[dict[str, Any], float]:
    """A random step of writing files, with a checkpoint after every cycle."""
    return {"write": random.Random(f"write {seed}").randrange(1, 10 * CYCLES)}, 0.0


@pytest.mark.parametrize("point", [moment, write])
@pytest.mark.parametrize("name", KINDS)
def test_a_killed_run_goes_on_bit_for_bit(killed: Killed, name: str, point: Callable[[int], Any]) -> None:
    killed(name, *point(list(KINDS).index(name)))


@pytest.mark.full
@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("point", [moment, write])
@pytest.mark.parametrize("name", KINDS)
def test_anywhere(killed: Killed, name: str, point: Callable[[int], Any], seed: int) -> None:
    """200 in all."""
    killed(name, *point(1000 + 100 * seed + list(KINDS).index(name)))


@pytest.mark.full
@pytest.mark.parametrize("name", KINDS)
def test_in_the_fast_mode(killed: Killed, name: str) -> None:
    spec, fast = replace(killed.kinds[name].spec, mode="fast"), f"{name} fast"
    killed.kinds[fast] = whole(killed.attempt, spec, killed.place / f"whole {fast}")
    for seed in range(3):
        killed(fast, *moment(5000 + seed))
