"""Entries: products, presets, what comes along, what does not fit, and how rows are called."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ganbench.errors import UsageError
from ganbench.plan.build import Plan
from ganbench.plan.spec import TRAINED, RunSpec

Planner = Callable[..., Plan]


def rows(plan: Plan) -> dict[str, RunSpec]:
    """Label -> the run of the first seed, for everything that is trained or skipped."""
    return {r.entry["label"]: r for r in reversed(plan.runs) if r.kind == TRAINED}


def entry(words: str) -> str:
    return f"entries = [{{ {words} }}]\n"


def test_a_product_in_order(planned: Planner) -> None:
    plan = planned()
    labels = ["t-small · t-plain", "t-small · t-alone", "t-bare · t-plain", "t-bare · t-alone"]
    assert [r.entry["label"] for r in plan.runs if r.kind == TRAINED and r.seed == 0] == labels
    assert [r.seed for r in plan.runs if r.entry["label"] == labels[0]] == [0, 1]


def test_what_belongs_to_a_component_comes_along_once(planned: Planner) -> None:
    run = rows(planned(entry('architecture = "t-told", loss = "t-critic", augmentations = "t-flip"')))[
        "t-told · t-critic + t-flip"
    ]
    assert run.components == ("t-critic", "t-flip", "t-norm", "t-penalty")
    assert run.recipe["t-penalty.weight"] == {"value": 10.0, "origin": "regularizer t-penalty"}
    assert (run.entry["regularizers"], run.entry["augmentations"]) == ([], ["t-flip"])
    asked = rows(planned(entry('architecture = "t-small", loss = "t-critic", regularizers = "t-penalty"')))
    assert asked["t-small · t-critic + t-penalty"].components == ("t-critic", "t-penalty", "t-norm")


def test_a_preset_is_a_whole(planned: Planner) -> None:
    lines = 'preset = "t-paper", augmentations = "t-flip", recipe = { width = 9 }'
    run = rows(planned(entry(lines) + "recipe = { batch_size = 16 }"))["t-paper + t-flip"]
    assert run.components == ("t-critic", "t-slow", "t-flip", "t-norm", "t-penalty")
    assert [run.entry[k] for k in ("architecture", "loss", "preset")] == ["t-small", "t-critic", "t-paper"]
    origins = {k: run.recipe[k]["origin"] for k in ("lr", "d_steps", "norm_D", "width", "batch_size", "latent")}
    assert origins == {
        "lr": "preset t-paper",
        "d_steps": "loss t-critic",
        "norm_D": "loss t-critic",
        "width": "suite entry",
        "batch_size": "tier quick",
        "latent": "engine",
    }
    assert run.skip is None


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ('architecture = "t-bare", loss = "t-critic"', "t-penalty requires 'per-sample-D', which the architecture"),
        ('architecture = "t-told", loss = "t-blind"', "t-blind does not go with 'labels'"),
        ('architecture = "t-small", loss = "t-alone", augmentations = "t-flip"', "t-alone: does not go with t-flip"),
        ('architecture = "t-pixels", loss = "t-plain"', "takes image, not points"),
    ],
)
def test_what_does_not_fit_is_one_skipped_row(planned: Planner, words: str, reason: str) -> None:
    skipped = [r for r in planned(entry(words)).runs if r.kind == TRAINED]
    assert len(skipped) == 1 and skipped[0].skip is not None
    assert skipped[0].skip.startswith(reason)


def test_a_recipe_decides_what_fits(planned: Planner) -> None:
    words = 'architecture = "t-small", loss = "t-critic", recipe = {{ norm_D = "{}" }}'
    assert not any(r.skip for r in planned(entry(words.format("layer"))).runs)
    assert any(r.skip for r in planned(entry(words.format("batch"))).runs)


def test_a_component_removes_a_trait_for_the_others(planned: Planner) -> None:
    words = 'architecture = "t-small", loss = "t-plain", regularizers = [{}], augmentations = [{}], '
    words += 'recipe = {{ norm_D = "layer" }}'
    runs = [rows(planned(entry(words.format(*more)))) for more in (('"t-penalty"', ""), ("", '"t-pack"'))]
    assert not any(r.skip for run in runs for r in run.values()), "each is welcome alone"
    both = rows(planned(entry(words.format('"t-penalty"', '"t-pack"'))))
    reason = "t-penalty requires 'per-sample-D', which is not to be had with t-pack"
    assert [r.skip for r in both.values()] == [reason]


def test_labels_make_a_run_conditional(planned: Planner) -> None:
    found = rows(planned(entry('architecture = ["t-told", "t-small"], loss = "t-plain"')))
    assert found["t-told · t-plain"].conditional and not found["t-small · t-plain"].conditional


@pytest.mark.parametrize(("dataset", "left_out"), [("t-copy", []), ("t-nameless", ["t-told · t-plain", "t-told-game"])])
def test_who_takes_labels_needs_data_that_has_them(planned: Planner, dataset: str, left_out: list[str]) -> None:
    entries = 'entries = [{ architecture = ["t-told", "t-small"], loss = "t-plain" }, { game = "t-told-game" }]\n'
    found = rows(planned(entries, dataset=dataset))
    assert sorted(k for k, r in found.items() if r.skip == "takes class labels, and the data has none") == left_out


def test_a_game_is_an_entry(planned: Planner) -> None:
    run = rows(planned(entry('game = "t-game", recipe = { players = 3 }')))["t-game"]
    assert run.entry["game"] == "t-game" and run.entry["loss"] is None and run.components == ()
    assert run.recipe["players"] == {"value": 3, "origin": "suite entry"}


def test_labels_are_told_apart_where_they_must_be(planned: Planner) -> None:
    part = '{ architecture = "t-small", loss = "t-plain", recipe = { width = %d } }'
    bare = '{ architecture = "t-bare", loss = "t-plain", recipe = { lr = 0.5 } }'
    found = rows(planned(f"entries = [{part % 8}, {part % 16}, {bare}]\n"))
    assert list(found) == ["t-bare · t-plain", "t-small · t-plain [width=16]", "t-small · t-plain [width=8]"]


def test_a_setting_is_shown_where_it_is_heard(planned: Planner) -> None:
    found = rows(planned(settings={"width": 4, "lr": 1}))
    assert set(found) == {
        f"{a} · {b} [{c}]"
        for a, c in (("t-small", "lr=1, width=4"), ("t-bare", "lr=1"))
        for b in ("t-plain", "t-alone")
    }
    assert found["t-small · t-plain [lr=1, width=4]"].recipe["lr"] == {"value": 1.0, "origin": "--set"}


def test_a_loss_is_crossed_with_the_suites_architectures(planned: Planner) -> None:
    assert set(rows(planned(losses=("t-blind",)))) == {"t-small · t-blind", "t-bare · t-blind"}
    assert set(rows(planned(architectures=("t-told",)))) == {"t-told · t-plain", "t-told · t-alone"}
    both = rows(planned(architectures=("t-told",), losses=("t-critic",), presets=("t-paper",)))
    assert set(both) == {"t-told · t-critic", "t-paper"}


def test_an_architecture_of_the_suite_keeps_its_recipe(planned: Planner) -> None:
    """Else a loss of one's own would stand beside the suite's rows on another network."""
    tier = entry('architecture = "t-small", loss = "t-plain", recipe = { width = 64 }') + "recipe = { width = 2 }\n"
    for wishes in ({"losses": ("t-blind",)}, {"architectures": ("t-small",)}):
        assert {r.recipe["width"]["value"] for r in rows(planned(tier, **wishes)).values()} == {64}
    assert rows(planned(tier, architectures=("t-told",)))["t-told · t-plain"].recipe["width"]["value"] == 2


def test_a_preset_of_the_suite_keeps_what_is_said_of_it(planned: Planner) -> None:
    """Else `--preset` would train another row than the suite has."""
    parts = ['augmentations = "t-flip", recipe = { width = 9 }', "recipe = { width = 5 }"]
    tier = "entries = [{}]\n".format(", ".join(f'{{ preset = "t-paper", {part} }}' for part in parts))
    whole = rows(planned(tier))
    assert len(whole) == 2 and {r.run_id for r in whole.values()} == {
        r.run_id for r in rows(planned(tier, presets=("t-paper",))).values()
    }
    assert rows(planned(presets=("t-paper",)))["t-paper"].recipe["width"]["origin"] != "suite entry"


def ids(plan: Plan) -> dict[str, str]:
    return {label: run.run_id for label, run in rows(plan).items()}


@pytest.mark.parametrize(
    ("words", "wishes"),
    [
        ('architecture = "t-small", loss = "t-critic"', {"architectures": ("t-small",), "losses": ("t-critic",)}),
        ('preset = "t-paper"', {"presets": ("t-paper",)}),
    ],
)
def test_what_the_command_line_adds_is_the_run_that_a_suite_would_write(
    planned: Planner, words: str, wishes: dict[str, tuple[str, ...]]
) -> None:
    written = ids(planned(entry(f'{words}, regularizers = ["t-norm"], augmentations = "t-flip"')))
    added = {"regularizers": ("t-norm", "t-norm"), "augmentations": ("t-flip",)}
    assert ids(planned(**wishes, **added)) == written
    assert all(label.endswith(" + t-norm + t-flip") for label in written)
    assert set(ids(planned(**wishes)).values()).isdisjoint(written.values())


def test_what_is_added_alone_goes_to_every_entry_of_the_tier_but_games(planned: Planner) -> None:
    tier = """entries = [
        { architecture = "t-small", loss = "t-plain", regularizers = "t-slow" }, { preset = "t-paper" },
        { game = "t-game", recipe = { players = 3 } },
    ]\nrecipe = { players = 2 }\n"""
    found = rows(planned(tier, regularizers=("t-slow", "t-norm")))
    assert set(found) == {"t-small · t-plain + t-slow + t-norm", "t-paper + t-norm"}
    assert found["t-paper + t-norm"].entry["regularizers"] == ["t-slow", "t-norm"]
    with pytest.raises(UsageError, match="--augmentation: tier 'quick' has only games, and a game takes none"):
        planned(entry('game = "t-game"'), augmentations=("t-flip",))


def test_a_key_that_nobody_hears(planned: Planner) -> None:
    with pytest.raises(UsageError, match=r"--set: nobody here has a recipe key 'widht'; did you mean width"):
        planned(settings={"widht": 4})
    tier = entry('architecture = "t-bare", loss = "t-plain"') + "recipe = { width = 2 }\n"
    with pytest.raises(UsageError, match=r"tier quick: nobody here has a recipe key 'width'"):
        planned(tier)
    with pytest.raises(UsageError, match=r"points.toml, tier 'quick', entry 1: nobody here has a recipe key 'width'"):
        planned(entry('architecture = "t-bare", loss = "t-plain", recipe = { width = 2 }'))


def test_an_architecture_of_ones_own_need_not_hear_the_suite(planned: Planner) -> None:
    tier = entry('architecture = "t-small", loss = "t-plain"') + "recipe = { width = 2 }\n"
    assert "width" not in rows(planned(tier, architectures=("t-bare",)))["t-bare · t-plain"].recipe


@pytest.mark.parametrize(
    ("wishes", "line"),
    [
        ({"losses": ("t-plian",)}, "no loss 't-plian'; did you mean t-plain"),
        ({"architectures": ("t-smal",)}, "no architecture 't-smal'; did you mean t-small"),
        ({"presets": ("t-papr",)}, "no preset 't-papr'; did you mean t-paper"),
        ({"regularizers": ("t-solw",)}, "no regularizer 't-solw'; did you mean t-slow"),
        ({"augmentations": ("t-filp",)}, "no augmentation 't-filp'; did you mean t-flip"),
    ],
)
def test_an_unknown_name(planned: Planner, wishes: dict[str, tuple[str, ...]], line: str) -> None:
    with pytest.raises(UsageError, match=line):
        planned(**wishes)


def test_parts_that_disagree_are_refused(planned: Planner) -> None:
    words = 'architecture = "t-small", loss = "t-plain", regularizers = ["t-slow", "t-fast"]'
    with pytest.raises(UsageError, match=r"regularizer t-slow wants lr=1e-05 and regularizer t-fast wants lr=0\.01"):
        planned(entry(words))
    planned(entry(words), settings={"lr": 0.5})


def test_two_kinds_of_one_name_cannot_be_in_one_entry(planned: Planner) -> None:
    words = 'architecture = "t-small", loss = "t-plain", regularizers = "t-plain"'
    with pytest.raises(UsageError, match="loss and regularizer are both named 't-plain'"):
        planned(entry(words))
