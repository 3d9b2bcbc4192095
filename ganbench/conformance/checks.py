"""What a check is: a small function of a subject that gives None, or what is wrong and how to mend it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ganbench.errors import Unavailable, UsageError, told
from ganbench.plugins import Registered

ERROR, WARNING = "error", "warning"
STATUSES = ("ok", "skipped", "warning", "FAILED")


class Skip(Exception):
    """Raised by a check that has nothing to say here; the message says why."""


@dataclass(frozen=True)
class Advice:
    """what: is wrong. mend: what to change, in one line. severity: `"error"` or `"warning"`."""

    what: str
    mend: str
    severity: str = ERROR


Check = Callable[[Any], Advice | None]


@dataclass(frozen=True)
class Outcome:
    """What one check found in one component. status: one of `STATUSES`."""

    kind: str
    name: str
    check: str
    status: str
    what: str = ""
    mend: str = ""

    @property
    def failed(self) -> bool:
        """Whether the component does not keep its contract."""
        return self.status == STATUSES[-1]

    def __str__(self) -> str:
        text = f"{self.kind}/{self.name}: {self.check}: {self.status}"
        return ": ".join(filter(None, (text, self.what, self.mend)))


@dataclass(frozen=True)
class Case:
    """One check of one component, to be run. subject: what the check is given, shared by a component's checks."""

    registered: Registered
    subject: Any
    check: Check

    @property
    def name(self) -> str:
        """The check's name: its function's, in words."""
        return self.check.__name__.strip("_").replace("_", "-")

    def __str__(self) -> str:
        return f"{self.registered.kind}/{self.registered.name}::{self.name}"

    def run(self) -> Outcome:
        """The outcome; whatever a plugin raises is a failure, not the end of the kit."""
        try:
            found = self.check(self.subject)
        except (Skip, Unavailable) as reason:
            return self._outcome("skipped", str(reason))
        except UsageError as error:
            return self._outcome("FAILED", str(error), "do what the message says")
        except (Exception, SystemExit) as error:
            return self._outcome("FAILED", told(error), "make this call work; docs/plugins.md has the shapes and names")
        if found is None:
            return self._outcome("ok")
        return self._outcome("warning" if found.severity == WARNING else "FAILED", found.what, found.mend)

    def _outcome(self, status: str, what: str = "", mend: str = "") -> Outcome:
        return Outcome(self.registered.kind, self.registered.name, self.name, status, what, mend)
