"""Which data a suite really trains on here, and the hash of its content."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ganbench.api import Dataset
from ganbench.errors import Unavailable, UsageError, asking, short
from ganbench.plan.suite import Suite, Tier
from ganbench.plugins import Registered, Registry
from ganbench.record.files import content_hash


@dataclass(frozen=True)
class Resolved:
    """One data stream: the data set, its plugin, and the sha256 of what it trains on."""

    registered: Registered
    sha256: str

    @property
    def dataset(self) -> Dataset:
        """The data set's record."""
        record: Dataset = self.registered.record
        return record


@dataclass(frozen=True)
class Data:
    """All streams. suffix: added to the suite's id where the data is not the suite's own.

    notice: one line for the user.
    """

    streams: Mapping[str, Resolved]
    suffix: str = ""
    notice: str | None = None


def resolve_data(suite: Suite, tier: Tier, registry: Registry, override: str | None = None) -> Data:
    """Load each stream once and hash it; fall back to the tier's `offline` data set where there is one."""
    if override and len(suite.datasets) > 1:
        raise UsageError(
            f"--dataset {override}: suite '{suite.name}' trains on several data sets; write a suite file instead"
        )
    if tier.offline is not None:
        try:
            registry.find("dataset", tier.offline)
        except UsageError as error:
            raise UsageError(f"suite '{suite.name}', tier '{tier.name}', 'offline': {error}") from None
    names = {stream: override or name for stream, name in suite.datasets.items()}
    swapped = [f"on-{override}"] if override and override not in suite.datasets.values() else []
    try:
        return Data({s: _load(registry, n) for s, n in names.items()}, "".join("-" + w for w in swapped))
    except Unavailable as error:
        if tier.offline is None or override or len(names) > 1:
            raise UsageError(f"{error} (suite '{suite.name}', tier '{tier.name}', has no stand-in for it)") from None
        stand_in = _load(registry, tier.offline)
        notice = f"{error}; using {tier.offline} instead, under a suite id and a folder of its own"
        return Data({next(iter(names)): stand_in}, f"-on-{tier.offline}", notice)


def _load(registry: Registry, name: str) -> Resolved:
    registered = registry.find("dataset", name)
    form = f"data set '{name}': load(\"train\") must give (samples, labels), two NumPy arrays, or None for the labels"
    with asking(form):
        loaded = registered.record.load("train")
        if not isinstance(loaded, tuple | list) or len(loaded) != 2:
            raise UsageError(f"{form}; it gave {short(type(loaded).__name__)}")
        return Resolved(registered, content_hash(*loaded))
