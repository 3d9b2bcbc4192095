"""The loop: counters, who moves and who is frozen, rates, and what seeds shift and do not shift."""

from __future__ import annotations

import gc
from dataclasses import replace
from itertools import pairwise

import pytest
import torch
from stand_ins import CASES, train
from stand_ins.base import TOY, StandIn
from stand_ins.between import AUGMENT, NOISE, Bare
from stand_ins.lookahead import CLIMBING, SURROGATE, simultaneous
from torch import nn

from ganbench import Architecture, Regularizer
from ganbench.errors import UsageError
from ganbench.train.probes import measure_probes
from ganbench.train.sampling import Sampler


def tensors(engine):
    return {k: v.clone() for k, v in engine.state()[0].items()}


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


class Notes(Bare):
    """Writes down what a turn is handed."""

    def __init__(self, spec, recipe):
        super().__init__(spec, recipe)
        self.pages = []

    def weigh(self, turn, name, values, real, latents, nets):
        frozen = {n: not any(p.requires_grad for p in view.parameters()) for n, view in nets.items()}
        weights = {n: [p.detach().clone() for p in view.parameters()] for n, view in nets.items()}
        self.pages.append((turn, real.x.clone(), latents.z.clone(), frozen, weights))
        return values


NOTES = Regularizer("notes", build=Notes)


def noted(*others, seed=0, cycles=3, change=lambda game: game, **settings):
    engine = StandIn("x", others=(*others, NOTES), change=change).engine(seed, **settings)
    train(engine, cycles)
    return engine.parts["notes"].module.pages


def test_counters_count_what_they_say():
    engine = StandIn("x").engine(d_steps=3)
    train(engine, 4)
    assert engine.counters == {
        "cycles": 4,
        "generator_steps": 4,
        "discriminator_steps": 12,
        "real_images": 12 * 16,
        "fake_images": 16 * 16,
    }
    assert engine.streams["A"].position == 12 * 16
    for name in ("cyclegan", "gmmn", "ali"):
        other = CASES[name].engine()
        train(other, 2)
        assert other.counters["generator_steps"] == 2
        assert other.counters["discriminator_steps"] == (0 if name == "gmmn" else 2)
        assert other.counters["real_images"] == 32


def test_g_sees_the_last_real_batch_and_d_a_new_one_each_step():
    pages = noted(d_steps=2, cycles=2)
    assert [p[0] for p in pages] == ["D", "D", "G"] * 2
    assert torch.equal(pages[1][1], pages[2][1])
    assert not torch.equal(pages[0][1], pages[1][1])


def test_players_that_do_not_move_are_frozen_and_stay():
    pages = noted()
    for turn, _, _, frozen, _ in pages:
        assert frozen == {"G": turn == "D", "D": turn == "G"}
    for (turn, *_, before), (*_, after) in pairwise(pages):
        for name in ("G", "D"):
            moved = any(not torch.equal(a, b) for a, b in zip(before[name], after[name], strict=True))
            assert moved == (name == turn)


def test_simultaneous_turns_see_the_same_weights():
    pages = noted(change=simultaneous, cycles=2)
    for d, g in zip(pages[::2], pages[1::2], strict=True):
        assert torch.equal(d[1], g[1])
        for name in ("G", "D"):
            assert all(torch.equal(a, b) for a, b in zip(d[4][name], g[4][name], strict=True))


def test_what_is_frozen_on_purpose_stays_frozen():
    class Half(TOY.discriminator):
        def __init__(self, spec, recipe):
            super().__init__(spec, recipe)
            self.first.requires_grad_(False)

    engine = StandIn("x", architecture=replace(TOY, discriminator=Half)).engine()
    before = engine.nets["D"].first.weight.clone()
    train(engine, 3)
    assert torch.equal(engine.nets["D"].first.weight, before)


def test_rates_decay_to_zero_and_each_player_has_its_own():
    engine = StandIn("x").engine(lr=0.1, lr_D=0.4, lr_decay="linear")
    engine.cycle(0.75)
    rates = {name: optimizer.param_groups[0]["lr"] for name, optimizer in engine.optimizers.items()}
    assert rates == pytest.approx({"G": 0.025, "D": 0.1})
    before = tensors(engine)
    engine.cycle(1.0)
    after = tensors(engine)
    assert all(torch.equal(before[k], after[k]) for k in before if k.startswith("player/"))


def test_gradients_are_clipped_to_a_norm():
    engine = StandIn("x").engine(clip_grad_norm=1e-3)
    engine.cycle(watch=True)
    norms = engine.window.poll()[0]["gradient_norms"]
    assert norms.keys() == {"D", "G"}
    assert all(norm <= 1.001e-3 for norm in norms.values())


def test_a_poll_has_every_loss_once_and_begins_anew():
    engine = StandIn("x").engine(accumulate=2, d_steps=2)
    train(engine, 3)
    engine.cycle(watch=True)
    event, bad = engine.window.poll()
    assert event["losses"].keys() == {"D/ns", "G/ns"} and bad is None
    assert event["answers"].keys() == {"D/real", "D/fake", "G/fake"}
    assert engine.window.poll() == ({"losses": {}, "gradient_norms": {}, "answers": {}}, None)


@pytest.mark.parametrize("name", CASES)
def test_no_tensor_waits_for_python_to_look_for_cycles_of_references(name):
    """It would keep its memory, a batch's in each cycle, until then."""
    engine = CASES[name].engine()
    for _ in range(2):
        engine.cycle(watch=True)
    gc.collect()
    gc.disable()
    try:
        for _ in range(2):
            engine.cycle(watch=True)
        gc.set_debug(gc.DEBUG_SAVEALL)
        gc.collect()
        kept = [type(thing).__name__ for thing in gc.garbage]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
        gc.enable()
    assert not kept


def test_the_first_loss_that_is_not_finite_is_found():
    engine = StandIn("x").engine()
    train(engine, 3)
    with torch.no_grad():
        engine.nets["G"].last.weight.fill_(float("nan"))
    train(engine, 6)
    assert engine.window.poll()[1] == 3


def test_a_seed_gives_its_bits_and_no_other():
    case = CASES["many-packed"]
    runs = [case.engine(seed) for seed in (5, 5, 6)]
    for engine in runs:
        train(engine, 4)
    assert same(tensors(runs[0]), tensors(runs[1]))
    assert not same(tensors(runs[0]), tensors(runs[2]))


@pytest.mark.parametrize(
    "others", [(AUGMENT, NOISE), (SURROGATE,), (CLIMBING, SURROGATE, NOISE)], ids=lambda o: o[0].name
)
def test_draws_of_one_gan_do_not_shift_anothers_data(others):
    plain, drawing = noted(), [p for p in noted(*others) if p[0] in "DG"]
    if SURROGATE in others:  # two inner steps of D stand before each step of G
        drawing = [p for i, p in enumerate(drawing) if i % 4 in (0, 3)]
    assert len(plain) == len(drawing)
    for mine, its in zip(plain, drawing, strict=True):
        assert torch.equal(mine[1], its[1])
        if CLIMBING not in others:
            assert torch.equal(mine[2], its[2])


def test_data_and_latents_do_not_hang_on_the_training_seed():
    for mine, its in zip(noted(seed=0), noted(seed=1), strict=True):
        assert torch.equal(mine[1], its[1]) and torch.equal(mine[2], its[2])
        assert not torch.equal(mine[4]["G"][0], its[4]["G"][0])


def test_the_state_of_the_process_does_not_matter():
    engines = [CASES["augment"].engine(), CASES["augment"].engine()]
    for number, engine in enumerate(engines):
        for cycle in range(4):
            torch.manual_seed(100 * number + cycle)
            torch.randn(number)
            engine.cycle(cycle / 4)
    assert same(*map(tensors, engines))


class Normed(nn.Module):
    """A generator with batch norm and dropout."""

    def __init__(self, spec, recipe):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(recipe["latent"], 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Dropout(0.2), nn.Linear(8, 2), nn.Tanh()
        )

    def forward(self, z):
        return self.net(z)


def test_evaluation_does_not_disturb_training():
    case = StandIn(
        "x", architecture=Architecture("normed", Normed, TOY.discriminator), settings={"ema_half_life": 50.0}
    )
    quiet, asked = case.engine(), case.engine()
    sampler = Sampler(asked, torch.float32, seed=0)
    for _ in range(4):
        quiet.cycle()
        asked.cycle()
        for variant in ("last-ema", "last-raw"):
            views = sampler.networks(variant)
            first = sampler.draw(views, 300, "look")[0]
            assert (first == sampler.draw(views, 300, "look")[0]).all()
            sampler.shown(views)
        measure_probes(asked)
    assert same(tensors(quiet), tensors(asked))


def test_samples_of_a_translating_game_go_through_the_data_from_its_start():
    engine = CASES["cyclegan"].engine()
    sampler = Sampler(engine, torch.float32, seed=0)
    views = sampler.networks("last-raw")
    drawn = torch.from_numpy(sampler.draw(views, 500, "evaluation")[0])
    engine.streams["A"].position = 40
    assert torch.equal(torch.from_numpy(sampler.draw(views, 500, "evaluation")[0]), drawn)
    assert engine.streams["A"].position == 40
    inputs = CASES["cyclegan"].engine().streams["A"].next(500)
    torch.testing.assert_close(drawn, views["G_AB"].make(inputs).x)


def test_a_turn_that_does_not_draw_sees_the_last_batch_after_loading_too():
    """D's turn is left out every other cycle; G's looks at what D saw last."""

    def change(game):
        return replace(game, turns=(replace(game.turns[0], when=lambda cycle: cycle % 2 == 0), game.turns[1]))

    case = StandIn("x", CASES["relativistic"].loss, change=change)
    whole, halted, resumed = (case.engine() for _ in range(3))
    train(whole, 6)
    train(halted, 3)
    resumed.load(*halted.state())
    train(resumed, 6)
    assert same(tensors(whole), tensors(resumed))
    assert whole.counters["discriminator_steps"] == 3


def test_two_recipes_of_one_gan_differ():
    one, other = CASES["points"].engine(), CASES["recipe-slow"].engine()
    assert same(tensors(one), tensors(other))
    train(one, 1), train(other, 1)
    assert not same(tensors(one), tensors(other))


def test_what_cannot_be_played_is_told():
    with pytest.raises(UsageError, match="accumulate=3 does not divide batch_size=16"):
        StandIn("x").engine(accumulate=3)
    with pytest.raises(ValueError, match="turns move H, which the game does not have"):
        StandIn("x", change=lambda g: replace(g, turns=(replace(g.turns[0], moves=("H",)),))).engine()
