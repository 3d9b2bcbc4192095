"""The records that plugin authors fill in, and the values their functions are handed.

Nothing here imports torch: a plugin's metadata can be read anywhere. Tensors are named in annotations only.

Conventions: `B` is the batch size; images are `(B, C, H, W)`, points `(B, n)`, audio `(B, C, T)`; generated samples lie
in `SampleSpec.range`. A function that a record holds *names what it needs*: its parameter names are looked up among
those documented for its field, and an unknown one is an error when the plugin is registered. In every record, `name` is
a word that is unique within its kind, and `paper` says `"arXiv:…"` or `"doi:…"`, or is None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from torch import Tensor

API_VERSION = 1
"""Version of this contract; it is written into every record and rises when a plugin would have to change."""
OLDEST_API = 1
"""The oldest version that a plugin may still be written for."""

Value = bool | int | float | str | tuple[Any, ...]

TERM_NAMES = frozenset(
    {"D", "G", "nets", "real", "reals", "fake", "latents", "recipe", "spec", "step", "progress", "own"}
)
"""What a term, a turn's objective or a component's hook may name.

`D`, `G`: views of the networks (a game with other players has them in `nets`, by name). `real`, `fake`, `latents`:
`Batch`. `reals`: one `Batch` for each data stream. `recipe`: `Recipe`. `spec`: `SampleSpec`. `step`, `progress`: 0-dim
tensors on the device (generator cycles so far; share of the budget used, in [0, 1]). `own`: what the component's
`build` made.
"""


@dataclass(frozen=True)
class SampleSpec:
    """What one sample is.

    shape: without the batch axis: `(C, H, W)` for images, `(n,)` for points, `(C, T)` for audio, … range: lowest and
    highest value that a generator may give, or None where values are unbounded. modality: `"image"`, `"points"`,
    `"audio"`, `"video"`, `"sequence"`; any word a data set and an architecture agree on. classes: number of classes
    that the networks are told of; 0 for an unconditional run.
    """

    shape: tuple[int, ...]
    range: tuple[float, float] | None = (-1.0, 1.0)
    modality: str = "image"
    classes: int = 0

    def but(self, **changes: Any) -> SampleSpec:
        """This spec with some fields changed."""
        return replace(self, **changes)


_NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Batch:
    """Samples on their way to a network.

    x: samples `(B, *spec.shape)` in `spec.range`, or None (latents only). y: class labels `(B,)` int64, or None.
    z: latents `(B, latent)` or None. origin: `"real"`, `"fake"`, `"mixed"` (e.g. interpolated) or `"view"`.
    extra: further fields by name, each reaching `forward` by its parameter name.
    """

    x: Tensor | None = None
    y: Tensor | None = None
    z: Tensor | None = None
    origin: str = "real"
    extra: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)

    def but(self, **changes: Any) -> Batch:
        """A new batch with some fields changed; the old one stays as it is."""
        return replace(self, **changes)

    def get(self, name: str) -> Any:
        """The field `x`, `y`, `z`, or the extra field of that name; None where there is none."""
        return getattr(self, name) if name in ("x", "y", "z") else self.extra.get(name)


@dataclass(frozen=True, eq=False)
class Answer:
    """What a discriminator answers when it says more than one logit per sample.

    logit: `(B,)`, or `(B, k)`. features: `(B, width)`, an inner layer. classes: `(B, classes)` class logits. energy:
    `(B,)`. extra: anything else, by name. A plain tensor from a discriminator is its `logit`.
    """

    logit: Tensor | None = None
    features: Tensor | None = None
    classes: Tensor | None = None
    energy: Tensor | None = None
    extra: Mapping[str, Any] = field(default_factory=lambda: _NOTHING)


class Recipe(Mapping[str, Value]):
    """Hyper-parameters: frozen, read as `recipe["lr"]` or `recipe["r1.weight"]`.

    A record's `recipe` gives the defaults; the paper's. Keys of an architecture (and of the engine) are flat; keys of a
    component carry its name. Give dotted keys as a mapping: `Recipe({"r1.weight": 10.0})`.
    """

    __slots__ = ("_values",)

    def __init__(self, values: Mapping[str, Value] | None = None, /, **more: Value) -> None:
        merged = {**(values or {}), **more}
        self._values: dict[str, Value] = {k: tuple(v) if isinstance(v, list) else v for k, v in merged.items()}

    def __getitem__(self, key: str) -> Any:
        return self._values[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"Recipe({self._values!r})"

    def __hash__(self) -> int:
        return hash(tuple(sorted(self._values.items())))


class Accepts(Protocol):
    """What data an architecture, an extractor or a game can take."""

    def refuses(self, spec: SampleSpec) -> str | None:
        """None if samples of this spec are welcome, else the reason in a few words."""


@dataclass(frozen=True)
class Images:
    """Accepts square images of these `sizes` in pixels (empty: any) and numbers of `channels` (empty: any)."""

    sizes: tuple[int, ...] = ()
    channels: tuple[int, ...] = (1, 3)

    def refuses(self, spec: SampleSpec) -> str | None:
        """None for an image spec `(C, H, W)` that fits, else the reason."""
        if spec.modality != "image" or len(spec.shape) != 3:
            return f"takes images, not {spec.modality} of shape {spec.shape}"
        channels, height, width = spec.shape
        if self.sizes and (height != width or height not in self.sizes):
            return f"takes images of {', '.join(map(str, self.sizes))} pixels, not {height}×{width}"
        if self.channels and channels not in self.channels:
            return f"takes {' or '.join(map(str, self.channels))} channels, not {channels}"
        return None


@dataclass(frozen=True)
class Modality:
    """Accepts any sample of the modalities in `names` (empty: everything)."""

    names: tuple[str, ...] = ()

    def refuses(self, spec: SampleSpec) -> str | None:
        """None if the modality is among the names, else the reason."""
        if self.names and spec.modality not in self.names:
            return f"takes {' or '.join(self.names)}, not {spec.modality}"
        return None


ANYTHING = Modality()
"""Refuses nothing."""


@dataclass(frozen=True)
class Architecture:
    """A generator and a discriminator.

    generator(spec, recipe) -> nn.Module: `forward(z)` or `forward(z, y)`; z `(B, recipe["latent"])` to
        `(B, *spec.shape)` in `spec.range`. discriminator(spec, recipe) -> nn.Module: `forward(x)` or `forward(x, y)` to
        logits `(B,)` or an `Answer`. A parameter called `input` (an `nn.Sequential`'s) is z in G and x in D.
    accepts: what data it takes. offers: traits that components may require or forbid, a tuple or a function
        `(spec, recipe) -> tuple`: `"labels"` (it takes class labels), `"per-sample-D"` (D answers each sample on its
        own: no batch statistics), `"features"` (D hands out `.features` and has `.width`), `"classes"` (D answers
        `.classes`).
    brings: components that belong to it (spectral norm, say), by name. recipe: its keys and the paper's values.
    """

    name: str
    generator: Callable[..., Any]
    discriminator: Callable[..., Any]
    accepts: Accepts = ANYTHING
    offers: tuple[str, ...] | Callable[[SampleSpec, Recipe], tuple[str, ...]] = ()
    brings: tuple[str, ...] = ()
    recipe: Mapping[str, Value] = field(default_factory=Recipe)
    paper: str | None = None

    def traits(self, spec: SampleSpec, recipe: Recipe) -> frozenset[str]:
        """The traits it offers for this data and recipe."""
        return frozenset(self.offers(spec, recipe) if callable(self.offers) else self.offers)


@dataclass(frozen=True)
class Component:
    """A loss, a regularizer or an augmentation: one thing under three names.

    discriminator, generator: terms that D, or G, minimises. Each names what it needs (`TERM_NAMES`) and gives one value
        per sample `(B,)`, or a scalar; the engine weighs by `recipe["<name>.weight"]`, reduces by the mean, and runs it
        every `recipe["<name>.every"]`-th step, multiplied by that number. It never steps an optimizer, moves a device,
        seeds a generator or prints.
    build(spec, recipe) -> nn.Module: memory (buffers), an own head (parameters), or hooks (`docs/plugins.md` lists
        them: sees, wrap, view, latents, inputs, weigh, opponent, around, after, at_step).
    heads: the turns (`"D"`, `"G"`) that train the module's own parameters.
    brings: other components that belong to it, by name; nothing is added twice.
    recipe: own keys as `"<name>.key"`; a flat key is a wish about the engine or the architecture ("d_steps": 5), which
        an architecture without that key ignores.
    requires, forbids: traits of the architecture. removes: traits that it no longer has with this component, so that
        what requires them is skipped (packing: "per-sample-D"). fits(spec, recipe, others) -> None, or the reason why
        not; `others` are the names of all components of the entry.
    couples_samples: batch statistics, top-k, packing: gradient accumulation is then not exact, which is recorded.
    """

    name: str
    discriminator: Callable[..., Any] | None = None
    generator: Callable[..., Any] | None = None
    build: Callable[..., Any] | None = None
    heads: tuple[str, ...] = ()
    brings: tuple[str, ...] = ()
    recipe: Mapping[str, Value] = field(default_factory=Recipe)
    every: int = 1
    requires: tuple[str, ...] = ()
    forbids: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()
    fits: Callable[[SampleSpec, Recipe, tuple[str, ...]], str | None] | None = None
    couples_samples: bool = False
    paper: str | None = None


class Loss(Component):
    """The adversarial objective of both players; an entry has exactly one."""


class Regularizer(Component):
    """What is added to a loss: penalties, constraints on weights."""


class Augmentation(Component):
    """What stands between a batch and D, for real and fake alike."""


@dataclass(frozen=True)
class Preset:
    """A whole as a paper published it: architecture, loss, regularizers and augmentations by name, and the recipe."""

    name: str
    architecture: str
    loss: str
    regularizers: tuple[str, ...] = ()
    augmentations: tuple[str, ...] = ()
    recipe: Mapping[str, Value] = field(default_factory=Recipe)
    paper: str | None = None


@dataclass(frozen=True)
class Turn:
    """One move of a game: the players in `moves` minimise the sum of what `objective` returns.

    objective: names what it needs (`TERM_NAMES`) and returns `{term: values}`, weighed already. times: repeats of the
    turn in a cycle. draws: whether each repeat takes a new real batch (else the last one is seen again). when(cycle) ->
    bool: plain integers only. makes: whether each repeat makes samples of its own (else those of an earlier turn are
    seen again); it is what `fake_images` counts.
    """

    name: str
    moves: tuple[str, ...]
    objective: Callable[..., Mapping[str, Any]]
    times: int = 1
    draws: bool = True
    when: Callable[[int], bool] | None = None
    makes: bool = True


@dataclass(frozen=True)
class Game:
    """Players and turns.

    players: makers of networks by name; the engine seeds and calls them in order. turns: in order; a tuple of turns is
        simultaneous (all gradients before anyone moves). components: built components whose hooks run, by name.
    sample: names `nets`, `latents`, `reals`, `recipe` and returns a `Batch` of generated samples. streams: names of the
    data streams. chains: player -> names of the components whose `view` stands before it. averaged: players that have
    an EMA copy. probes: named measurements `(nets, latents, reals) -> float` written as events.
    """

    players: Mapping[str, Callable[[], Any]]
    turns: tuple[Turn | tuple[Turn, ...], ...]
    sample: Callable[..., Batch]
    components: Mapping[str, Any] = field(default_factory=dict)
    streams: tuple[str, ...] = ("A",)
    chains: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    averaged: tuple[str, ...] = ("G",)
    probes: Mapping[str, Callable[..., Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class GameBuilder:
    """A game of its own, registered under a name (CycleGAN: four players, two data streams).

    build(spec, recipe) -> Game. Its samples are compared with the first data stream. accepts, offers, recipe: as for an
    `Architecture`.
    """

    name: str
    build: Callable[[SampleSpec, Recipe], Game]
    accepts: Accepts = ANYTHING
    offers: tuple[str, ...] = ()
    recipe: Mapping[str, Value] = field(default_factory=Recipe)
    paper: str | None = None


@dataclass(frozen=True)
class Dataset:
    """Real samples with a stated split.

    load(split) -> (samples, labels): NumPy arrays in the declared form: images uint8 `(N, C, H, W)`, points float32
        `(N, n)`, audio int16 `(N, C, T)`; labels int64 `(N,)`, or None. It looks for its files in
        `ganbench.data_roots()`, then fetches into `ganbench.cache_dir()` with `ganbench.fetch`; it raises
        `ganbench.Unavailable` with one clear line where the data is neither here nor reachable. Samples may be a
        memory-mapped file (`np.load(file, mmap_mode="c")`), which need not fit into memory.
    here() -> bool: whether the files are on this disk already (no download needed). splits: the names that `load`
    takes. reference: the data set whose `val` and `test` samples are scored against, if not its own. spec: of one
    sample. licence: of the data, in words.
    """

    name: str
    spec: SampleSpec
    load: Callable[[str], tuple[Any, Any]]
    here: Callable[[], bool] = lambda: True
    splits: tuple[str, ...] = ("train", "val", "test")
    reference: str | None = None
    licence: str | None = None
    paper: str | None = None


@dataclass(frozen=True)
class Reference:
    """Features of a `split` of a `dataset`, shipped with an extractor: a safetensors file with `features` and `logits`,
    each float32 `(N, width)`, and the file's sha256."""

    dataset: str
    split: str
    file: Path
    sha256: str


@dataclass(frozen=True)
class Weights:
    """An extractor's weights: a local file and its sha256; `official` names the file that a public name (FID)
    stands for."""

    file: Path
    sha256: str
    official: bool = False


@dataclass(frozen=True)
class Extractor:
    """What turns samples into features.

    build(weights: Path | None, layers: tuple[str, ...]) -> nn.Module in eval mode whose `forward` takes a batch in the
        declared form (images: uint8 `(B, C, H, W)`) and gives one `(B, width)` tensor for each of the asked layers.
        layers: what it can give; `features` and `logits` name the defaults for distances and for scores (logits None:
        it has none, and metrics that need them are left out). weights(path | None) -> Weights: finds them (given file,
        cache, download) or raises `Unavailable`. images_per_second: measured on one CPU core, for the time estimate.
    names: maps (metric column, official weights and default layer) to the public name, e.g. {"fd": "FID",
    "classifier-score": "IS"}. preprocessing: what is done to a sample before the network, for the fingerprint.
    accepts: what data it takes. references: features that come with it.
    """

    name: str
    build: Callable[..., Any]
    weights: Callable[[Path | None], Weights]
    accepts: Accepts = ANYTHING
    layers: tuple[str, ...] = ("features", "logits")
    features: str = "features"
    logits: str | None = "logits"
    width: int = 0
    references: tuple[Reference, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    preprocessing: str = "none"
    images_per_second: float = 1000.0
    paper: str | None = None


DIRECTIONS = ("lower", "higher", "none")


@dataclass(frozen=True)
class Column:
    """One column of a leaderboard.

    direction: `"lower"`, `"higher"` or `"none"` is better. unit: `""` for a plain number. positive: bounded below by 0
    (the interval is then taken on the log).
    """

    name: str
    direction: str
    unit: str = ""
    positive: bool = True


class Measured(float):
    """A column's value with what is known beside it; `compute` may give it where a float would do.

    error: its standard error, in its unit, over samples of *one* generator as many as these, the real ones being given;
    None where it is not known. It says nothing of another training seed. method: how the error was had, in a few words.
    groups: of samples, where it comes from so many. parts: what the value is made of, by name (class → distance, say).
    """

    error: float | None
    method: str
    groups: int | None
    parts: Mapping[str, float]

    def __new__(
        cls,
        value: float,
        error: float | None = None,
        method: str = "",
        groups: int | None = None,
        parts: Mapping[str, float] | None = None,
    ) -> Measured:
        made = super().__new__(cls, value)
        made.error, made.method, made.groups, made.parts = error, method, groups, dict(parts or {})
        return made


@dataclass(frozen=True)
class Metric:
    """A number (or several) from generated and real samples.

    needs: any of `"features"`, `"logits"`, `"labels"`, `"samples"`, `"training"`. compute(real, fake, params, device)
        -> {column: value}: `real` and `fake` are mappings with what `needs` names, as CPU tensors `(N, …)`; with
        `"training"` a fifth argument has the same of all training samples. A value may be a `Measured`, which says its
        sampling error and its parts. It may `warnings.warn(Caution(…))`.
    columns: what it gives, in order. version: raised when a value would move. minimum: fewest samples on either side.
    params: every parameter and its default; all but those named in `neutral`, which cannot change a value (how much
        memory to use), are in the fingerprint. `params["samples"]`, if there, caps the number of samples.
    jackknife: groups of generated samples, each left out in turn, that give the sampling error of columns whose values
        do not say it; `compute` runs once more for each. 0 for none. For smooth functions of means, not for counts.
    """

    name: str
    needs: tuple[str, ...]
    compute: Callable[..., Mapping[str, float]]
    columns: tuple[Column, ...]
    params: Mapping[str, Value] = field(default_factory=Recipe)
    version: int = 1
    minimum: int = 2
    neutral: tuple[str, ...] = ()
    paper: str | None = None
    jackknife: int = 0


@dataclass(frozen=True)
class ScaleRow:
    """A row that gives the scale: samples that no generator made.

    samples(load, n, generator) -> (samples, labels): `load(split)` gives the data set's arrays, `generator` a seeded
        `numpy.random.Generator`; n samples in the declared form. split: instead of samples, a split of the reference
        itself (its features come from wherever the reference's do).
    role: `"floor"`, `"ceiling"`, `"degenerate"` (an entry no better than this one is), `"copies"`, `"collapse"`.
    """

    name: str
    samples: Callable[..., tuple[Any, Any]] | None = None
    split: str | None = None
    role: str = ""


@dataclass(frozen=True)
class SuiteFile:
    """A suite: a TOML file that comes with a plugin."""

    name: str
    file: Path


@dataclass(frozen=True)
class Finding:
    """What a check found. status: `"ok"`, `"warning"` (something is missing that not every run needs) or `"failed"`.

    what: one line. mend: one line on how to mend it, or `""`.
    """

    status: str
    what: str
    mend: str = ""


@dataclass(frozen=True)
class Check:
    """A line of `ganbench doctor`: whether what a plugin needs works here.

    run() -> Finding: quick, and without a download; one that raises is a finding of status `"failed"`.
    """

    name: str
    run: Callable[[], Finding]
