"""What runs were made with: versions and processors, neither names of hosts nor paths."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ganbench.publish.text import is_place, plain


def facts(environments: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Name -> every value that it has in these environments."""
    seen: dict[str, set[str]] = {}
    for environment in environments:
        for key, value in _facts(environment):
            if isinstance(value, str) and value and not is_place(value):
                seen.setdefault(plain(key), set()).add(plain(value))
    return {key: ", ".join(sorted(values)) for key, values in seen.items()}


def _facts(environment: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key in ("system", "python"):
        yield key, environment.get(key)
    versions = environment.get("versions")
    yield from sorted(versions.items()) if isinstance(versions, dict) else []
    for key in ("cpu", "gpu"):
        device = environment.get(key)
        yield key, device.get("model", device.get("name")) if isinstance(device, dict) else device
