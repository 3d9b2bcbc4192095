"""Parts of work for a CUDA machine, each with a time limit; what one of them loses, the others keep.

    machine   what is there, and whether it is what the other parts need; else nothing else is begun
    tests     the CUDA tests: determinism, resume, graph against eager, steps that do not wait
    program   those of them that start whole commands
    speed     each mode against the plain eager loop: `dcgan` for 28 px with wgan-gp
    together  how many runs at a time pay on one GPU
    run       a tier of the mnist suite, with as many at a time, for as long as there is time
    publish   its results
    verify    whether they hold together

OUT gets `summary.json` (after each part, so that a kill leaves it), `speed.json`, `together.json`, `logs.tar.gz` and
`results.tar.gz`. All else lies in a temporary folder, so that a run which its time ends is lost. ganbench need not be
installed, only what it needs; the plugins of the tree that this file lies in are taken. Packed files in GANBENCH_DATA
(`…-ubyte.gz`) are unpacked. Words after `--` go to `ganbench run`, to have it run some entries only.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gpu_machine

TOTAL = 540.0
"""Seconds for all parts."""
LIMITS = {
    "machine": 120,
    "tests": 170,
    "program": 170,
    "speed": 120,
    "together": 110,
    "run": 560,
    "publish": 40,
    "verify": 30,
}
BESIDE = {"program": "tests"}
"""Parts that run while another one does."""
MODES = "reference,captured,fast,fast-tf32,fast-bf16"
GRACE = 15.0
"""Seconds between SIGINT and SIGKILL."""


@dataclass(frozen=True)
class Plan:
    """Where everything goes, and what is asked for.

    device: `cuda`; another one is for trying this script out. parts: all that are asked for. words: more ones for
    `ganbench run`. at_a_time: runs, where that is known already.
    """

    out: Path
    work: Path
    tier: str
    modes: tuple[str, ...]
    device: str
    parts: tuple[str, ...] = tuple(LIMITS)
    words: tuple[str, ...] = ()
    at_a_time: int | None = None

    def command(self, part: str) -> list[str]:
        """A part's words."""
        python, measure, runs = sys.executable, "tests/benchmarks/modes_on.py", self.work / "runs"
        place = f"{self.device}:0" if self.device == "cuda" else self.device
        tests = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rA", "tests/train/test_cuda.py"]
        if part == "machine":
            runs_to_come = self.command("run")[4:] if "run" in self.parts else []
            words = ["--device", self.device, "--parts", ",".join(self.parts), "--", *runs_to_come]
            return [python, "scripts/gpu_machine.py", *words]
        if part in ("tests", "program"):
            chosen = "twice_the_same_bits or penalties_run or share_a_gpu"
            parallel = self.device == "cuda" and importlib.util.find_spec("xdist")
            several = ["-n", "4" if part == "tests" else "3"] if parallel else []
            return [*tests, *several, "-k", chosen if part == "program" else f"not ({chosen})"]
        if part == "speed":
            words = ["--device", place, "--modes", MODES if self.device == "cuda" else "reference,fast"]
            return [python, measure, "against", *words, "--out", str(self.out / "speed.json")]
        if part == "together":
            mode = (self.modes or ("reference",))[0]
            words = ["--device", place, "--modes", mode, "--most", "8" if self.device == "cuda" else "2"]
            return [python, measure, "together", *words, "--out", str(self.out / "together.json")]
        if part == "run":
            words = ["--suite", "mnist", "--tier", self.tier, "--device", self.device, "--jobs", str(self.jobs())]
            words += ["--out", str(runs), *(f"--mode={mode}" for mode in self.modes), *self.words]
            return [python, "-m", "ganbench", "run", *words]
        results = self.work / "results"
        if part == "verify":
            return [python, "-m", "ganbench", "verify", str(results / f"mnist-{self.tier}")]
        return [python, "-m", "ganbench", "publish", str(runs / f"mnist-{self.tier}"), "--to", str(results)]

    def jobs(self) -> int:
        """As many runs at a time as were asked for, or measured to pay; 1 where that was not measured."""
        if self.at_a_time:
            return self.at_a_time
        try:
            return max(json.loads((self.out / "together.json").read_text("utf-8"))["pays"].values())
        except (OSError, ValueError, KeyError):
            return 1


class Part:
    """A part that was begun: a process group with a log and a limit."""

    def __init__(
        self, name: str, command: Sequence[str], limit: float, folder: Path, environment: Mapping[str, str]
    ) -> None:
        self.name, self.limit, self._began = name, limit, time.monotonic()
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            log.write((" ".join(command) + "\n").encode())
            log.flush()
            self._process = subprocess.Popen(
                command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True, env=environment
            )

    def finish(self) -> dict[str, Any]:
        """Wait for its end, or end it when its time is over: SIGINT first, so that it leaves what it has."""
        ended_by_limit = False
        try:
            self._process.wait(max(0.1, self._began + self.limit - time.monotonic()))
        except subprocess.TimeoutExpired:
            ended_by_limit = True
            self._signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(GRACE)
        self._signal(signal.SIGKILL)
        code = self._process.wait()
        words = self.log.read_text("utf-8", errors="replace").splitlines()
        return {
            "part": self.name,
            "ok": code == 0 and not ended_by_limit,
            "exit_code": code,
            "ended_by_limit": ended_by_limit,
            "seconds": round(time.monotonic() - self._began, 1),
            "limit": round(self.limit, 1),
            "last_line": words[-1][:300] if words else "",
        }

    def _signal(self, number: int) -> None:
        try:
            os.killpg(self._process.pid, number)
        except (ProcessLookupError, PermissionError):
            return


def main(words: Sequence[str] | None = None) -> int:
    """0: every part did its work; 1: some did not, which `summary.json` names."""
    parser = argparse.ArgumentParser(prog="scripts/gpu", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--dry", action="store_true", help="print the parts and do nothing")
    parser.add_argument("--parts", default=",".join(LIMITS), help="only these")
    parser.add_argument(
        "--device", default="cuda", help="cpu, to try the script out: nothing of it says anything of a GPU"
    )
    parser.add_argument("--seconds", type=float, default=TOTAL, help="for all of them")
    parser.add_argument("--jobs", type=int, help="runs at a time, as `together` found in an earlier call")
    parser.add_argument("out", type=Path)
    parser.add_argument("tier", nargs="?", default="standard")
    parser.add_argument("modes", nargs="*")
    mine, more = list(sys.argv[1:] if words is None else words), list[str]()
    if "--" in mine:
        mine, more = mine[: mine.index("--")], mine[mine.index("--") + 1 :]
    asked = parser.parse_args(mine)
    parts = tuple(asked.parts.split(","))
    if unknown := [part for part in parts if part not in LIMITS]:
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(LIMITS)}")
    # Whoever starts this in the background of a shell has SIGINT ignored, which would be handed on to every part.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with tempfile.TemporaryDirectory() as work:
        words_of = tuple(asked.modes), asked.device, parts, tuple(more)
        plan = Plan(asked.out.resolve(), Path(work), asked.tier, *words_of, asked.jobs)
        if asked.dry:
            for part in parts:
                print(f"{part} ({LIMITS[part]} s): {' '.join(plan.command(part))}")
            return 0
        plan.out.mkdir(parents=True, exist_ok=True)
        return _carry_out(plan, asked.seconds)


def _carry_out(plan: Plan, seconds: float) -> int:
    ends, summary = time.monotonic() + seconds, list[dict[str, Any]]()
    logs = plan.work / "logs"
    logs.mkdir()
    environment = gpu_machine.made(plan.work)
    waiting = [part for part in LIMITS if part in plan.parts]
    while waiting:
        first = waiting.pop(0)
        several = [first, *(p for p in waiting if BESIDE.get(p) == first)]
        waiting = [p for p in waiting if p not in several]
        kept_back = sum(LIMITS[p] for p in waiting) if first == "run" else 0
        left = ends - time.monotonic() - kept_back
        if left < 2 * GRACE and first not in ("publish", "verify"):
            summary += [{"part": p, "ok": False, "last_line": "no time was left for it"} for p in several]
            print(*(f"{p}: no time was left for it" for p in several), sep="\n", flush=True)
            continue
        limits = [min(LIMITS[p], max(left - GRACE, GRACE)) for p in several]
        begun = [Part(p, plan.command(p), s, logs, environment) for p, s in zip(several, limits, strict=True)]
        summary += [part.finish() for part in begun]
        for done in summary[-len(begun) :]:
            state = "done" if done["ok"] else "ended by its limit" if done["ended_by_limit"] else "FAILED"
            print(f"{done['part']}: {state} after {done['seconds']} s: {done['last_line']}", flush=True)
        _keep(plan, logs, summary)
        if first == "machine" and not summary[0]["ok"] and not summary[0]["ended_by_limit"]:
            break
    _keep(plan, logs, summary)
    return int(not all(done["ok"] for done in summary))


def _keep(plan: Plan, logs: Path, summary: list[dict[str, Any]]) -> None:
    """Put what there is by now where it stays."""
    text = json.dumps({"device": plan.device, "tier": plan.tier, "jobs": plan.jobs(), "parts": summary}, indent=1)
    (plan.out / "summary.json").write_text(text + "\n", encoding="utf-8")
    for name, folder in (("logs", logs), ("results", plan.work / "results")):
        if folder.is_dir():
            unfinished = plan.out / f".{name}.tar.gz"
            with tarfile.open(unfinished, "w:gz") as file:
                file.add(folder, name)
            shutil.move(unfinished, plan.out / f"{name}.tar.gz")


if __name__ == "__main__":
    sys.exit(main())
