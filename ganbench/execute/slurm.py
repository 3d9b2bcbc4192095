"""Slurm, through submitit: one array of jobs, each of which is the command line of a worker."""

from __future__ import annotations

import contextlib
import functools
import io
import re
import shutil
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from ganbench.errors import UsageError, nearest, one_line
from ganbench.execute.child import environment
from ganbench.execute.engines import State, kind_of, lacking, settings

MINUTES = 240
"""Of a job for which nobody said how long it may take."""
TIMEOUTS = 10
"""So often a job that ran out of time is queued again; it goes on from its checkpoint."""
ORDERLY = 60.0
"""Seconds that a worker has to leave its checkpoints before its job is queued again."""
ANSWER = 60.0
"""Seconds that Slurm may take to answer."""
OURS = {"nodes", "ntasks_per_node", "num_gpus", "array_parallelism", "stderr_to_stdout", "additional_parameters"}
"""Parameters of submitit that are not asked for: a job is one process, and `--jobs` says how many there are."""
WORKER = (sys.executable, "-P", "-m", "ganbench.execute.worker")
LISTS = {"setup", "teardown", "srun_args"}
OTHERS = "sbatch."
"""Before the name of an option of sbatch that submitit does not know."""

ENDS = {
    "BOOT_FAIL": ("killed", "its node did not start"),
    "CANCELLED": ("interrupted", "its job was cancelled"),
    "COMPLETED": ("crashed", ""),
    "DEADLINE": ("timeout", "its job met its deadline"),
    "FAILED": ("crashed", ""),
    "NODE_FAIL": ("killed", "its node failed"),
    "OUT_OF_MEMORY": ("oom", "its job had no more memory: ask for more, as with --ask mem=16GB"),
    "PREEMPTED": ("interrupted", "its job made room for another one"),
    "REVOKED": ("interrupted", "its job was taken by another cluster"),
    "TIMEOUT": ("timeout", "its job ran out of time: ask for more, as with --ask time=8:00:00"),
}
"""State in which a job has ended → status and reason of what it lost."""


class Slurm:
    """Asks Slurm's own commands how jobs stand; `Engine` says the rest."""

    name, title, lasting = "slurm", "Slurm", True

    def __init__(self, asked: Sequence[str] = (), jobs: int | None = None) -> None:
        """asked: parameters of submitit, `KEY=VALUE`. jobs: at most so many at a time."""
        self._parameters = parameters(asked) if asked else {}
        if jobs is not None:
            self._parameters["array_parallelism"] = jobs

    def kind(self, device: str) -> str:
        """`auto` is a GPU where the jobs ask for one."""
        return kind_of(device, self.name, "cuda" if self._asks_gpu() else "cpu")

    def ready(self) -> None:
        """Whether submitit and sbatch are here."""
        _submitit()
        if not (shutil.which("sbatch") and shutil.which("srun")):
            raise UsageError("--on slurm: there is no sbatch here; give the command where jobs are submitted from")

    def submit(self, commands: Sequence[Sequence[str]], logs: Path) -> list[str]:
        """The pickles that submitit leaves for the jobs hold their words, and nothing here reads one."""
        submitit = _submitit()
        given = {"job_name": "ganbench", "time": MINUTES, "stderr_to_stdout": True, **self._parameters}
        if any("cuda" in word for word in commands[0]) and not self._asks_gpu():
            given["gpus_per_node"] = 1
        reach = environment(1)["PYTHONPATH"]
        try:
            executor = submitit.SlurmExecutor(folder=logs, max_num_timeout=TIMEOUTS)
            executor.update_parameters(**given)
            helpers, quiet = submitit.helpers, contextlib.redirect_stderr(io.StringIO())
            with helpers.clean_env(), helpers.environment_variables(PYTHONPATH=reach), quiet:
                jobs = executor.map_array(Worker(), [[*WORKER, *command] for command in commands])
        except (RuntimeError, ValueError, TypeError, submitit.core.utils.FailedJobError) as error:
            said = "; ".join(line.removeprefix("sbatch: error: ") for line in str(error).splitlines() if line.strip())
            raise UsageError(f"--on slurm: no job was submitted: {one_line(said)}{self._hint(said)}") from None
        return [job.job_id for job in jobs]

    def look(self, jobs: Collection[str]) -> Mapping[str, State] | None:
        """From the queue, which keeps what ended for some minutes, and from the accounts where there are any."""
        arrays = ",".join(dict.fromkeys(job.partition("_")[0] for job in jobs))
        if not arrays:
            return {}
        queue = _ask("squeue", "-h", "-r", "-t", "all", "-o", "%i|%T|%r", "-j", arrays)
        if queue is None:
            return None
        found = {job: _state(*rest) for job, *rest in map(_cells, queue.splitlines()) if len(rest) == 2}
        if missing := set(jobs) - set(found):
            of = ",".join(sorted({job.partition("_")[0] for job in missing}))
            accounts = _ask("sacct", "-X", "-n", "-P", "-o", "JobID,State", "-j", of) or ""
            found |= {j: _state(s[0], "") for j, *s in map(_cells, accounts.splitlines()) if j in missing and s}
        return {job: state for job, state in found.items() if job in jobs}

    def cancel(self, jobs: Collection[str]) -> None:
        """Slurm has them told by SIGTERM."""
        if jobs:
            _ask("scancel", *jobs)

    def _hint(self, said: str) -> str:
        """The partitions that there are, where the one that was asked for is none of them."""
        names = (_ask("sinfo", "-h", "-o", "%R") or "").split()
        asked = str(self._parameters.get("partition"))
        return f"; {nearest(asked, names)}" if "partition" in said and names and asked not in names else ""

    def _asks_gpu(self) -> bool:
        words = self._parameters
        return any("gpu" in key for key in words) or "gpu" in str(words.get("gres", "")) or _others_ask_gpu(words)


class Worker:
    """What a job calls with the words of its worker. submitit has it told by `checkpoint` that time is short, or that
    another job is to have its place, and then queues the job again."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __call__(self, words: list[str]) -> None:
        """Ends as the worker ends."""
        self._process = process = subprocess.Popen(words)
        try:
            while process.poll() is None:  # no wait, for `checkpoint` comes in between and asks, too
                time.sleep(0.2)
        finally:
            self._end()
        if process.returncode:
            sys.exit(process.returncode if process.returncode > 0 else 1)

    def checkpoint(self, words: list[str]) -> Any:
        """The same again, once the worker has left its checkpoints."""
        self._end()
        return _submitit().helpers.DelayedSubmission(Worker(), words)

    def _end(self) -> None:
        deadline = time.monotonic() + ORDERLY
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            while self._process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.1)
            if self._process.poll() is None:
                self._process.kill()


def parameters(asked: Sequence[str]) -> dict[str, Any]:
    """What submitit is to be told; a `UsageError` for what it does not know."""
    found: dict[str, Any] = {}
    for key, value in settings(asked, "slurm"):
        if key.startswith(OTHERS):
            found.setdefault("additional_parameters", {})[key.removeprefix(OTHERS)] = value
        elif key not in (names := _names()):
            known = {*names, f"{OTHERS}OPTION"}
            raise UsageError(f"--ask {key}={value}: jobs of Slurm have no '{key}'; {nearest(key, known)}")
        elif key in LISTS:
            found.setdefault(key, []).append(value)
        elif key == "time":
            found[key] = minutes(value)
        elif key == "signal_delay_s" and not value.isdecimal():
            raise UsageError(f"--ask {key}={value}: must be a number of seconds")
        else:
            found[key] = int(value) if value.isdecimal() else {"true": True, "false": False}.get(value, value)
    return found


def minutes(text: str) -> int:
    """Whole minutes of a time as Slurm writes it: `90`, `90:00`, `1:30:00`, `1-12`, `1-12:30`, `1-12:30:00`."""
    form = re.fullmatch(r"(?:(\d+)-)?(\d+)(?::(\d+))?(?::(\d+))?", text)
    if form is None:
        raise UsageError(f"--ask time={text}: expected minutes, hours:minutes:seconds or days-hours")
    days, *rest = form.groups()
    given = [int(part) for part in rest if part is not None]
    if days is not None or len(given) == 3:
        hours, more, seconds = [*given, 0, 0][:3]
    else:
        hours, more, seconds = 0, *[*given, 0][:2]
    return max(1, (int(days or 0) * 24 + hours) * 60 + more + -(-seconds // 60))


@functools.cache
def _names() -> frozenset[str]:
    executor = _submitit().SlurmExecutor
    return frozenset(executor._valid_parameters()) - OURS  # an executor itself can only be made where Slurm is


def _others_ask_gpu(words: Mapping[str, Any]) -> bool:
    others = words.get("additional_parameters", {})
    return any("gpu" in key or "gpu" in value for key, value in others.items())


def _submitit() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import submitit
            import submitit.helpers
    except ImportError:
        raise lacking("slurm") from None
    return submitit


def _cells(line: str) -> list[str]:
    return line.strip().split("|")


def _state(word: str, reason: str) -> State:
    """word: a state's name, which accounts write with `by` whom."""
    name = word.partition(" ")[0]
    if name not in ENDS:
        waits = name == "PENDING"
        return State(f"queued ({reason})" if waits and reason not in ("", "None") else name.lower(), alive=True)
    status, why = ENDS[name]
    return State(name, False, status, why)


def _ask(*words: str) -> str | None:
    """What one of Slurm's commands answers; nothing where it knows of no such job; None where it does not answer."""
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=ANSWER, check=False)
    except FileNotFoundError:
        raise UsageError(f"{words[0]}: is not here, so Slurm cannot be asked; give the command where it is") from None
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode and "Invalid job id" not in done.stderr:
        return None
    return done.stdout
