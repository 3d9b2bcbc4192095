"""`D` and `G` as terms see them."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganbench import Answer, Batch
from ganbench.train import View


class Cubic(nn.Module):
    """D(x) = w Σ x³, counting how often it is asked."""

    def __init__(self):
        super().__init__()
        self.w, self.asked = nn.Parameter(torch.tensor(2.0)), 0

    def forward(self, x):
        self.asked += 1
        return self.w * x.pow(3).sum(1)


def real():
    return Batch(x=torch.tensor([[1.0, 2.0], [3.0, -1.0]]))


def test_a_batch_is_asked_once_until_forgotten():
    net, batch = Cubic(), real()
    view = View("D", net)
    assert view(batch) is view(batch) and net.asked == 1
    view(batch.but())
    assert net.asked == 2
    view.forget()
    view(batch)
    assert net.asked == 3


def test_the_slope_is_the_gradient_and_differentiable_in_the_weights():
    net, batch = Cubic(), real()
    view = View("D", net)
    slope = view.slope(batch)
    torch.testing.assert_close(slope, 6 * batch.x.square())
    assert view(batch).requires_grad and net.asked == 1, "the loss reads the slope's forward pass"
    assert torch.equal(view.slope(batch), slope) and net.asked == 1
    slope.sum().backward()
    torch.testing.assert_close(net.w.grad, 3 * batch.x.square().sum())
    assert not batch.x.requires_grad


def test_a_slope_at_generated_samples_reaches_the_generator():
    scale = torch.tensor(1.5, requires_grad=True)
    fake = Batch(x=scale * torch.ones(4, 2), origin="fake")
    View("D", Cubic()).slope(fake).sum().backward()
    torch.testing.assert_close(scale.grad, torch.tensor(8 * 6 * 2 * 1.5))


def test_a_slope_goes_through_what_stands_before_the_network():
    view = View("D", Cubic(), [lambda b: b.but(x=2 * b.x)])
    torch.testing.assert_close(view.slope(real()), 8 * 6 * real().x.square())


def test_the_chain_is_walked_in_order():
    view = View("D", Cubic(), [lambda b: b.but(x=b.x + 1), lambda b: b.but(x=b.x * 10)])
    torch.testing.assert_close(view(real()), 2 * (10 * (real().x + 1)).pow(3).sum(1))


def test_the_gradient_of_a_function():
    found = View("D", Cubic()).gradient(lambda z: z.pow(2), torch.tensor([1.0, 3.0]))
    torch.testing.assert_close(found, torch.tensor([2.0, 6.0]))


def test_other_parameters_are_used_and_differentiated():
    net = Cubic()
    other = torch.tensor(5.0, requires_grad=True)
    View("D", net).using({"w": other})(real()).sum().backward()
    torch.testing.assert_close(other.grad, real().x.pow(3).sum())
    assert net.w.grad is None and net.w.item() == 2.0


def test_fields_reach_forward_by_name():
    class Fields(nn.Module):
        def forward(self, x, y, code=None):
            return Answer(energy=x.sum(1) + y + (0 if code is None else code))

    view = View("D", Fields())
    batch = real().but(y=torch.tensor([1, 2]))
    torch.testing.assert_close(view.answer(batch).energy, torch.tensor([4.0, 4.0]))
    torch.testing.assert_close(view.answer(batch.but(extra={"code": 1})).energy, torch.tensor([5.0, 5.0]))
    with pytest.raises(TypeError, match=r"D.forward needs 'y', which this batch \(real\) does not have"):
        view.answer(real())
    with pytest.raises(TypeError, match="D answered without a logit"):
        view(batch)


def test_made_samples_keep_labels_and_latents():
    latents = Batch(z=torch.ones(3, 2), y=torch.arange(3), origin="latent", extra={"code": 1})
    batch = View("G", Doubling()).make(latents)
    assert batch.origin == "fake" and torch.equal(batch.x, 2 * latents.z)
    assert batch.y is latents.y and batch.z is latents.z and batch.extra == {"code": 1}


class Doubling(nn.Module):
    """G(z) = 2z."""

    def forward(self, z):
        return 2 * z


def test_what_was_seen_is_detached_and_sorted_by_origin():
    view = View("D", Cubic())
    for origin in ("real", "fake", "fake"):
        view(real().but(origin=origin))
    seen = view.seen()
    assert {k: len(v) for k, v in seen.items()} == {"real": 1, "fake": 2}
    assert not any(v.requires_grad for values in seen.values() for v in values)


def test_a_parameter_called_input_is_x_where_there_are_samples_else_z():
    bare = nn.Sequential(nn.Linear(2, 1), nn.Flatten(0))
    z, both = Batch(z=torch.ones(4, 2), origin="latent"), real().but(z=torch.zeros(2, 2))
    made = View("G", bare).make(z)
    assert torch.equal(made.x, bare(z.z)) and made.origin == "fake"
    assert torch.equal(View("D", bare)(both), bare(both.x))
    named = both.but(extra={"input": torch.ones(2, 2)})
    assert torch.equal(View("D", bare)(named), bare(torch.ones(2, 2))), "a field of that name comes first"


@pytest.mark.parametrize(("batch", "field"), [(Batch(z=torch.ones(4, 2), origin="latent"), "z"), (real(), "x")])
def test_an_unknown_parameter_is_told_which_name_it_should_have(batch, field):
    class Odd(nn.Module):
        def forward(self, picture):
            return picture

    with pytest.raises(TypeError, match=rf"forward needs 'picture', .* it has {field}: name the parameter {field}$"):
        View("N", Odd())(batch)
