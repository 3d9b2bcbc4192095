"""A folder of results, whole: every run by itself, the runs beside each other, the tables over them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ganbench.rank import find_runs
from ganbench.verify.cells import cells
from ganbench.verify.runs import Finding, Run, read
from ganbench.verify.tables import above, published, tables


@dataclass(frozen=True)
class Report:
    """runs: every run folder that was found. findings: problems first."""

    runs: tuple[Run, ...]
    findings: tuple[Finding, ...]

    @property
    def problems(self) -> tuple[Finding, ...]:
        """What is wrong."""
        return tuple(finding for finding in self.findings if finding.problem)

    @property
    def scores(self) -> int:
        """Scores that were looked at."""
        return sum(len(run.record.get("scores") or []) for run in self.runs if run.record)


def verify(directory: Path) -> Report:
    """Check the runs and tables below a folder. A `UsageError` where there is no run at all."""
    runs: list[Run] = []
    found: list[Finding] = []
    homes: dict[Path, list[Run]] = {}
    for folder in find_runs([directory]):
        run, problems = read(folder, published(folder.parent))
        runs.append(run)
        found += problems
        homes.setdefault(folder.parent, []).append(run)
    for home, mine in homes.items():
        if directory.resolve() in (home.resolve(), *home.resolve().parents):
            found += cells(mine)
            found += _home(home, mine)
        else:
            found.append(Finding(directory, "is one run: neither tables nor other seeds were looked at", False))
    for root in dict.fromkeys(home.parent for home in homes if published(home)):
        if directory.resolve() in (root.resolve(), *root.resolve().parents):
            found += above(root)
    return Report(tuple(runs), tuple(sorted(found, key=lambda finding: not finding.problem)))


def _home(home: Path, runs: list[Run]) -> Iterator[Finding]:
    records = [run.record for run in runs if run.record is not None]
    if not published(home):
        yield Finding(home, "has no tables to compare (ganbench publish writes them)", False)
        return
    known = {run.folder.resolve() for run in runs}
    for folder in sorted(path for path in home.iterdir() if path.is_dir() and not path.name.startswith(".")):
        if folder.resolve() not in known:
            yield Finding(folder, "holds neither spec.json nor result.json")
    for suite in sorted({record["suite"]["id"] for record in records}):
        if suite != home.resolve().name:
            yield Finding(home, f"holds runs of suite {suite}, which are published in a folder of that name", False)
    if records:
        yield from tables(records, home)
