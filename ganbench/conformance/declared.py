"""Trainables: what stands in the record and in the file."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from typing import Any

from ganbench.api import Component
from ganbench.conformance.checks import WARNING, Advice, Skip
from ganbench.plan.recipe import ENGINE

MAX_LINES = 200


def recipe_keys(subject: Any) -> Advice | None:
    """A component's own keys carry its name; the others are keys that the engine or an architecture has."""
    record = subject.record
    if not isinstance(record, Component):
        return None
    strange = [k for k in record.recipe if "." in k and not k.startswith(f"{record.name}.")]
    if strange:
        return Advice(f"recipe keys of somebody else: {', '.join(strange)}", f"begin own keys with '{record.name}.'")
    heard = set(ENGINE) | {k for e in subject.registry.of("architecture") for k in e.record.recipe}
    unheard = [k for k in record.recipe if "." not in k and k not in heard]
    if unheard:
        return Advice(
            f"recipe keys that nobody hears: {', '.join(unheard)}",
            f"write '{record.name}.{unheard[0]}' if the key is the component's own",
        )
    return None


def brings(subject: Any) -> Advice | None:
    """What it brings is registered."""
    for name in getattr(subject.record, "brings", ()):
        subject.registry.component(name)
    return None


def fits(subject: Any) -> Advice | None:
    """There is data and there are partners that it goes with."""
    try:
        assert subject.entries
    except Skip as reason:
        return Advice(str(reason), "look at accepts, requires, forbids and fits; nothing else can be checked")
    return None


def paper(subject: Any) -> Advice | None:
    """A paper is named."""
    if subject.record.paper and subject.record.paper.strip():
        return None
    return Advice("no paper is named", 'give paper="arXiv:…", if there is one', WARNING)


def length(subject: Any) -> Advice | None:
    """A file that registers something has at most 200 lines of code."""
    file = getattr(sys.modules.get(subject.registered.provenance.module), "__file__", None)
    if file is None:
        raise Skip("the plugin has no file")
    lines = lines_of_code(Path(file).read_text(encoding="utf-8"))
    if lines <= MAX_LINES:
        return None
    return Advice(f"{lines} lines of code, more than {MAX_LINES}", "move shared layers to a module beside it", WARNING)


def lines_of_code(text: str) -> int:
    """Lines that hold something other than blanks, comments and strings that stand alone."""
    quiet: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            quiet |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    code = (line.strip() for at, line in enumerate(text.splitlines(), 1) if at not in quiet)
    return sum(bool(line) and not line.startswith("#") for line in code)


CHECKS = (recipe_keys, brings, fits, paper, length)
