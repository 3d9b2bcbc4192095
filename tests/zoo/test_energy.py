"""Energy-based GANs against the papers' equations, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from ganbench import Answer, Batch, Recipe, SampleSpec, UsageError
from ganbench_zoo.architectures import autoencoder
from ganbench_zoo.losses import began, ebgan
from ganbench_zoo.regularizers import pulling_away

POINTS, IMAGES = SampleSpec((2,), None, "points"), SampleSpec((1, 28, 28))
REAL, FAKE = torch.tensor([0.5, 0.3, 0.4]), torch.tensor([0.1, 0.3, 0.8])


class Energies:
    """A discriminator whose energy is the sample itself, and whose features may be as well."""

    def answer(self, batch: Batch) -> Answer:
        return Answer(energy=batch.x, features=batch.x)


def only(module: Any) -> Any:
    """The one record that a module yields."""
    hooks = (getattr(module, f"ganbench_{kind}s", None) for kind in ("losse", "regularizer", "architecture"))
    return next(iter(next(hook for hook in hooks if hook)()))


def batches() -> dict[str, Any]:
    return {"real": Batch(x=REAL), "fake": Batch(x=FAKE, origin="fake")}


def net(spec: SampleSpec, **changes: Any) -> Any:
    return autoencoder.Autoencoder(spec, Recipe({**only(autoencoder).recipe, "width": 8, **changes}))


@pytest.mark.parametrize(("energy", "power"), [("absolute", 1), ("squared", 2)])
@pytest.mark.parametrize("spec", [POINTS, IMAGES])
def test_the_energy_is_the_mean_error_of_what_is_rebuilt_and_the_logit_its_negative(
    spec: SampleSpec, energy: str, power: int
) -> None:
    D, x = net(spec, energy=energy, norm_D="none"), torch.rand(4, *spec.shape)
    answer = D(x)
    rebuilt = D.decoder(D.encoder(x))
    expected = [sum(abs(a - b) ** power for a, b in zip(p, q, strict=True)) / len(p)
                for p, q in zip(rebuilt.flatten(1).tolist(), x.flatten(1).tolist(), strict=True)]  # fmt: skip
    assert answer.energy.tolist() == pytest.approx(expected, rel=1e-4)
    assert torch.equal(answer.logit, -answer.energy) and answer.features.shape == (4, D.width)


def test_the_code_is_narrower_than_the_sample() -> None:
    assert net(POINTS).width == 1 and net(IMAGES).width == 64 and net(IMAGES, code=1000).width == 392


def test_an_energy_that_is_not_known_is_told() -> None:
    with pytest.raises(UsageError, match="energy is one of absolute, squared, not 'cubed'"):
        net(POINTS, energy="cubed")


def test_began_weighs_generated_energies_by_k() -> None:
    loss, own = only(began), began.Equilibrium(IMAGES, only(began).recipe)
    own.k.fill_(0.25)
    values = loss.discriminator(Energies(), **batches(), own=own)
    assert values.tolist() == pytest.approx([0.5 - 0.025, 0.3 - 0.075, 0.4 - 0.2])
    assert torch.equal(loss.generator(Energies(), batches()["fake"]), FAKE)


def test_began_moves_k_by_the_balance_and_keeps_it_between_0_and_1() -> None:
    own = began.Equilibrium(IMAGES, Recipe({"began.gamma": 0.7, "began.rate": 0.5}))

    def see(real: float, fake: float, turn: str = "D") -> float:
        own.after(turn, {"real": [torch.tensor([-real, -real])], "fake": [torch.tensor([-fake])]})
        return own.k.item()

    assert see(0.4, 0.1) == pytest.approx(0.5 * (0.28 - 0.1))
    assert own.measure.item() == pytest.approx(0.4 + 0.18)
    assert see(0.4, 0.1, turn="G") == pytest.approx(0.09)
    assert see(0.4, 0.1) == pytest.approx(0.18)
    assert see(0.1, 5.0) == 0.0 and own.measure.item() == pytest.approx(0.1 + 4.93)
    assert see(10.0, 0.0) == 1.0


def test_ebgan_pushes_generated_energies_up_to_the_margin() -> None:
    loss = only(ebgan)
    values = loss.discriminator(Energies(), **batches(), recipe=Recipe({"ebgan.margin": 0.35}))
    assert values.tolist() == pytest.approx([0.5 + 0.25, 0.3 + 0.05, 0.4 + 0.0])
    assert torch.equal(loss.generator(Energies(), batches()["fake"]), FAKE)


def test_the_pulling_away_term_is_the_mean_squared_cosine_of_pairs() -> None:
    def term(*rows: tuple[float, ...]) -> float:
        made: Tensor = only(pulling_away).generator(Energies(), Batch(x=torch.tensor(rows)))
        return made.item()

    assert term((1.0, 0.0), (0.0, 3.0)) == pytest.approx(0, abs=1e-6)
    assert term((1.0, 2.0), (2.0, 4.0), (-1.0, -2.0)) == pytest.approx(1)
    assert term((1.0, 0.0), (1.0, 1.0), (0.0, 2.0)) == pytest.approx((0.5 + 0.0 + 0.5) / 3)
