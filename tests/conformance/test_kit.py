"""The kit finds what is broken, says so under the right name, and lets what works pass."""

from __future__ import annotations

import functools
from pathlib import Path

import pytest

from ganbench import conformance, plugins
from ganbench.conformance.partners import Subject
from ganbench.errors import UsageError

FILE = Path(__file__).with_name("broken.py")
REGISTRY = plugins.load([str(FILE)])
BROKEN = {f"{e.kind}/{e.name}": e for e in conformance.registered_by(REGISTRY, FILE)}
HEAVY = "comes-closer"
ADVICE = {
    "output-shape": "nn.Unflatten(1, spec.shape)",
    "output-range": "tanh for [-1, 1]",
    "uses-latents": "its row of z",
    "trains": "make this call work",
    "attached": "leave out .detach()",
    "gradients": "use it in forward, remove it",
    "own-seed": "never seed",
    "foreign-randomness": "draw from torch instead",
    "devices": "register it as a buffer",
    "host-reads": "no .item(), float(), .numpy()",
    "answers": ".squeeze(1)",
    "class-logits": "Answer(logit=…, classes=…)",
    "per-sample": "no batch norm in D",
    "values": "one value per sample, (B,)",
    "finite": "softplus for log-sigmoid",
    "keeps-batches": "write to a copy",
    "comes-closer": "the terms' signs",
    "resumes": "register_buffer",
    "repeatable": "keep nothing outside of the networks",
    "recipe-keys": "write 'bad-recipe-keys-",
}
"""Check -> what its advice has to say."""


def wanted(name: str) -> str:
    """The check that has to find it."""
    from sys import modules

    found: str = modules[BROKEN[name].provenance.module].BROKEN[name]
    return found


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_found(name: str) -> None:
    check = wanted(name)
    all_cases = list(conformance.cases([BROKEN[name]], REGISTRY))
    outcomes = {c.name: c.run() for c in all_cases if c.name != HEAVY or c.name == check}
    found = outcomes[check]
    assert found.failed, [str(o) for o in outcomes.values()]
    assert found.what and ADVICE[check] in found.mend
    assert "\n" not in found.what + found.mend


def test_what_does_not_train_is_not_said_to_be_in_order() -> None:
    name = next(name for name in BROKEN if wanted(name) == "trains")
    outcomes = {c.name: c.run().status for c in conformance.cases([BROKEN[name]], REGISTRY)}
    begun = {"recipe-keys", "brings", "fits", "length", "output-shape", "output-range", "uses-latents", "copies"}
    assert {check for check, status in outcomes.items() if status == "ok"} <= begun
    assert outcomes["trains"] == "FAILED" and outcomes["own-seed"] == outcomes["keeps-batches"] == "skipped"


def test_every_check_has_words_of_its_own() -> None:
    for kind in conformance.kit.FAMILIES:
        entry = REGISTRY.of(kind)[:1]
        names = [c.name for c in conformance.cases(entry, REGISTRY)]
        assert len(names) == len(set(names))
        assert all(c.check.__doc__ for c in conformance.cases(entry, REGISTRY))


def test_names_stand_for_components() -> None:
    assert [e.name for e in conformance.targets(REGISTRY, ["loss/bad-values-0", "broken:bad-finite-1"])] == [
        "bad-values-0",
        "bad-finite-1",
    ]
    assert len(conformance.targets(REGISTRY, [str(FILE), "loss/bad-values-0"])) == len(BROKEN)


@pytest.mark.parametrize(
    ("name", "reason"), [("bad-values-9", "did you mean bad-values-0"), ("lost/bad", "no kind 'lost'")]
)
def test_a_name_that_is_not_there(name: str, reason: str) -> None:
    with pytest.raises(UsageError, match=reason):
        conformance.targets(REGISTRY, [name])


@pytest.mark.parametrize("check", ["trains", "values", "gradients", "repeatable", "resumes", "host-reads", "devices"])
def test_partners_are_found_in_the_same_file_and_in_presets(check: str) -> None:
    file = FILE.with_name("together.py")
    registry = together()
    found = conformance.registered_by(registry, file)
    outcomes = [c.run() for c in conformance.cases(found, registry) if c.name == check]
    assert [o.name for o in outcomes] == ["energetic", "coded", "energy", "coder", "coded-energy"]
    assert [str(o) for o in outcomes if o.status != "ok"] == []


@functools.cache
def together() -> plugins.Registry:
    return plugins.load([str(FILE.with_name("together.py"))])


def test_partners_are_plain_where_that_will_do() -> None:
    """Nothing is tried out on networks, or with a loss, of a special kind that it does not ask for."""
    registry = plugins.load()
    for entry in (e for kind in ("loss", "regularizer", "augmentation") for e in registry.of(kind)):
        subject = Subject(entry, registry)
        _, loss, *_ = next(iter(subject.entries.values())).plugins
        assert entry.kind == "loss" or not loss.record.requires or entry.name in loss.record.brings, entry.name
