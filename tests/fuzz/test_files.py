"""Every file that is read, damaged at random: a clear line each, nothing lost, nothing executed, no memory blown up.

200 cases by default, 10,000 with `-m full`.
"""

from __future__ import annotations

import json
import random
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from cases import each, some
from made_records import record, scale_records
from mutations import HALF, HUGE, NESTED, as_json, as_toml, changed, damaged, put
from tiny_runs import PARTS, plan_runs
from watched import held

from ganbench import plugins
from ganbench.execute.slot import Slot
from ganbench.plan.build import plan
from ganbench.plan.data import resolve_data
from ganbench.plan.spec import RunSpec
from ganbench.plan.suite import read_suite
from ganbench.publish import FORMATS, comparison, render
from ganbench.publish.live import describe
from ganbench.rank import comparisons, leaderboards
from ganbench.record.head import head
from ganbench.record.tail import last_event, last_step
from ganbench.score.scorer import Scorer
from ganbench.train.checkpoint import load_checkpoint, save_checkpoint
from ganbench.train.device import reference_mode
from ganbench.train.run import Interrupted, Run

CPU = torch.device("cpu")
TOY = Path(__file__).parents[1] / "execute" / "toy.py"
CRAFTED: tuple[tuple[tuple[str | int, ...], Any], ...] = (
    *((("seed",), number) for number in HUGE),
    (("suite", "levels", "learnt", "recall_at_least"), HUGE[-1]),
    (("suite", "levels", "readable", "below"), HUGE[-1]),
    *((("scores", 0, "value"), value) for value in (1e80, -1e80, -1e308, 1e-300)),
    *(((*path, "further"), NESTED) for path in ((), ("suite",), ("scores", 0, "parts"))),
    (("entry", "label"), HALF),
)
"""Well-formed records with one value that some reader could stumble over; the first cases of their test."""


@dataclass(frozen=True)
class Toy:
    """A planned run on points, and its suite as a tree of values."""

    registry: plugins.Registry
    spec: RunSpec
    suite: dict[str, Any]


@pytest.fixture(scope="module")
def toy() -> Toy:
    registry = plugins.load([str(TOY)])
    suite = read_suite(TOY.with_suffix(".toml"))
    tier = suite.tier(None)
    runs = plan(suite, tier, registry, resolve_data(suite, tier, registry), device="cpu").runs
    spec = next(run for run in runs if run.kind == "trained" and not run.skip)
    return Toy(registry, spec, tomllib.loads(TOY.with_suffix(".toml").read_text()))


@some(50, 2000)
def test_specifications(numbers: range, toy: Toy, tmp_path: Path) -> None:
    whole = {"schema_version": 1, **toy.spec.json()}

    def case(draw: random.Random, folder: Path) -> None:
        file = folder / "spec.json"
        value = changed(whole, draw)
        if draw.random() < 0.5 and isinstance(value, dict):
            value = _with_its_own_id(value, folder)
        file.write_bytes(as_json(value) if draw.random() < 0.7 else damaged(as_json(whole), draw))

        def read() -> None:
            spec = RunSpec.read(folder)
            head(spec.json(), spec.entry_key)
            spec.values()
            assert Path(spec.folder).name == spec.folder and len(spec.folder) < 200
            if spec.skip is not None:
                assert Slot().finish(folder).status == "skipped"

        held(read, file)

    each(numbers, "spec", tmp_path, case)


def _with_its_own_id(value: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The same with the id that it would have, so that it is not refused for that alone."""
    try:
        fields = {k: v for k, v in value.items() if k not in ("schema_version", "run_id")}
        fields |= {k: tuple(fields[k]) for k in ("components", "plugins")}
        return {**value, "run_id": RunSpec(**fields).run_id}
    except (TypeError, ValueError, LookupError, AttributeError):
        return value


@some(50, 2000)
def test_records(numbers: range, tmp_path: Path) -> None:
    looks = [{"cycle": 5, "column": "fd/toy", "value": 3.0, "n": 50}]
    rows = [record(label, seed, 100.0 + 9 * seed + at) for at, label in enumerate("ab") for seed in (0, 1, 2)]
    others = [*rows[1:], *scale_records()[:2]]
    newest = "2027-01-01T00:00:00Z"  # of which the table takes what its suite says
    made = record("a", finished=newest, looks=looks, forced=[{"cycle": 3, "differences": {"torch": ["1", "2"]}}])

    def case(draw: random.Random, folder: Path) -> None:
        number = int(folder.name)
        crafted = CRAFTED[number] if number < len(CRAFTED) else None
        status = draw.choice(("completed", "diverged", "skipped", "crashed", "oom"))
        whole = {**made, "status": "completed" if crafted else status}
        for at, other in enumerate(others):
            (folder / str(at)).mkdir()
            (folder / str(at) / "result.json").write_bytes(as_json(other))
        lost = whole["status"] in ("crashed", "oom")
        file = folder / "x" / ("error.json" if lost else "result.json")
        file.parent.mkdir()
        if crafted:
            file.write_bytes(as_json(put(whole, *crafted)))
        else:
            file.write_bytes(as_json(changed(whole, draw)) if draw.random() < 0.7 else damaged(as_json(whole), draw))

        def read() -> None:
            boards = leaderboards([folder])
            for form in FORMATS:
                page = render(boards, form)
                assert "\x1b" not in page and "\0" not in page
                if form == "json":
                    json.loads(page, parse_constant=pytest.fail)
            found = comparisons(str(folder / "x"), str(folder / "0"), [])
            assert all("\x1b" not in comparison.render(found, form) for form in comparison.FORMATS)

        held(read, file)

    each(numbers, "record", tmp_path, case)


@some(50, 2000)
def test_suites(numbers: range, toy: Toy, tmp_path: Path) -> None:
    def case(draw: random.Random, folder: Path) -> None:
        file = folder / "suite.toml"
        file.write_bytes(
            as_toml(changed(toy.suite, draw)) if draw.random() < 0.7 else damaged(as_toml(toy.suite), draw)
        )

        def read() -> None:
            suite = read_suite(file)
            for name in suite.tiers:
                tier = suite.tier(name)
                made = plan(suite, tier, toy.registry, resolve_data(suite, tier, toy.registry), device="cpu")
                for spec in made.runs:
                    spec.write(folder / "run")
                    assert RunSpec.read(folder / "run").run_id == spec.run_id

        held(read, file)

    each(numbers, "suite", tmp_path, case)


@pytest.fixture(scope="module")
def halted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Run]]:
    """A run that stopped, as often as one likes: gives it anew in another folder."""
    reference_mode(CPU, 1)
    place, parts = tmp_path_factory.mktemp("halted"), plugins.load([str(PARTS)])
    entry = 'architecture = "mlp", loss = "hinge", regularizers = ["t-memory"], recipe = { width = 4, depth = 1 }'
    spec = plan_runs(parts, place / "tiny.toml", entry, "generator_steps = 12")[-1]

    def run(folder: Path) -> Run:
        if folder != place:
            for name in ("events.jsonl", "checkpoint.safetensors"):
                (folder / name).write_bytes((place / name).read_bytes())
        return Run(spec, parts, folder, CPU, stop=lambda: True)

    for _ in range(3):
        with pytest.raises(Interrupted):
            run(place).train()
    yield run
    torch.set_deterministic_debug_mode("default")


@some(30, 2000)
def test_checkpoints(numbers: range, halted: Callable[[Path], Run], tmp_path: Path) -> None:
    def case(draw: random.Random, folder: Path) -> None:
        run, file = halted(folder), folder / "checkpoint.safetensors"
        original = file.read_bytes()
        if crafted := draw.random() < 0.5:  # with a digest that is right
            tensors, plain = load_checkpoint(file, CPU)
            if draw.random() < 0.5:
                plain = json.loads(json.dumps(changed(plain, draw)))
            else:
                name = draw.choice(sorted(tensors))
                odd = [torch.zeros(3), torch.tensor(1), tensors.pop(name).to(torch.int8), torch.full((2, 2), torch.nan)]
                tensors |= {draw.choice((name, name, "x", "player/G/x")): draw.choice(odd)}
            save_checkpoint(file, tensors, plain)
            (folder / "checkpoint-previous.safetensors").unlink()
        else:
            file.write_bytes(damaged(file.read_bytes(), draw))

        def read() -> None:
            try:
                run.train()
            except Interrupted:
                file.write_bytes(written)  # it was taken up, and a newer one is there

        written = file.read_bytes()
        took = held(read, file)
        assert crafted or not took or written == original, "no damage goes unnoticed"

    each(numbers, "checkpoint", tmp_path, case)


@some(20, 2000)
def test_what_training_left(numbers: range, toy: Toy, tmp_path: Path) -> None:
    """`trained.json`, samples and events, as scoring and the display read them."""
    scorer = Scorer([str(TOY)])
    looks = [{"cycle": 5, "real_images": 40, "seconds": 1.5, "file": "look-5"}]
    variants = [{"name": "last-raw", "batch_norm": "running", "headline": True}]
    whole = {"schema_version": 1, "status": "completed", "reason": None, "last_step": 9, "counters": {"cycles": 9}}
    whole |= {"variants": variants, "looks": looks, "environment": {}, "weights": {"G": "ab"}, "forced": []}
    event = {"kind": "progress", "cycle": 7, "progress": 0.5, "losses": {"D/x": 0.3}, "images_per_second": 9.0}

    def case(draw: random.Random, folder: Path) -> None:
        toy.spec.write(folder)
        (folder / "samples").mkdir()
        samples = [folder / "samples" / f"{name}.npy" for name in ("last-raw", "look-5")]
        for file in samples:
            np.save(file, np.zeros((100, 2), np.float32))
        victim = draw.choice((folder / "trained.json", samples[0]))
        (folder / "trained.json").write_bytes(as_json(whole))
        if victim in samples or draw.random() < 0.3:
            victim.write_bytes(damaged(victim.read_bytes(), draw))
        else:
            victim.write_bytes(as_json(changed(whole, draw)))
        events = folder / "events.jsonl"
        events.write_bytes(damaged(as_json(event) + b"\n" + as_json(changed(event, draw)) + b"\n", draw))
        held(lambda: scorer.score(folder), victim)
        held(lambda: (last_step(folder), describe(last_event(folder) or {})), events)

    each(numbers, "trained", tmp_path, case)


@pytest.mark.parametrize("name", ["spec.json", "trained.json", "checkpoint.safetensors", "suite.toml", "result.json"])
def test_a_folder_where_a_file_should_be(name: str, toy: Toy, halted: Callable[[Path], Run], tmp_path: Path) -> None:
    run = halted(tmp_path) if name == "checkpoint.safetensors" else None
    (tmp_path / name).unlink(missing_ok=True)
    (tmp_path / name).mkdir()
    doors: dict[str, Callable[[], Any]] = {
        "spec.json": lambda: RunSpec.read(tmp_path),
        "trained.json": lambda: (toy.spec.write(tmp_path), Scorer([str(TOY)]).score(tmp_path)),
        "checkpoint.safetensors": lambda: run and run.train(),
        "suite.toml": lambda: read_suite(tmp_path / name),
        "result.json": lambda: leaderboards([tmp_path]),
    }
    assert not held(doors[name], tmp_path / name)
