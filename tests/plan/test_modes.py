"""A mode belongs to the entry: rows, labels, ids and seeds."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ganbench.errors import UsageError
from ganbench.plan.build import Plan
from ganbench.plan.modes import MODES, find_mode
from ganbench.plan.spec import SCALE, TRAINED

Planner = Callable[..., Plan]
ENTRY = 'entries = [{ architecture = "t-small", loss = "t-plain" }]\nseeds = 1\n'


def modes(plan: Plan) -> dict[str, str]:
    return {r.entry["label"]: r.mode for r in plan.runs if r.kind == TRAINED}


@pytest.fixture
def text(suite_text: str) -> str:
    return suite_text.replace("seeds = 2\n", "")


def test_an_entry_is_a_row_in_each_mode(planned: Planner, text: str) -> None:
    plan = planned(ENTRY + 'mode = ["reference", "fast"]\n', text=text)
    assert modes(plan) == {"t-small · t-plain": "reference", "t-small · t-plain [mode=fast]": "fast"}
    slow, fast = (r for r in plan.runs if r.kind == TRAINED)
    assert slow.run_id != fast.run_id and slow.entry_key != fast.entry_key and slow.folder != fast.folder
    assert slow.seed_key == fast.seed_key == slow.entry_key, "both begin with the same weights"


def test_the_command_line_wins_over_the_tier_and_the_tier_over_the_suite(planned: Planner, text: str) -> None:
    own, suite = "mode = 'fast'\n", "mode = 'fast-bf16'\n" + text
    assert set(modes(planned(ENTRY, text=text)).values()) == {"reference"}
    assert set(modes(planned(ENTRY, text=suite)).values()) == {"fast-bf16"}
    assert set(modes(planned(ENTRY + own, text=suite)).values()) == {"fast"}
    assert set(modes(planned(ENTRY + own, text=suite, modes=("reference",))).values()) == {"reference"}


def test_rows_of_the_scale_have_no_mode_of_their_own(planned: Planner) -> None:
    """What was not trained is the same run whatever the mode."""
    rows = [{r.run_id for r in planned(modes=m).runs if r.kind == SCALE} for m in (("reference",), ("fast",))]
    assert rows[0] == rows[1]


def test_the_references_ids_are_those_of_a_plan_that_names_no_mode(planned: Planner) -> None:
    assert [r.run_id for r in planned().runs] == [r.run_id for r in planned(modes=("reference",)).runs]


def test_a_mode_that_does_not_exist_is_told_with_the_nearest(planned: Planner, text: str) -> None:
    with pytest.raises(UsageError, match=r"tier 'quick': there is no mode 'fats'; did you mean fast\?"):
        planned(ENTRY + 'mode = "fats"\n', text=text)
    with pytest.raises(UsageError, match="there is no mode 'fats'"):
        find_mode("fats")


def test_only_the_reference_switches_nothing_on() -> None:
    assert [name for name, mode in MODES.items() if not mode.switches()["on"]] == ["reference"]
