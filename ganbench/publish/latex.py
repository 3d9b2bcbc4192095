"""Leaderboards as LaTeX tables with the rules of `booktabs`, shrunk by `adjustbox` where they are wider than the text;
nothing that a record says can become a command.

What pdfLaTeX has no glyph for in its default fonts stands as its code point, `[U+2603]`, so that a paper compiles.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from ganbench.publish.parts import Part, parts
from ganbench.publish.tables import Field, Table, table
from ganbench.publish.text import plain
from ganbench.rank import Leaderboard

HEAD = r"% \usepackage{adjustbox,booktabs}"
_ASCII = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "`": r"\textasciigrave{}",
    '"': r"\char34{}", "<": "$<$", ">": "$>$", "|": "$|$", "[": "{[}", "]": "{]}", "*": "{*}",
    **{ch: f"\\{ch}" for ch in "{}$&#_%"},
}  # fmt: skip
"""Brackets and stars would be options of the end of the row before them."""
_JOINED = re.compile(r"([-',])(?=\1)")
"""Marks that LaTeX would make one sign of."""
_MINUS = re.compile(r"(?<![\w-])-(?=\d)")
_SIGNS = {
    "·": r"$\cdot$", "–": "--", "—": "---", "×": r"$\times$", "✗": r"$\times$", "†": r"\dag{}", "…": r"\dots{}",
    "↓": r"$\downarrow$", "↑": r"$\uparrow$", "→": r"$\to$", "±": r"$\pm$", "∞": r"$\infty$", "≤": r"$\le$",
    "≥": r"$\ge$", "’": "'", "µ": r"$\mu$",
}  # fmt: skip
_NAMES = """
    alpha beta gamma delta varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau upsilon varphi chi psi
    omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega
"""
_GREEK = dict(
    zip(
        "αβγδεζηθικλμνξπρστυφχψωΓΔΘΛΞΠΣΥΦΨΩ",
        _NAMES.split(),
        strict=True,
    )
)
_KNOWN = {"\0": "$-$", "\1": "{}", **_ASCII, **_SIGNS, **{letter: f"$\\{name}$" for letter, name in _GREEK.items()}}
_WITHOUT_GLYPH = frozenset("«»ÐÞðþĄąĐđĘęĦħĮįĸĿŀŉŊŋŦŧŲųſ")
"""Of the Latin letters that LaTeX knows: those that are not in its first font encoding, or in none."""


def escape(text: object) -> str:
    """Text that pdfLaTeX sets as it stands."""
    marked = _JOINED.sub("\\1\1", _MINUS.sub("\0", plain(text)))
    return "".join(_glyph(ch) for ch in marked)


def _glyph(ch: str) -> str:
    if ch in _KNOWN:
        return _KNOWN[ch]
    return ch if ch < "\u0180" and ch not in _WITHOUT_GLYPH else f"{{[}}U+{ord(ch):04X}{{]}}"


def render(leaderboards: Iterable[Leaderboard]) -> str:
    """One floating table each: scores, costs below them, and what there is to say of both; another one for each part
    with tables of its own (times to quality, equal spend)."""
    floats: list[str] = []
    seen: Counter[str] = Counter()
    for board in leaderboards:
        name = re.sub(r"[^A-Za-z0-9.]+", "-", board.suite["id"])
        seen[name] += 1  # a suite may have several tables
        label = f"tab:{name}-{seen[name]}" if seen[name] > 1 else f"tab:{name}"
        words, found = table(board), parts(board)
        floats.append(_float(words, label, [note for part in found if not part.tables for note in part.notes]))
        floats += [_part(part, words.title, f"{label}-{part.name}") for part in found if part.tables]
    return "\n".join([HEAD, "", *floats]) if floats else ""


def _float(words: Table, label: str, more: list[str]) -> str:
    scores = words.only(lambda column: column.part in ("name", "headline", "score", "quality"))
    costs = words.only(lambda column: column.title == "Entry" or column.part == "cost")
    entries = {name: rows for name, rows in costs.sections.items() if name in ("entries", "unranked")}
    tabulars = [_tabular(scores.fields, list(scores.sections.values()))]
    if entries and len(costs.fields) > 1:
        tabulars.append(_tabular(costs.fields, list(entries.values())))
    return _floating(words.title, label, tabulars, [*words.captions, *words.notes, *more])


def _part(part: Part, title: str, label: str) -> str:
    tabulars = [
        [escape(words.title), "", *_tabular(words.fields, list(words.sections.values()))] for words in part.tables
    ]
    return _floating(f"{part.title}: {title}", label, tabulars, part.notes)


def _floating(title: str, label: str, tabulars: Iterable[Iterable[str]], said: list[str]) -> str:
    lines = [r"\begin{table}", r"\centering\footnotesize", rf"\caption{{{escape(title)}}}", rf"\label{{{label}}}"]
    for tabular in tabulars:
        lines += [*tabular, "", r"\medskip"]
    words = [escape(line) for line in said]
    return "\n".join([*lines, r"\begin{minipage}{\linewidth}", *words, r"\end{minipage}", r"\end{table}", ""])


def _tabular(fields: list[Field], sections: list[list[list[str]]]) -> Iterator[str]:
    yield r"\begin{adjustbox}{max width=\linewidth}"
    yield rf"\begin{{tabular}}{{@{{}}{''.join('l' if column.left else 'r' for column in fields)}@{{}}}}"
    yield r"\toprule"
    yield _row([column.title for column in fields])
    for rows in sections:
        yield r"\midrule"
        yield from (_row(row) for row in rows)
    yield r"\bottomrule"
    yield r"\end{tabular}"
    yield r"\end{adjustbox}"


def _row(cells: list[str]) -> str:
    return " & ".join(escape(cell) for cell in cells) + r" \\"
