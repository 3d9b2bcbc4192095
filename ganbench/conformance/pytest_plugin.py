"""`pytest --ganbench FILE|NAME`: one test for each check of each component.

pytest loads this wherever ganbench is installed, so nothing heavy is imported before it is asked for.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ganbench.conformance.checks import Case


class NotKept(Exception):
    """A contract that is not kept; the message is the outcome's."""


class Item(pytest.Item):
    """One check as a test."""

    def __init__(self, *, case: Case, **known: Any) -> None:
        super().__init__(**known)
        self.case = case

    def runtest(self) -> None:
        """Run the check: a failure fails, a warning warns, what does not apply is skipped."""
        outcome = self.case.run()
        if outcome.failed:
            raise NotKept(f"{outcome.what}\nto mend: {outcome.mend}")
        if outcome.status == "skipped":
            pytest.skip(outcome.what)
        if outcome.status == "warning":
            warnings.warn(UserWarning(f"{outcome.what}; to mend: {outcome.mend}"), stacklevel=1)

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        """Two lines for a contract that is not kept."""
        if isinstance(excinfo.value, NotKept):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        """Where the component comes from, and the check."""
        return self.path, None, str(self.case)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--ganbench`, repeatable."""
    parser.getgroup("ganbench").addoption(
        "--ganbench",
        action="append",
        default=[],
        metavar="FILE|NAME",
        help="hold a ganbench plugin to its contract: a file, or a registered name (repeatable)",
    )


def pytest_collection_modifyitems(session: pytest.Session, config: pytest.Config, items: list[pytest.Item]) -> None:
    """Add a test for each check."""
    names = config.getoption("--ganbench")
    if not names:
        return
    from ganbench.conformance import kit
    from ganbench.errors import UsageError
    from ganbench.plugins import load

    try:
        registry = load([name for name in names if kit.is_file(name)])
        found = kit.targets(registry, names)
    except UsageError as error:
        raise pytest.UsageError(f"--ganbench: {error}") from None
    items += [
        Item.from_parent(session, name=str(case), nodeid=str(case), case=case) for case in kit.cases(found, registry)
    ]
