"""Run folders finished by the jobs of an engine: handed over with tickets, followed through their files."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ganbench.errors import UsageError
from ganbench.execute import engines
from ganbench.execute.engines import Engine, State
from ganbench.execute.local import Event, Stopped
from ganbench.execute.lock import CHILDREN, Busy, RunLock
from ganbench.execute.slot import LEFT, Doors, Outcome, outcome
from ganbench.execute.tickets import Ticket, take_away
from ganbench.plan.spec import RunSpec
from ganbench.record.files import read_json, write_text_atomic
from ganbench.record.head import head, now, write_lost
from ganbench.record.tail import last_step

LOGS = ".jobs"
"""Beside the runs' folders: what jobs print, and what their engine needs."""
GLANCE = 0.5
"""Seconds between two looks into the folders."""
SOONEST, LATEST = 1.0, 15.0
"""Seconds between two questions to an engine: more and more."""
SETTLED = 5.0
"""Seconds in which a network file system shows what a job wrote that has ended."""
FAREWELL = 20.0
"""Seconds that cancelled jobs have to leave their checkpoints while the command waits."""


@dataclass(frozen=True)
class Orders:
    """What jobs are told beside their folders. per_job: folders of one job, done one after the other. again, forced: as
    `Slot` has them."""

    doors: Doors
    device: str
    per_job: int = 1
    again: bool = False
    forced: bool = False

    def words(self, token: str, folders: Sequence[Path]) -> list[str]:
        """What a worker is told, which means the same in whatever folder it is started."""
        plugins = [str(Path(p).resolve()) if Path(p).is_file() else p for p in self.doors.plugins]
        weights = {name: file.resolve() for name, file in (self.doors.weights or {}).items()}
        doors = Doors(plugins, [d.resolve() for d in self.doors.directories], weights)
        words = ["--ticket", token, *doors.scoring(), "--device", self.device, *(["--forced"] if self.forced else [])]
        return [*words, *(str(folder.resolve()) for folder in folders)]


@dataclass(frozen=True)
class Given:
    """A folder's ticket, and the name of the job that it is for."""

    ticket: Ticket
    job: str


def in_jobs(folders: Iterable[Path]) -> dict[Path, Given]:
    """Which folders are in jobs that wait or work, of whatever engine; the tickets of others are taken away."""
    held = {folder: ticket for folder in folders if (ticket := Ticket.read(folder)) is not None}
    alive = {}
    for name in {ticket.engine for ticket in held.values()}:
        mine = {
            folder: Given(ticket, _name(folder, ticket)) for folder, ticket in held.items() if ticket.engine == name
        }
        states = _look(name, mine)
        for folder, given in mine.items():
            if (state := states.get(given.job)) is not None and state.alive:
                alive[folder] = given
            else:
                take_away(folder)
    return {folder: alive[folder] for folder in held if folder in alive}


def _name(folder: Path, ticket: Ticket) -> str:
    """Of a ticket's job; nothing where the command that submitted it could not say."""
    try:
        return (folder.parent / LOGS / f"{ticket.token}.name").read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""


def _look(name: str, held: Mapping[Path, Given]) -> Mapping[str, State]:
    folder, given = next(iter(held.items()))
    advice = f"delete {folder}/.job, and others like it, if its job is gone"
    engine = engines.find(name) if name in engines.NAMES else None
    if engine is None:
        raise UsageError(f"{folder}: is in a job of '{name}', which is unknown here; {advice}")
    try:
        states = engine.look({given.job for given in held.values() if given.job})
    except UsageError as error:
        raise UsageError(f"{folder}: is in job {given.job} of {engine.title}; {error}; or {advice}") from None
    if states is None:
        raise UsageError(f"{folder}: is in job {given.job} of {engine.title}, which does not answer; try again later")
    return states


class Jobs:
    """The jobs of one command. Safe to be left behind: another command takes up those that are alive."""

    def __init__(
        self, engine: Engine, logs: Path, on_event: Callable[[Event], None], on_note: Callable[[str], None]
    ) -> None:
        """logs: a folder for what they print. on_event: as `local.run` has it. on_note: is told how those stand that
        wait."""
        self._engine, self.logs, self._on_event, self._on_note = engine, logs, on_event, on_note
        self._given: dict[Path, Given] = {}
        self._passed: list[Outcome] = []
        self._begun: dict[Path, float] = {}
        self._gone: dict[Path, float] = {}

    @property
    def names(self) -> list[str]:
        """Of the jobs, in order."""
        return list(dict.fromkeys(given.job for given in self._given.values()))

    def adopt(self, held: Mapping[Path, Given]) -> None:
        """Follow jobs that another command has submitted."""
        self._given.update(held)

    def submit(self, folders: Sequence[Path], orders: Orders) -> list[str]:
        """Submit jobs for the folders; their names. A folder that a process is at work on is passed over."""
        groups, each = [], max(1, orders.per_job)
        free = [folder for folder in folders if self._is_free(folder)]
        for at in range(0, len(free), each):
            groups.append((uuid.uuid4().hex, free[at : at + each]))
        if not groups:
            return []
        tickets = {
            folder: Ticket(self._engine.name, token, again=orders.again) for token, group in groups for folder in group
        }
        try:
            for folder, ticket in tickets.items():
                ticket.write(folder)
            self.logs.mkdir(parents=True, exist_ok=True)
            names = self._engine.submit([orders.words(token, group) for token, group in groups], self.logs.resolve())
        except BaseException:
            for folder in tickets:
                take_away(folder)
            raise
        for (token, group), name in zip(groups, names, strict=True):
            write_text_atomic(self.logs / f"{token}.name", name)
            self._given |= {folder: Given(tickets[folder], name) for folder in group}
        return names

    def follow(self) -> list[Outcome]:
        """Until every job has left its folders: an outcome for each of them.

        Ctrl-C cancels the jobs; a command that is stopped otherwise leaves those that last.
        """
        try:
            return self._follow()
        except KeyboardInterrupt as stop:
            if not (isinstance(stop, Stopped) and self._engine.lasting):
                self._cancel()
            raise

    def _follow(self) -> list[Outcome]:
        outcomes = list(self._passed)
        pause, asked = SOONEST, time.monotonic()
        while self._given:
            if due := time.monotonic() - asked > pause:
                states = self._engine.look(self.names)
                asked, pause = time.monotonic(), min(LATEST, 1.3 * pause)
                due = states is not None
                self._note(states or {})
            for folder, given in list(self._given.items()):
                there = Ticket.read(folder)
                if there is not None and there.token == given.ticket.token:
                    if there.begun:
                        self._tell_begun(folder)
                    left = self._lost(folder, given, (states or {}).get(given.job)) if due else None
                else:
                    left = self._left(folder, there)
                if left is not None:
                    outcomes.append(left)
                    self._tell_left(left)
            time.sleep(GLANCE)
        return outcomes

    def _note(self, states: Mapping[str, State]) -> None:
        waiting = Counter(
            states[given.job].words
            for folder, given in self._given.items()
            if folder not in self._begun and given.job in states and states[given.job].alive
        )
        self._on_note(", ".join(f"{number} {words}" for words, number in waiting.items()))

    def _left(self, folder: Path, there: Ticket | None) -> Outcome | None:
        """How a job has left a folder; None while its words are on their way."""
        if there is not None:
            return Outcome(folder, LEFT, "it was given to another job")
        try:
            return outcome(folder)
        except UsageError:
            late = self._gone.setdefault(folder, time.monotonic())
            waited = time.monotonic() - late > SETTLED
            return Outcome(folder, "crashed", "its job left neither a result nor an error") if waited else None

    def _lost(self, folder: Path, given: Given, state: State | None) -> Outcome | None:
        """A row for what a job has lost that is no more; None while it is alive, or while somebody is at work there."""
        if state is not None and state.alive:
            self._gone.pop(folder, None)
            return None
        if time.monotonic() - self._gone.setdefault(folder, time.monotonic()) < SETTLED:
            return None
        with contextlib.suppress(Busy), RunLock(folder, CHILDREN):
            there = Ticket.read(folder)
            if there is not None and there.token == given.ticket.token:
                if not (folder / "result.json").exists():
                    _write_lost(folder, there, *self._blame(given.job, state))
                take_away(folder)
            return self._left(folder, None)
        return None

    def _blame(self, job: str, state: State | None) -> tuple[str, str, bool]:
        """Status and reason of a loss, and whether the engine knows why."""
        status, reason = (state.status, state.reason) if state is not None else ("killed", "")
        words = f"job {job} of {self._engine.title}"
        if reason:
            return status, f"{reason} ({words})", True
        log = self.logs / f"{job}_0_log.out"
        last = _last_line(log)
        ended = f"{words} ended ({state.words})" if state is not None else f"{words} is gone"
        return status, f"{ended} and left no word" + (f"; {log} ends: {last}" if last else ""), False

    def _tell_begun(self, folder: Path) -> None:
        if folder not in self._begun:
            self._begun[folder] = time.monotonic()
            self._on_event(Event(folder))

    def _tell_left(self, left: Outcome) -> None:
        del self._given[left.folder]
        self._tell_begun(left.folder)
        self._on_event(Event(left.folder, left, time.monotonic() - self._begun[left.folder]))

    def _cancel(self) -> None:
        """Wait a moment for their checkpoints; a second Ctrl-C does not wait."""
        self._on_note("cancelling the jobs")
        self._engine.cancel(self.names)
        deadline = time.monotonic() + FAREWELL
        with contextlib.suppress(KeyboardInterrupt):
            while time.monotonic() < deadline:
                states = self._engine.look(self.names)
                if states is not None and not any(state.alive for state in states.values()):
                    break
                time.sleep(SOONEST)
        for folder, given in self._given.items():
            there = Ticket.read(folder)
            if there is not None and there.token == given.ticket.token:
                take_away(folder)

    def _is_free(self, folder: Path) -> bool:
        try:
            with RunLock(folder):
                return True
        except Busy as busy:
            reason = str(busy).removeprefix(f"{folder}: ")
            self._passed.append(Outcome(folder, LEFT, reason))
            self._on_event(Event(folder))
            self._on_event(Event(folder, self._passed[-1]))
            return False


def _write_lost(folder: Path, ticket: Ticket, status: str, reason: str, known: bool) -> None:
    """What the run itself said of its end stands, unless it was ended from outside and the engine knows why."""
    said = {}
    with contextlib.suppress(UsageError):
        said = read_json(folder / "error.json") if ticket.begun else {}
    if said and not (known and said.get("status") in ("interrupted", "killed")):
        return
    spec = RunSpec.read(folder)
    beginning = {**head(spec.json(), spec.entry_key), "finished": now()}
    if not ticket.begun:
        reason = f"before it began: {reason}"
    stage = "scoring" if said.get("stage") == "scoring" else "training"
    write_lost(folder, beginning, status, reason, last_step(folder) if ticket.begun else None, stage)


def _last_line(log: Path) -> str:
    with contextlib.suppress(OSError):
        lines = [line for line in log.read_bytes()[-4096:].decode("utf-8", "replace").splitlines() if line.strip()]
        return lines[-1].strip() if lines else ""
    return ""
