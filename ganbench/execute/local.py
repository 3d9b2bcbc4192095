"""This machine: one thread per slot, all of them drawing from one queue."""

from __future__ import annotations

import contextlib
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ganbench.errors import UsageError
from ganbench.execute.slot import Outcome, Slot
from ganbench.plan.spec import RunSpec
from ganbench.record.head import head, write_lost

PATIENCE = 10.0
"""Seconds between SIGTERM and SIGKILL."""


@dataclass(frozen=True)
class Event:
    """A folder was begun (`outcome` is None), or left after so many seconds of wall-clock time."""

    folder: Path
    outcome: Outcome | None = None
    seconds: float = 0.0


def run(
    folders: Sequence[Path], slots: Sequence[Slot], on_event: Callable[[Event], None], again: bool = False
) -> list[Outcome]:
    """Finish the folders, in order of their ends. on_event is called in this thread.

    Ctrl-C ends the children (SIGTERM, after 10 s or a second Ctrl-C SIGKILL) and is raised again; what is done
    stays done. again: forget what a folder holds when its turn comes.
    """
    todo: queue.SimpleQueue[Path] = queue.SimpleQueue()
    for folder in folders:
        todo.put(folder)
    events: queue.SimpleQueue[Event | None] = queue.SimpleQueue()
    threads = [threading.Thread(target=_work, args=(slot, todo, events, again), daemon=True) for slot in slots]
    for thread in threads:
        thread.start()
    outcomes: list[Outcome] = []
    running = len(threads)
    try:
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
    return outcomes


@contextlib.contextmanager
def stopped_as_by_ctrl_c() -> Iterator[None]:
    """A block in which SIGTERM and SIGHUP (a scheduler, a terminal that is closed) are a `KeyboardInterrupt`."""

    def interrupt(number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGHUP)}
    try:
        for number, handler in before.items():
            if handler == signal.SIG_DFL:  # nohup has SIGHUP ignored, and that stands
                signal.signal(number, interrupt)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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


def _work(slot: Slot, todo: queue.SimpleQueue[Path], events: queue.SimpleQueue[Event | None], again: bool) -> None:
    try:
        while not slot.stopping:
            try:
                folder = todo.get_nowait()
            except queue.Empty:
                break
            events.put(Event(folder))
            began = time.monotonic()
            outcome = _finish(slot, folder, again)
            events.put(Event(folder, outcome, time.monotonic() - began))
    finally:
        slot.close()
        events.put(None)


def _finish(slot: Slot, folder: Path, again: bool) -> Outcome:
    """A folder that cannot be worked on (edited, disk full) is a lost attempt, not the end of the others."""
    try:
        return slot.finish(folder, again)
    except (UsageError, OSError) as error:
        reason = " ".join(str(error).split())
        try:
            spec = RunSpec.read(folder)
            write_lost(folder, head(spec.json(), spec.entry_key), "crashed", reason, None)
        except (UsageError, OSError):
            pass  # then the outcome alone tells
        return Outcome(folder, "crashed", reason)
