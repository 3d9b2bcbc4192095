"""Where a run's checkpoints lie. What is in them is training's own."""

from __future__ import annotations

from pathlib import Path

NAME = "checkpoint.safetensors"


def previous(path: Path) -> Path:
    """Where the checkpoint before the newest one lies."""
    return path.with_name(f"{path.stem}-previous{path.suffix}")


def remove_checkpoints(path: Path) -> None:
    """Remove the newest checkpoint and the one before it."""
    for file in (path, previous(path)):
        file.unlink(missing_ok=True)
