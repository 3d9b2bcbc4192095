"""A recipe: who declares a key, who sets it last, and in which type."""

from __future__ import annotations

from typing import Any

import pytest

from ganbench.api import Loss, Recipe, Regularizer
from ganbench.errors import UsageError
from ganbench.plan.recipe import ENGINE, Layer, parse_setting, parse_settings, resolve, typed

ARCHITECTURE = ("architecture a", Recipe(width=32, norm_D="batch"))


def loss(**more: Any) -> tuple[str, Loss]:
    return "loss l", Loss("l", lambda D: D, lambda D: D, **more)


def regularizer(name: str, recipe: dict[str, Any]) -> tuple[str, Regularizer]:
    return f"regularizer {name}", Regularizer(name, lambda D: D, recipe=Recipe(recipe))


def test_the_later_layer_wins_and_is_named() -> None:
    """Layer n sets the last n of the keys below; each key keeps what its last layer said."""
    keys = ("batch_size", "d_steps", "latent", "ema_half_life", "bn_batches", "lr", "eps", "width")
    origins = ("architecture a", "loss l", "regularizer r", "preset p", "suite s", "tier t", "suite entry", "--set")
    said = [{k: 100 + i for k in keys[i:]} for i in range(len(keys))]
    found = resolve(
        ("architecture a", said[0]),
        loss(recipe=Recipe(said[1])),
        [regularizer("r", said[2])],
        [Layer(origin, values) for origin, values in zip(origins[3:], said[3:], strict=True)],
    )
    assert {k: (found[k]["value"], found[k]["origin"]) for k in keys} == {
        k: (100 + i, origins[i]) for i, k in enumerate(keys)
    }
    assert found["optimizer"] == {"value": "adam", "origin": "engine"}
    assert list(found) == sorted(found) and set(ENGINE) < set(found)


@pytest.mark.parametrize(
    ("key", "given", "value"),
    [
        ("lr", 1, 1.0),
        ("batch_size", 32.0, 32),
        ("betas", [0, 0.5], (0.0, 0.5)),
        ("width", 64, 64),
        ("norm_D", "layer", "layer"),
    ],
)
def test_values_take_the_type_of_the_default(key: str, given: Any, value: Any) -> None:
    found = resolve(ARCHITECTURE, None, [], [Layer("--set", {key: given})])[key]["value"]
    assert found == value and type(found) is type(value)
    if isinstance(value, tuple):
        assert all(type(v) is type(w) for v, w in zip(found, value, strict=True))


@pytest.mark.parametrize(
    ("key", "given", "why"),
    [
        ("batch_size", 1.5, "whole number"),
        ("batch_size", True, "whole number"),
        ("batch_size", float("inf"), "whole number"),
        ("lr", "fast", "number"),
        ("lr", True, "number"),
        ("lr", float("nan"), "number"),
        ("lr", float("inf"), "number"),
        ("lr", [0.1], "number"),
        ("betas", 0.5, "list"),
        ("betas", [0.5, "x"], "number"),
        ("norm_D", 1, "word"),
        ("optimizer", "lion", "one of adam, rmsprop, sgd"),
        ("prior", "cauchy", "one of normal, uniform"),
        ("lr_decay", "cosine", "one of none, linear"),
        ("batch_size", 0, "at least 1"),
        ("latent", -3, "at least 1"),
        ("d_steps", 0, "at least 1"),
        ("d_steps", 2**24 + 1, "at most 16,777,216"),
        ("batch_size", 10**20, "at most 16,777,216"),
        ("l.every", 0, "at least 1"),
        ("lr", -1, "must be above 0, not -1.0"),
        ("lr", 0, "must be above 0, not 0.0"),
        ("lr_D", -0.1, "must be 0 or more, not -0.1"),
        ("clip_grad_norm", -1, "must be 0 or more"),
        ("ema_half_life", -5, "must be 0 or more"),
        ("weight_decay", -1, "must be 0 or more"),
        ("betas", [0.5], r"must be two numbers, each at least 0 and below 1, not \[0\.5\]"),
        ("betas", [0.5, 0.9, 0.9], "must be two numbers"),
        ("betas", [1.5, 2], "must be two numbers"),
        ("betas", [0, 1], "must be two numbers"),
        ("betas", "(0.5, 0.9)", r"takes a list such as \[0\.5, 0\.999\], not '\(0\.5, 0\.9\)'"),
    ],
)
def test_a_wrong_value_is_one_line_with_key_and_origin(key: str, given: Any, why: str) -> None:
    with pytest.raises(UsageError, match=why) as error:
        resolve(ARCHITECTURE, loss(), [], [Layer("tier quick", {key: given})])
    said = str(error.value).removeprefix(f"tier quick: recipe key '{key}' ")
    assert said.startswith(("takes ", "must be "))
    assert "\n" not in str(error.value)


def test_a_switch_takes_no_number() -> None:
    assert typed("r.on", True, False, "--set") is True
    with pytest.raises(UsageError, match="true or false"):
        typed("r.on", 1, False, "--set")


def test_a_misspelt_key_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"--set: nobody here has a recipe key 'batchsize'; did you mean batch_size"):
        resolve(ARCHITECTURE, None, [], [Layer("--set", {"batchsize": 8})])
    assert "batchsize" not in resolve(ARCHITECTURE, None, [], [Layer("suite s", {"batchsize": 8}, strict=False)])


def test_a_wish_for_what_nobody_has_goes_unheard() -> None:
    found = resolve(ARCHITECTURE, loss(recipe=Recipe(attention=True, width=64)), [], [])
    assert "attention" not in found and found["width"] == {"value": 64, "origin": "loss l"}


def test_components_of_one_level_must_agree() -> None:
    slow, fast = regularizer("slow", {"lr": 1e-5}), regularizer("fast", {"lr": 1e-2})
    with pytest.raises(UsageError, match=r"slow wants lr=1e-05 and regularizer fast wants lr=0\.01: decide with"):
        resolve(ARCHITECTURE, loss(), [slow, fast], [])
    decided = resolve(ARCHITECTURE, loss(), [slow, fast], [Layer("suite s", {"lr": 1e-3})])
    assert decided["lr"] == {"value": 1e-3, "origin": "suite s"}
    assert resolve(ARCHITECTURE, loss(), [slow, regularizer("same", {"lr": 1e-5})], [])["lr"]["value"] == 1e-5
    over = resolve(ARCHITECTURE, loss(recipe=Recipe(lr=1.0)), [slow], [])
    assert over["lr"] == {"value": 1e-5, "origin": "regularizer slow"}


def test_own_keys_carry_the_name() -> None:
    found = resolve(ARCHITECTURE, loss(recipe=Recipe({"l.margin": 2.0}), every=4), [], [])
    own = {k: v["value"] for k, v in found.items() if "." in k}
    assert own == {"l.weight": 1.0, "l.every": 4, "l.margin": 2.0}
    memory = Regularizer("m", build=lambda spec, recipe: None, recipe=Recipe({"m.decay": 0.9}))
    found = resolve(ARCHITECTURE, loss(), [("regularizer m", memory)], [])
    assert "m.weight" not in found and found["m.decay"]["origin"] == "regularizer m"
    with pytest.raises(UsageError, match=r"'other\.weight' belongs to another component; own keys begin with 'l\.'"):
        resolve(ARCHITECTURE, loss(recipe=Recipe({"other.weight": 2.0})), [], [])


@pytest.mark.parametrize(
    ("text", "key", "value"),
    [
        ("lr=0.0001", "lr", 0.0001),
        ("lr = 1e-4", "lr", 1e-4),
        ("batch_size=1_000", "batch_size", 1000),
        ("r1.weight=10", "r1.weight", 10),
        ("betas=[0, 0.9]", "betas", [0, 0.9]),
        ("optimizer=adam", "optimizer", "adam"),
        ('optimizer="adam"', "optimizer", "adam"),
        ("on=true", "on", True),
        ("norm= a=b ", "norm", "a=b"),
        ("norm=", "norm", ""),
    ],
)
def test_settings_are_read(text: str, key: str, value: Any) -> None:
    found = parse_setting(text)
    assert found == (key, value) and type(found[1]) is type(value)


@pytest.mark.parametrize("text", ["lr", "", "=3", " = 3"])
def test_a_setting_without_key_or_value(text: str) -> None:
    with pytest.raises(UsageError, match="expected KEY=VALUE, for example"):
        parse_setting(text)


def test_a_key_is_set_once() -> None:
    assert parse_settings(["lr=1", "width=2"]) == {"lr": 1, "width": 2}
    with pytest.raises(UsageError, match=r"--set lr = 2: 'lr' is set twice; give it once"):
        parse_settings(["lr=1", "width=2", "lr = 2"])


@pytest.mark.parametrize("value", [0, -3])
def test_statistics_want_a_batch(value: int) -> None:
    """Without any, batch normalisation would divide by the statistics of nothing."""
    with pytest.raises(UsageError, match=rf"--set: recipe key 'bn_batches' must be at least 1, not {value}"):
        resolve(ARCHITECTURE, None, [], [Layer("--set", {"bn_batches": value})])
