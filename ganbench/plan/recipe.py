"""Layered hyper-parameters: who declared each key, who set it last, and with which type.

engine < architecture < loss < regularizers < preset < suite < command line
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ganbench.api import Component, Recipe, Value
from ganbench.errors import UsageError, nearest, short

ENGINE = Recipe(
    batch_size=64,
    accumulate=1,  # chunks a batch is split into
    latent=128,
    prior="normal",  # or "uniform" in [-1, 1]
    optimizer="adam",  # or "rmsprop", "sgd"
    lr=2e-4,
    lr_G=0.0,  # 0: as lr
    lr_D=0.0,
    betas=(0.5, 0.999),
    eps=1e-8,
    momentum=0.0,  # of rmsprop and sgd
    weight_decay=0.0,
    lr_decay="none",  # or "linear", to 0 at the end of the budget
    clip_grad_norm=0.0,  # 0: off
    d_steps=1,  # discriminator steps per generator step
    ema_half_life=0.0,  # in images seen by the generator's player; 0: no EMA
    ema_ramp_up=0.05,  # the half-life is at most this share of the images so far
    bn_batches=16,  # generated batches from which an EMA copy recomputes batch-norm statistics
)
COUNTS = ("batch_size", "latent", "d_steps", "accumulate", "bn_batches")
MOST = 2**24
"""Of what is counted: what no machine has room or time for would be worked at without an end."""
AMOUNTS = ("lr_G", "lr_D", "eps", "momentum", "weight_decay", "clip_grad_norm", "ema_half_life", "ema_ramp_up")
CHOICES = {"prior": ("normal", "uniform"), "optimizer": ("adam", "rmsprop", "sgd"), "lr_decay": ("none", "linear")}


@dataclass(frozen=True)
class Layer:
    """Values from one source. strict: an undeclared key is an error (else it is a wish that may go unheard). where: it
    stands, for errors; `""`: the origin says it."""

    origin: str
    values: Mapping[str, Value]
    strict: bool = True
    where: str = ""


def resolve(
    architecture: tuple[str, Mapping[str, Value]],
    loss: tuple[str, Component] | None,
    others: Sequence[tuple[str, Component]],
    above: Iterable[Layer],
) -> dict[str, dict[str, Any]]:
    """The resolved recipe: key -> {"value", "origin"}.

    architecture: name and recipe (or a game's). loss, others: components with the names they are known by. above:
    preset, suite and command line, in this order.
    """
    origin, defaults = architecture
    declared: dict[str, Value] = dict(ENGINE)
    result = {k: {"value": v, "origin": "engine"} for k, v in ENGINE.items()}
    for key, value in defaults.items():
        declared.setdefault(key, value)
        result[key] = {"value": typed(key, value, declared[key], origin), "origin": origin}
    components = [*([loss] if loss else []), *others]
    for name, component in components:
        for key, value in _own_keys(name, component).items():
            declared[key] = value
            result[key] = {"value": value, "origin": name}
    above = list(above)
    decided = {k for layer in above for k in layer.values}
    for level in ([loss] if loss else [], others):
        wished: dict[str, tuple[str, Value]] = {}
        for name, component in level:
            for key, value in component.recipe.items():
                if "." in key or key not in declared:
                    continue
                value = typed(key, value, declared[key], name)
                if key in wished and wished[key][1] != value and key not in decided:
                    raise UsageError(
                        f"{wished[key][0]} wants {key}={wished[key][1]!r} and {name} wants {key}={value!r}: "
                        f"decide with --set {key}=… or in the suite's recipe"
                    )
                wished[key] = (name, value)
                result[key] = {"value": value, "origin": name}
    for layer in above:
        where = layer.where or layer.origin
        for key, value in layer.values.items():
            if key not in declared:
                if not layer.strict:
                    continue
                raise UsageError(f"{where}: nobody here has a recipe key '{key}'; {nearest(key, declared)}")
            result[key] = {"value": typed(key, value, declared[key], where), "origin": layer.origin}
    return dict(sorted(result.items()))


def _own_keys(name: str, component: Component) -> dict[str, Value]:
    prefix = component.name + "."
    keys: dict[str, Value] = {}
    if component.discriminator or component.generator:
        keys |= {prefix + "weight": 1.0, prefix + "every": component.every}
    for key, value in component.recipe.items():
        if "." in key and not key.startswith(prefix):
            raise UsageError(
                f"{name}: its recipe key '{key}' belongs to another component; own keys begin with '{prefix}'"
            )
        if key.startswith(prefix):
            keys[key] = value
    return keys


def typed(key: str, value: Any, default: Value, origin: str) -> Value:
    """The value in the type of its key's default, within its bounds; `origin` is said in an error."""
    out = cast(f"recipe key '{key}'", value, default, origin)
    if key in CHOICES and out not in CHOICES[key]:
        raise UsageError(f"{origin}: recipe key '{key}' takes one of {', '.join(CHOICES[key])}, not {short(out)}")
    if bound := _beyond(key, out):
        raise UsageError(f"{origin}: recipe key '{key}' must be {bound}, not {_shown(out)}")
    return out


def _beyond(key: str, value: Any) -> str | None:
    """The bound of a key that no training can do with this value, in words; None where it can."""
    if (key in COUNTS or key.endswith(".every")) and isinstance(value, int) and value < 1:
        return "at least 1"
    if key in COUNTS and value > MOST:
        return f"at most {MOST:,}"
    if key == "lr" and value <= 0:
        return "above 0"
    if key in AMOUNTS and value < 0:
        return "0 or more"
    if key == "betas" and not (len(value) == 2 and all(0 <= beta < 1 for beta in value)):
        return "two numbers, each at least 0 and below 1"
    return None


def check_chunks(recipe: Mapping[str, Mapping[str, Any]]) -> None:
    """A batch is split into equal chunks, or the recipe is an error."""
    chunks, size = recipe["accumulate"], recipe["batch_size"]
    if size["value"] % chunks["value"]:
        raise UsageError(
            f"{chunks['origin']}: recipe key 'accumulate' must divide the batch_size, {size['value']} (of "
            f"{size['origin']}), and {chunks['value']} does not"
        )


def cast(what: str, value: Any, default: Value, origin: str) -> Value:
    """The value in the type of a default: 1 becomes 1.0 for a float, a list a tuple. what, origin: for the error."""
    wanted = type(default)
    if isinstance(value, list):
        value = tuple(value)
    if wanted is bool:
        ok, out = isinstance(value, bool), value
    elif wanted is float:
        ok = isinstance(value, int | float) and not isinstance(value, bool)
        out = float(value) if ok else value
        ok = ok and out == out and abs(out) != float("inf")
    elif wanted is int:
        ok = not isinstance(value, bool) and (
            isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        )
        out = int(value) if ok else value
    elif isinstance(default, tuple):
        ok = isinstance(value, tuple)
        out = (
            tuple(cast(what, v, default[min(i, len(default) - 1)], origin) for i, v in enumerate(value))
            if ok and default
            else value
        )
    else:
        ok, out = isinstance(value, wanted), value
    if not ok:
        raise UsageError(f"{origin}: {what} takes a {_word(wanted)} such as {_shown(default)}, not {short(value)}")
    result: Value = out
    return result


def parse_settings(texts: Iterable[str]) -> dict[str, Value]:
    """The words of `--set`, each of another key."""
    settings: dict[str, Value] = {}
    for text in texts:
        key, value = parse_setting(text)
        if key in settings:
            raise UsageError(f"--set {text}: '{key}' is set twice; give it once")
        settings[key] = value
    return settings


def parse_setting(text: str) -> tuple[str, Value]:
    """`KEY=VALUE` from the command line; the value is read as TOML, a bare word as a string."""
    key, separator, value = text.partition("=")
    key = key.strip()
    if not separator or not key:
        raise UsageError(f"--set {text}: expected KEY=VALUE, for example --set lr=0.0001")
    try:
        return key, tomllib.loads(f"v = {value}")["v"]
    except tomllib.TOMLDecodeError:
        return key, value.strip()


def _word(kind: type) -> str:
    return {float: "number", int: "whole number", bool: "true or false", str: "word", tuple: "list"}.get(
        kind, kind.__name__
    )


def _shown(value: Value) -> str:
    """A value as it is written after `--set KEY=` and in a suite."""
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return str(value).lower() if isinstance(value, bool) else repr(value)
