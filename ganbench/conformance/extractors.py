"""Extractors: the layers that are asked for, one row a sample, whatever else is in the batch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from ganbench.conformance.checks import Advice, Skip
from ganbench.conformance.subject import Subject
from ganbench.conformance.toys import FORMS, FURTHER, registered_forms

COUNT = 4


def _built(subject: Subject) -> tuple[Any, tuple[str, ...]]:
    record = subject.record
    asked = tuple(dict.fromkeys(layer for layer in (record.features, record.logits) if layer))
    return subject.once("network", lambda: record.build(record.weights(None).file, asked)), asked


def _batch(subject: Subject) -> Tensor:
    for form in (*registered_forms(subject), *FORMS, *FURTHER):
        if not subject.record.accepts.refuses(form.spec):
            return form.make(COUNT)[0]
    raise Skip("it takes no data that is registered here")


@torch.no_grad()
def layers(subject: Subject) -> Advice | None:
    """One finite float32 tensor of B rows for each layer asked for; the features have the declared width."""
    network, asked = _built(subject)
    given = network(_batch(subject))
    if len(given) != len(asked):
        return Advice(f"{len(given)} tensors for the layers {', '.join(asked)}", "give one tensor for each layer asked")
    for name, value in zip(asked, given, strict=True):
        if value.dtype != torch.float32 or value.ndim != 2 or len(value) != COUNT:
            return Advice(
                f"{name} is {value.dtype} {tuple(value.shape)}", f"give float32 ({COUNT}, width): one row each"
            )
        if not value.isfinite().all():
            return Advice(f"{name} is not finite", "check how samples are scaled before the network")
        if name == subject.record.features and subject.record.width not in (0, value.shape[1]):
            return Advice(f"{name} is {value.shape[1]} wide", f"declare width={value.shape[1]}")
    return None


@torch.no_grad()
def one_by_one(subject: Subject) -> Advice | None:
    """A sample's row is the same alone and in a batch."""
    network, asked = _built(subject)
    x = _batch(subject)
    for name, whole, single in zip(asked, network(x), network(x[:1]), strict=True):
        if not torch.allclose(whole[:1], single, rtol=1e-3, atol=1e-3):
            return Advice(f"{name} of a sample depends on its batch", "build the network in evaluation mode: .eval()")
    return None


CHECKS = (layers, one_by_one)
