"""What copy evidence finds on MNIST: its power on graded copies and its false positives; prints a table for the docs.

    GANBENCH_DATA=FOLDER python scripts/measure_copy_evidence.py [mnist-cnn] [random-cnn] [pixels]

Seen: the 50,000 digits of train. Unseen: test. Real samples as if generated: val. Copies are of train.
"""

from __future__ import annotations

import sys

import numpy as np
import torch
from torch import Tensor

from ganbench_zoo.datasets import mnist
from ganbench_zoo.extractors import mnist_cnn, random_cnn
from ganbench_zoo.metrics.copy_evidence import compared, evidence

LEVEL, MEMORY, DRAWS = 0.01, 2.0, 500
SHARES, SIZES = (0.0, 0.01, 0.05, 0.2, 1.0), (1_000, 10_000)

Ratios = list[tuple[Tensor, Tensor]]


def features(network: torch.nn.Module, images: Tensor) -> Tensor:
    """`(N, width)`."""
    with torch.no_grad():
        return torch.cat([network(batch)[0] for batch in images.split(500)])


SPACES = {
    "mnist-cnn": lambda x: features(mnist_cnn.build(None, ("features",)), x),
    "random-cnn": lambda x: features(random_cnn.build(None, ("features",)), x),
    "pixels": lambda x: x.flatten(1).float(),
}


def found(ratios: Ratios, made: list[Tensor] | None = None) -> float:
    """The evidence, with other ratios of the generated side if they are given."""
    given = made or [pair[0] for pair in ratios]
    return sum(evidence(m, unseen, LEVEL) for m, (_, unseen) in zip(given, ratios, strict=True)) / 2


def drawn(real: Ratios, copies: Ratios, share: float, n: int, generator: np.random.Generator) -> float:
    """The evidence in n samples, a share of them copies."""
    count = round(share * n)
    chosen = [torch.from_numpy(generator.choice(10_000, k)) for k in (n - count, count)]
    return found(real, [torch.cat([r[0][chosen[0]], c[0][chosen[1]]]) for r, c in zip(real, copies, strict=True)])


def main(spaces: list[str]) -> None:
    splits = {name: mnist.load(name) for name in ("train", "val", "test")}
    seen, made, unseen = (torch.from_numpy(splits[name][0]) for name in ("train", "val", "test"))
    labels = torch.from_numpy(splits["val"][1])
    copies = seen[torch.from_numpy(np.random.default_rng(0).choice(len(seen), 10_000, replace=False))]
    shifted = torch.roll(copies, 1, 3)
    for space in spaces or list(SPACES):
        view = SPACES[space]
        base, known = view(unseen), view(seen)
        real, same, moved = (compared(base, view(x), known, MEMORY) for x in (made, copies, shifted))
        generator = np.random.default_rng(1)
        null = {n: np.array([drawn(real, same, 0.0, n, generator) for _ in range(DRAWS)]) for n in SIZES}
        print(f"{space}: real, all of val {found(real):+.4f}")
        print(f"  copies shifted by a pixel {found(moved):+.4f}")
        print(f"  half of the classes {found(real, [pair[0][labels >= 5] for pair in real]):+.4f}")
        for n in SIZES:
            bound = float(np.quantile(null[n], 0.99))
            print(f"  n = {n}: real {null[n].mean():+.4f}, deviation {null[n].std():.4f}, 99 % below {bound:+.4f}")
            for share in SHARES:
                values = np.array([drawn(real, same, share, n, generator) for _ in range(DRAWS)])
                power = (values > bound).mean()
                print(
                    f"    {share:.0%} copies: {values.mean():.4f} ± {values.std():.4f}, found in {power:.1%} of draws"
                )


if __name__ == "__main__":
    main(sys.argv[1:])
