"""Draws a leaderboard as the terminal shows it: `python scripts/draw_leaderboard.py results/mnist-quick OUT.svg`."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from rich.console import Console

from ganbench.publish import show
from ganbench.rank import leaderboards


def main(folder: Path, out: Path, width: int = 132) -> None:
    """The first table of a folder as an SVG."""
    console = Console(record=True, width=width, file=io.StringIO(), force_terminal=True)
    show(leaderboards([folder])[:1], console)
    out.parent.mkdir(parents=True, exist_ok=True)
    console.save_svg(str(out), title=f"ganbench leaderboard {folder.name}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
