"""A block that may run foreign code and leaves this process as it was."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any

TORCH = ("default_dtype", "num_threads", "grad_enabled", "deterministic_debug_mode", "float32_matmul_precision")
"""What is put back: torch has `get_…` (`is_…` for a switch) and `set_…` of each."""


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Put back the environment, the working directory, the module path and torch's defaults; what is printed goes to
    stderr.

    Folders that were added to `sys.path` stay, at its end: the code may import from them later, and nothing else is
    shadowed by them.
    """
    environment, path, folder = dict(os.environ), list(sys.path), os.getcwd()
    torch = sys.modules.get("torch")
    before = _defaults(torch) if torch else None
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        if dict(os.environ) != environment:
            os.environ.clear()
            os.environ.update(environment)
        sys.path[:] = [*path, *(p for p in sys.path if p not in path)]
        os.chdir(folder)
        if torch := sys.modules.get("torch"):  # loaded within: then it began as torch begins
            before = before or {"default_dtype": torch.float32, "grad_enabled": True}
            for name, value in _defaults(torch).items():
                if name in before and before[name] != value:
                    getattr(torch, f"set_{name}")(before[name])


def _defaults(torch: Any) -> dict[str, Any]:
    return {name: (getattr(torch, f"get_{name}", None) or getattr(torch, f"is_{name}"))() for name in TORCH}
