"""Draw the list of MNIST's val digits: 10,000 of the 60,000, none of which equals a digit of `mnist-5k`.

    PYTHONPATH=plugins python scripts/make_mnist_split.py [FILE]

It prints the counts and writes FILE (by default the committed list). NumPy may change what a seed draws from version to
version; the committed file is the list, this script is how it came to be.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from ganbench_zoo.datasets import mnist, mnist_5k

SEED = 0
VAL = 10_000


def main(file: Path) -> None:
    """Draw, check and write the list."""
    images, labels = mnist.half("train")
    small, _ = mnist_5k.load("train")
    taken = {image.tobytes() for image in small}
    is_taken = np.array([image.tobytes() in taken for image in images])
    found = {image.tobytes() for image in images[is_taken]}
    if found != taken:
        raise SystemExit(f"{len(taken - found)} digits of mnist-5k are not in MNIST's training half")
    free = np.flatnonzero(~is_taken)
    mask = np.zeros(len(images), bool)
    mask[np.random.default_rng(SEED).permutation(free)[:VAL]] = True
    np.save(file, np.packbits(mask), allow_pickle=False)
    test = {image.tobytes() for image in mnist.half("test")[0]}
    train = {image.tobytes() for image in images[~mask]}
    val = [image.tobytes() for image in images[mask]]
    print(f"mnist-5k: {len(small)} digits, {len(taken)} distinct, equal to {is_taken.sum()} of MNIST's 60,000")
    print(f"val: {mask.sum()} of the {len(free)} others, per class {np.bincount(labels[mask]).tolist()}")
    print(f"of val, {sum(v in train for v in val)} pictures are also in train, {sum(v in test for v in val)} in test")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else mnist.MASK)
