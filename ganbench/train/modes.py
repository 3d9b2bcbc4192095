"""What a mode's switches need of the machine and of an entry. What cannot be switched on is said, never passed over."""

from __future__ import annotations

import dataclasses
import os
import shutil
from collections.abc import Sequence

import torch

from ganbench.api import Game, Recipe
from ganbench.plan.modes import Mode
from ganbench.train.parts import Part, parts_of

TAKES_SIDES = ("latents", "opponent", "around")
"""Hooks that make D's and G's turn see different latents, or another opponent: one batch cannot serve both."""

GRAPHS = ("cuda",)
"""Kinds of device that can replay a graph of what was launched on them."""


def refusal(mode: Mode, device: str) -> str | None:
    """Why this machine cannot carry a mode out on a kind of device, and what to do instead; None if it can."""
    if mode.autocast == "bfloat16" and device == "cpu" and not (_has("avx512_bf16") or _has("amx_tile")):
        return (
            f"mode '{mode.name}' computes in bfloat16, for which this processor has no instructions (AVX512-BF16 or "
            f"AMX): use another mode, or a GPU"
        )
    if mode.only == "cuda" and device != "cuda":
        why = (
            "multiplies in TF32, which no processor does" if mode.tf32 else "needs graphs, which processors do not have"
        )
        return f"mode '{mode.name}' {why}: use another mode, or a GPU"
    if mode.tf32 and torch.cuda.is_available() and torch.cuda.get_device_capability()[0] < 8:
        return f"mode '{mode.name}' multiplies in TF32, which {torch.cuda.get_device_name()} does not: use another mode"
    if mode.only == "cpu" and device != "cpu":
        return f"mode '{mode.name}' is for processors: on a GPU nobody has tried it; use another mode"
    if mode.compiled and not shutil.which(compiler := os.environ.get("CXX") or "g++"):
        return (
            f"mode '{mode.name}' needs a C++ compiler, and there is no {compiler} on the PATH: install one "
            "(apt-get install g++), or name it in the variable CXX"
        )
    return None


def narrowed(mode: Mode, recipe: Recipe, played: Sequence[Part] | Game, device: torch.device) -> Mode:
    """The mode with those switches off that this entry cannot have; `off` says why.

    played: the components of the standard game, or a game of its own. device: `captured` is no switch at all where
    there are no graphs.
    """
    game = played if isinstance(played, Game) else None
    parts = tuple(parts_of(played).values()) if isinstance(played, Game) else tuple(played)
    if device.type not in GRAPHS:
        mode = dataclasses.replace(mode, captured=False)
    off = {}
    if mode.shared_fake and (reason := _sides(recipe, parts, game)):
        off["shared_fake"] = reason
    if mode.fused_optimizer and recipe["optimizer"] != "adam":
        off["fused_optimizer"] = f"only Adam has a fused form here, and the recipe says {recipe['optimizer']}"
    if mode.compiled and (reason := _untraceable(recipe, parts, game)):
        off["compiled"] = reason
    if mode.captured and (reason := _uncapturable(recipe, parts, game)):
        off["captured"] = reason
    return mode.without(off)


def _uncapturable(recipe: Recipe, parts: Sequence[Part], game: Game | None) -> str | None:
    """Why a cycle cannot be captured; None as far as can be told before one is rehearsed."""
    groups = [t if isinstance(t, tuple) else (t,) for t in (game.turns if game else ())]
    for turn in (turn for group in groups for turn in group if turn.when is not None):
        return f"turn {turn.name} is not in every cycle, and every cycle must be the same"
    if groups and not any(turn.draws for turn in groups[0]):
        return f"turn {groups[0][0].name} sees the real samples of the cycle before"
    for part in parts:
        for hook in ("opponent", "around", "at_step"):
            if hook in part.hooks:
                return f"{part.name} has the hook '{hook}', which runs between steps"
        if part.every > 1:
            return f"{part.name} runs every {part.every} steps, and every cycle must be the same"
    if recipe["optimizer"] != "adam":
        return f"only Adam can be captured here, and the recipe says {recipe['optimizer']}"
    return None


def _untraceable(recipe: Recipe, parts: Sequence[Part], game: Game | None) -> str | None:
    """Why the turns cannot be compiled; None as far as can be told before they are traced."""
    for group in (t for t in (game.turns if game else ()) if isinstance(t, tuple) and len(t) > 1):
        return f"turns {' and '.join(turn.name for turn in group)} move together, and a compiled one moves by itself"
    for part in parts:
        for hook in (*TAKES_SIDES, "at_step"):
            if hook in part.hooks:
                return f"{part.name} has the hook '{hook}', which runs between steps"
        if part.every > 1:
            return f"{part.name} runs every {part.every} steps, and every step must be the same"
    for key, value in (("optimizer", "adam"), ("accumulate", 1), ("clip_grad_norm", 0.0)):
        if recipe[key] != value:
            return f"only steps with {key}={value} are compiled, and the recipe says {recipe[key]}"
    return None


def autocast_type(mode: Mode) -> torch.dtype | None:
    """The type that networks compute in while they train; None for float32."""
    return None if mode.autocast is None else {"bfloat16": torch.bfloat16}[mode.autocast]


def _sides(recipe: Recipe, parts: Sequence[Part], game: Game | None) -> str | None:
    """Why D's and G's turn cannot see one batch of samples; None if they can."""
    if game is not None:
        return "a game of its own says itself what each turn sees"
    for part in parts:
        for hook in TAKES_SIDES:
            if hook in part.hooks:
                return f"{part.name} has the hook '{hook}', so that the turns do not see the same samples"
    if recipe["accumulate"] > 1:
        return "gradients are accumulated over chunks, each with samples of its own"
    return None


def _has(feature: str) -> bool:
    """Whether torch sees an instruction set of this processor."""
    found = getattr(torch.cpu, f"_is_{feature}_supported", None)
    return bool(found and found())
