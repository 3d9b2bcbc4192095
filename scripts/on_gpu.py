"""Parts of work for a CUDA machine, each with a time limit; what one of them loses, the others keep.

    machine   what is there, and whether every library is
    tests     the CUDA tests: determinism, resume, graph against eager, steps that do not wait
    program   those of them that start whole commands
    speed     each mode against the plain eager loop: `dcgan` for 28 px with wgan-gp
    together  how many runs at a time pay on one GPU
    run       a tier of the mnist suite, with as many at a time, for as long as there is time
    publish   its results
    verify    whether they hold together

OUT gets `summary.json` (after each part, so that a kill leaves it), `speed.json`, `together.json`, `logs.tar.gz` and
`results.tar.gz`. All else lies in a temporary folder, so that a run which its time ends is lost.
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
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

TOTAL = 570.0
"""Seconds for all parts."""
LIMITS = {
    "machine": 40,
    "tests": 170,
    "program": 170,
    "speed": 120,
    "together": 80,
    "run": 560,
    "publish": 40,
    "verify": 30,
}
BESIDE = {"program": "tests"}
"""Parts that run while another one does."""
MODES = "reference,captured,fast,fast-tf32,fast-bf16"
IMPORTS = (
    "numpy, pandas, platformdirs, pluggy, rfc8785, rich, safetensors, scipy, torch, torch_fidelity, torchvision, typer"
)
GRACE = 15.0
"""Seconds between SIGINT and SIGKILL."""


@dataclass(frozen=True)
class Plan:
    """Where everything goes, and what is asked for. device: `cuda`; another one is for trying this script out."""

    out: Path
    work: Path
    tier: str
    modes: tuple[str, ...]
    device: str

    def command(self, part: str) -> list[str]:
        """A part's words."""
        python, measure, runs = sys.executable, "tests/benchmarks/modes_on.py", self.work / "runs"
        place = f"{self.device}:0" if self.device == "cuda" else self.device
        tests = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rA", "tests/train/test_cuda.py"]
        if part == "machine":
            what = f"import {IMPORTS}; print(torch.__version__, torch.version.cuda)"
            need = "; print(torch.cuda.get_device_properties(0))" if self.device == "cuda" else ""
            return [python, "-c", what + need]
        if part in ("tests", "program"):
            chosen = "same_bits or penalties_run or share_a_gpu"
            parallel = part == "tests" and self.device == "cuda" and importlib.util.find_spec("xdist")
            several = ["-n", "4"] if parallel else []
            return [*tests, *several, "-k", chosen if part == "program" else f"not ({chosen}) or ahead_gives"]
        if part == "speed":
            words = ["--device", place, "--modes", MODES if self.device == "cuda" else "reference,fast"]
            return [python, measure, "against", *words, "--out", str(self.out / "speed.json")]
        if part == "together":
            mode = (self.modes or ("reference",))[0]
            words = ["--device", place, "--modes", mode, "--most", "8" if self.device == "cuda" else "2"]
            return [python, measure, "together", *words, "--out", str(self.out / "together.json")]
        if part == "run":
            jobs = str(self.jobs())
            words = [
                "--suite",
                "mnist",
                "--tier",
                self.tier,
                "--device",
                self.device,
                "--jobs",
                jobs,
                "--out",
                str(runs),
            ]
            return [python, "-m", "ganbench", "run", *words, *(f"--mode={mode}" for mode in self.modes)]
        results = self.work / "results"
        if part == "verify":
            return [python, "-m", "ganbench", "verify", str(results / f"mnist-{self.tier}")]
        return [python, "-m", "ganbench", "publish", str(runs / f"mnist-{self.tier}"), "--to", str(results)]

    def jobs(self) -> int:
        """As many runs at a time as were measured to pay; 1 where that was not measured."""
        try:
            return max(json.loads((self.out / "together.json").read_text("utf-8"))["pays"].values())
        except (OSError, ValueError, KeyError):
            return 1


class Part:
    """A part that was begun: a process group with a log and a limit."""

    def __init__(self, name: str, command: Sequence[str], limit: float, folder: Path) -> None:
        self.name, self.limit, self._began = name, limit, time.monotonic()
        self.log = folder / f"{name}.log"
        with self.log.open("wb") as log:
            log.write((" ".join(command) + "\n").encode())
            log.flush()
            self._process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, start_new_session=True)

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
    parser.add_argument("out", type=Path)
    parser.add_argument("tier", nargs="?", default="standard")
    parser.add_argument("modes", nargs="*")
    asked = parser.parse_args(words)
    parts = asked.parts.split(",")
    if unknown := [part for part in parts if part not in LIMITS]:
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(LIMITS)}")
    with tempfile.TemporaryDirectory() as work:
        plan = Plan(asked.out.resolve(), Path(work), asked.tier, tuple(asked.modes), asked.device)
        if asked.dry:
            for part in parts:
                print(f"{part} ({LIMITS[part]} s): {' '.join(plan.command(part))}")
            return 0
        plan.out.mkdir(parents=True, exist_ok=True)
        return _carry_out(plan, [part for part in LIMITS if part in parts], asked.seconds)


def _carry_out(plan: Plan, parts: Sequence[str], seconds: float) -> int:
    ends, summary = time.monotonic() + seconds, list[dict[str, Any]]()
    logs = plan.work / "logs"
    logs.mkdir()
    waiting = list(parts)
    while waiting:
        first = waiting.pop(0)
        several = [first, *(p for p in waiting if BESIDE.get(p) == first)]
        waiting = [p for p in waiting if p not in several]
        kept_back = sum(LIMITS[p] for p in waiting) if first == "run" else 0
        left = ends - time.monotonic() - kept_back
        if left < 2 * GRACE and first not in ("publish", "verify"):
            summary += [{"part": p, "ok": False, "last_line": "no time was left for it"} for p in several]
            continue
        begun = [Part(p, plan.command(p), min(LIMITS[p], max(left - GRACE, GRACE)), logs) for p in several]
        summary += [part.finish() for part in begun]
        for done in summary[-len(begun) :]:
            state = "done" if done["ok"] else "ended by its limit" if done["ended_by_limit"] else "FAILED"
            print(f"{done['part']}: {state} after {done['seconds']} s: {done['last_line']}", flush=True)
        _keep(plan, logs, summary)
        if first == "machine" and not summary[0]["ok"]:
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
