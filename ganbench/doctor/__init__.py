"""What works on this machine, and how to mend what does not: one check, one line."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ganbench.api import Check, Finding
from ganbench.doctor import installed, libraries, machine
from ganbench.plugins import Registry

STATUSES = ("ok", "warning", "failed")


def checks(registry: Registry, out: Path) -> list[Check]:
    """Everything that is looked at, in order. out: the folder that runs go to."""
    return [*libraries.checks(), *machine.checks(out), *installed.checks(registry)]


def examine(all_checks: Iterable[Check]) -> list[tuple[str, Finding]]:
    """Run each check alone: one that raises, or answers something else, is a finding itself."""
    return [(check.name, _examine(check)) for check in all_checks]


def _examine(check: Check) -> Finding:
    try:
        found = check.run()
    except (Exception, SystemExit) as error:
        return Finding("failed", f"{type(error).__name__}: {error}", "mend what the message names")
    if not isinstance(found, Finding) or found.status not in STATUSES:
        return Finding("failed", f"the check gave {found!r:.80}", "it must give a Finding: ok, warning or failed")
    return found
