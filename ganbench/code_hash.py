"""The hash of a module's code (a plugin's, the engine's): its own file, and what that imports from its own package."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType


def code_hash(module: ModuleType) -> str:
    """sha256 over a module's file and the files of what it imports from its own top-level package, in order of name.

    Read off the import statements, those inside functions included: it does not depend on what else is loaded.
    """
    top = module.__name__.partition(".")[0]
    files: dict[str, Path | None] = {}
    todo = [module.__name__]
    while todo:
        name = todo.pop()
        if name in files or name.partition(".")[0] != top:
            continue
        files[name] = file = _file_of(name)
        if file is not None and file.suffix == ".py":
            todo += _imports(file, name if file.name == "__init__.py" else name.rpartition(".")[0], top)
    return files_hash(file for _, file in sorted(files.items()) if file is not None)


def files_hash(files: Iterable[Path]) -> str:
    """sha256 over the sha256 of each file."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _imports(file: Path, package: str, top: str) -> Iterator[str]:
    """The modules of the package `top` that a file names in its import statements; package: the one it lies in."""
    for node in ast.walk(ast.parse(file.read_bytes())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = importlib.util.resolve_name("." * node.level + (node.module or ""), package)
            if base.partition(".")[0] == top:
                yield from (f"{base}.{n.name}" if _file_of(f"{base}.{n.name}") else base for n in node.names)


def _file_of(module: str) -> Path | None:
    """The file that a module comes from; None where there is no such module, or no file."""
    if loaded := sys.modules.get(module):
        file = getattr(loaded, "__file__", None)
    else:
        try:
            spec = importlib.util.find_spec(module)
        except (ImportError, ValueError, AttributeError):
            return None
        file = spec.origin if spec and spec.has_location else None
    return Path(file) if file else None
