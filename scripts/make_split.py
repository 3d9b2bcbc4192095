"""Draw a data set's val: 10,000 samples of its training half, 1,000 of each class.

    PYTHONPATH=plugins GANBENCH_DATA=FOLDER python scripts/make_split.py fashion_mnist|cifar10 [FILE]

No picture is taken that occurs twice in the training half, or in the test half as well. It prints the counts and writes
FILE (by default the committed list). NumPy may change what a seed draws from version to version; the committed file is
the list, this script is how it came to be.
"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from ganbench_zoo.datasets import cifar10, fashion_mnist

DATASETS = {"fashion_mnist": fashion_mnist, "cifar10": cifar10}
SEED = 0
PER_CLASS = 1_000


def main() -> None:
    """Draw and write the list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=sorted(DATASETS))
    parser.add_argument("file", nargs="?", type=Path)
    given = parser.parse_args()
    dataset = DATASETS[given.name]
    images, labels = dataset.half("train")
    pictures = [image.tobytes() for image in images]
    often = Counter(pictures) + Counter(image.tobytes() for image in dataset.half("test")[0])
    free = np.array([often[picture] == 1 for picture in pictures])
    draws = np.random.default_rng(SEED)
    mask = np.zeros(len(images), bool)
    for label in range(10):
        mask[draws.permutation(np.flatnonzero(free & (labels == label)))[:PER_CLASS]] = True
    np.save(given.file or dataset.MASK, np.packbits(mask), allow_pickle=False)
    print(f"{(~free).sum()} of {len(images):,} pictures occur more than once, or in the test half as well")
    print(f"val: {mask.sum():,} of the others, per class {np.bincount(labels[mask]).tolist()}")


if __name__ == "__main__":
    main()
