"""What a shell may complete a word to, from the index; a mistake elsewhere on the line completes to nothing."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import typer

from ganbench.errors import UsageError, one_line

if TYPE_CHECKING:
    from ganbench.plugins import Registry

WIDTH = 60
"""Characters of what a shell shows beside a word."""

Candidates = list[tuple[str, str]]
"""Words, and what each stands for."""
Complete = Callable[[typer.Context, str], Candidates]


def names(kind: str) -> Complete:
    """The names of one kind."""

    def complete(ctx: typer.Context, incomplete: str) -> Candidates:
        def found() -> Iterator[tuple[str, str]]:
            yield from ((e.name, e.record.summary) for e in _registry(ctx).of(kind))

        return _starting(incomplete, found())

    return complete


def kinds(incomplete: str) -> Candidates:
    """Every kind."""
    from ganbench.plugins import KINDS

    return _starting(incomplete, ((kind, "") for kind in KINDS))


def modes(incomplete: str) -> Candidates:
    """Every mode of training."""
    from ganbench.plan.modes import MODES

    return _starting(incomplete, ((mode, "") for mode in MODES))


def anything(ctx: typer.Context, incomplete: str) -> Candidates:
    """Every name, and with its kind before it where several kinds share it, or a slash is typed."""

    def found() -> Iterator[tuple[str, str]]:
        registry = _registry(ctx)
        for e in registry.entries:
            yield e.name, e.record.summary
            if "/" in incomplete or any(o.name == e.name and o.kind != e.kind for o in registry.entries):
                yield f"{e.kind}/{e.name}", e.record.summary

    return _starting(incomplete, found())


def extractors(ctx: typer.Context, incomplete: str) -> Candidates:
    """The names of extractors; behind one and `@`, its layers."""

    def found() -> Iterator[tuple[str, str]]:
        for e in _registry(ctx).of("extractor"):
            yield e.name, e.record.summary
            if "@" in incomplete:
                yield from ((f"{e.name}@{layer}", "") for layer in e.record.fields.get("layers", ()))

    return _starting(incomplete, found())


def tiers(ctx: typer.Context, incomplete: str) -> Candidates:
    """The tiers of the suite that the line names before."""

    def found() -> Iterator[tuple[str, str]]:
        from ganbench.cli.planning import find_suite

        if suite := ctx.params.get("suite"):
            yield from ((tier.name, tier.note) for tier in find_suite(_registry(ctx), suite).tiers.values())

    return _starting(incomplete, found())


def _registry(ctx: typer.Context) -> Registry:
    from ganbench.index import Index

    index = Index.of(ctx.params.get("plugin"), ctx.params.get("plugins_dir"))
    return index.kept() or index.load()


def _starting(incomplete: str, found: Iterable[tuple[str, str]]) -> Candidates:
    try:
        return sorted({word: _short(about) for word, about in found if word.startswith(incomplete)}.items())
    except (UsageError, OSError):
        return []


def _short(about: str) -> str:
    """A few words; brackets would be taken for markup."""
    plain = one_line(about).translate(str.maketrans("[]", "()"))
    return textwrap.shorten(plain, WIDTH, placeholder=" …")
