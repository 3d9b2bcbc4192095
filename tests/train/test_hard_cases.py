"""Every hard case is built, trained, checkpointed, sampled and resumed; and none reads a tensor on the host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from stand_ins import CASES, StandIn, train

from ganbench.train import Engine
from ganbench.train.checkpoint import load_checkpoint, save_checkpoint
from ganbench.train.sampling import Sampler, variants

HALF, WHOLE = 5, 9

every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def left(engine: Engine) -> tuple[dict[str, torch.Tensor], dict[str, Any], dict[str, Any]]:
    """All that training leaves: copies of the tensors, the plain values, what a poll reads."""
    tensors, plain = engine.state()
    tensors = {name: value.clone() for name, value in tensors.items()}
    measured, bad = engine.window.poll()
    assert bad is None
    return tensors, plain, measured


def assert_equal(one: Any, other: Any) -> None:
    assert one[1:] == other[1:]
    assert one[0].keys() == other[0].keys()
    different = [name for name, value in one[0].items() if not torch.equal(value, other[0][name])]
    assert not different


def samples(engine: Engine, case: StandIn) -> list[np.ndarray]:
    sampler = Sampler(engine, case.dtype, seed=7)
    return [sampler.draw(sampler.networks(v["name"]), 10, "evaluation")[0] for v in variants(engine)]


@every_case
def test_a_resumed_run_equals_the_uninterrupted_one(case: StandIn, tmp_path: Path) -> None:
    whole = case.engine()
    before = [p.clone() for o in whole.optimizers.values() for g in o.param_groups for p in g["params"]]
    train(whole, WHOLE, WHOLE)
    after = [p for o in whole.optimizers.values() for g in o.param_groups for p in g["params"]]
    still = [p.shape for p, old in zip(after, before, strict=True) if torch.equal(p, old)]
    assert not still, "every parameter that somebody trains moves"
    assert all(p.isfinite().all() for p in after)
    expected = left(whole)
    assert expected[2]["losses"]

    halted = case.engine()
    train(halted, HALF, WHOLE)
    save_checkpoint(tmp_path / "checkpoint.safetensors", *halted.state())
    drawn = samples(halted, case)
    for sample, spec in ((s, case.spec) for s in drawn):
        assert sample.shape == (10, *spec.shape)
        assert torch.from_numpy(sample).dtype == case.dtype
        if case.dtype == torch.float32 and spec.range:
            assert sample.min() >= spec.range[0] and sample.max() <= spec.range[1]
    train(halted, WHOLE, WHOLE)
    assert_equal(left(halted), expected)

    resumed = case.engine()
    resumed.load(*load_checkpoint(tmp_path / "checkpoint.safetensors", torch.device("cpu")))
    for sample, again in zip(drawn, samples(resumed, case), strict=True):
        np.testing.assert_array_equal(sample, again)
    train(resumed, WHOLE, WHOLE)
    assert_equal(left(resumed), expected)


@every_case
def test_no_value_is_read_on_the_host(case: StandIn) -> None:
    """Tensors of the meta device have no values: whoever asks for one raises."""
    engine = case.engine(device="meta")
    for cycle in range(3):
        engine.cycle(cycle / 3, watch=True)
    with pytest.raises((RuntimeError, NotImplementedError)):
        engine.window.poll()
