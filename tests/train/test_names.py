"""Functions name what they need, and are told what there is."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from stand_ins.games import ali

from ganbench import Recipe, SampleSpec, Turn
from ganbench.plan.recipe import ENGINE
from ganbench.train.draws import Latents, Stream
from ganbench.train.engine import Engine


def test_an_objective_that_asks_for_what_a_game_does_not_have_is_told_what_there_is():
    spec, recipe = SampleSpec((2,), modality="points"), Recipe({**ENGINE, "batch_size": 4, "latent": 2})
    game = ali(spec, recipe)

    def judge(D, fake):
        return {"fake": D(fake)}

    turns = (Turn("D", ("D",), judge),)
    game = replace(game, turns=turns)
    stream = Stream(torch.zeros(8, 2), None, spec, seed=0)
    engine = Engine(game, recipe, spec, {"A": stream}, Latents(recipe, 0, torch.device("cpu"), None), seed=0)
    there = "D, G, engine, latents, nets, progress, real, reals, recipe, spec, step"
    with pytest.raises(TypeError, match=rf"judge asks for 'fake', which is not to be had here; there is {there}$"):
        engine.cycle(0.0)
