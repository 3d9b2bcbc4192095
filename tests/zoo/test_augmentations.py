"""Augmentations: what they do to values, that both sides see one law, and that G learns through them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ganbench import Augmentation, Batch, Recipe, SampleSpec, UsageError, plugins
from ganbench.plan.entries import Entry, Wishes, alone
from ganbench.plan.suite import EntrySet
from ganbench.train import Engine, build_parts, two_player
from ganbench.train.draws import Latents, Stream
from ganbench.train.names import Call
from ganbench.train.views import View
from ganbench_zoo.augmentations import diffaugment, instance_noise, packing

MODULES = (diffaugment, instance_noise, packing)
AUGMENTATIONS: dict[str, Augmentation] = {a.name: a for m in MODULES for a in m.ganbench_augmentations()}
GREY, COLOUR = SampleSpec((1, 28, 28)), SampleSpec((3, 16, 24))

OFF: dict[str, dict[str, Any]] = {
    "diffaugment": {"diffaugment.color": 0.0, "diffaugment.translation": 0.0, "diffaugment.cutout": 0.0},
    "instance-noise": {"instance-noise.sigma": 0.0},
    "packing": {"packing.m": 1},
}
"""Settings at which each does nothing."""
RANDOM = [name for name in AUGMENTATIONS if name != "packing"]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def built(name: str, spec: SampleSpec = COLOUR, **settings: Any) -> nn.Module:
    """An augmentation of its defaults, but for `settings`, whose keys lack the component's name."""
    own = {f"{name}.{key}": value for key, value in settings.items()}
    return AUGMENTATIONS[name].build(spec, Recipe({**AUGMENTATIONS[name].recipe, **own}))


def chain(module: nn.Module, progress: float = 0.0) -> Callable[[Batch], Batch]:
    """Its view, as the engine binds it."""
    call = Call(module.view)
    return lambda batch: call({"batch": batch, "progress": torch.tensor(progress)})


def seen(module: nn.Module, x: Tensor, origin: str = "real", progress: float = 0.0) -> Tensor:
    """What D sees of samples."""
    return chain(module, progress)(Batch(x=x, origin=origin)).x


def images(spec: SampleSpec, count: int = 8) -> Tensor:
    return torch.rand(count, *spec.shape) * 2 - 1


def judge(spec: SampleSpec) -> nn.Module:
    """A discriminator with a curvature."""
    return nn.Sequential(nn.Flatten(), nn.Linear(images(spec).flatten(1).shape[1], 8), nn.Softplus(), nn.Linear(8, 1))


@pytest.mark.parametrize("spec", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_at_strength_zero_nothing_changes(name: str, spec: SampleSpec) -> None:
    recipe = Recipe({**AUGMENTATIONS[name].recipe, **OFF[name]})
    x = images(spec)
    assert torch.allclose(seen(AUGMENTATIONS[name].build(spec, recipe), x), x, atol=1e-6)


@pytest.mark.parametrize("spec", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("name", RANDOM)
def test_each_sample_has_a_draw_of_its_own_and_both_sides_one_law(name: str, spec: SampleSpec) -> None:
    """Equal samples come out unequal; where a sample comes from makes no difference."""
    module, x = built(name, spec), images(spec, 1).expand(8, *spec.shape)
    torch.manual_seed(1)
    real = seen(module, x)
    torch.manual_seed(1)
    assert torch.equal(seen(module, x, "fake"), real)
    assert len(real.flatten(1).unique(dim=0)) == len(x)
    assert torch.equal(x, x[:1].expand_as(x)), "the batch itself is not written to"


@pytest.mark.parametrize("spec", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("name", AUGMENTATIONS)
def test_g_learns_through_it_and_penalties_too(name: str, spec: SampleSpec) -> None:
    """The slope of D at samples is that of finite differences, and has a gradient of its own."""
    module, x = built(name, spec).double(), images(spec, 4).double()
    net = judge(module.sees(spec) if name == "packing" else spec).double()

    def logits(x: Tensor) -> Tensor:
        torch.manual_seed(1)
        return View("D", net, [chain(module)])(Batch(x=x)).sum()

    step = 1e-4 * torch.randn_like(x)
    torch.manual_seed(1)
    slope = View("D", net, [chain(module)]).slope(Batch(x=x, origin="fake"))
    ahead, behind = logits(x + step), logits(x - step)
    assert ((slope * step).sum() * 2).item() == pytest.approx((ahead - behind).item(), rel=1e-4)
    slope.square().sum().backward()
    assert net[1].weight.grad.abs().sum() > 0


def test_color_is_brightness_saturation_and_contrast_of_the_papers_ranges() -> None:
    """Read off: the mean tells b, the grey part c, the chroma s c; and nothing else is done."""
    x = images(COLOUR, 1).expand(2000, *COLOUR.shape)
    y = seen(built("diffaugment", translation=0.0, cutout=0.0), x).double()
    x = x.double()

    def parts(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mean, grey = x.mean((1, 2, 3), keepdim=True), x.mean(1, keepdim=True)
        return mean, grey - mean, x - grey

    (m, grey, chroma), (m_y, grey_y, chroma_y) = parts(x), parts(y)
    b = (m_y - m).flatten()
    c = (grey_y * grey).sum((1, 2, 3)) / grey.square().sum((1, 2, 3))
    s = (chroma_y * chroma).sum((1, 2, 3)) / chroma.square().sum((1, 2, 3)) / c
    again = [v.reshape(-1, 1, 1, 1) for v in (b, c, s)]
    assert torch.allclose(m + again[0] + again[1] * (grey + again[2] * chroma), y, atol=1e-5)
    for value, low, high in ((b, -0.5, 0.5), (s, 0.0, 2.0), (c, 0.5, 1.5)):
        quantiles = (value.sort().values - low) / (high - low)
        assert (quantiles - torch.linspace(0, 1, len(value))).abs().max() < 0.04, "uniform"
    assert torch.corrcoef(torch.stack([b, s, c])).triu(1).abs().max() < 0.1, "independent"


def test_color_of_grey_images_is_brightness_and_contrast() -> None:
    x = images(GREY, 64)
    y = seen(built("diffaugment", GREY, translation=0.0, cutout=0.0), x)
    mean, mean_y = (v.mean((1, 2, 3), keepdim=True) for v in (x, y))
    c = (y - mean_y) / (x - mean)
    assert torch.allclose(c.flatten(1).amax(1), c.flatten(1).amin(1), rtol=1e-2)
    assert (mean_y - mean).abs().max() <= 0.5 and 0.5 <= c.median() <= 1.5


@pytest.mark.parametrize(("shape", "down", "right"), [((1, 28, 28), 4, 4), ((3, 16, 24), 2, 3), ((3, 9, 4), 1, 1)])
def test_translation_is_by_whole_pixels_with_zeros_behind(shape: tuple[int, ...], down: int, right: int) -> None:
    spec = SampleSpec(shape)
    x = images(spec, 400)
    y = seen(built("diffaugment", spec, color=0.0, cutout=0.0), x)
    room = nn.functional.pad(x, (right, right, down, down))
    found = torch.zeros(2 * down + 1, 2 * right + 1)
    for i, j in ((i, j) for i in range(2 * down + 1) for j in range(2 * right + 1)):
        window = room[:, :, i : i + shape[1], j : j + shape[2]]
        found[i, j] = (window == y).flatten(1).all(1).sum()
    assert found.sum() == len(x), "each is one of the shifts"
    assert found.min() > 0 and found.max() < 5 * len(x) / found.numel(), "all of them as likely"


@pytest.mark.parametrize(("shape", "high", "wide"), [((1, 28, 28), 14, 14), ((3, 16, 24), 8, 12), ((3, 9, 5), 5, 3)])
def test_cutout_leaves_out_one_rectangle(shape: tuple[int, ...], high: int, wide: int) -> None:
    spec = SampleSpec(shape)
    x = images(spec, 400)
    y = seen(built("diffaugment", spec, color=0.0, translation=0.0), x)
    cut = (y == 0).all(1)
    assert torch.equal(torch.where(cut.unsqueeze(1), 0, x), y)
    rows, columns = cut.any(2), cut.any(1)
    assert torch.equal(cut, rows.unsqueeze(2) & columns.unsqueeze(1))
    for lines, size in ((rows, high), (columns, wide)):
        assert (lines.int().diff(dim=1).abs().sum(1) <= 2).all(), "in one piece"
        count = lines.sum(1)
        assert count.max() == size and count.min() == size // 2 + size % 2, "cut off at the borders"
        assert lines.any(0).all()


def test_what_comes_in_is_the_middle_of_the_range() -> None:
    spec = SampleSpec((1, 8, 8), range=(0.0, 1.0))
    y = seen(built("diffaugment", spec, color=0.0), torch.ones(64, *spec.shape))
    assert set(y.unique().tolist()) == {0.5, 1.0}
    bright = seen(built("diffaugment", spec, translation=0.0, cutout=0.0), torch.zeros(500, *spec.shape))
    assert 0.23 < bright.abs().max() <= 0.25, "half of half the range"


def test_diffaugment_says_what_it_does_not_take() -> None:
    augmentation = AUGMENTATIONS["diffaugment"]
    assert "points" in augmentation.fits(SampleSpec((2,), modality="points"), augmentation.recipe, ())
    assert "channels" in augmentation.fits(SampleSpec((2, 8, 8)), augmentation.recipe, ())
    with pytest.raises(UsageError, match=r"diffaugment.cutout is a share.*not 16"):
        built("diffaugment", cutout=16.0)


SPECS = {
    "points": SampleSpec((2,), modality="points"),
    "audio": SampleSpec((1, 64), modality="audio"),
    "tokens": SampleSpec((5, 7), range=(0.0, 1.0), modality="sequence"),
    "unbounded": SampleSpec((2,), range=None, modality="points"),
}


@pytest.mark.parametrize(("form", "sigma"), [("points", 0.1), ("audio", 0.1), ("tokens", 0.05), ("unbounded", 0.1)])
def test_instance_noise_is_normal_and_falls_to_nothing(form: str, sigma: float) -> None:
    spec, x = SPECS[form], images(SPECS[form], 20_000)
    for settings, progress, share in (
        ({}, 0.0, 1.0),
        ({}, 0.25, 0.75),
        ({}, 1.0, 0.0),
        ({}, 1.01, 0.0),  # the last cycle may go past the budget
        ({"until": 0.5}, 0.25, 0.5),
        ({"until": 0.5}, 0.75, 0.0),
        ({"sigma": 0.3}, 0.0, 3.0),
    ):
        noise = (seen(built("instance-noise", spec, **settings), x, progress=progress) - x).flatten()
        assert noise.std().item() == pytest.approx(share * sigma, rel=0.05)
        if share:
            within = (noise.abs() < share * sigma).float().mean().item()
            assert within == pytest.approx(math.erf(0.5**0.5), abs=0.02)
            assert noise.mean().abs() < share * sigma / 20


def test_instance_noise_says_which_numbers_it_takes() -> None:
    for settings, words in (({"sigma": -0.1}, "sigma.*0 or more"), ({"until": 0.0}, "until.*above 0 to 1")):
        with pytest.raises(UsageError, match=words):
            built("instance-noise", **settings)


def test_instance_noise_stands_behind_other_augmentations() -> None:
    others = [AUGMENTATIONS["instance-noise"], AUGMENTATIONS["diffaugment"]]
    parts = build_parts(others, GREY, Recipe({k: v for a in others for k, v in a.recipe.items()}))
    assert [p.name for p in sorted(parts, key=lambda p: p.order)] == ["diffaugment", "instance-noise"]


@pytest.mark.parametrize("shape", [(2,), (3, 4, 5), (1, 64)])
def test_a_pack_is_the_samples_that_follow_each_other_side_by_side(shape: tuple[int, ...]) -> None:
    spec = SampleSpec(shape)
    module, x = built("packing", spec, m=3), images(spec, 12)
    packs = seen(module, x)
    assert packs.shape == (4, *module.sees(spec).shape)
    for pack, three in zip(packs, x.split(3), strict=True):
        assert torch.equal(pack, torch.cat(list(three)))


def planned(registry: plugins.Registry, **words: Any) -> Entry:
    """An entry on grey images, as `ganbench run` makes it."""
    settings = words.pop("settings", {})
    group = EntrySet(("dcgan",), (words.pop("loss"),), recipe={}, **words)
    return alone(registry, GREY, group, Wishes(settings=settings))[0]


def test_d_is_built_for_packs_and_answers_once_for_each(registry: plugins.Registry) -> None:
    """A cycle of the zoo's networks: D judges pairs, G is what it would be without."""
    settings = {"width": 4, "batch_size": 8}
    entry = planned(registry, loss="hinge", augmentations=("packing", "diffaugment"), settings=settings)
    recipe = Recipe({k: v["value"] for k, v in entry.recipe.items()})
    parts = build_parts([c.record for c in entry.plugins[1:]], GREY, recipe)
    game = two_player(entry.plugins[0].record, parts, GREY, recipe)
    stream = Stream(torch.randint(256, (64, *GREY.shape), dtype=torch.uint8), None, GREY, 1)
    engine = Engine(game, recipe, GREY, {"A": stream}, Latents(recipe, 2, torch.device("cpu"), None), seed=3)
    forms = []
    engine.nets["D"].register_forward_hook(
        lambda net, given, answer: forms.append((answer.logit.shape, net.layers[0].in_channels))
    )
    engine.cycle()
    assert forms == [((4,), 2)] * 3
    assert engine.views["G"].make(Batch(z=torch.randn(5, recipe["latent"]))).x.shape == (5, *GREY.shape)


def test_packs_show_a_collapse_better_than_samples() -> None:
    """The paper's point: from a generator with one of two modes the data is the further, the more samples D sees."""
    x = torch.randint(2, (6000, 1)).float()
    collapsed = torch.ones(6000, 1)

    def distance(m: int) -> float:
        """Total variation between packs of the data and of the generator."""
        shares = []
        for samples in (x, collapsed):
            packs = seen(built("packing", SampleSpec((1,)), m=m), samples)
            places = (packs * 2 ** torch.arange(m)).sum(1).long()
            shares.append(places.bincount(minlength=2**m) / len(packs))
        return ((shares[0] - shares[1]).abs().sum() / 2).item()

    assert [distance(m) for m in (1, 2, 3)] == pytest.approx([1 / 2, 3 / 4, 7 / 8], abs=0.03)


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"packing.m": 3, "batch_size": 32}, "packing.m=3 does not divide batch_size=32"),
        ({"packing.m": 8, "batch_size": 32, "accumulate": 8}, "packing.m=8 does not divide batch_size / accumulate=4"),
        ({"packing.m": 0}, "a pack has at least one sample"),
        ({"packing.m": 4, "batch_size": 32, "accumulate": 8}, None),
    ],
)
def test_packs_divide_every_batch_that_d_sees(
    registry: plugins.Registry, settings: dict[str, Any], reason: str | None
) -> None:
    skip = planned(registry, loss="hinge", augmentations=("packing",), settings=settings).skip
    assert (skip is None) if reason is None else (reason in skip)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        ({"loss": "wgan-gp"}, "wgan-gp requires 'per-sample-D', which is not to be had with packing"),
        ({"loss": "hinge", "regularizers": ("r1",)}, "r1 requires 'per-sample-D'"),
        ({"loss": "wgan"}, None),
        ({"loss": "non-saturating", "regularizers": ("spectral-norm",)}, None),
    ],
)
def test_packing_leaves_no_slope_at_single_samples(
    registry: plugins.Registry, words: dict[str, Any], reason: str | None
) -> None:
    skip = planned(registry, augmentations=("packing",), settings={"norm_D": "layer"}, **words).skip
    assert (skip is None) if reason is None else (reason in skip)


def test_half_a_pack_is_the_users_error() -> None:
    with pytest.raises(UsageError, match=r"7 samples are no packs of 2: set packing.m"):
        seen(built("packing"), images(COLOUR, 7))
