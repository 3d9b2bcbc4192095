"""How much a file may ask for before it is refused: a small file can unfold to more than any memory holds."""

from __future__ import annotations

from pathlib import Path

from ganbench.errors import UsageError

MOST_BYTES = 8 * 2**30
"""Of all samples together, unfolded."""
LONGEST_SIDE = 4096
"""Pixels of a picture's longer side."""


def hold(size: int, what: str | Path) -> None:
    """A `UsageError` where `size` bytes are more than is read."""
    if size > MOST_BYTES:
        raise UsageError(
            f"{what}: unfolds to {size / 2**30:.1f} GiB, at most {MOST_BYTES / 2**30:.0f} are read; give fewer samples"
        )
