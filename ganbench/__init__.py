"""ganbench: a plugin-based benchmark harness for GANs.

Everything a plugin needs is imported from here; importing it costs no torch.
"""

from importlib.metadata import PackageNotFoundError, version

from ganbench.api import (
    ANYTHING,
    API_VERSION,
    TERM_NAMES,
    Accepts,
    Answer,
    Architecture,
    Augmentation,
    Batch,
    Check,
    Column,
    Component,
    Dataset,
    Extractor,
    Finding,
    Game,
    GameBuilder,
    Images,
    Loss,
    Measured,
    Metric,
    Modality,
    Preset,
    Recipe,
    Reference,
    Regularizer,
    SampleSpec,
    ScaleRow,
    SuiteFile,
    Turn,
    Weights,
)
from ganbench.errors import Caution, Unavailable, UsageError
from ganbench.hookspecs import hookimpl
from ganbench.storage import cache_dir, data_roots, fetch

try:
    __version__ = version("ganbench")
except PackageNotFoundError:  # run from a source tree that is not installed
    __version__ = "0"

__all__ = [
    "ANYTHING",
    "API_VERSION",
    "TERM_NAMES",
    "Accepts",
    "Answer",
    "Architecture",
    "Augmentation",
    "Batch",
    "Caution",
    "Check",
    "Column",
    "Component",
    "Dataset",
    "Extractor",
    "Finding",
    "Game",
    "GameBuilder",
    "Images",
    "Loss",
    "Measured",
    "Metric",
    "Modality",
    "Preset",
    "Recipe",
    "Reference",
    "Regularizer",
    "SampleSpec",
    "ScaleRow",
    "SuiteFile",
    "Turn",
    "Unavailable",
    "UsageError",
    "Weights",
    "cache_dir",
    "data_roots",
    "fetch",
    "hookimpl",
]
