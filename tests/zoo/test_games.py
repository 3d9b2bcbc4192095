"""Games against the papers' equations, worked out by hand or in another way."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ganbench import Answer, Batch, Game, GameBuilder, Recipe, SampleSpec, Turn, UsageError
from ganbench.plan.recipe import ENGINE
from ganbench.train.views import View
from ganbench_zoo.games import bigan, cyclegan, gmmn, sgan
from ganbench_zoo.layers.coders import decoder, encoder, pyramid

POINTS = SampleSpec((2,), None, "points")
LABELLED = POINTS.but(classes=3)


def builder(module: Any, name: str = "") -> GameBuilder:
    return next(b for b in module.ganbench_games() if name in ("", b.name))


def recipe(module: Any, name: str = "", **changes: Any) -> Recipe:
    return Recipe({**ENGINE, **builder(module, name).recipe, **changes})


def turns(game: Game) -> dict[str, Turn]:
    return {turn.name: turn for turn in game.turns if isinstance(turn, Turn)}


class Fixed:
    """A generator whose samples are given."""

    def __init__(self, x: Tensor) -> None:
        self.x = x

    def make(self, latents: Batch) -> Batch:
        return latents.but(x=self.x, origin="fake")


def naive_discrepancy(real: np.ndarray, fake: np.ndarray, bandwidths: tuple[float, ...]) -> float:
    def mean(a: np.ndarray, b: np.ndarray) -> float:
        return float(
            np.mean([sum(math.exp(-((p - q) ** 2).sum() / (2 * s)) for s in bandwidths) for p in a for q in b])
        )

    return mean(real, real) - 2 * mean(real, fake) + mean(fake, fake)


def test_gmmn_minimises_the_root_of_the_discrepancy_of_samples_scaled_to_one() -> None:
    real, fake = (torch.rand(n, 1, 4, 4, generator=torch.Generator().manual_seed(n)) for n in (5, 7))
    recipe_ = recipe(gmmn, bandwidths=(0.5, 2.0))
    game = builder(gmmn).build(SampleSpec((1, 4, 4)), recipe_)
    term = turns(game)["G"].objective(Fixed(2 * fake - 1), Batch(x=2 * real - 1), Batch(z=torch.zeros(7, 1)))["mmd"]
    expected = naive_discrepancy(real.flatten(1).numpy(), fake.flatten(1).numpy(), (0.5, 2.0))
    assert term.item() == pytest.approx(math.sqrt(expected), rel=1e-4)


def test_gmmn_sees_no_difference_between_a_batch_and_itself_and_its_slope_stays_finite() -> None:
    x = torch.randn(6, 2, requires_grad=True)
    game = builder(gmmn).build(POINTS, recipe(gmmn))
    term = turns(game)["G"].objective(Fixed(x), Batch(x=x.detach()), Batch(z=torch.zeros(6, 1)))["mmd"]
    term.backward()
    assert term.item() == pytest.approx(1e-4) and x.grad is not None and x.grad.isfinite().all()


@pytest.mark.parametrize(
    ("shape", "bottom", "channels"), [((1, 28, 28), 7, [8, 16]), ((3, 64, 64), 4, [8, 16, 32, 64])]
)
def test_coders_halve_square_images_down_to_seven_or_four_pixels(
    shape: tuple[int, ...], bottom: int, channels: list[int]
) -> None:
    spec = SampleSpec(shape)
    assert pyramid(spec, 8) == (bottom, channels)
    x = torch.rand(2, *shape) * 2 - 1
    code = encoder(spec, 5, 8, "batch")(x)
    made = decoder(spec, 5, 8, "layer")(code)
    assert code.shape == (2, 5) and made.shape == x.shape and made.abs().max() <= 1


@pytest.mark.parametrize("shape", [(2,), (1, 30, 30), (1, 28, 32), (1, 256)])
def test_coders_take_any_other_shape_through_linear_layers(shape: tuple[int, ...]) -> None:
    spec = SampleSpec(shape, (0.0, 1.0))
    assert pyramid(spec, 8) is None
    code = encoder(spec, 5, 8, "none")(torch.rand(2, *shape))
    made = decoder(spec, 5, 8, "batch")(code)
    assert code.shape == (2, 5) and made.shape == (2, *shape) and made.min() >= 0 and made.max() <= 1


def test_sgan_is_a_softmax_over_the_classes_and_one_more_that_is_generated() -> None:
    """The K + 1 probabilities of the papers, with the last logit at 0, give the same three losses."""
    game = builder(sgan).build(LABELLED, recipe(sgan, width=8, labelled=0.5))
    D = game.players["D"]()
    real = Batch(x=torch.randn(40, 2), y=torch.arange(40) % 3, extra={"index": torch.arange(40)})
    fake, latents = torch.randn(40, 2), Batch(z=torch.zeros(40, 1))
    judged = turns(game)["D"].objective(View("D", D), Fixed(fake), real, latents)
    fooled = turns(game)["G"].objective(View("D", D), Fixed(fake), latents)

    def shares(x: Tensor) -> Tensor:
        return torch.cat([D(x).classes, torch.zeros(len(x), 1)], 1).softmax(1)

    on_real, on_fake = shares(real.x), shares(fake)
    torch.testing.assert_close(judged["real"], -(1 - on_real[:, 3]).log())
    torch.testing.assert_close(judged["fake"], -on_fake[:, 3].log())
    torch.testing.assert_close(fooled["fool"], -(1 - on_fake[:, 3]).log())
    among_real = on_real[:, :3] / on_real[:, :3].sum(1, keepdim=True)
    told = sgan.known(torch.arange(40), 0.5)
    torch.testing.assert_close(judged["label"], -2 * told * among_real[torch.arange(40), real.y].log())
    assert 0 < told.sum() < 40


@pytest.mark.parametrize("share", [0.02, 0.3])
def test_sgan_knows_the_stated_share_of_labels_wherever_they_lie(share: float) -> None:
    told = sgan.known(torch.arange(50_000), share)
    for part in told.chunk(10):  # 5,000 samples of one class, where data is sorted
        assert part.float().mean().item() == pytest.approx(share, abs=0.005)
    assert torch.equal(told[1000:1010], sgan.known(torch.arange(1000, 1010), share))


def test_sgan_measures_accuracy_on_samples_whose_label_it_is_not_told() -> None:
    game, index = builder(sgan).build(LABELLED, recipe(sgan, width=8, labelled=0.5)), torch.arange(64)

    class Oracle:
        """Right for samples that it should not know, wrong for the others."""

        def answer(self, batch: Any) -> Answer:
            return Answer(classes=nn.functional.one_hot((batch.y + sgan.known(index, 0.5)) % 3, 3).float())

    real = Batch(x=torch.randn(64, 2), y=index % 3, extra={"index": index})
    assert game.probes["accuracy"](Oracle(), {"A": real}).item() == 1.0


def test_samples_of_sgan_have_no_labels_though_its_data_has() -> None:
    game = builder(sgan).build(LABELLED, recipe(sgan))
    made = game.sample(Fixed(torch.randn(4, 2)), Batch(z=torch.zeros(4, 1), y=torch.arange(4)))
    assert made.y is None and made.get("x").shape == (4, 2)


@pytest.mark.parametrize("name", ["bigan", "ali"])
def test_bigan_judges_pairs_and_both_g_and_e_gain_by_confusing_them(name: str) -> None:
    game = builder(bigan, name).build(POINTS, recipe(bigan, name, width=8, latent=3, norm_G="none", norm_E="none"))
    nets: dict[str, Any] = {player: View(player, make()) for player, make in game.players.items()}
    real, latents = torch.randn(5, 2), torch.randn(5, 3)
    told = {"D": nets["D"], "nets": nets, "real": Batch(x=real), "latents": Batch(z=latents)}
    terms = {}
    for turn in "DG":
        torch.manual_seed(1)
        terms[turn] = turns(game)[turn].objective(**told)
    torch.manual_seed(1)
    on_real = torch.sigmoid(nets["D"].net(real, nets["E"].net(real)))
    on_fake = torch.sigmoid(nets["D"].net(nets["G"].net(latents), latents))
    for turn, real_share, fake_share in (("D", on_real, 1 - on_fake), ("G", 1 - on_real, on_fake)):
        torch.testing.assert_close(terms[turn]["real"], -real_share.log())
        torch.testing.assert_close(terms[turn]["fake"], -fake_share.log())
    assert turns(game)["G"].moves == ("G", "E")


def test_the_codes_of_ali_are_drawn_around_a_mean_that_is_used_where_it_is_measured() -> None:
    net = bigan.Encoder(POINTS, recipe(bigan, "ali", width=8, latent=3, norm_E="none"))
    x = torch.randn(1, 2)
    mean, log_variance = net.layers(x).chunk(2, 1)
    draws = net(x.expand(20_000, 2))
    torch.testing.assert_close(draws.mean(0), mean[0], atol=0.1, rtol=0)
    torch.testing.assert_close(draws.var(0), log_variance[0].exp(), atol=0, rtol=0.1)
    torch.testing.assert_close(net.eval()(x), mean)


def test_bigan_measures_how_far_what_it_encodes_comes_back() -> None:
    game = builder(bigan, "bigan").build(POINTS, recipe(bigan, "bigan"))
    nets: dict[str, Any] = {name: View(name, nn.Linear(2, 2, bias=False)) for name in "EG"}
    with torch.no_grad():
        nets["E"].net.weight.copy_(2 * torch.eye(2))
        nets["G"].net.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 0.5]]))
    x = torch.tensor([[1.0, 2.0], [-1.0, 3.0]])
    assert game.probes["reconstruction"](nets, {"A": Batch(x=x)}).item() == pytest.approx((1 + 0 + 1 + 0) / 4)


def cyclegan_played(**changes: Any) -> tuple[Any, dict[str, Any], dict[str, Batch]]:
    settings = recipe(cyclegan, width=8, batch_size=6, pool=0, **changes)
    game = builder(cyclegan).build(POINTS, settings)
    nets = {player: View(player, make()) for player, make in game.players.items()}
    return game, nets, {"A": Batch(x=torch.randn(6, 2)), "B": Batch(x=torch.randn(6, 2))}


def test_cyclegan_translates_both_ways_and_back() -> None:
    game, nets, reals = cyclegan_played(cycle=3.0, identity=2.0)
    fooled, judged = (turns(game)[turn].objective(nets, reals) for turn in "GD")
    for s, d in ("AB", "BA"):
        x, other, there, back = reals[s].x, reals[d].x, nets[f"G_{s}{d}"].net, nets[f"G_{d}{s}"].net
        D = nets[f"D_{d}"].net
        torch.testing.assert_close(fooled[f"fool-{d}"], (D(there(x)) - 1) ** 2)
        torch.testing.assert_close(fooled[f"cycle-{s}"], 3 * (back(there(x)) - x).abs())
        torch.testing.assert_close(fooled[f"identity-{d}"], 2 * (there(other) - other).abs())
        torch.testing.assert_close(judged[f"real-{d}"], (D(other) - 1) ** 2 / 2)
        torch.testing.assert_close(judged[f"fake-{d}"], D(there(x)) ** 2 / 2)
    assert not [term for term in turns(cyclegan_played()[0])["G"].objective(nets, reals) if "identity" in term]


def test_cyclegan_gives_samples_like_those_of_the_first_stream_and_measures_its_cycle() -> None:
    game, nets, reals = cyclegan_played()
    torch.testing.assert_close(game.sample(nets, reals).x, nets["G_BA"].net(reals["B"].x))
    around = nets["G_BA"].net(nets["G_AB"].net(reals["A"].x))
    torch.testing.assert_close(game.probes["cycle"](nets, reals), (around - reals["A"].x).abs().mean())


def test_the_pool_shows_a_batch_itself_until_it_has_older_ones_and_then_half_of_the_time_those() -> None:
    pool = cyclegan.Pool(SampleSpec((1,)), recipe(cyclegan, pool=8, batch_size=8))
    first, swapped, number = torch.arange(8.0)[:, None], 0, 8
    assert torch.equal(pool.mixed("A", first), first)
    assert not dict(pool.named_buffers())["kept_A"].any(), "memory is written after the turn"
    pool.mixed("B", first)
    pool.after("G")
    assert not dict(pool.named_buffers())["kept_A"].any()
    pool.after("D")
    held = set(range(8))
    for _ in range(300):
        made = torch.arange(float(number), number + 8)[:, None]
        shown = pool.mixed("A", made)
        pool.mixed("B", first)
        pool.after("D")
        old = {int(x) for x in shown[shown != made]}
        new = {int(x) for x in made[shown != made]}
        assert old <= held, "what is shown in place of a translation is one that the pool has held"
        held = held - old | new
        assert {int(x) for x in dict(pool.named_buffers())["kept_A"][:, 0]} == held
        swapped, number = swapped + len(new), number + 8
    assert swapped / 2400 == pytest.approx(0.5, abs=0.05)


def test_a_pool_smaller_than_a_batch_is_told() -> None:
    with pytest.raises(UsageError, match="pool=4 holds no whole batch of 6"):
        cyclegan.Pool(POINTS, recipe(cyclegan, pool=4, batch_size=6))


@pytest.mark.parametrize(("shape", "patches"), [((1, 28, 28), 49), ((3, 64, 64), 64)])
def test_the_critics_of_cyclegan_judge_patches(shape: tuple[int, ...], patches: int) -> None:
    spec, x = SampleSpec(shape), torch.rand(2, *shape)
    assert cyclegan.critic(spec, recipe(cyclegan, width=4))(x).shape == (2, patches)
    made = cyclegan.translator(spec, recipe(cyclegan, width=4, blocks=1))(x)
    assert made.shape == x.shape and made.abs().max() <= 1
