"""The moving average of weights."""

from __future__ import annotations

import pytest
import torch
from stand_ins.base import StandIn
from torch import nn

from ganbench.train.averaging import Average


def test_an_old_weight_counts_half_after_the_half_life():
    net = nn.Linear(2, 1)
    average = Average(net, half_life=100.0, ramp_up=0.0)
    old = net.weight.detach().clone()
    with torch.no_grad():
        net.weight.add_(1.0)
    for _ in range(10):
        average.update(10, 1_000_000)
    torch.testing.assert_close(average.copy.weight, old + 0.5)
    assert not average.copy.weight.requires_grad and not average.copy.training


def test_a_young_run_forgets_faster():
    net = nn.Linear(1, 1, bias=False)
    average = Average(net, half_life=1e6, ramp_up=0.05)
    nn.init.zeros_(average.copy.weight)
    nn.init.ones_(net.weight)
    average.update(50, 1000)  # 0.05 · 1000 = 50 images
    assert average.copy.weight.item() == pytest.approx(0.5)


def test_buffers_are_copied_and_not_averaged():
    net = nn.BatchNorm1d(3)
    average = Average(net, half_life=1e6, ramp_up=0.0)
    net(torch.randn(8, 3) + 5)
    average.update(8, 8)
    assert torch.equal(average.copy.running_mean, net.running_mean)
    assert average.copy.num_batches_tracked == 1


def test_the_engine_averages_g_once_a_cycle():
    engine = StandIn("x").engine(ema_half_life=16.0, ema_ramp_up=0.0, d_steps=3)
    mean = engine.nets["G"].last.weight.detach().clone()
    for _ in range(3):
        engine.cycle()
        mean = 0.5 * mean + 0.5 * engine.nets["G"].last.weight.detach()
        torch.testing.assert_close(engine.averages["G"].copy.last.weight, mean)
    assert engine.averages.keys() == {"G"}
    assert not StandIn("x").engine().averages
