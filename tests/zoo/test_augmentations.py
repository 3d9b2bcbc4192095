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
from ganbench_zoo.augmentations import ada, diffaugment, instance_noise, packing
from ganbench_zoo.layers.warps import compose, warp

MODULES = (ada, diffaugment, instance_noise, packing)
AUGMENTATIONS: dict[str, Augmentation] = {a.name: a for m in MODULES for a in m.ganbench_augmentations()}
GREY, COLOUR = SampleSpec((1, 28, 28)), SampleSpec((3, 16, 24))

OFF: dict[str, dict[str, Any]] = {
    "ada": {"p": 0.0},
    "diffaugment": {"color": 0.0, "translation": 0.0, "cutout": 0.0},
    "instance-noise": {"sigma": 0.0},
    "packing": {"m": 1},
}
"""Settings at which each does nothing."""
STRONG = {"ada": {"p": 1.0}}
RANDOM = [name for name in AUGMENTATIONS if name != "packing"]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def built(name: str, spec: SampleSpec = COLOUR, **settings: Any) -> nn.Module:
    """An augmentation of its defaults, but for `settings`, whose keys lack the component's name."""
    own = {f"{name}.{key}": value for key, value in settings.items()}
    return AUGMENTATIONS[name].build(spec, Recipe({"batch_size": 64, **AUGMENTATIONS[name].recipe, **own}))


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
    x = images(spec)
    assert torch.allclose(seen(built(name, spec, **OFF[name]), x), x, atol=1e-6)


@pytest.mark.parametrize("spec", [GREY, COLOUR], ids=["grey", "colour"])
@pytest.mark.parametrize("name", RANDOM)
def test_each_sample_has_a_draw_of_its_own_and_both_sides_one_law(name: str, spec: SampleSpec) -> None:
    """Equal samples come out unequal; where a sample comes from makes no difference."""
    module, x = built(name, spec, **STRONG.get(name, {})), images(spec, 1).expand(8, *spec.shape)
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
    module, x = built(name, spec, **STRONG.get(name, {})).double(), images(spec, 4).double()
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


def playing(registry: plugins.Registry, *augmentations: str, **settings: Any) -> Engine:
    """An engine of the zoo's DCGAN with augmentations, on noise."""
    small = {"width": 4, "batch_size": 8, **settings}
    entry = planned(registry, loss="hinge", augmentations=augmentations, settings=small)
    recipe = Recipe({k: v["value"] for k, v in entry.recipe.items()})
    parts = build_parts([c.record for c in entry.plugins[1:]], GREY, recipe)
    game = two_player(entry.plugins[0].record, parts, GREY, recipe)
    stream = Stream(torch.randint(256, (64, *GREY.shape), dtype=torch.uint8), None, GREY, 1)
    return Engine(game, recipe, GREY, {"A": stream}, Latents(recipe, 2, torch.device("cpu"), None), seed=3)


def test_d_is_built_for_packs_and_answers_once_for_each(registry: plugins.Registry) -> None:
    """A cycle: D judges pairs, G is what it would be without."""
    engine, forms = playing(registry, "packing", "diffaugment"), []
    engine.nets["D"].register_forward_hook(
        lambda net, given, answer: forms.append((answer.logit.shape, net.layers[0].in_channels))
    )
    engine.cycle()
    assert forms == [((4,), 2)] * 3
    assert engine.views["G"].make(Batch(z=torch.randn(5, engine.recipe["latent"]))).x.shape == (5, *GREY.shape)


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


def maps_of(transform: Any, p: float) -> tuple[Tensor, Tensor]:
    """What one group of ADA's transformations does to places in images of 40 pixels: linear parts `(4000, 2, 2)` and
    offsets `(4000, 2)` in pixels."""
    maps = compose(transform(torch.zeros(1, 1, 40, 40).double().expand(4000, 1, 40, 40), torch.tensor(p)))
    assert torch.equal(maps[:, 2], torch.tensor([0.0, 0.0, 1.0]).to(maps).expand(4000, 3))
    return maps[:, :2, :2], maps[:, :2, 2]


@pytest.mark.parametrize("spec", [GREY, COLOUR], ids=["grey", "colour"])
def test_ada_moves_pixels_once_then_changes_their_colours(spec: SampleSpec) -> None:
    x, p = images(spec), torch.tensor(0.8)
    y = seen(built("ada", spec, p=0.8), x)
    torch.manual_seed(0)
    images(spec)
    moved = warp(x, compose([*ada.blit(x, p), *ada.geometric(x, p)]))
    assert torch.equal(y, ada.color(moved, p))
    unit = built("ada", spec.but(range=(0.0, 1.0)), p=0.8)
    torch.manual_seed(0)
    images(spec)
    assert torch.allclose(seen(unit, (x + 1) / 2), (y + 1) / 2, atol=1e-5), "in units of the range"


def spread(values: Tensor, deviation: float) -> None:
    """Hold values to a normal law around 0."""
    assert values.std().item() == pytest.approx(deviation, rel=0.06)
    assert values.mean().abs() < 0.08 * deviation
    assert (values.abs() < deviation).double().mean().item() == pytest.approx(math.erf(0.5**0.5), abs=0.03)


def even(angles: Tensor) -> None:
    """Hold angles to the uniform law on the circle."""
    for k in (1, 2, 3, 4):
        assert torch.hypot((k * angles).cos().mean(), (k * angles).sin().mean()) < 0.06


@pytest.mark.parametrize("p", [0.3, 1.0])
def test_blits_take_whole_pixels_to_whole_pixels(p: float) -> None:
    linear, offset = maps_of(ada.blit, p)
    assert torch.equal(linear, linear.round())
    assert torch.equal(linear @ linear.mT, torch.eye(2).to(linear).expand_as(linear))
    assert torch.equal(offset, offset.round()) and offset.abs().max() == 40 / 8
    for done, share in (
        (torch.linalg.det(linear) < 0, p / 2),
        (linear[:, 0, 1] != 0, p / 2),
        ((linear == -torch.eye(2)).all((1, 2)), (1 - p / 2) * p / 4),
        ((offset != 0).any(1), p * (1 - 1 / 100)),
    ):
        assert done.double().mean().item() == pytest.approx(share, abs=0.03)


def test_geometric_transformations_have_the_papers_spread() -> None:
    linear, offset = maps_of(ada.geometric, 1.0)
    spread(torch.linalg.det(linear).log2() / 2, 0.2)
    stretch = torch.linalg.svdvals(linear)
    ratio = (stretch[:, 0] / stretch[:, 1]).log2()
    assert ratio.mean().item() == pytest.approx(0.4 * (2 / math.pi) ** 0.5, rel=0.05)
    even(torch.atan2(linear[:, 1, 0] - linear[:, 0, 1], linear[:, 0, 0] + linear[:, 1, 1]))
    for axis in (torch.linalg.solve(linear, offset) / 40).unbind(1):
        spread(axis, 1 / 8)


def test_geometric_transformations_are_as_frequent_as_p() -> None:
    linear, offset = maps_of(ada.geometric, 0.4)
    turned = (linear[:, 0, 1].abs() > 1e-9) | (linear[:, 1, 0].abs() > 1e-9)
    scaled = (torch.linalg.det(linear) - 1).abs() > 1e-9
    moved = (offset != 0).all(1)
    for done in (turned, scaled, moved):
        assert done.double().mean().item() == pytest.approx(0.4, abs=0.03)


def colours_of(spec: SampleSpec, p: float, count: int = 4000) -> tuple[Tensor, Tensor]:
    """What ADA does to colours, `(count, C, C)` and `(count, C)`: by least squares, and nothing is left over."""
    x = images(spec, 1).double()
    y = seen(built("ada", spec, p=p, transforms=("color",)).double(), x.expand(count, -1, -1, -1)).flatten(2).mT
    points = torch.cat([x.flatten(2)[0].mT, torch.ones(x[0, 0].numel(), 1)], 1)
    fit = torch.linalg.pinv(points) @ y
    assert torch.allclose(points @ fit, y, atol=1e-9)
    return fit[:, :-1].mT, fit[:, -1]


def test_colours_change_as_the_paper_says() -> None:
    matrix, offset = colours_of(SampleSpec((3, 4, 4)), 1.0)
    grey, red_green = torch.ones(3).double(), torch.tensor([1.0, -1.0, 0.0]).double()
    side = torch.linalg.cross(grey / 3**0.5, red_green)
    lit, turned = matrix @ grey, matrix @ red_green
    assert torch.allclose(lit, lit[:, :1].expand_as(lit)) and torch.allclose(offset, offset[:, :1].expand_as(offset))
    assert torch.allclose(turned.sum(1), torch.zeros(len(turned)).double(), atol=1e-9), "chroma stays at right angles"
    contrast, brightness = lit[:, 0], offset[:, 0] / lit[:, 0]
    assert (contrast < 0).double().mean().item() == pytest.approx(0.5, abs=0.03), "the luma is inverted"
    spread(contrast.abs().log2(), 0.5)
    spread(brightness, 0.2)
    spread((turned.norm(dim=1) / red_green.norm() / contrast.abs()).log2(), 1.0)
    even(torch.atan2(turned @ side, turned @ red_green))
    along, across = turned @ red_green / 2, turned @ side / 2
    again = along.unsqueeze(1) * side - across.unsqueeze(1) * red_green
    assert torch.allclose(matrix @ side, again), "a turn of the whole plane, the same for all hues"


def test_colours_of_grey_images_have_what_has_a_meaning() -> None:
    matrix, offset = colours_of(SampleSpec((1, 4, 4)), 0.5)
    contrast, brightness = matrix[:, 0, 0], offset[:, 0] / matrix[:, 0, 0]
    assert (contrast < 0).double().mean().item() == pytest.approx(0.25, abs=0.03)
    for changed in ((contrast.abs() - 1).abs() > 1e-9, brightness.abs() > 1e-9):
        assert changed.double().mean().item() == pytest.approx(0.5, abs=0.03)


def test_p_follows_the_signs_of_d_at_real_images() -> None:
    """By hand: every four steps of D by the images in them, one way or the other, within [0, 1]."""
    module = built("ada", p=0.05, images=1000)
    p, past = 0.05, []
    for step in range(40):
        sure = 0.9 if step < 24 else 0.3
        real = torch.where(torch.rand(16) < sure, 2.0, -0.1)
        module.after("D", {"real": list(real.split(4)), "fake": [torch.ones(16)]})
        module.after("G", {"fake": [torch.ones(16)]})
        past.append(real.sign().mean().item())
        if step % 4 == 3:
            r = sum(past[-4:]) / 4
            p = min(max(p + math.copysign(64 * 4 / 1000, r - 0.6), 0.0), 1.0)
            assert module.r.item() == pytest.approx(r)
        assert module.p.item() == pytest.approx(p)
        if step == 23:
            assert p == 1.0
    assert p == 0.0


def test_p_can_be_held() -> None:
    module = built("ada", p=0.3, images=0)
    for _ in range(8):
        module.after("D", {"real": [torch.ones(16)]})
    assert module.p.item() == pytest.approx(0.3) and module.r == 1.0


def test_ada_says_which_settings_it_takes() -> None:
    for settings, words in (
        ({"transforms": ("blit", "colour")}, "blit, geometric and color, not colour"),
        ({"p": 1.5}, "from 0 to 1, not 1.5"),
        ({"interval": 0}, "ada.interval counts steps"),
    ):
        with pytest.raises(UsageError, match=words):
            built("ada", **settings)


def test_ada_reports_p_and_r(registry: plugins.Registry) -> None:
    """The engine hands it D's answers: a D that is sure of everything drives p up by the images it sees; what is one
    number is a curve."""
    engine = playing(registry, "ada", **{"d_steps": 2, "ada.images": 640, "ada.interval": 1})
    with torch.no_grad():
        engine.nets["D"].output.bias.fill_(100.0)
    for _ in range(3):
        engine.cycle()
    module = engine.parts["ada"].module
    curves = {name: value.item() for name, value in module.named_buffers() if value.numel() == 1}
    assert curves == {"p": pytest.approx(6 * 8 / 640), "r": 1.0}
