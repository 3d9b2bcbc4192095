"""A block that may run foreign code and leaves this process as it was."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Put back the environment, the working directory, the module path and torch's defaults; what is printed goes to
    stderr.

    Folders that were added to `sys.path` stay, at its end: the code may import from them later, and nothing else is
    shadowed by them.
    """
    environment, path, folder = dict(os.environ), list(sys.path), os.getcwd()
    torch = sys.modules.get("torch")
    before = (torch.get_default_dtype(), torch.get_num_threads()) if torch else None
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        if dict(os.environ) != environment:
            os.environ.clear()
            os.environ.update(environment)
        sys.path[:] = [*path, *(p for p in sys.path if p not in path)]
        os.chdir(folder)
        if torch := sys.modules.get("torch"):
            dtype, threads = before or (torch.float32, None)
            if torch.get_default_dtype() != dtype:
                torch.set_default_dtype(dtype)
            if threads is not None and torch.get_num_threads() != threads:
                torch.set_num_threads(threads)
