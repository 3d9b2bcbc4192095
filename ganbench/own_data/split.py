"""Which samples are for training, which for choosing and which for the headline: decided by what each sample is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from ganbench.errors import UsageError
from ganbench.own_data.source import Split

SPLITS = ("train", "val", "test")
FEWEST = 2
"""Samples of each split: a covariance takes two."""


def divided(digests: Sequence[bytes], split: Split, what: str) -> dict[str, np.ndarray]:
    """Split → positions of its samples, in an order that the digests alone decide.

    A sample's place is a hash of its digest and the seed, so it keeps it when others come and go, and copies of one
    sample stay together. The shares are therefore met on average only.
    """
    places = [hashlib.sha256(b"%d:" % split.seed + digest).digest() for digest in digests]
    shares = np.array([int.from_bytes(place[:6]) / 2**48 for place in places])
    order = np.array(sorted(range(len(places)), key=lambda at: (places[at], at)), np.int64)
    test, val = shares < split.test, (shares >= split.test) & (shares < split.test + split.val)
    chosen = {"train": ~(test | val), "val": val, "test": test}
    found = {name: order[chosen[name][order]] for name in SPLITS}
    if min(map(len, found.values())) < FEWEST:
        counts = ", ".join(f"{name} {len(found[name])}" for name in SPLITS)
        raise UsageError(
            f"{what}: {len(digests)} samples are too few: val = {split.val:g} and test = {split.test:g} give {counts}, "
            f"and each needs {FEWEST}; give more, or larger shares"
        )
    return found
