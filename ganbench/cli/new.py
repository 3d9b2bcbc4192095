"""`ganbench new`: a plugin to start from, which works as it stands."""

from __future__ import annotations

import enum
import importlib.util
import keyword
import re
import string
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from ganbench.cli.options import Plugins, PluginsDirs
from ganbench.errors import UsageError


class Kind(enum.StrEnum):
    """Kinds of plugin that there is a template for."""

    architecture = "architecture"
    loss = "loss"
    regularizer = "regularizer"
    dataset = "dataset"
    metric = "metric"


def new(
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="architecture, loss, regularizer, dataset, metric.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is called: a word such as my-loss.")],
    package: Annotated[
        bool, typer.Option("--package", help="Write a folder to install, with a test, in place of one file.")
    ] = False,
    plugin: Plugins = None,
    plugins_dir: PluginsDirs = None,
) -> None:
    """Write a small working plugin, NAME.py, that passes `ganbench check` as it stands."""
    module = module_name(name)
    written = (
        _package(kind, name, module) if package else {Path(f"{module}.py"): _filled(kind, name, module, f"{kind}.py")}
    )
    for path in [Path(name)] if package else written:
        if path.exists() or path.is_symlink():
            raise UsageError(f"{path} is there already; choose another name, or move it away")
    _not_taken(kind, name, plugin, plugins_dir)
    try:
        for path, text in written.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from None
    target = f"pip install -e './{name}[test]' && pytest {name}" if package else f"ganbench check {module}.py"
    typer.echo("\n".join([*map(str, written), f"next: {target}"]))
    if kind is Kind.regularizer:  # the others are checked with partners, this one alone says nothing of its strength
        typer.echo(
            "then: " + _filled(kind, name, module, f"{kind}.run").strip() + ("" if package else f" -p {module}.py")
        )


def module_name(name: str) -> str:
    """The Python module of a plugin's name: `my-loss` → `my_loss`."""
    module = name.replace("-", "_").lower()
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9]*([_-][A-Za-z0-9]+)*", name):
        raise UsageError(f"name '{name}': use letters, digits and single hyphens, a letter first, such as my-loss")
    if keyword.iskeyword(module) or importlib.util.find_spec(module) is not None:
        raise UsageError(
            f"name '{name}': Python has a word or a module '{module}' already; choose another, my-{name} say"
        )
    return module


def _not_taken(kind: Kind, name: str, plugin: list[str] | None, plugins_dir: list[Path] | None) -> None:
    from ganbench.cli import loading

    taken = [e for e in loading.look_up(plugin, plugins_dir).of(kind) if e.name == name]
    if taken:
        raise UsageError(
            f"{kind} '{name}' is registered already, by {taken[0].provenance.provider}; choose another name"
        )


def _package(kind: Kind, name: str, module: str) -> dict[Path, str]:
    folder = Path(name)
    return {
        folder / "pyproject.toml": _filled(kind, name, module, "pyproject.toml"),
        folder / module / "__init__.py": _filled(kind, name, module, f"{kind}.py"),
        folder / "tests" / f"test_{module}.py": _filled(kind, name, module, "test.py"),
    }


def _filled(kind: Kind, name: str, module: str, template: str) -> str:
    text = (files("ganbench.cli") / "templates" / f"{template}.txt").read_text(encoding="utf-8")
    return string.Template(text).substitute(kind=kind.value, name=name, module=module, title=name)
