"""Pictures of every kind that cameras and programs leave behind, and what becomes of each."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from ganbench.errors import UsageError
from ganbench.own_data import pictures
from ganbench.own_data.folder import decoded
from ganbench.own_data.source import Shaping

GREY = np.random.default_rng(0).integers(0, 256, (6, 6), np.uint8)
COLOUR = np.random.default_rng(1).integers(0, 256, (6, 6, 3), np.uint8)


def encoded(image: Image.Image, kind: str = "PNG", **words: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **words)
    return stream.getvalue()


def pixels(image: Image.Image | bytes, shaping: Shaping | None = None, **words: Any) -> np.ndarray:
    data = image if isinstance(image, bytes) else encoded(image, **words)
    found, _ = decoded(data, "it.png", shaping or Shaping())
    assert found.dtype == np.uint8
    return found


def test_what_fits_keeps_its_bytes() -> None:
    for image in (GREY, COLOUR):
        for shaping in (Shaping(), Shaping(6)):
            assert (pixels(Image.fromarray(image), shaping) == image).all()
        assert (pixels(Image.fromarray(image), kind="WEBP", lossless=True) == image).all()
    assert (pixels(Image.fromarray(np.dstack([GREY] * 3))) == GREY).all(), "grey, though stored in three channels"


def test_the_channels_that_are_asked_for() -> None:
    luma = np.asarray(Image.fromarray(COLOUR).convert("L"))
    assert (pixels(Image.fromarray(COLOUR), Shaping(channels=1)) == luma).all()


def test_a_palette_and_black_and_white() -> None:
    few = Image.fromarray(COLOUR // 128 * 128)
    assert (pixels(few.quantize(8)) == np.asarray(few)).all()
    bits = Image.fromarray(GREY).convert("1")
    assert (pixels(bits) == np.asarray(bits) * 255).all()


def test_sixteen_bits_are_cut_to_the_upper_eight() -> None:
    deep = GREY.astype(np.uint16) * 256 + 17
    assert (pixels(Image.fromarray(deep)) == GREY).all()


@pytest.mark.parametrize("background", ["white", "black"])
def test_the_background_shows_through(background: str) -> None:
    behind = {"white": 255, "black": 0}[background]
    alpha = np.zeros((6, 6), np.uint8)
    alpha[:3] = 255
    for image in (np.dstack([GREY, alpha]), np.dstack([COLOUR, alpha])):
        found = pixels(Image.fromarray(image), Shaping(background=background))
        assert (found[:3] == (GREY if image.shape[2] == 2 else COLOUR)[:3]).all()
        assert (found[3:] == behind).all()
    keyed = pixels(encoded(Image.fromarray(GREY), transparency=int(GREY[0, 0])), Shaping(background=background))
    assert (keyed == np.where(GREY[0, 0] == GREY, behind, GREY)).all()


def test_cmyk_becomes_colour() -> None:
    red = pixels(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), kind="JPEG")
    assert red.shape == (8, 8, 3) and (np.abs(red.astype(int) - (255, 0, 0)) < 20).all()


def test_a_photograph_is_turned_upright() -> None:
    wide = np.zeros((4, 8, 3), np.uint8)
    wide[:, :4, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: to be turned by 90°
    found = pixels(Image.fromarray(wide), exif=exif)
    assert (found == np.rot90(wide, -1)).all()


def test_of_a_cameras_two_pictures_the_first_counts() -> None:
    first, second = Image.fromarray(COLOUR), Image.fromarray(COLOUR[::-1].copy())
    both = encoded(first, "MPO", save_all=True, append_images=[second])
    assert Image.open(io.BytesIO(both)).format == "MPO"
    assert (pixels(both) == pixels(first, kind="JPEG")).all()


def test_crop_and_resize() -> None:
    wide = np.zeros((4, 9), np.uint8)
    wide[:, 2:6] = 200
    assert (pixels(Image.fromarray(wide), Shaping(4)) == 200).all(), "the middle square, left of centre where it is odd"
    assert pixels(Image.fromarray(wide)).shape == (4, 9), "without a size nothing is cropped"
    halved = pixels(Image.fromarray(GREY), Shaping(3, resize="box"))
    assert np.abs(halved - GREY.reshape(3, 2, 3, 2).mean((1, 3))).max() <= 1
    doubled = pixels(Image.fromarray(COLOUR), Shaping(12, resize="nearest"))
    assert (doubled == COLOUR.repeat(2, 0).repeat(2, 1)).all()
    with pytest.raises(UsageError, match=r"it\.png: is 9×4, not square, and the suite says crop = 'none'"):
        pixels(Image.fromarray(wide), Shaping(4, crop="none"))


def test_what_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = encoded(Image.fromarray(COLOUR))
    frames = [Image.fromarray(COLOUR), Image.fromarray(COLOUR[::-1])]
    animated = encoded(frames[0], save_all=True, append_images=frames[1:])
    for data, line in {
        whole[:-30]: "cannot be read as PNG, JPEG or WEBP (image file is truncated",
        whole[:20]: "cannot be read as PNG, JPEG or WEBP",
        b"": "cannot be read as PNG, JPEG or WEBP (not in one of these formats)",
        b"<svg/>": "not in one of these formats",
        encoded(frames[0], "GIF"): "not in one of these formats",
        animated: "is animated (2 frames)",
        encoded(frames[0], "WEBP", save_all=True, append_images=frames[1:]): "is animated (2 frames)",
    }.items():
        with pytest.raises(UsageError) as error:
            pixels(data)
        assert str(error.value).startswith("it.png: ") and line in str(error.value)
        assert "\n" not in str(error.value)
    monkeypatch.setattr(pictures, "MOST_PIXELS", 30)
    with pytest.raises(UsageError, match=r"it\.png: has 6×6 pixels, at most 30 are read"):
        pixels(whole)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 30)
    with pytest.raises(UsageError, match=r"it\.png: asks for more pixels than any picture has$"):
        pixels(whole)
