"""Every public name of `ganbench` is explained, field by field, in its docstring and in docs/api.md."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import itertools
import re
from pathlib import Path
from typing import Any

import pytest

import ganbench

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "api.md").read_text(encoding="utf-8")
ENTRIES: dict[str, str] = dict(re.findall(r"^\*\*`(\w+)`\*\*(.*?)(?=^\*\*`|^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
"""Name -> its paragraph on the page."""
NOT_RAISING = {"ANYTHING", "API_VERSION", "TERM_NAMES", "UsageError", "Unavailable", "Caution"}
COMMON = {"name", "paper"}
"""Fields that the module's docstring and the page explain once for all records."""


def parts(value: Any) -> set[str]:
    """The fields of a record, or the parameters of a function."""
    if inspect.isclass(value) and dataclasses.is_dataclass(value):
        return {f.name for f in dataclasses.fields(value)}
    return set(inspect.signature(value).parameters) if inspect.isfunction(value) else set()


def docstring(name: str) -> str:
    """Of a class with its bases, of a function, or the string below a constant."""
    value = getattr(ganbench, name)
    if inspect.isclass(value):
        return "\n".join(vars(c).get("__doc__") or "" for c in value.__mro__ if c.__module__.startswith("ganbench."))
    if inspect.isfunction(value):
        return value.__doc__ or ""
    for module in ("ganbench.api", "ganbench.hookspecs"):
        body = ast.parse(inspect.getsource(importlib.import_module(module))).body
        for node, below in itertools.pairwise(body):
            named = isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name
            if named and isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
                return str(below.value.value)
    return ""


def test_the_page_has_every_name_and_no_other() -> None:
    assert list(ENTRIES) == list(dict.fromkeys(ENTRIES)) and set(ENTRIES) == set(ganbench.__all__)


@pytest.mark.parametrize("name", ganbench.__all__)
def test_a_name_is_explained(name: str) -> None:
    value, said, entry = getattr(ganbench, name), docstring(name), ENTRIES[name]
    assert said.strip(), f"{name} has no docstring"
    own = parts(value) - (parts(ganbench.Component) if name in ("Loss", "Regularizer", "Augmentation") else set())
    lacking = {part for part in own - COMMON if not re.search(rf"\b{part}\b", said)}
    assert not lacking, f"the docstring of {name} says nothing of {sorted(lacking)}"
    lacking = {part for part in own if not re.search(rf"`[^`]*\b{part}\b[^`]*`", entry)}
    assert not lacking, f"docs/api.md says nothing of {sorted(lacking)} of {name}"
    assert name in NOT_RAISING or "Errors: " in entry, f"docs/api.md does not say what is an error with {name}"
    methods = {k: v for k, v in vars(value).items() if inspect.isfunction(v) and k[0] != "_"} if own else {}
    undocumented = [k for k, v in methods.items() if not v.__doc__ and k not in parts(value)]
    assert not undocumented, f"{name}: no docstring for {undocumented}"
