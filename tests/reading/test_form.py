"""Images of every form become the same bytes; what cannot be told is asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from ganbench.api import SampleSpec
from ganbench.errors import UsageError
from ganbench.reading.form import to_images, with_channels
from ganbench.train.draws import encode

U = np.arange(256, dtype=np.uint8).reshape(1, 1, 16, 16).repeat(3, 1).repeat(2, 0)


def test_every_form_gives_the_same_bytes() -> None:
    f = U.astype(np.float32) / 255
    for x, said in (
        (U, []),
        (U.transpose(0, 2, 3, 1), []),
        (f, ["values from 0 to 1 taken as [0, 1]"]),
        (f.astype(np.float64), ["values from 0 to 1 taken as [0, 1]"]),
        (2 * f - 1, ["values from -1 to 1 taken as [-1, 1]"]),
        ((2 * f - 1).transpose(0, 2, 3, 1).astype(np.float16).astype(np.float32), ["taken as [-1, 1]"]),
        (U.astype(np.int64), ["whole numbers from 0 to 255 taken as [0, 255]"]),
    ):
        made, notes = to_images(x, "x")
        assert made.dtype == np.uint8 and abs(made.astype(int) - U).max() <= (x.dtype == np.float16)
        assert notes[0] in ("each sample, 3×16×16, read as CHW", "each sample, 16×16×3, read as HWC")
        assert len(notes) == 1 + len(said) and all(want in note for want, note in zip(said, notes[1:], strict=True))
    made, _ = to_images(U[:, 0], "x")
    assert (made == U[:, :1]).all()


def test_floats_are_quantised_as_the_engine_does_it() -> None:
    x = torch.randn(500, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    expected = encode(x, SampleSpec((1, 8, 8), (-1.0, 1.0), "image"), torch.uint8).numpy()
    made, notes = to_images(x.numpy(), "x", bounds=(-1.0, 1.0))
    assert (made == expected).all()
    assert "32 % of the values lie outside and are clamped" in notes[-1]


@pytest.mark.parametrize(
    ("outside", "says"), [(10_000, "100 %"), (9_960, "100 %"), (1_234, "12 %"), (123, "1.2 %"), (1, "0.01 %")]
)
def test_how_much_is_clamped_is_a_plain_number(outside: int, says: str) -> None:
    x = np.full((1, 1, 100, 100), 0.5, np.float32)
    x.reshape(-1)[:outside] = 2.0
    _, notes = to_images(x, "x", "NCHW", (0.0, 1.0))
    assert notes[-1].endswith(f"; {says} of the values lie outside and are clamped")


def test_half_steps_too() -> None:
    """Where the order and the precision of the arithmetic decide, a file has the engine's byte."""
    exact = np.arange(511) / 255 - 1
    single = exact.astype(np.float32)
    below, above = np.nextafter(single, np.float32(-2)), np.nextafter(single, np.float32(2))
    every = np.concatenate([single, below[1:], above[:-1]]).reshape(1, 1, 1, -1)
    for x in (every, every.astype(np.float64), exact.reshape(1, 1, 1, -1)):
        made, _ = to_images(x, "x", "NCHW", (-1.0, 1.0))
        form = SampleSpec(x.shape[1:], (-1.0, 1.0), "image")
        assert (made == encode(torch.from_numpy(x), form, torch.uint8).numpy()).all()


@pytest.mark.parametrize(
    ("x", "says"),
    [
        (np.linspace(-0.2, 1.3, 64), "fit neither [0, 1] nor [-1, 1]; say what black and white are (--range=0,255)"),
        (np.linspace(0, 255, 64), "fit neither"),
        (np.arange(64) % 2, "fit neither"),
        (np.full(64, np.nan), "not finite"),
    ],
)
def test_values_that_can_mean_anything(x: np.ndarray, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        to_images(x.reshape(1, 1, 8, 8), "these")
    assert says in str(refused.value) and str(refused.value).startswith("these: ")


@pytest.mark.parametrize(
    ("shape", "layout", "says"),
    [
        ((5, 3, 8, 3), None, "may be NCHW or NHWC; say which (--layout)"),
        ((5, 8, 8, 4), None, "has no axis of 1 or 3 channels"),
        ((5, 8, 8), "NCHW", "shape 5×8×8 is not NCHW"),
        ((5, 8), None, "shape 5×8 is not NHW"),
        ((5, 8, 8, 4), "NHWC", "has 4 channels"),
        ((5, 8, 8, 3), "CHWN", "is not CHWN; images are NCHW, NHWC, NHW"),
    ],
)
def test_shapes_that_can_mean_anything(shape: tuple[int, ...], layout: str | None, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        to_images(np.zeros(shape, np.uint8), "these", layout)
    assert says in str(refused.value)
    assert to_images(np.zeros((5, 3, 8, 3), np.uint8), "these", "NHWC")[0].shape == (5, 3, 3, 8)


def test_channels() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (4, 1, 3, 3), np.uint8)
    rgb, notes = with_channels(grey, 3, "x")
    assert (rgb == grey).all() and rgb.shape == (4, 3, 3, 3) and "repeated" in notes[0]
    back, notes = with_channels(rgb, 1, "x")
    assert (back == grey).all() and back.shape == grey.shape and "one channel is kept" in notes[0]
    assert with_channels(grey, 1, "x")[1] == []
    rgb = rgb.copy()
    rgb[0, 0] += 1
    with pytest.raises(UsageError, match="in colour, and the data set is grey"):
        with_channels(rgb, 1, "x")
