"""This machine: one thread per slot, all of them drawing from one queue."""

from __future__ import annotations

import contextlib
import queue
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ganbench.errors import UsageError
from ganbench.execute.lock import CHILDREN, Busy, RunLock
from ganbench.execute.slot import LEFT, Outcome, Slot, outcome
from ganbench.plan.spec import RunSpec
from ganbench.record.head import head, write_lost

PATIENCE = 10.0
"""Seconds between SIGTERM and SIGKILL."""


Todo = queue.SimpleQueue[tuple[Path, float]]
"""Folders, and seconds to wait for one that another process is at work on."""
Events = queue.SimpleQueue["Event | None"]
"""What the slots tell; None: one has ended."""


@dataclass(frozen=True)
class Event:
    """A folder was begun (`outcome` is None), or left after so many seconds of wall-clock time."""

    folder: Path
    outcome: Outcome | None = None
    seconds: float = 0.0


def run(
    folders: Sequence[Path], slots: Sequence[Slot], on_event: Callable[[Event], None], again: bool = False
) -> list[Outcome]:
    """Finish the folders, in order of their ends: one outcome for each. on_event is called in this thread.

    Ctrl-C ends the children (SIGTERM, after 10 s or a second Ctrl-C SIGKILL) and is raised again; what is done
    stays done. again: forget what a folder holds when its turn comes.

    A folder that another process is at work on comes last; if it still is then, it is left to it.
    """
    todo: Todo = queue.SimpleQueue()
    for folder in folders:
        todo.put((folder, 0.0))
    events: Events = queue.SimpleQueue()
    threads: list[threading.Thread] = []
    outcomes: list[Outcome] = []
    try:
        _start(threads, [(slot, todo, events, again) for slot in slots])
        running = len(threads)
        while running:
            try:
                event = events.get(timeout=0.5)  # with a timeout Ctrl-C comes through everywhere
            except queue.Empty:
                continue
            if event is None:
                running -= 1
                continue
            if event.outcome is not None:
                outcomes.append(event.outcome)
            on_event(event)
    except BaseException:
        _stop(slots, threads)
        raise
    outcomes += [Outcome(f, "crashed", "nobody was left to do it") for f in _rest(folders, outcomes)]
    return [outcome(o.folder) if o.status == LEFT and (o.folder / "result.json").exists() else o for o in outcomes]


class Stopped(KeyboardInterrupt):
    """By a scheduler, or a terminal that is closed: not by hand."""


@contextlib.contextmanager
def stopped_as_by_ctrl_c(*others: int) -> Iterator[None]:
    """A block in which SIGTERM, SIGHUP (a scheduler, a terminal that is closed) and other signals are a
    `KeyboardInterrupt`; only the first of them, for schedulers send several."""
    stopped: list[int] = []

    def interrupt(number: int, frame: object) -> None:
        if not stopped:
            stopped.append(number)
            raise Stopped

    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP, *others)}
    try:
        for number, handler in before.items():
            if handler == signal.SIG_DFL:  # nohup has SIGHUP ignored, and that stands
                signal.signal(number, interrupt)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start(threads: list[threading.Thread], work: Sequence[tuple[Slot, Todo, Events, bool]]) -> None:
    """Set the slots to work, as many as the system has threads for."""
    for arguments in work:
        thread = threading.Thread(target=_work, args=arguments, daemon=True)
        try:
            thread.start()
        except RuntimeError as error:
            arguments[0].close()
            if not threads:
                raise UsageError(f"nothing can be run here: {error}") from None
        else:
            threads.append(thread)


def _rest(folders: Sequence[Path], outcomes: Sequence[Outcome]) -> list[Path]:
    told = {outcome.folder for outcome in outcomes}
    return [folder for folder in folders if folder not in told]


def _stop(slots: Sequence[Slot], threads: Sequence[threading.Thread]) -> None:
    for slot in slots:
        slot.stop()
    deadline = time.monotonic() + PATIENCE
    try:
        for thread in threads:
            thread.join(max(0.0, deadline - time.monotonic()))
    except KeyboardInterrupt:
        deadline = 0.0
    if any(thread.is_alive() for thread in threads):
        for slot in slots:
            slot.stop(signal.SIGKILL)
        for thread in threads:
            thread.join(PATIENCE)


def _work(slot: Slot, todo: Todo, events: Events, again: bool) -> None:
    try:
        while not slot.stopping:
            try:
                folder, patience = todo.get_nowait()
            except queue.Empty:
                break
            try:
                with RunLock(folder, patience) as lock:
                    events.put(Event(folder))
                    began = time.monotonic()
                    left = _finish(slot, folder, again, (lock.descriptor,))
                    events.put(Event(folder, left, time.monotonic() - began))
            except Busy as busy:
                if patience:
                    _pass_over(folder, LEFT, busy, events)
                else:
                    todo.put((folder, CHILDREN))
            except UsageError as error:  # a place that cannot be written to
                _pass_over(folder, "crashed", error, events)
    finally:
        try:
            slot.close()
        finally:
            events.put(None)


def _finish(slot: Slot, folder: Path, again: bool, held: tuple[int, ...]) -> Outcome:
    """A folder that cannot be worked on (edited, disk full, no thread to be had) is a lost attempt, not the end of the
    others."""
    try:
        return slot.finish(folder, again, held)
    except Exception as error:
        expected = isinstance(error, UsageError | OSError)
        reason = " ".join((str(error) if expected else f"{type(error).__name__}: {error}").split())
        with contextlib.suppress(Exception):  # where that fails the outcome alone tells
            if not expected:
                with (folder / "run.log").open("a", encoding="utf-8") as log:
                    traceback.print_exception(error, file=log)
            spec = RunSpec.read(folder)
            write_lost(folder, head(spec.json(), spec.entry_key), "crashed", reason, None)
        return Outcome(folder, "crashed", reason)


def _pass_over(folder: Path, status: str, error: UsageError, events: Events) -> None:
    reason = str(error).removeprefix(f"{folder}: ")
    events.put(Event(folder))
    events.put(Event(folder, Outcome(folder, status, reason)))
