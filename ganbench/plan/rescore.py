"""A run that is scored once more: its own specification with other metrics and extractors. Training is as it was."""

from __future__ import annotations

from dataclasses import replace

from ganbench.plan.build import Plan
from ganbench.plan.foreign import bare_suite, protocol
from ganbench.plan.scoring import Choice, slow
from ganbench.plan.spec import FOREIGN, RunSpec
from ganbench.plugins import Registry


def plan_rescoring(spec: RunSpec, registry: Registry, choice: Choice, device: str) -> Plan:
    """One run with the same id. What `choice` leaves open is as recorded, with the parameters of the recorded metrics;
    other metrics have their own defaults."""
    own = next(iter(spec.data.values()))["name"] if spec.kind != FOREIGN else spec.score["dataset"]
    params = {m["name"]: m["params"] for m in spec.score["metrics"]}
    wanted = choice.metrics or tuple(params)
    suite = bare_suite(own)
    tier = suite.tier(None)
    known = {"samples": spec.score["samples"], "split": spec.split}
    tier = replace(tier, **known, params={m: params[m] for m in wanted if m in params})
    suite = replace(
        suite,
        extractors=tuple(f"{e['name']}@{e['features']}" for e in spec.score["extractors"]),
        metrics=wanted,
        headline=spec.suite["headline"],
        tiers={tier.name: tier},
    )
    how = protocol(registry, suite, None, None, choice, device, foreign=spec.kind == FOREIGN)
    run = replace(spec, score=how.scoring.score)
    notices = [*how.notices, *(slow(how.scoring, [run]) if device == "cpu" else [])]
    return Plan(str(spec.suite["id"]), (run,), tuple(notices), how.scoring.weights)
