"""Finish run folders with one slot: what Slurm, Ray or a script starts on a machine.

    python -m ganbench.execute.worker [-p FILE|MODULE]… [--plugins-dir DIR]… [--weights NAME=FILE]… [--device D]
        [--forced] [--shared-device] [--ticket TOKEN] FOLDER…

SIGTERM, and SIGUSR2 by which schedulers say that time is short, have it end with a checkpoint. A folder that another
process is at work on (a worker, or `ganbench run`) is left to it; a dead one's is taken over.
Plugins come from entry points and this command line only, never from a path that a run folder names.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TextIO

from ganbench.errors import UsageError, one_line
from ganbench.execute.forkserver import ForkServer
from ganbench.execute.local import Event, run, stopped_as_by_ctrl_c
from ganbench.execute.slot import LEFT, Doors, Outcome, Slot, clear, outcome
from ganbench.execute.tickets import Ticket, take_away
from ganbench.plan.spec import TRAINED, RunSpec


def main(arguments: Sequence[str] | None = None) -> int:
    """0: every folder has a result. 1: some have none: lost, or left to others. 2: wrong usage. 130: Ctrl-C."""
    about = (__doc__ or "").partition("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m ganbench.execute.worker", description=about)
    parser.add_argument("-p", dest="plugins", action="append", default=[], metavar="FILE|MODULE")
    parser.add_argument("--plugins-dir", dest="directories", action="append", default=[], type=Path, metavar="DIR")
    parser.add_argument("--weights", action="append", default=[], metavar="NAME=FILE")
    parser.add_argument("--device", default="cpu", help="cpu (the default), cuda:0, …")
    parser.add_argument("--forced", action="store_true", help="take up checkpoints of other code, versions or machines")
    parser.add_argument("--shared-device", action="store_true", help="another worker has the same GPU; records say so")
    parser.add_argument("--ticket", metavar="TOKEN", help="leave folders that were given to another job than this one")
    parser.add_argument("folders", nargs="+", type=Path, metavar="FOLDER")
    asked = parser.parse_args(arguments)
    try:
        weights = dict(_weights(text) for text in asked.weights)
        for folder in asked.folders:
            _belongs(folder, asked.device)
        doors = Doors(asked.plugins, asked.directories, weights)
        with ForkServer() as forks, stopped_as_by_ctrl_c(signal.SIGUSR2):
            how = {"doors": doors, "forced": asked.forced, "shared": asked.shared_device, "forks": forks}
            slot = Slot(asked.device, **how) if asked.ticket is None else JobSlot(asked.ticket, asked.device, **how)
            outcomes = run(asked.folders, [slot], _tell)
    except (UsageError, OSError) as error:
        _say(f"ganbench: {error}", sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return int(any(outcome.lost for outcome in outcomes))


class JobSlot(Slot):
    """A slot of a job, which finishes the folders that it has the ticket of."""

    def __init__(self, token: str, device: str, **how: Any) -> None:
        """token: of its tickets. how: as `Slot` has it."""
        super().__init__(device, **how)
        self._token = token

    def finish(self, folder: Path, again: bool = False, held: tuple[int, ...] = ()) -> Outcome:
        """The ticket of an interrupted run stays: the job may be queued once more."""
        ticket = Ticket.read(folder)
        if ticket is None and (folder / "result.json").exists():  # by this job, which was queued again
            return outcome(folder)
        if ticket is None or ticket.token != self._token:
            return Outcome(folder, LEFT, "it is not given to this job any more")
        if ticket.again:
            clear(folder)
        dataclasses.replace(ticket, again=False, begun=True).write(folder)
        left = super().finish(folder, again, held)
        if left.status != "interrupted":
            take_away(folder)
        return left


def _weights(text: str) -> tuple[str, Path]:
    name, equals, file = text.partition("=")
    if not (name and equals and Path(file).is_file()):
        raise UsageError(f"--weights {text}: expected NAME=FILE with a file that is there")
    return name, Path(file)


def _belongs(folder: Path, device: str) -> None:
    spec = RunSpec.read(folder)
    if spec.kind == TRAINED and spec.device != device.partition(":")[0]:
        raise UsageError(f"{folder}: was planned for {spec.device}, not for {device}; plan it for this device")


def _tell(event: Event) -> None:
    if event.outcome is not None:
        reason = f" ({event.outcome.reason})" if event.outcome.reason else ""
        _say(f"{event.folder}: {event.outcome.status}{reason}", sys.stdout)


def _say(words: str, stream: TextIO) -> None:
    """Names of folders and words of records may come from anywhere. A full disk or a closed pipe costs words, not
    results."""
    with contextlib.suppress(OSError):
        print(one_line(words), file=stream, flush=True)


if __name__ == "__main__":
    sys.exit(main())
