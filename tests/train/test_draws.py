"""Data order, latents and the declared form of samples."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganbench import Recipe, SampleSpec
from ganbench.train.draws import Latents, Stream, decode, encode, label_frequencies

POINTS = SampleSpec((1,), range=None, modality="points")
CPU = torch.device("cpu")


def stream(seed=0, count=10, labels=False):
    y = torch.arange(count) if labels else None
    return Stream(torch.arange(count, dtype=torch.float32)[:, None], y, POINTS, seed)


def drawn(source, *sizes):
    return torch.cat([source.next(size).x[:, 0] for size in sizes])


def test_every_epoch_has_every_sample_once():
    epochs = drawn(stream(), 4, 4, 4, 4, 4).reshape(2, 10)
    assert all(sorted(epoch.tolist()) == list(range(10)) for epoch in epochs)
    assert not torch.equal(*epochs)


def test_order_follows_the_seed_and_not_the_batch_size():
    assert torch.equal(drawn(stream(), 7, 7, 7, 9), drawn(stream(), 30))
    assert not torch.equal(drawn(stream(0), 10), drawn(stream(1), 10))


def test_the_position_is_all_the_state():
    whole, resumed = stream(), stream()
    drawn(whole, 13)
    resumed.position = whole.position
    assert torch.equal(drawn(whole, 25), drawn(resumed, 25))


def test_a_batch_says_which_samples_it_has():
    batch = stream(labels=True).next(10)
    assert torch.equal(batch.extra["index"], batch.y) and torch.equal(batch.x[:, 0].long(), batch.y)
    assert batch.origin == "real"


@pytest.mark.parametrize("limits", [(-1.0, 1.0), (0.0, 1.0)])
@pytest.mark.parametrize("dtype", [torch.uint8, torch.int16])
def test_the_declared_form_survives_the_way_there_and_back(dtype, limits):
    info, spec = torch.iinfo(dtype), SampleSpec((1,), range=limits)
    stored = torch.arange(info.min, info.max + 1, dtype=torch.int32).to(dtype)[:, None]
    x = decode(stored, spec)
    assert (x.min().item(), x.max().item()) == pytest.approx(limits)
    assert torch.equal(encode(x, spec, dtype), stored)
    beyond = torch.tensor([[-9.0], [9.0]])
    assert encode(beyond, spec, dtype).flatten().tolist() == [info.min, info.max]


def test_floats_are_left_as_they_are():
    x = torch.tensor([[7.0]])
    assert torch.equal(encode(decode(x, POINTS), POINTS, torch.float32), x)


def latents(seed=0, frequencies=None, **settings):
    return Latents(Recipe({"latent": 3, "prior": "normal", **settings}), seed, CPU, frequencies)


def test_latents_follow_purpose_and_counters_alone():
    one, other = latents(), latents()
    other.draw(5, "grid")
    other.draw(9, "draws", "D", 0, 0)
    assert torch.equal(one.draw(4, "draws", "G", 3, 0).z, other.draw(4, "draws", "G", 3, 0).z)
    different = [
        latents().draw(4, "draws", "G", 3, 1),
        latents().draw(4, "look", 3),
        latents(1).draw(4, "draws", "G", 3, 0),
    ]
    assert all(not torch.equal(one.draw(4, "draws", "G", 3, 0).z, d.z) for d in different)


def test_priors():
    normal = latents().draw(20_000, "x").z
    assert normal.mean().abs() < 0.02 and normal.std() == pytest.approx(1, abs=0.02)
    uniform = latents(prior="uniform").draw(20_000, "x").z
    assert uniform.abs().max() <= 1 and uniform.std() == pytest.approx(3**-0.5, abs=0.01)


def test_labels_follow_the_datas_frequencies():
    shares = label_frequencies(np.array([0] * 70 + [2] * 30), 3)
    assert shares.tolist() == pytest.approx([0.7, 0.0, 0.3])
    batch = latents(frequencies=shares).draw(20_000, "x")
    found = torch.bincount(batch.y, minlength=3) / len(batch.y)
    torch.testing.assert_close(found.double(), shares, atol=0.02, rtol=0)
    assert torch.equal(batch.z, latents().draw(20_000, "x").z), "labels do not shift the latents"
