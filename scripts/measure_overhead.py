"""What a tier costs beside its training steps and its evaluations, and where that goes; prints a table.

    GANBENCH_DATA=FOLDER python scripts/measure_overhead.py OUT [--suite mnist] [--tier quick] [--seeds SEEDS]
        [--architecture NAME…] [--loss NAME…] [--seconds 4] [--wall]

Runs a tier that has no presets, or what is chosen of it, with one job in the folder OUT, which must not be there.
Steps: the budget at the rate that `ganbench bench` measures with the same recipe, before and after. Evaluations:
drawing samples for looks and results, and scoring them. Every process is then run once more with its parts timed,
started as the command starts it. Times are processor time, for a machine that other work shares, or with --wall the
clock's.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import json
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

BEGAN = time.perf_counter()
CLI, TRAIN, SCORE = "ganbench.cli", "ganbench.train.__main__", "ganbench.score.__main__"
STEPS, DRAWN, SCORED = "training steps", "samples drawn", "samples scored"
PARTS = {
    CLI: {},
    SCORE: {"score.scorer:Scorer.score": SCORED},
    TRAIN: {
        "plugins:load": "plugins loaded",
        "train.__main__:make_scale_row": DRAWN,
        "train.run:build_engine": "data, networks",
        "train.run:flops_of_a_cycle": "FLOPs counted",
        "train.engine:Engine.cycle": STEPS,
        "train.run:Run._poll": "polls, events",
        "train.run:Run._save": "checkpoints",
        "train.run:write_samples": "samples written",
        "train.sampling:Sampler.networks": DRAWN,
        "train.sampling:Sampler.draw": DRAWN,
        "train.sampling:Sampler.rate": "sampling rate",
        "train.sampling:Sampler.shown": "picture",
        "train.pictures:write": "picture",
    },
}
"""What is timed in each program, by where it is found in ganbench; the outermost counts."""


def inside(clock: str, module: str, *arguments: str) -> None:
    """Become a program of ganbench, with its parts timed: the last line of stderr."""
    now = time.perf_counter = time.perf_counter if clock == "wall" else time.process_time  # also for what it measures
    spent: Any = Counter()  # of seconds, where its type has whole numbers
    busy: list[str] = []

    def timed(function: Any, name: str) -> Any:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            start = now()
            busy.append(name)
            try:
                return function(*args, **kwargs)
            finally:
                busy.pop()
                if not busy:
                    spent[name] += now() - start

        return call

    main = importlib.import_module(module).main
    for place, name in PARTS[module].items():
        home, _, path = place.partition(":")
        *outer, last = path.split(".")
        owner = functools.reduce(getattr, outer, importlib.import_module(f"ganbench.{home}"))
        setattr(owner, last, timed(getattr(owner, last), name))
    sys.argv = [module, *arguments]
    code = main()
    whole = now() - (BEGAN if clock == "wall" else 0.0)
    print(json.dumps({f"{module.split('.')[1]}: the rest": whole - spent.total(), **spent}), file=sys.stderr)
    sys.exit(code)


def run(clock: str, *words: str) -> tuple[subprocess.CompletedProcess[str], float]:
    """A command, and its seconds: on the clock, or of every processor that it and what it started used."""
    before, start = spent_by_children(), time.perf_counter()
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, check=False)
    wall, processor = time.perf_counter() - start, spent_by_children() - before
    if done.returncode:
        sys.exit(f"{' '.join(words)}: {done.stderr[-2000:]}")
    return done, wall if clock == "wall" else processor


def parts(clock: str, programs: Sequence[tuple[str, ...]]) -> Counter[str]:
    """What the parts of programs took that start as those of `ganbench run` do, and what it took to be able to."""
    from ganbench.execute.child import Child  # not above: the programs that are timed would begin with it, too
    from ganbench.execute.forkserver import ForkServer

    spent: Counter[str] = Counter()
    before, start = spent_by_children(), time.perf_counter()
    with ForkServer() as server:
        for module, *words in programs:
            with tempfile.TemporaryFile() as log:
                arguments = ["--inside", clock, module, *words]
                code = Child(Path(__file__).stem, arguments, threads=1, cores=None, log=log, start=server.start).wait()
                log.seek(0)
                said = log.read().decode().splitlines()
                if code:
                    sys.exit(f"{module} {' '.join(words)}: {said[-1]}")
                spent += Counter(json.loads(said[-1]))
    whole = time.perf_counter() - start if clock == "wall" else spent_by_children() - before
    return spent + Counter({"starting Python with torch, once": whole - spent.total()})


def spent_by_children() -> float:
    """Processor seconds of those that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def rate(clock: str, spec: dict[str, Any], shape: str, seconds: float) -> float:
    """Real images per second of an entry, by `ganbench bench`."""
    entry, words = spec["entry"], ["--shape", shape, "--seconds", str(seconds), "--format", "json", "--device", "cpu"]
    for key, said in spec["recipe"].items():
        words += ["--set", f"{key}={json.dumps(said['value'])}"] if said["origin"].startswith(("tier", "suite")) else []
    words += ["--architecture", entry["architecture"], "--loss", entry["loss"], "--mode", spec["mode"]]
    done, _ = run(clock, __file__, "--inside", clock, CLI, "bench", *words)
    return float(json.loads(done.stdout)["images_per_second_D"][0])


def entry_of(spec: dict[str, Any]) -> str:
    """What seeds of one entry share."""
    return json.dumps([spec["entry"], spec["mode"], spec["recipe"]], sort_keys=True)


def main() -> None:
    """Measure and print."""
    from ganbench.cli.planning import Request, make
    from ganbench.plan.spec import TRAINED
    from ganbench.plugins import load

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path)
    for name, default in (("suite", "mnist"), ("tier", "quick"), ("seeds", None)):
        parser.add_argument(f"--{name}", default=default)
    for name in ("architecture", "loss"):
        parser.add_argument(f"--{name}", nargs="+", default=[])
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--wall", dest="clock", action="store_const", const="wall", default="processor")
    asked = parser.parse_args()
    names = tuple(asked.architecture), tuple(asked.loss)
    planned = make(Request(asked.suite, asked.tier, *names, seeds=asked.seeds, device="cpu", jobs=1))
    specs = [r.json() for r in planned.plan.runs if r.kind == TRAINED and not r.skip]
    entries = {entry_of(spec): spec for spec in specs}
    shape = "x".join(map(str, load([]).get("dataset", specs[0]["data"]["A"]["name"]).spec.shape))
    rates = {entry: [rate(asked.clock, spec, shape, asked.seconds)] for entry, spec in entries.items()}
    words = ["--suite", asked.suite, "--tier", asked.tier, "--jobs", "1", "--device", "cpu"]
    words += ["--seeds", asked.seeds] if asked.seeds else []
    words += [w for kind in ("architecture", "loss") for name in getattr(asked, kind) for w in (f"--{kind}", name)]
    words = ["-m", "ganbench", "run", *words, "--resume", "missing", "--out", str(asked.out)]
    asked.out.mkdir(parents=True)
    whole = run(asked.clock, *words)[1]
    for entry, spec in entries.items():
        rates[entry].append(rate(asked.clock, spec, shape, asked.seconds))
    spent = Counter({"command: plan, leaderboard": run(asked.clock, *words)[1]})
    with tempfile.TemporaryDirectory() as place:
        folders = [Path(place, file.parent.name) for file in asked.out.glob("*/*/spec.json")]
        for folder in folders:
            shutil.copytree(next(asked.out.glob(f"*/{folder.name}")), folder, ignore=lambda _, n: {*n} - {"spec.json"})
        training = [(TRAIN, "--device", "cpu", str(folder)) for folder in folders]
        spent += parts(asked.clock, [*training, (SCORE, "--device", "cpu", *map(str, folders))])
    steps = sum(spec["budget"]["amount"] / statistics.mean(rates[entry_of(spec)]) for spec in specs)
    spent["training beyond that"] = spent.pop(STEPS) - steps
    needed = {"training steps, by ganbench bench": steps, **{name: spent.pop(name) for name in (DRAWN, SCORED)}}
    rest = {**dict(spent.most_common()), "not accounted for": whole - sum(needed.values()) - spent.total()}
    print(f"{len(folders)} runs, {len(specs)} of them trained; {asked.clock} seconds\n| part | seconds | |")
    for name, value in {**needed, **rest, "whole": whole}.items():
        print(f"| {name} | {value:.1f} | {100 * value / sum(needed.values()):.0f} % |")


if __name__ == "__main__":
    inside(*sys.argv[2:]) if sys.argv[1:2] == ["--inside"] else main()
