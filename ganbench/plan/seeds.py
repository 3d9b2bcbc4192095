"""Seeds are derived, never counted up: sha256 over (seed, purpose, axes)."""

from __future__ import annotations

import hashlib


def derive(seed: int, purpose: str, *axes: str | int) -> int:
    """A seed in [0, 2**63) for one purpose; different axes give unrelated seeds."""
    text = "\x1f".join(map(str, (seed, purpose, *axes)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
