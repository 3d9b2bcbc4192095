"""Trainables: what G gives, on every form of data that it takes, before any training."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from ganbench.conformance.checks import Advice, Skip
from ganbench.conformance.partners import Subject
from ganbench.conformance.toys import Form
from ganbench.train import Engine
from ganbench.train.draws import seed_default
from ganbench.train.shapes import wrong_samples

COUNT = 8


def engines(subject: Subject) -> Iterator[tuple[Form, Engine]]:
    """A fresh engine for each form."""
    for form in subject.entries:
        engine = subject.engine(form)
        if "G" not in engine.nets:
            raise Skip("the game has no player called G")
        yield form, engine


@torch.no_grad()
def _made(engine: Engine, net: nn.Module | None = None, purpose: str = "trial") -> Tensor:
    """Samples of G, or of another network in its place, `(COUNT, …)`."""
    seed_default(0, torch.device("cpu"))
    view = engine.views_of({"G": net} if net is not None else {})["G"]
    x = view.make(engine.latents.draw(COUNT, purpose)).x
    assert x is not None
    return x


def output_shape(subject: Subject) -> Advice | None:
    """G gives `(B, *spec.shape)`."""
    for form, engine in engines(subject):
        if wrong := wrong_samples(_made(engine), (COUNT, *form.spec.shape)):
            return Advice(f"{wrong[0]} on {form.title}", wrong[1])
    return None


def output_range(subject: Subject) -> Advice | None:
    """G stays in `spec.range`, also with weights ten times as large, as training may make them."""
    for form, engine in engines(subject):
        if form.spec.range is None:
            continue
        low, high = form.spec.range
        large = copy.deepcopy(engine.nets["G"])
        with torch.no_grad():
            for parameter in large.parameters():
                parameter.mul_(10)
        for x in (_made(engine), _made(engine, large)):
            x = x[x.isfinite()]
            if x.numel() and (x.min() < low or x.max() > high):
                return Advice(
                    f"G can give {x.min():.3g} to {x.max():.3g}, outside of [{low:g}, {high:g}], on {form.title}",
                    "end G with a bounded activation: tanh for [-1, 1]",
                )
    return None


def uses_latents(subject: Subject) -> Advice | None:
    """Other latents give other samples."""
    for form, engine in engines(subject):
        net = copy.deepcopy(engine.nets["G"]).eval()
        one, other = _made(engine, net), _made(engine, net, "another trial")
        if torch.equal(one, other):
            return Advice(
                f"G gives the same samples for other latents on {form.title}",
                "let every sample depend on its row of z",
            )
    return None


def copies(subject: Subject) -> Advice | None:
    """A deep copy of G, as averages and samplers make it, gives what G gives."""
    for form, engine in engines(subject):
        net = engine.nets["G"].eval()
        if not torch.equal(_made(engine), _made(engine, copy.deepcopy(net))):
            return Advice(
                f"a deep copy of G gives other samples than G on {form.title}",
                "keep no tensor that a deep copy would share or lose; register buffers and parameters",
            )
    return None


CHECKS: tuple[Any, ...] = (output_shape, output_range, uses_latents, copies)
