"""InfoGAN's codes against the paper's equations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganbench import Answer, Batch, Recipe, SampleSpec
from ganbench_zoo.regularizers import infogan

SPEC = SampleSpec((1, 28, 28))


def codes(**changes: Any) -> infogan.Codes:
    own = next(iter(infogan.ganbench_regularizers())).recipe
    return infogan.Codes(SPEC, Recipe({**own, **{f"infogan.{key}": value for key, value in changes.items()}}))


class Judge(nn.Module):
    """What Q is a head of."""

    width = 6


class Known:
    """A discriminator whose features are given."""

    def __init__(self, features: Tensor) -> None:
        self.features = features

    def answer(self, batch: Batch) -> Answer:
        return Answer(features=self.features)


def test_codes_stand_in_the_first_latents_and_the_noise_behind_them() -> None:
    z = torch.randn(2000, 20)
    for draw in (codes().latents, codes().inputs):
        batch = draw(Batch(z=z))
        classes, numbers = batch.z[:, :10], batch.z[:, 10:12]
        assert torch.equal(batch.extra["code"], batch.z[:, :12]) and torch.equal(batch.z[:, 12:], z[:, 12:])
        assert torch.equal(classes.sum(1), torch.ones(2000)) and set(classes.unique().tolist()) == {0.0, 1.0}
        assert classes.mean(0).tolist() == pytest.approx([0.1] * 10, abs=0.03)  # 4.5 standard errors
        assert numbers.abs().max() <= 1 and numbers.var().item() == pytest.approx(1 / 3, abs=0.03)
    assert not torch.equal(codes().latents(Batch(z=z)).z, codes().latents(Batch(z=z)).z)


def test_the_term_is_the_negative_log_likelihood_of_the_codes() -> None:
    own, features = codes(categories=3, continuous=2, **{"continuous-weight": 0.5}), torch.randn(4, 6)
    assert isinstance(own.wrap("D", Judge)(), Judge)
    fake = own.latents(Batch(z=torch.randn(4, 8)))
    values = infogan.term(own, Known(features), fake)
    found, code = own.head(features).detach().numpy(), fake.extra["code"].numpy()
    for value, q, c in zip(values.tolist(), found, code, strict=True):
        log_class = math.log(np.exp(q[:3])[c[:3].argmax()] / np.exp(q[:3]).sum())
        log_numbers = sum(-((a - b) ** 2) / 2 for a, b in zip(q[3:], c[3:], strict=True))
        assert value == pytest.approx(-log_class - 0.5 * log_numbers, rel=1e-4)


def test_codes_of_one_kind_alone_will_do() -> None:
    for own in (codes(categories=0), codes(continuous=0)):
        own.wrap("D", Judge)()
        fake = own.latents(Batch(z=torch.randn(4, 16)))
        assert fake.extra["code"].shape == (4, own.size)
        assert infogan.term(own, Known(torch.randn(4, 6)), fake).shape == (4,)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"latent": 12}, "its 12 codes leave no noise among latent=12"),
        ({"infogan.categories": 1}, "1 categories"),
        ({"infogan.categories": 0, "infogan.continuous": 0}, "say nothing"),
        ({"latent": 13}, None),
    ],
)
def test_codes_that_do_not_fit_are_told(changes: Any, words: str | None) -> None:
    component = next(iter(infogan.ganbench_regularizers()))
    reason = component.fits(SPEC, Recipe({**component.recipe, "latent": 64, **changes}), ())
    assert reason is None if words is None else words in reason
