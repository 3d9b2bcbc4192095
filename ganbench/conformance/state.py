"""Trainables: a training can be halted and taken up elsewhere, and no step waits for the device."""

from __future__ import annotations

import copy

import torch

from ganbench.conformance.checks import Advice, Skip
from ganbench.conformance.partners import Subject
from ganbench.conformance.trace import LATE, State, go_on
from ganbench.errors import told

MIXED = ("same device", "two devices", "device meta", "device cpu")
"""Words of torch where tensors of two devices meet."""


def different(one: State, other: State) -> str | None:
    """The first entry in which two states differ, or None."""
    if lacking := one[0].keys() ^ other[0].keys():
        return sorted(lacking)[0]
    return next((k for k, v in sorted(one[0].items()) if not torch.equal(v, other[0][k])), None)


def resumes(subject: Subject) -> Advice | None:
    """Loaded into a fresh engine, a state goes on exactly as it would have without the break."""
    seen = subject.traces[subject.form]
    if seen.early is None or seen.late is None or not seen.finite:
        raise Skip("it does not train")
    fresh = subject.engine(subject.form)
    fresh.load(seen.early[0], copy.deepcopy(seen.early[1]))
    other = different(seen.late, go_on(fresh, LATE))
    if other:
        return Advice(
            f"a resumed training differs from the uninterrupted one: {other}",
            "keep all memory in buffers (register_buffer) of the module from build, not in plain attributes or globals",
        )
    return None


def _without_values(subject: Subject) -> Exception | None:
    """What a training raises on the meta device, whose tensors have no values; None if nothing."""
    seen = subject.traces[subject.form]
    if seen.error is not None:
        raise Skip("it does not train")

    def play() -> Exception | None:
        try:
            engine = subject.engine(subject.form, device="meta", d_steps=1)
            for cycle in range(2):
                engine.cycle(cycle / 2)
        except (RuntimeError, TypeError) as error:
            return error
        return None

    error: Exception | None = subject.once("without values", play)
    return error


def _mixes(error: Exception) -> bool:
    return any(words in str(error) for words in MIXED)


def host_reads(subject: Subject) -> Advice | None:
    """No step reads a tensor's value on the host, which would make a GPU wait."""
    error = _without_values(subject)
    if error is None or _mixes(error):
        return None
    return Advice(
        f"a value is read on the host: {told(error)}",
        "use torch.where for a branch, step and progress for schedules; no .item(), float(), .numpy(), if, or boolean "
        "index; and leave every tensor on its device: no .cpu(), .cuda(), .to(device)",
    )


def devices(subject: Subject) -> Advice | None:
    """Everything moves to the run's device with its module."""
    error = _without_values(subject)
    if error is None or not _mixes(error):
        return None
    return Advice(
        f"a tensor stays behind when the networks move: {told(error)}",
        "register it as a buffer, or make it with device=x.device",
    )


CHECKS = (resumes, host_reads, devices)
