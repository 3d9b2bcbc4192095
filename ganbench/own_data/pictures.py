"""One picture, as a camera, a scanner or a program left it → uint8 pixels of the stated shape."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageOps

from ganbench.errors import UsageError
from ganbench.own_data.source import Shaping

FORMATS = ("PNG", "JPEG", "WEBP")
MOST_PIXELS = 80_000_000
"""Of one picture, checked before it is decoded."""

_DEEP = ("I;16", "I;16B", "I;16L", "I;16N", "I")


def fitted(opened: Image.Image, shaping: Shaping) -> np.ndarray:
    """uint8 `(H, W)` where every pixel is grey, else `(H, W, 3)`; a `UsageError` says why there is none.

    Upright by its EXIF orientation; 16 bits are cut to the upper 8; transparent pixels show the background; CMYK and
    palettes become RGB, without colour profiles. A picture that has the size already is not resampled.
    """
    if getattr(opened, "n_frames", 1) > 1 and opened.format != "MPO":  # of a camera's MPO, the first is the picture
        raise UsageError(f"is animated ({opened.n_frames} frames)")  # type: ignore[attr-defined]
    if opened.width * opened.height > MOST_PIXELS:
        raise UsageError(f"has {opened.width}×{opened.height} pixels, at most {MOST_PIXELS:,} are read")
    image = _plain(ImageOps.exif_transpose(opened), shaping.background)
    if shaping.channels == 1:
        image = image.convert("L")
    if shaping.size and image.width != image.height:
        if shaping.crop == "none":
            raise UsageError(f"is {image.width}×{image.height}, not square, and the suite says crop = 'none'")
        image = _middle(image)
    if shaping.size and image.width != shaping.size:
        image = image.resize((shaping.size, shaping.size), Image.Resampling[shaping.resize.upper()])
    pixels = np.asarray(image)
    grey = pixels.ndim == 3 and bool((pixels == pixels[..., :1]).all())
    return pixels[..., 0] if grey else pixels


def _plain(image: Image.Image, background: str) -> Image.Image:
    """In mode L or RGB."""
    if image.mode in _DEEP:
        return Image.fromarray((np.asarray(image.convert("I")) >> 8).clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, background), layer).convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _middle(image: Image.Image) -> Image.Image:
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side))
