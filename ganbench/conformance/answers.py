"""Architectures: what D answers, on every form of data that it takes, before any training."""

from __future__ import annotations

import torch
from torch import Tensor

from ganbench.api import Answer, Batch
from ganbench.conformance.checks import Advice, Skip
from ganbench.conformance.networks import COUNT, engines
from ganbench.conformance.partners import Subject
from ganbench.conformance.toys import Form
from ganbench.train import Engine
from ganbench.train.draws import seed_default
from ganbench.train.shapes import wrong_answer


def _asked(engine: Engine, form: Form) -> tuple[Tensor, Answer]:
    batch: Batch = next(iter(engine.streams.values())).next(COUNT)
    if batch.x is None or "D" not in engine.nets:
        raise Skip("the game has no player called D")
    x = batch.x.requires_grad_()
    seed_default(0, torch.device("cpu"))
    answer = engine.views["D"].answer(batch.but(x=x, y=batch.y if engine.spec.classes else None))
    return x, answer


def answers(subject: Subject) -> Advice | None:
    """D answers each sample: logits `(B,)`, features `(B, width)` where it offers them."""
    for form, engine in engines(subject):
        _, answer = _asked(engine, form)
        if wrong := wrong_answer(answer, COUNT):
            return Advice(f"{wrong[0]} on {form.title}", wrong[1])
        if "features" in _traits(subject, engine):
            width = getattr(engine.nets["D"], "width", None)
            if answer.features is None or tuple(answer.features.shape) != (COUNT, width):
                return Advice(
                    f"D offers 'features' and gives none of shape ({COUNT}, width={width}) on {form.title}",
                    "return Answer(logit=…, features=…) and set self.width, or leave 'features' out of offers",
                )
    return None


def class_logits(subject: Subject) -> Advice | None:
    """A D that offers `classes` answers each sample with one logit for each class."""
    for form, engine in engines(subject):
        if "classes" not in _traits(subject, engine):
            continue
        _, answer = _asked(engine, form)
        wanted = (COUNT, engine.spec.classes)
        if answer.classes is None or tuple(answer.classes.shape) != wanted:
            return Advice(
                f"D offers 'classes' and gives none of shape {wanted} on {form.title}",
                "return Answer(logit=…, classes=…) and offer 'labels', too, or leave 'classes' out of offers",
            )
    return None


def per_sample(subject: Subject) -> Advice | None:
    """A D that offers `per-sample-D` lets no sample's answer depend on another sample."""
    for form, engine in engines(subject):
        if "per-sample-D" not in _traits(subject, engine):
            continue
        x, answer = _asked(engine, form)
        said = answer.logit if answer.logit is not None else answer.energy
        assert said is not None
        slope = torch.autograd.grad(said[0].sum(), x, allow_unused=True)[0]
        if slope is not None and bool(slope[1:].ne(0).any()):
            return Advice(
                f"D offers 'per-sample-D', and an answer depends on other samples of the batch, on {form.title}",
                "use no batch norm in D, or leave 'per-sample-D' out of offers",
            )
    return None


def _traits(subject: Subject, engine: Engine) -> frozenset[str]:
    traits: frozenset[str] = subject.record.traits(engine.spec, engine.recipe)
    return traits


CHECKS = (answers, class_logits, per_sample)
