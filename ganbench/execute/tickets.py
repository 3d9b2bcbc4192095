"""A run folder's ticket: the job of a cluster that it was given to. A job that comes with another one leaves it alone.

It is written before the job is submitted, and gone once the job has left the folder, whatever came of it: so a command
that follows the job needs no more than the folder, and no folder is worked on by two jobs, for only one has its ticket.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from ganbench.errors import UsageError
from ganbench.record.files import read_json, write_json_atomic

NAME = ".job"


@dataclass(frozen=True)
class Ticket:
    """engine: that has the job. token: what the job was told. again: what is in the folder is to be forgotten when its
    turn comes. begun: it has come."""

    engine: str
    token: str
    again: bool = False
    begun: bool = False

    def write(self, folder: Path) -> None:
        """Put it into a folder, which is locked."""
        write_json_atomic(folder / NAME, dataclasses.asdict(self))

    @classmethod
    def read(cls, folder: Path) -> Ticket | None:
        """The one in a folder; None where there is none that says what it should."""
        try:
            said = read_json(folder / NAME)
        except UsageError:
            return None
        found = {field.name: said.get(field.name, field.default) for field in dataclasses.fields(cls)}
        sound = all(isinstance(found[name], str) for name in ("engine", "token"))
        return cls(**found) if sound and all(isinstance(found[name], bool) for name in ("again", "begun")) else None


def take_away(folder: Path) -> None:
    """Remove a folder's ticket."""
    (folder / NAME).unlink(missing_ok=True)
