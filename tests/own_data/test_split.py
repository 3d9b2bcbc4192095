"""The split: by content alone, whoever else is there."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from ganbench.errors import UsageError
from ganbench.own_data.source import Split
from ganbench.own_data.split import divided

DIGESTS = [hashlib.sha256(str(at).encode()).digest() for at in range(4000)]


def places(digests: list[bytes], split: Split) -> dict[bytes, str]:
    return {digests[at]: name for name, found in divided(digests, split, "it").items() for at in found}


def test_everything_once_and_about_the_shares() -> None:
    found = divided(DIGESTS, Split(0.2, 0.1), "it")
    assert sorted(np.concatenate(list(found.values())).tolist()) == list(range(4000))
    shares = [len(found[name]) / 4000 for name in ("train", "val", "test")]
    assert shares == pytest.approx([0.7, 0.2, 0.1], abs=0.02)


def test_a_sample_keeps_its_place_and_copies_stay_together() -> None:
    whole = places(DIGESTS, Split())
    few = places(DIGESTS[:900:-1] + DIGESTS[1000:1100], Split())
    assert all(whole[digest] == place for digest, place in few.items())
    other = places(DIGESTS, Split(seed=1))
    assert sum(whole[d] != other[d] for d in DIGESTS) > 500
    train = [DIGESTS[at] for at in divided(DIGESTS, Split(), "it")["train"]]
    assert [d for d in train if d in few] == [
        (DIGESTS[:900:-1])[at] for at in divided(DIGESTS[:900:-1], Split(), "it")["train"]
    ], "the order does not depend on the order of reading"


def test_too_few() -> None:
    with pytest.raises(UsageError, match=r"it: 5 samples are too few: val = 0\.1 and test = 0\.1 give train"):
        divided(DIGESTS[:5], Split(), "it")
