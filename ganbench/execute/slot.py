"""A slot: one device (a GPU, or a core) that finishes run folders, one after the other."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ganbench.errors import UsageError
from ganbench.execute.child import Child, ending, spawn
from ganbench.execute.forkserver import ForkServer
from ganbench.execute.lock import NAMES
from ganbench.execute.scorer import Scorer, ScoringFailed, last_line
from ganbench.execute.watchdog import PATIENT, Watchdog, hang_seconds
from ganbench.plan.spec import RunSpec
from ganbench.record.checkpoints import NAME as CHECKPOINT
from ganbench.record.checkpoints import remove_checkpoints
from ganbench.record.files import read_json, remove_unfinished
from ganbench.record.head import head, now, write_lost, write_skipped
from ganbench.record.tail import last_step

FINISHED = frozenset({"completed", "diverged", "skipped"})
"""What `result.json` can say; every other status is an attempt that was lost, or `LEFT`."""
LEFT = "left"
"""Of a folder that another process is at work on."""


@dataclass(frozen=True)
class Doors:
    """Where children find plugins and weights: the command line's own words.

    plugins: files or modules (`-p`). directories: `--plugins-dir`. weights: extractor -> file.
    """

    plugins: Sequence[str] = ()
    directories: Sequence[Path] = ()
    weights: Mapping[str, Path] | None = None

    def arguments(self) -> list[str]:
        """For a training process."""
        words = [word for p in self.plugins for word in ("-p", p)]
        return words + [word for d in self.directories for word in ("--plugins-dir", str(d))]

    def scoring(self) -> list[str]:
        """For a scoring process."""
        weights = self.weights or {}
        return self.arguments() + [word for name, file in weights.items() for word in ("--weights", f"{name}={file}")]


@dataclass(frozen=True)
class Outcome:
    """How a run folder was left."""

    folder: Path
    status: str
    reason: str | None = None

    @property
    def lost(self) -> bool:
        """Whether it has no result: the harness lost it (`error.json`), or left it to another process."""
        return self.status not in FINISHED


class Slot:
    """Finishes run folders. Safe to `stop` from another thread."""

    def __init__(
        self,
        device: str = "cpu",
        cores: tuple[int, ...] | None = None,
        doors: Doors | None = None,
        held: tuple[int, ...] = (),
        forced: bool = False,
        shared: bool = False,
        forks: ForkServer | None = None,
    ) -> None:
        """device: `cpu`, `cuda:0`, … cores: CPU cores to bind the children to, or None. held: descriptors of locks that
        the children keep for as long as they live. forced: take up checkpoints that were written elsewhere. shared:
        another slot has the same device, which records say. forks: starts the children that work on a CPU."""
        self._hang_seconds, self._forced, self.shared = hang_seconds(), forced, shared
        self.device, self._cores, self._doors, self._held = device, cores, doors or Doors(), held
        self._start = forks.start if forks is not None and device == "cpu" else spawn
        self._trainer: Child | None = None
        self._scorer: Scorer | None = None
        self._stopping = False
        self._lock = threading.Lock()

    def finish(self, folder: Path, again: bool = False, held: tuple[int, ...] = ()) -> Outcome:
        """Train and score one folder. again: forget what is there first. A result that is there already stands. held:
        descriptors of the folder's own lock, which its training process keeps."""
        spec = RunSpec.read(folder)
        if again:
            clear(folder)
        if not (folder / "result.json").exists():
            (folder / "error.json").unlink(missing_ok=True)
            remove_unfinished(folder)
            self._finish(spec, folder, held)
        return outcome(folder)

    def stop(self, number: int = signal.SIGTERM) -> None:
        """End what runs, by this signal; nothing new is begun."""
        with self._lock:
            self._stopping = True
            for child in (self._trainer, self._scorer):
                if child is not None:
                    child.signal(number)

    def close(self) -> None:
        """End the idle scoring process."""
        if self._scorer is not None:
            self._scorer.close()
            self._scorer = None

    @property
    def stopping(self) -> bool:
        """Whether `stop` was called."""
        return self._stopping

    def _finish(self, spec: RunSpec, folder: Path, held: tuple[int, ...]) -> None:
        beginning = head(spec.json(), spec.entry_key)
        if spec.skip is not None:
            write_skipped(folder, beginning, spec.skip)
            return
        try:
            if not (folder / "trained.json").exists() and (lost := self._train(spec, folder, held)):
                if not (folder / "error.json").exists():
                    write_lost(folder, {**beginning, "finished": now()}, *lost, last_step(folder))
                return
            remove_checkpoints(folder / CHECKPOINT)  # a process that was killed may have left them
            self._score(spec, folder)
        except ScoringFailed as failure:
            if not (folder / "error.json").exists():
                lost = self._blame(failure.status, f"scoring: {failure.reason}")
                write_lost(folder, {**beginning, "finished": now()}, *lost, last_step(folder), "scoring")

    def _train(self, spec: RunSpec, folder: Path, held: tuple[int, ...]) -> tuple[str, str] | None:
        """None once `trained.json` is there, else the status and reason of the loss."""
        arguments = [*self._doors.arguments(), "--device", self.device, *(["--forced"] if self._forced else [])]
        arguments += [*(["--shared-device"] if self.shared else []), str(folder.resolve())]
        with (folder / "run.log").open("ab") as log:
            log.write(f"--- {now()} on {self.device}\n".encode())
            log.flush()
            begins = log.tell()
            with self._lock:
                if self._stopping:
                    return "interrupted", "interrupted before it began"
                self._trainer = child = Child(
                    "ganbench.train",
                    arguments,
                    threads=spec.threads,
                    cores=self._cores,
                    log=log,
                    held=(*self._held, *held),
                    start=self._start,
                )
            try:
                with Watchdog(child, folder, self._hang_seconds, PATIENT * self._hang_seconds) as watchdog:
                    code = child.wait()
            except BaseException:
                child.signal(signal.SIGKILL)
                child.wait()
                raise
            finally:
                with self._lock:
                    self._trainer = None
        if (folder / "trained.json").exists():
            return None
        with (folder / "run.log").open("rb") as log:
            log.seek(max(begins, log.seek(0, 2) - 4096))
            words = last_line(log.read())
        if watchdog.hung:
            return "timeout", watchdog.reason
        if code == 0:
            return "crashed", "the training process ended without its result"
        return self._blame(*ending(code, words, child.short_of_memory))

    def _score(self, spec: RunSpec, folder: Path) -> None:
        with self._lock:
            if self._stopping:
                raise ScoringFailed("interrupted", "interrupted before it began")
            if self._scorer is None:
                arguments = [*self._doors.scoring(), "--device", self.device]
                self._scorer = Scorer(
                    arguments,
                    threads=spec.threads,
                    cores=self._cores,
                    held=self._held,
                    hang_seconds=self._hang_seconds,
                    start=self._start,
                )
        self._scorer.score(folder)
        if not (folder / "result.json").exists():
            raise ScoringFailed("crashed", "the scoring process left no result")

    def _blame(self, status: str, reason: str) -> tuple[str, str]:
        """A child that was stopped by us was interrupted, whatever it looks like."""
        return ("interrupted", "the command was stopped") if self._stopping else (status, reason)


def outcome(folder: Path) -> Outcome:
    """How a folder stands, from its `result.json` or `error.json`."""
    for name in ("result.json", "error.json"):
        if (folder / name).exists():
            record = read_json(folder / name)
            reason = record.get("reason")
            return Outcome(folder, str(record.get("status")), None if reason is None else str(reason))
    raise UsageError(f"{folder}: holds neither a result nor an error")


def clear(folder: Path) -> None:
    """Remove everything that a run left behind but its `spec.json`. Its lock's files stay."""
    for path in folder.iterdir():
        if path.name == "spec.json" or path.name in NAMES:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
