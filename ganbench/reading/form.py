"""Images as other programs store them → uint8 `(N, C, H, W)`. What cannot be told from the values has to be said."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ganbench.errors import UsageError

LAYOUTS = ("NCHW", "NHWC", "NHW")
_CHANNELS = (1, 3)
_PIECE = 1000
"""Images that are converted at a time."""


def to_images(
    x: np.ndarray, what: str, layout: str | None = None, bounds: tuple[float, float] | None = None
) -> tuple[np.ndarray, list[str]]:
    """The images, and a line for each thing that was concluded from the values.

    layout: one of `LAYOUTS`. bounds: the values of black and white. what: names the images in an error. Whatever is
    no uint8 becomes `clamp(round((x - low) / (high - low) * 255), 0, 255)`, each step in float32 and halves to even, as
    the engine does it: in another order, or precision, a value close to a half step can become its neighbour.
    """
    x, notes = _channels_first(x, what, layout)
    if x.dtype == np.uint8 and bounds is None:
        return x, notes
    low, high, said = _bounds(x, what, bounds)
    made = np.empty(x.shape, np.uint8)
    outside = 0
    for start in range(0, len(x), _PIECE):
        piece = x[start : start + _PIECE].astype(np.float32)
        outside += int(((piece < low) | (piece > high)).sum())
        made[start : start + _PIECE] = np.rint((piece - low) / (high - low) * 255).clip(0, 255)
    if outside:
        said += f"; {_percent(outside / x.size)} of the values lie outside and are clamped"
    return made, [*notes, said]


def _percent(share: float) -> str:
    """A share above 0 in two digits or so, and never as a power of ten."""
    if share < 0.0001:
        return "less than 0.01 %"
    return f"{100 * share:.2g} %" if share < 0.1 else f"{100 * share:.0f} %"


def with_channels(x: np.ndarray, channels: int, what: str) -> tuple[np.ndarray, list[str]]:
    """Images with as many channels as a data set's: grey repeated, or RGB that is grey reduced to one; all else is
    refused, for how colours become grey changes scores."""
    if x.shape[1] == channels:
        return x, []
    if x.shape[1] == 1 and channels == 3:
        return np.repeat(x, 3, 1), ["grey images of a colour data set: the channel is repeated"]
    if x.shape[1] == 3 and channels == 1:
        if (x == x[:, :1]).all():
            return x[:, :1], ["RGB images of a grey data set, all of them grey: one channel is kept"]
        raise UsageError(
            f"{what}: in colour, and the data set is grey; convert them to grey first (how that is done changes scores)"
        )
    raise UsageError(f"{what}: {x.shape[1]} channels, and the data set has {channels}")


def _channels_first(x: np.ndarray, what: str, layout: str | None) -> tuple[np.ndarray, list[str]]:
    shape, notes = "×".join(map(str, x.shape)), []
    if layout is None and x.ndim == 4:
        fits = [name for name, axis in (("NCHW", 1), ("NHWC", 3)) if x.shape[axis] in _CHANNELS]
        if len(fits) != 1:
            why = "may be NCHW or NHWC; say which (--layout)" if fits else "has no axis of 1 or 3 channels"
            raise UsageError(f"{what}: shape {shape} {why}")
        layout = fits[0]
        notes = [f"each sample, {'×'.join(map(str, x.shape[1:]))}, read as {layout[1:]}"]
    layout = layout or "NHW"
    if layout not in LAYOUTS or x.ndim != len(layout):
        raise UsageError(f"{what}: shape {shape} is not {layout}; images are {', '.join(LAYOUTS)}")
    if layout == "NHW":
        return x[:, None], notes
    x = x.transpose(0, 3, 1, 2) if layout == "NHWC" else x
    if x.shape[1] not in _CHANNELS:
        raise UsageError(f"{what}: shape {shape} as {layout} has {x.shape[1]} channels, expected 1 or 3")
    return x, notes


def _bounds(x: np.ndarray, what: str, given: Sequence[float] | None) -> tuple[float, float, str]:
    """The values of black and white, and how they are known."""
    least, most = (float(f(x)) for f in (np.min, np.max))
    if not (np.isfinite(least) and np.isfinite(most)):
        raise UsageError(f"{what}: holds values that are not finite")
    found = f"values from {least:g} to {most:g}"
    if given is not None:
        return given[0], given[1], f"{found}, range [{given[0]:g}, {given[1]:g}] as given"
    whole = x.dtype.kind in "iu"
    if whole and least >= 0 and 1 < most <= 255:
        return 0.0, 255.0, f"whole numbers from {least:g} to {most:g} taken as [0, 255]"
    if not whole and least >= 0 and most <= 1:
        return 0.0, 1.0, f"{found} taken as [0, 1]; if black is -1, say so (--range=-1,1)"
    if not whole and -1 <= least < 0 and most <= 1:
        return -1.0, 1.0, f"{found} taken as [-1, 1]"
    raise UsageError(f"{what}: {found} fit neither [0, 1] nor [-1, 1]; say what black and white are (--range=0,255)")
