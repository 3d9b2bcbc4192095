"""`python -m ganbench`, and `ganbench`: the program."""

from __future__ import annotations

import sys
from typing import NoReturn


def main() -> NoReturn:
    """The program, interruptible from its first moment."""
    try:
        from ganbench.cli import main as program
    except KeyboardInterrupt:
        sys.exit(130)
    program()


if __name__ == "__main__":
    main()
