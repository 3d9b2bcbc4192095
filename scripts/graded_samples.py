"""Samples of known quality: real images, damaged by degrees in the ways in which generators fail.

    families(images, labels, n) → {family: {degree: uint8 (n, C, H, W)}}, the better degree first; {"": …} of one

The undamaged images of all families are the same n, so that one family differs from another by its damage alone.
"""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter

Family = dict[str, np.ndarray]


def families(images: np.ndarray, labels: np.ndarray, n: int, seed: int = 0) -> dict[str, Family]:
    """images: uint8 `(N, C, H, W)`, in a random order made of `seed`; labels: int `(N,)`, at least two classes.

    The samples for a greater n begin with those for a smaller one.
    """
    order = np.random.default_rng(seed).permutation(len(images))
    images, labels = images[order], labels[order]
    real, pairs = images[:n], images[: 2 * n].astype(np.uint16)
    classes = np.unique(labels)
    noise = np.random.default_rng(seed).integers(0, 256, real.shape, np.uint8)
    ten = np.stack([images[labels == label][0] for label in classes[:10]])
    some = {"10 %": np.arange(n) % 10 == 0, "50 %": np.arange(n) % 2 == 0, "100 %": np.arange(n) >= 0}
    return {
        "real": {"": real},
        "blurred": {f"σ = {width:g} pixels": blurred(real, width) for width in (0.5, 1, 2)},
        "pixel noise": {f"σ = {width} of 255": noisy(real, width, seed) for width in (15, 60)},
        "classes missing": {
            f"{gone} of {len(classes)}": images[~np.isin(labels, classes[:gone])][:n]
            for gone in (len(classes) // 5, len(classes) // 2)
        },
        "noise among them": {share: mixed(real, noise, chosen) for share, chosen in some.items()},
        "one image among them": {share: mixed(real, ten[:1], chosen) for share, chosen in some.items()},
        f"{len(ten)} images, repeated": {"": ten[np.arange(n) % len(ten)]},
        "two grey levels": {"": ((real > 127) * 255).astype(np.uint8)},
        "two images at once, their mean": {"": ((pairs[::2] + pairs[1::2]) // 2).astype(np.uint8)},
        "the mean image, repeated": {"": np.repeat(images.mean(0, keepdims=True).round().astype(np.uint8), n, 0)},
    }


def blurred(images: np.ndarray, width: float) -> np.ndarray:
    """By a Gaussian of so many pixels."""
    return gaussian_filter(images.astype(np.float32), (0, 0, width, width)).round().astype(np.uint8)


def noisy(images: np.ndarray, width: float, seed: int) -> np.ndarray:
    """With Gaussian noise of this standard deviation."""
    noise = np.random.default_rng(seed).normal(0, width, images.shape)
    return (images + noise).round().clip(0, 255).astype(np.uint8)


def mixed(images: np.ndarray, others: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Others (n of them, or one) in place of the images that are chosen, bool `(n,)`."""
    return np.where(chosen[:, None, None, None], others, images)
