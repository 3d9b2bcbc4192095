"""What plugins brought: whether they loaded, whether their data and weights are here, and the checks of their own."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator

from ganbench.api import Check, Dataset, Extractor, Finding
from ganbench.errors import Unavailable
from ganbench.plugins import Broken, Registry
from ganbench.storage import Reachable, glance, offline

SECONDS = 3.0
"""How long is waited for the first byte of what is not here."""


def checks(registry: Registry) -> Iterator[Check]:
    """Plugins, data sets, extractors, and whatever plugins check themselves."""
    for provider, found in _providers(registry).items():
        yield Check(f"plugin {provider}", functools.partial(Finding, "ok", found))
    for broken in registry.broken:
        yield Check(f"plugin {broken.source}", functools.partial(left_out, broken))
    if not registry.entries:
        yield Check("plugins", functools.partial(Finding, "failed", "none was loaded", "pip install -e . again"))
    for clash in registry.clashes():
        yield Check("names", functools.partial(Finding, "warning", clash, "say PROVIDER:NAME for the other one"))
    for entry in registry.of("dataset"):
        yield Check(f"data set {entry.name}", functools.partial(data, entry.record))
    for entry in registry.of("extractor"):
        yield Check(f"extractor {entry.name}", functools.partial(weights, entry.record))
    yield from (entry.record for entry in registry.of("check"))


def left_out(broken: Broken) -> Finding:
    """A plugin that nobody asked for, and that is not there."""
    return Finding("warning", f"left out: {broken.reason}", "mend it, or remove it")


def data(dataset: Dataset) -> Finding:
    """On this disk, or where a download begins when it is asked for."""
    if dataset.here():
        return Finding("ok", "on this disk")
    return _reached(lambda: dataset.load(dataset.splits[0]))


def weights(extractor: Extractor) -> Finding:
    """At hand, or where a download begins when it is asked for."""
    try:
        with offline():
            found = extractor.weights(None)
    except Unavailable:
        return _reached(lambda: extractor.weights(None), f"give them: ganbench run --extractor {extractor.name}=FILE")
    return Finding("ok", f"weights at hand ({found.file.name}, sha256 {found.sha256[:12]})")


def _reached(get: Callable[[], object], mend: str = "") -> Finding:
    """Whether what is not here could be had: `get` is called, and given up with the first byte of a download."""
    what, advice = "not on this disk: made or downloaded when first used", "to be sure, run a suite that uses it"
    try:
        with glance(SECONDS):
            get()
    except Reachable:
        return Finding("ok", "not on this disk, and reachable: downloaded when first used")
    except Unavailable as error:
        what, _, advice = str(error).partition("; ")
    return Finding("warning", what, "; or ".join(filter(None, (advice, mend))))


def _providers(registry: Registry) -> dict[str, str]:
    """Provider -> where it comes from, and how much of what it registered."""
    found: dict[str, str] = {}
    for entry in registry.entries:
        source = entry.provenance
        if source.provider not in found:
            mine = [e.kind for e in registry.entries if e.provenance.provider == source.provider]
            origin = f"{source.distribution} {source.version or ''}".strip() if source.distribution else source.source
            counts = ", ".join(f"{n} {kind}" for kind, n in Counter(mine).items())
            found[source.provider] = f"{origin}: {counts}"
    return found
