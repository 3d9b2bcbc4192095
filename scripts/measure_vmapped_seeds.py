"""Several seeds of a small GAN in one vectorised step, against the engine's one by one; prints a line for each network.

    python scripts/measure_vmapped_seeds.py [ROUNDS]

The step is what an engine would play: D's and G's turn of the standard game with the non-saturating loss and Adam, over
weights stacked by seed (`torch.func.vmap`), on the engines' own batches and latents; running statistics of batch norms,
which training does not read, are left out. All on one thread, in processor time, in rounds that alternate the sides.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor
from torch.func import functional_call, grad, replace_all_batch_norm_modules_, stack_module_state, vmap

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "benchmarks"))
from loops import Contest

from ganbench import SampleSpec, plugins
from ganbench.train import Engine

SEEDS, CYCLES, COMPARED = 8, {"points, width 64": 10, "28 px, width 256": 3}, 10
CONTESTS = {
    "points, width 64": Contest("mlp", SampleSpec((2,), None, "points"), 1, {"width": 64}),
    "28 px, width 256": Contest("mlp", SampleSpec((1, 28, 28)), 1),
}
Weights = dict[str, Tensor]


def drawn(engines: list[Engine], cycle: int) -> tuple[Tensor, Tensor, Tensor]:
    """Every seed's real batch and latents of a cycle, stacked."""
    batch = engines[0].recipe["batch_size"]
    reals = [engine.streams["A"].next(batch).x for engine in engines]
    latents = [[e.latents.draw(batch, "draws", turn, cycle, 0).z for e in engines] for turn in ("D", "G")]
    return torch.stack(reals), torch.stack(latents[0]), torch.stack(latents[1])  # type: ignore[arg-type]


def vectorised(engines: list[Engine]) -> tuple[dict[str, Weights], Callable[..., None]]:
    """The stacked weights, and a step that changes them."""
    recipe = engines[0].recipe
    nets = {name: [replace_all_batch_norm_modules_(e.nets[name]) for e in engines] for name in ("D", "G")}
    weights = {name: {k: v.detach().clone() for k, v in stack_module_state(n)[0].items()} for name, n in nets.items()}
    generator, discriminator = nets["G"][0], nets["D"][0]
    memory = {n: {k: (torch.zeros_like(v), torch.zeros_like(v)) for k, v in w.items()} for n, w in weights.items()}
    steps = torch.zeros(())

    def loss_d(d: Weights, g: Weights, real: Tensor, z: Tensor) -> Tensor:
        fake = functional_call(generator, g, (z,)).detach()
        judged = [functional_call(discriminator, d, (x,)).logit for x in (real, fake)]
        return F.softplus(-judged[0]).mean() + F.softplus(judged[1]).mean()

    def loss_g(g: Weights, d: Weights, z: Tensor) -> Tensor:
        return F.softplus(-functional_call(discriminator, d, (functional_call(generator, g, (z,)),)).logit).mean()

    def update(name: str, gradients: Weights) -> None:
        first, second = recipe["betas"]
        for key, slope in gradients.items():
            m, v = memory[name][key]
            m.lerp_(slope, 1 - first)
            v.mul_(second).addcmul_(slope, slope, value=1 - second)
            size = recipe["lr"] / (1 - first**steps)
            weights[name][key].sub_(size * m / (v.sqrt() / (1 - second**steps).sqrt() + recipe["eps"]))

    def step(real: Tensor, z_d: Tensor, z_g: Tensor) -> None:
        steps.add_(1)
        update("D", vmap(grad(loss_d))(weights["D"], weights["G"], real, z_d))
        update("G", vmap(grad(loss_g))(weights["G"], weights["D"], z_g))

    return weights, torch.no_grad()(step)


def play(engines: list[Engine], step: Callable[..., None], cycles: int, done: list[int]) -> None:
    """Cycles of a vectorised step."""
    for _ in range(cycles):
        step(*drawn(engines, done[0]))
        done[0] += 1


def median(ratios: list[float]) -> str:
    """With its 95 % bootstrap interval."""
    draws = np.median(np.random.default_rng(0).choice(ratios, (10_000, len(ratios))), axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    return f"{np.median(ratios):.2f} [{low:.2f}, {high:.2f}]"


def measure(name: str, contest: Contest, registry: Any, rounds: int) -> None:
    """Print how the sides compare, and how far the vectorised weights are from the engines'."""
    cycles = CYCLES[name]
    made = [[contest.engine(registry, seed=seed) for seed in range(SEEDS)] for _ in range(3)]
    alone = {mode: contest.engine(registry, mode) for mode in ("reference", "compiled")}
    weights, eager = vectorised(made[0])
    other, step = vectorised(made[1])
    compiled = torch.compile(step, options={"compile_threads": 1})
    play(made[0], eager, COMPARED, done := [0])
    play(made[1], compiled, COMPARED, done_compiled := [0])
    for engine in made[2]:
        for _ in range(COMPARED):
            engine.cycle()
    for stacked in (weights, other):
        apart = [
            (value[seed] - engine.nets[player].state_dict()[key]).abs().max().item()
            for player, values in stacked.items()
            for key, value in values.items()
            for seed, engine in enumerate(made[2])
        ]
        print(f"{name}: largest difference of a weight after {COMPARED} cycles {max(apart):.1e}", flush=True)

    def one_by_one(engine: Engine) -> Callable[[], None]:
        def cycles_of_all() -> None:
            for _ in range(SEEDS * cycles):
                engine.cycle()

        return cycles_of_all

    sides: dict[str, Callable[[], None]] = {mode: one_by_one(engine) for mode, engine in alone.items()}
    sides["vmap"] = lambda: play(made[0], eager, cycles, done)
    sides["vmap, compiled"] = lambda: play(made[1], compiled, cycles, done_compiled)
    passed: dict[str, list[float]] = {side: [] for side in sides}
    for number in range(-1, rounds):
        for side in sorted(sides, reverse=number % 2 == 0):
            start = time.process_time()
            sides[side]()
            if number >= 0:
                passed[side].append(time.process_time() - start)
    for one, two in (("vmap", "reference"), ("vmap, compiled", "reference"), ("vmap, compiled", "compiled")):
        ratios = [b / a for a, b in zip(passed[one], passed[two], strict=True)]
        print(f"{name}: {one}, times as fast as {two}: {median(ratios)}", flush=True)
    per_cycle = {side: 1e3 * float(np.median(values)) / SEEDS / cycles for side, values in passed.items()}
    print(f"{name}: ms of a seed's cycle: " + ", ".join(f"{s} {v:.2f}" for s, v in per_cycle.items()), flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    found = plugins.load([])
    for key, value in CONTESTS.items():
        measure(key, value, found, int(sys.argv[1]) if sys.argv[1:] else 12)
