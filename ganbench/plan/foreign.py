"""Samples that another program made: which suite measures them, and the `RunSpec` of their row."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ganbench.api import Dataset
from ganbench.errors import UsageError
from ganbench.plan.build import Plan, shown, suite_name
from ganbench.plan.entries import NO_PARTS
from ganbench.plan.scoring import Choice, Scoring, scoring, slow
from ganbench.plan.spec import COUNTERS, FOREIGN, RunSpec
from ganbench.plan.suite import Suite, Tier, read_suite
from ganbench.plugins import Registry

MOST = 10_000
"""Samples that are scored where no suite says how many."""


@dataclass(frozen=True)
class Protocol:
    """How foreign samples are measured: a suite's tier, on its own data set or on another one (`suffix` says which)."""

    suite: Suite
    tier: Tier
    dataset: Dataset
    scoring: Scoring
    suffix: str
    notices: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """What is known of the samples. seed: of their training, if somebody says so. sha256: of samples and labels."""

    name: str
    seed: int | None
    sha256: str
    count: int
    labelled: bool


def suite_of(registry: Registry, dataset: str) -> Suite:
    """The suite that trains on this data set alone; where there is none, an empty one of the data set's name."""
    name = registry.find("dataset", dataset).name
    suites = [read_suite(found.record.file, found.name) for found in registry.of("suite")]
    found = [suite for suite in suites if tuple(suite.datasets.values()) == (name,)]
    found = [suite for suite in found if suite.name == name] or found
    if len(found) > 1:
        names = ", ".join(suite.name for suite in found)
        raise UsageError(f"--dataset {dataset}: several suites use it; say which with --suite: {names}")
    return found[0] if found else bare_suite(name)


def protocol(
    registry: Registry,
    suite: Suite,
    tier: str | None,
    dataset: str | None,
    choice: Choice,
    device: str,
    foreign: bool = True,
) -> Protocol:
    """What the suite measures, without training anything. foreign: metrics that look at training samples are left out,
    for those of foreign samples are not known."""
    size = suite.tier(tier)
    first = registry.find("dataset", dataset or next(iter(suite.datasets.values())))
    metrics = choice.metrics or suite.metrics
    if not metrics:
        raise UsageError(
            f"no suite measures data set '{first.name}': say how with --extractor and --metric, or give a --suite"
        )
    kept = tuple(m for m in metrics if not (foreign and "training" in registry.get("metric", m).needs))
    left_out = [m for m in metrics if m not in kept]
    notices = [f"{m} is left out: it compares with the training samples, which are not known" for m in left_out]
    if not kept:
        raise UsageError("; ".join(notices))
    measured = scoring(suite, size, replace(choice, metrics=kept), registry, first.record, device, notices)
    suffix = "" if first.name in suite.datasets.values() else f"-on-{first.name}"
    return Protocol(suite, size, first.record, measured, suffix, tuple(notices))


def plan_foreign(how: Protocol, known: Known, device: str) -> Plan:
    """A plan of one run, whose samples are there already."""
    suite_id = suite_name(how.suite, how.tier) + how.suffix
    entry = {"label": known.name, **NO_PARTS, "foreign": known.name, "seeded": known.seed is not None}
    run = RunSpec(
        kind=FOREIGN,
        suite=shown(how.suite, how.tier, suite_id, how.scoring),
        entry=entry,
        components=(),
        recipe={},
        seed=known.seed or 0,
        suite_seed=how.suite.seed,
        data={"samples": {"name": known.name, "split": "generated", "sha256": known.sha256}},
        conditional=known.labelled,
        budget={},
        mode="unknown",
        device=device,
        threads=1,
        plugins=(),
        score={**how.scoring.score, "samples": known.count, "looks": {"count": 0, "samples": 0}},
    )
    notices = [*how.notices, *(slow(how.scoring, [run]) if device == "cpu" else [])]
    return Plan(suite_id, (run,), tuple(notices), how.scoring.weights)


def bare_suite(dataset: str) -> Suite:
    """A suite that names a data set and measures nothing."""
    tier = Tier(
        name="evaluate",
        counter=COUNTERS[0],
        amount=0,
        seeds=(0,),
        ranks=False,
        table="as given",
        note="",
        samples=MOST,
        looks=0,
        look_samples=0,
        recipe={},
        params={},
        offline=None,
        seconds_per_run=0.0,
        extra_extractors=(),
        entries=(),
    )
    return Suite(
        name=dataset,
        title=f"Data set {dataset}",
        version=1,
        seed=0,
        datasets={"A": dataset},
        extractors=(),
        metrics=(),
        headline="",
        scale_rows=(),
        levels={},
        tiers={tier.name: tier},
        default_tier=tier.name,
        recipe={},
    )
