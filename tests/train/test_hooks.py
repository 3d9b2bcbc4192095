"""What each hook of a component promises, shown on the stand-ins that use it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from stand_ins import CASES, train
from stand_ins.base import NON_SATURATING, StandIn
from stand_ins.between import Bare
from stand_ins.lookahead import simultaneous
from torch import nn

from ganbench import Loss, Regularizer
from ganbench.train.probes import measure_probes
from ganbench.train.sampling import Sampler


def parameters(module):
    return torch.cat([p.detach().flatten().clone() for p in module.parameters()])


def state(engine):
    tensors, plain = engine.state()
    return {k: v.clone() for k, v in tensors.items()}, plain["positions"]


def assert_same(one, other):
    assert one[0].keys() == other[0].keys() and one[1] == other[1]
    assert not [k for k in one[0] if not torch.equal(one[0][k], other[0][k])]


def test_memory_is_written_once_per_step_and_seen_as_named_buffers():
    engine = CASES["historical-averaging"].engine(accumulate=4, d_steps=3)
    train(engine, 2)
    assert dict(engine.parts["history"].module.named_buffers())["steps"].item() == 6


@pytest.mark.parametrize(
    ("case", "part", "memory"), [("began", "began", "k"), ("ada", "ada", "p"), ("lecam", "lecam", "real")]
)
def test_memory_moves(case, part, memory):
    engine = CASES[case].engine()
    train(engine, 6)
    assert getattr(engine.parts[part].module, memory).item() != 0


def test_inner_steps_leave_everything_as_it_was():
    engine = CASES["spectral-norm"].engine()
    train(engine, 3)
    before, moved = state(engine), parameters(engine.nets["D"])
    with engine.inner("D", 3):
        assert not torch.equal(parameters(engine.nets["D"]), moved)
        assert engine.counters["discriminator_steps"] == 3
    assert_same(state(engine), before)
    with engine.inner(("D", "G"), 1):
        pass
    assert_same(state(engine), before)


def test_inner_steps_write_no_memory():
    case = StandIn("x", others=(*CASES["unrolled-surrogate"].others, *CASES["historical-averaging"].others))
    engine = case.engine()
    train(engine, 2)
    assert engine.parts["history"].module.steps.item() == 2


def test_looking_ahead_changes_only_whom_it_should():
    plain = StandIn("plain").engine()
    train(plain, 1)
    for name in ("unrolled", "unrolled-surrogate"):
        ahead = CASES[name].engine()
        train(ahead, 1)
        assert torch.equal(parameters(ahead.nets["D"]), parameters(plain.nets["D"]))
        assert not torch.equal(parameters(ahead.nets["G"]), parameters(plain.nets["G"]))


def test_an_opponent_is_told_what_d_minimises_penalties_and_weights_included():
    told = {}

    class Asking(Bare):
        def opponent(self, D, loss, real, fake):
            told.update(same=loss(D), other=loss(D.using(doubled(D))), real=real, fake=fake)
            return D

    def doubled(D):
        return {name: 2 * p.detach() for name, p in D.net.named_parameters()}

    def critic(D, real, fake):
        return D(fake) - D(real)

    def size(D, real):
        return D(real).square()

    loss = Loss("critic", critic, lambda D, fake: -D(fake))
    others = (Regularizer("size", size, recipe={"size.weight": 3.0}), Regularizer("asking", build=Asking))
    engine = StandIn("asking", loss, others).engine()
    train(engine, 1)
    D = engine.views["D"]
    for view, name in ((D, "same"), (D.using(doubled(D)), "other")):
        terms = critic(view, told["real"], told["fake"]).mean(), 3 * size(view, told["real"]).mean()
        torch.testing.assert_close(told[name], sum(terms))


def test_samples_have_the_labels_that_the_game_gives_them():
    """A game may be told labels and make samples without any, and those of real data are not taken for its samples'."""
    labelled, translating = CASES["sgan"], CASES["cyclegan"]
    bare = replace(labelled, change=lambda game: replace(game, sample=lambda G, latents: G.make(latents).but(y=None)))
    for case, has_labels in ((labelled, True), (bare, False), (translating, False)):
        sampler = Sampler(case.engine(), case.dtype, seed=0)
        labels = sampler.draw(sampler.networks("last-raw"), 10, "evaluation")[1]
        assert (labels is not None) == has_labels


def test_extra_gradient_is_taken_one_joint_step_ahead():
    """w' = w - lr ∇L(w - lr ∇L(w)), for both players and by hand."""
    settings = {"optimizer": "sgd", "lr": 0.1}
    engine = CASES["extra-gradient"].engine(**settings)
    by_hand = CASES["simultaneous"].engine(**settings)
    by_hand.streams["A"].position = 16  # the joint step is taken on the batch after the turn's
    start = {n: [p.detach().clone() for p in net.parameters()] for n, net in by_hand.nets.items()}
    with by_hand.inner(("D", "G"), 1):
        ahead = {n: parameters(net) for n, net in by_hand.nets.items()}
    points = []

    class Notes(Bare):
        def weigh(self, turn, values, nets):
            points.append((turn, parameters(nets["D"].net), parameters(nets["G"].net)))
            return values

    others = (*CASES["extra-gradient"].others, Regularizer("notes", build=Notes))
    train(StandIn("x", others=others, change=simultaneous).engine(**settings), 1)
    assert [turn for turn, *_ in points] == ["D", "G", "D", "D", "G", "G"], "two inner turns before each outer one"
    for _, d, g in (points[2], points[5]):
        assert torch.equal(d, ahead["D"]) and torch.equal(g, ahead["G"])
    train(engine, 1)
    for name, net in engine.nets.items():
        for p, old in zip(net.parameters(), start[name], strict=True):
            torch.testing.assert_close(p.detach(), old - 0.1 * p.grad)


def test_latent_optimisation_reaches_d_through_the_latents():
    """D's gradient differs from the one with the same latents held fixed: nothing is detached."""
    gradients = []
    for detach in (False, True):

        class Climbing(Bare):
            def latents(self, batch, D, G, detach=detach):
                z = batch.z + 0.9 * D.gradient(lambda z: D(G.make(batch.but(z=z)).but(origin="view")), batch.z)
                return batch.but(z=z.detach() if detach else z)

        engine = StandIn("x", others=(Regularizer("climbing", build=Climbing),)).engine()
        seen = []
        engine.optimizers["D"].register_step_pre_hook(
            lambda *_, seen=seen, engine=engine: seen.extend(p.grad.clone() for p in engine.nets["D"].parameters())
        )
        train(engine, 1)
        gradients.append(torch.cat([g.flatten() for g in seen]))
    assert not torch.allclose(*gradients)


def test_a_lazy_term_counts_as_often_as_it_is_left_out():
    lazy = CASES["r1"].engine(**{"r1.every": 4, "r1.weight": 2.0})
    eager = CASES["r1"].engine(**{"r1.weight": 8.0})
    values = []
    for _ in range(8):
        lazy.cycle()
        values.append(lazy.window.poll()[0]["losses"].get("D/r1"))
    assert [v is not None for v in values] == [True, False, False, False] * 2
    eager.cycle()
    assert eager.window.poll()[0]["losses"]["D/r1"] == pytest.approx(values[0])


@pytest.mark.parametrize("name", ["r1", "r2", "relativistic", "projection", "sample-weights"])
def test_accumulated_gradients_equal_whole_ones(name):
    gradients = []
    for chunks in (1, 2, 8):
        engine = CASES[name].engine(accumulate=chunks)
        found = []
        for player in ("D", "G"):
            engine.optimizers[player].register_step_pre_hook(
                lambda *_, f=found, net=engine.nets[player]: f.extend(
                    p.grad.clone().flatten() for p in net.parameters()
                )
            )
        train(engine, 1)
        gradients.append(torch.cat(found))
    for other in gradients[1:]:
        torch.testing.assert_close(other, gradients[0], rtol=1e-4, atol=1e-6)


def test_views_stand_in_their_order():
    """Augment before noise before pack, whatever the order of the components."""
    many = CASES["many-packed"]
    for others in (many.others, many.others[::-1]):
        engine = StandIn("x", others=others, spec=many.spec, dtype=many.dtype).engine()
        assert engine.game.chains["D"] == ("augment", "noise", "pac")
    assert engine.nets["D"].first.in_features == 2 * 3 * 8 * 8


def test_growing_players_data_and_averages_follow_the_progress():
    engine = CASES["progan"].engine()
    for progress, stage, blend in ((0.0, 0, 0.0), (0.3, 1, pytest.approx(0.2)), (0.9, 1, 1.0)):
        engine.cycle(progress)
        grown = [engine.nets["G"], engine.averages["G"].copy, engine.parts["data"].module]
        assert [(m.stage, m.blend) for m in grown] == [(stage, blend)] * 3


def test_truncation_and_codes_come_in_when_samples_are_drawn():
    case = CASES["stylegan2"]
    engines = [case.engine(**{"truncation.share": share}) for share in (0.0, 1.0)]
    spread = []
    for engine in engines:
        train(engine, 4)
        engine.nets["G"].strength.data.zero_()
        sampler = Sampler(engine, torch.float32, seed=0)
        spread.append(torch.from_numpy(sampler.draw(sampler.networks("last-raw"), 20, "evaluation")[0]).std(0).mean())
    assert spread[0] < 1e-6 < 1e-3 < spread[1]


def test_a_head_is_as_wide_as_what_d_hands_out_and_moves_in_its_turns():
    for name, part, turns in (("acgan", "acgan", ("D",)), ("infogan", "info", ("D", "G"))):
        engine = CASES[name].engine()
        assert engine.parts[part].module.head.in_features == engine.views["D"].width
        assert [t.name for (t,) in engine.schedule if part in t.moves] == list(turns)


def test_probes_are_measured_and_disturb_nothing():
    engine = CASES["sgan"].engine()
    train(engine, 2)
    before = state(engine)
    probed = measure_probes(engine)
    assert 0 <= probed["accuracy"] <= 1 and measure_probes(engine) == probed
    assert_same(state(engine), before)


def test_clipping_and_spectral_norm_hold_after_every_step():
    clipped = CASES["clipping"].engine()
    train(clipped, 3)
    assert parameters(clipped.nets["D"]).abs().max() <= 0.1 < parameters(clipped.nets["G"]).abs().max()
    normed = CASES["spectral-norm"].engine()
    train(normed, 8)
    for net in (*normed.nets.values(), normed.averages["G"].copy):
        for layer in (m for m in net.modules() if isinstance(m, nn.Linear)):
            assert torch.linalg.matrix_norm(layer.weight.detach(), 2) < 1.5


def test_a_name_that_is_not_to_be_had_is_told():
    class Asking(Bare):
        def after(self, moon):
            """Asks for the moon."""

    engine = StandIn("x", NON_SATURATING, (Regularizer("asking", build=Asking),)).engine()
    with pytest.raises(TypeError, match=r"Asking\.after asks for 'moon'"):
        engine.cycle()
