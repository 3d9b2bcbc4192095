"""From the words of `ganbench bench` to a measurement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ganbench.api import Recipe, SampleSpec
from ganbench.cli.loading import load
from ganbench.cli.planning import check_names, hold_to_machine, slots
from ganbench.errors import UsageError, asking
from ganbench.plan.entries import Wishes, alone
from ganbench.plan.modes import find_mode
from ganbench.plan.recipe import parse_settings
from ganbench.plan.suite import EntrySet

MODALITIES = {1: "points", 2: "audio", 3: "image", 4: "video"}
CLASSES = 10
"""Of made-up data, for those who take labels."""


@dataclass(frozen=True)
class Request:
    """What the command line says."""

    architecture: str | None
    loss: str | None
    regularizers: tuple[str, ...]
    augmentations: tuple[str, ...]
    preset: str | None
    mode: str
    batch_size: int | None
    shape: str
    settings: tuple[str, ...]
    device: str


def measure(
    request: Request, seconds: float, plugins: Sequence[str] | None, plugins_dirs: Sequence[Path] | None
) -> dict[str, Any]:
    """What is measured, with what it was measured on."""
    mode, spec = find_mode(request.mode, "--mode: "), sample_spec(request.shape)
    settings = parse_settings(request.settings)
    if request.batch_size is not None:
        settings["batch_size"] = request.batch_size
    parts = (request.architecture, request.loss)
    if any(parts) if request.preset else not all(parts):
        raise UsageError("give --architecture and --loss, or --preset")
    group = EntrySet(preset=request.preset, recipe={})
    if not request.preset:
        group = EntrySet((str(request.architecture),), (str(request.loss),), recipe={})
    group = replace(group, regularizers=request.regularizers, augmentations=request.augmentations)
    whole = {"architecture": [request.architecture], "loss": [request.loss], "preset": [request.preset]}
    whole |= {"regularizer": [*request.regularizers], "augmentation": [*request.augmentations]}
    check_names(plugins, plugins_dirs, {kind: filter(None, names) for kind, names in whole.items()})
    place = slots(request.device, 1)
    registry = load(plugins, plugins_dirs)
    (entry,) = alone(registry, spec, group, Wishes(modes=(mode.name,), settings=settings))
    if entry.skip:
        raise UsageError(f"{entry.description['label']}: {entry.skip}")
    hold_to_machine(mode, place.kind)
    from ganbench.train import bench
    from ganbench.train.setup import Asked

    recipe = Recipe({k: v["value"] for k, v in entry.recipe.items()})
    asked = Asked(entry.description, entry.components, recipe, spec if entry.conditional else spec.but(classes=0), mode)
    with asking(f"{entry.description['label']} cannot be measured"):
        found = bench.measure(asked, registry, place.slots[0], seconds)
    return {
        "label": entry.description["label"],
        "shape": list(spec.shape),
        "batch_size": recipe["batch_size"],
        "device": place.kind,
        **found,
    }


def sample_spec(text: str) -> SampleSpec:
    """`1x28x28` is an image, `2` a point in the plane."""
    try:
        shape = tuple(int(part) for part in text.lower().replace("×", "x").split("x"))
    except ValueError:
        shape = ()
    if len(shape) not in MODALITIES or min(shape) < 1:
        raise UsageError(f"--shape {text}: expected sizes with an x between, such as 1x28x28 (an image) or 2 (a point)")
    return SampleSpec(shape, (-1.0, 1.0), MODALITIES[len(shape)], CLASSES)
