"""Every hook a plugin may implement. Each takes nothing and yields records from `ganbench`.

from ganbench import Loss, hookimpl

def discriminator(D, real, fake): ...
def generator(D, fake): ...

@hookimpl
def ganbench_losses():
    yield Loss("mine", discriminator, generator, paper=None)
"""

from __future__ import annotations

from collections.abc import Iterable

import pluggy

from ganbench import api

hookspec = pluggy.HookspecMarker("ganbench")
hookimpl = pluggy.HookimplMarker("ganbench")
"""The mark above a hook of a plugin: a function without arguments that yields records."""


@hookspec
def ganbench_architectures() -> Iterable[api.Architecture]:
    """`yield Architecture("dcgan", generator, discriminator, accepts=Images((32,)), recipe=Recipe(width=64))`"""


@hookspec
def ganbench_losses() -> Iterable[api.Loss]:
    """`yield Loss("hinge", discriminator, generator, paper="arXiv:1705.02894")`"""


@hookspec
def ganbench_regularizers() -> Iterable[api.Regularizer]:
    """`yield Regularizer("r1", penalty, recipe={"r1.weight": 10.0}, paper="arXiv:1801.04406")`"""


@hookspec
def ganbench_augmentations() -> Iterable[api.Augmentation]:
    """`yield Augmentation("flip", build=Flip)`"""


@hookspec
def ganbench_presets() -> Iterable[api.Preset]:
    """`yield Preset("sngan", architecture="resnet", loss="hinge", recipe={"d_steps": 5})`"""


@hookspec
def ganbench_games() -> Iterable[api.GameBuilder]:
    """`yield GameBuilder("gmmn", build)`"""


@hookspec
def ganbench_datasets() -> Iterable[api.Dataset]:
    """`yield Dataset("ring", SampleSpec((2,), None, "points"), load)`"""


@hookspec
def ganbench_extractors() -> Iterable[api.Extractor]:
    """`yield Extractor("mnist-cnn", build, weights, width=128)`"""


@hookspec
def ganbench_metrics() -> Iterable[api.Metric]:
    """`yield Metric("kid", ("features",), compute, (Column("kid", "lower", positive=False),))`"""


@hookspec
def ganbench_scale_rows() -> Iterable[api.ScaleRow]:
    """`yield ScaleRow("noise", samples, role="ceiling")`"""


@hookspec
def ganbench_suites() -> Iterable[api.SuiteFile]:
    """`yield SuiteFile("mnist", Path(__file__).with_name("mnist.toml"))`"""


@hookspec
def ganbench_checks() -> Iterable[api.Check]:
    """`yield Check("my-library", lambda: Finding("ok", "my-library 2.1"))`"""
