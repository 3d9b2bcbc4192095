"""ganbench's loop against a plain hand-written one: same networks, one thread, one interleaved run.

The reference mode does the same work as the plain loop, and the claim is "not slower": the lower end of the 95 %
interval of the median ratio is at least 0.95. The other modes are held to what was measured before, in `ratios.toml`:
`tox -e bench` fails when a lower end falls by more than 10 % under the committed one.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from loops import Contest

from ganbench import SampleSpec
from ganbench.plan.modes import find_mode
from ganbench.plugins import Registry
from ganbench.record.environment import cpu
from ganbench.train.modes import refusal

ROUNDS, MOST_ROUNDS = 25, 120
CLAIM, FALL = 0.95, 0.9
CONTESTS = {
    "dcgan": Contest("dcgan", SampleSpec((1, 32, 32)), steps=2),
    "mlp-28px": Contest("mlp", SampleSpec((1, 28, 28)), steps=10),
    "mlp-points": Contest("mlp", SampleSpec((2,), None, "points"), steps=40, settings={"width": 64}),
}
COMMITTED: dict[str, dict[str, Any]] = tomllib.loads(Path(__file__).with_name("ratios.toml").read_text("utf-8"))


@pytest.mark.benchmark(group="training loop")
def test_not_slower_than_a_plain_loop(compare: Any, registry: Registry) -> None:
    contest = CONTESTS["dcgan"]
    assert compare(contest.ours(registry, "reference"), contest.plain(registry), CLAIM, ROUNDS, MOST_ROUNDS) >= CLAIM


@pytest.mark.full
@pytest.mark.benchmark(group="modes")
@pytest.mark.parametrize("key", [key for key in COMMITTED if key != "measured"])
def test_a_mode_is_as_fast_as_it_was(compare: Any, benchmark: Any, registry: Registry, key: str) -> None:
    name, mode, *naive = key.split(".")
    if reason := refusal(find_mode(mode), "cpu"):
        pytest.skip(reason)
    contest, least = CONTESTS[name], FALL * COMMITTED[key]["low"]
    plain = contest.plain(registry, freeze=not naive)
    benchmark.extra_info.update(mode=mode, least=least, cpu=cpu()["model"])
    assert compare(contest.ours(registry, mode), plain, least, ROUNDS, MOST_ROUNDS) >= least


@pytest.mark.full
@pytest.mark.benchmark(group="data")
@pytest.mark.parametrize(("name", "least"), [("dcgan", 0.95), ("mlp-28px", 0.85), ("mlp-points", 0.75)])
def test_what_it_costs_to_load_batches_ahead(compare: Any, registry: Registry, name: str, least: float) -> None:
    """Data that does not fit on the device, against data that does; here both lie in memory."""
    ours = CONTESTS[name].ours(registry, "reference", resident=False)
    assert compare(ours, CONTESTS[name].ours(registry, "reference"), least, ROUNDS, MOST_ROUNDS) >= least
