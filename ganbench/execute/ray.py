"""Ray: one task for each job, which starts a worker on its node and ends with it."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import socket
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ganbench.errors import UsageError, nearest, one_line
from ganbench.execute.child import Child
from ganbench.execute.engines import State, kind_of, lacking, settings

NUMBERS = {"num_cpus": float, "num_gpus": float, "memory": int, "max_retries": int}
OPTIONS = {**NUMBERS, "accelerator_type": str}
"""What `--ask` takes of the options that a task has."""
ADDRESS = "address"
"""Of the cluster; without one, what `RAY_ADDRESS` says, a cluster that runs here, or a new one on this machine."""
RESOURCES = "resources."
"""Before the name of a resource of the cluster's own."""
KNOCK = 10.0
"""Seconds that a cluster may take to answer."""
ORDERLY = 20.0
"""Seconds that a worker has to leave its checkpoints when its task is cancelled."""


class Ray:
    """Tasks end with the command; `Engine` says the rest."""

    name, title, lasting = "ray", "Ray", False

    def __init__(self, asked: Sequence[str] = (), jobs: int | None = None) -> None:
        """asked: options of a task, `KEY=VALUE`. jobs: at most so many at a time."""
        self._options, self._address = options(asked)
        self._most, self._task = jobs, None
        self._waiting: dict[str, Callable[[], Any]] = {}
        self._running: dict[str, Any] = {}
        self._ended: dict[str, State] = {}

    def kind(self, device: str) -> str:
        """`auto` is a GPU where the cluster has one."""
        if device != "auto":
            return kind_of(device, self.name, "cpu")
        return "cuda" if self._connected().cluster_resources().get("GPU") else "cpu"

    def ready(self) -> None:
        """Connect."""
        self._connected()

    def submit(self, commands: Sequence[Sequence[str]], logs: Path) -> list[str]:
        """Where not all may go at a time, the others wait here."""
        ray = self._connected()
        given = {"num_gpus": 1} if any("cuda" in word for word in commands[0]) else {}
        task = ray.remote(**{"num_cpus": 1, **given, **self._options})(work)
        variables = {name: value for name, value in os.environ.items() if name.startswith("GANBENCH_")}
        driver, before = ray.get_runtime_context().get_job_id(), len(self._waiting) + len(self._running)
        names = [f"{driver}-{before + at}" for at in range(len(commands))]
        for name, words in zip(names, commands, strict=True):
            log = str(logs / f"{name}_0_log.out")
            self._waiting[name] = functools.partial(task.remote, list(words), log, variables)
        self._begin()
        return names

    def look(self, jobs: Collection[str]) -> Mapping[str, State] | None:
        """A task of another command is not known: it has ended with that."""
        if self._running:
            there = {ref: name for name, ref in self._running.items()}
            ended, _ = self._connected().wait(list(there), num_returns=len(there), timeout=0)
            for ref in ended:
                name = there[ref]
                self._ended[name] = self._end(ref)
                del self._running[name]
            self._begin()
        alive = dict.fromkeys([*self._waiting, *self._running], State("queued", alive=True))
        return {name: state for name, state in {**alive, **self._ended}.items() if name in jobs}

    def cancel(self, jobs: Collection[str]) -> None:
        """Tasks that work have their workers end."""
        for name in set(self._waiting) & set(jobs):
            del self._waiting[name]
        for name in set(self._running) & set(jobs):
            self._connected().cancel(self._running[name])

    def _begin(self) -> None:
        for name in list(self._waiting):
            if self._most is None or len(self._running) < self._most:
                self._running[name] = self._waiting.pop(name)()

    def _end(self, ref: Any) -> State:
        """How a task that is over has ended."""
        errors = self._connected().exceptions
        try:
            return State(f"exit code {self._connected().get(ref)}", False, "crashed")
        except errors.TaskCancelledError:
            return State("cancelled", False, "interrupted", "its task was cancelled")
        except errors.OutOfMemoryError:
            return State(
                "out of memory", False, "oom", "its node had no more memory: ask for more, as --ask memory=BYTES"
            )
        except errors.NodeDiedError:
            return State("node failed", False, "killed", "its node failed")
        except (errors.WorkerCrashedError, errors.LocalRayletDiedError):
            return State("killed", False, "killed", "its process was killed")
        except Exception as error:  # whatever else a task, or the cluster, ends with
            return State(type(error).__name__, False, "crashed", one_line(error)[-300:])

    def _connected(self) -> Any:
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would report to its makers
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        try:
            import ray
        except ImportError:
            raise lacking("ray") from None
        if not ray.is_initialized():
            _answers(self._address or os.environ.get("RAY_ADDRESS", ""))
            quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "error"}
            try:
                with _same_signals():
                    ray.init(address=self._address, **quiet)
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise UsageError(f"--on ray: no cluster to connect to: {one_line(error)[:300]}") from None
        return ray


def work(words: list[str], log: str, variables: Mapping[str, str]) -> int:
    """A task: a worker on this node, whose exit code it gives. A cancelled one has it end first."""
    os.environ.update(variables)
    with open(log, "ab") as file:
        child = Child("ganbench.execute.worker", words, threads=1, cores=None, log=file)
        try:
            while not child.ended():  # a task is cancelled between two words of Python only
                time.sleep(0.1)
        except BaseException:
            child.signal(signal.SIGTERM)
            deadline = time.monotonic() + ORDERLY
            while not child.ended() and time.monotonic() < deadline:
                time.sleep(0.1)
            raise
        finally:
            child.signal(signal.SIGKILL)
            code = child.wait()
    return code


def options(asked: Sequence[str]) -> tuple[dict[str, Any], str | None]:
    """Options of a task, and the cluster's address; a `UsageError` for what is neither."""
    found: dict[str, Any] = {}
    address = None
    for key, value in settings(asked, "ray"):
        if key == ADDRESS:
            address = value
        elif key.startswith(RESOURCES):
            found.setdefault("resources", {})[key.removeprefix(RESOURCES)] = _number(key, value, float)
        elif key not in OPTIONS:
            known = {*OPTIONS, ADDRESS, f"{RESOURCES}NAME"}
            raise UsageError(f"--ask {key}={value}: tasks of Ray have no '{key}'; {nearest(key, known)}")
        else:
            found[key] = _number(key, value, NUMBERS[key]) if key in NUMBERS else value
    return found, address


def _number(key: str, value: str, kind: Callable[[str], Any]) -> Any:
    try:
        return kind(value)
    except ValueError:
        raise UsageError(f"--ask {key}={value}: must be a number") from None


def _answers(address: str) -> None:
    """A `UsageError` where nobody listens at `HOST:PORT`, for which Ray would wait for many minutes."""
    host, colon, port = address.removeprefix("ray://").rpartition(":")
    if colon and port.isdecimal():
        try:
            socket.create_connection((host, int(port)), timeout=KNOCK).close()
        except (OSError, OverflowError) as error:
            raise UsageError(f"--on ray: no cluster answers at {address} ({error})") from None


@contextlib.contextmanager
def _same_signals() -> Iterator[None]:
    """A block that leaves signals to whom they were: Ray takes SIGTERM."""
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
