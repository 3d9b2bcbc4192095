"""LaTeX of leaderboards: what it may contain, what it says, and that a real LaTeX takes it."""

import re
import shutil
import subprocess
import unicodedata
from pathlib import Path

import pytest
from made_records import record, rows, scale_records

from ganbench.publish import render
from ganbench.rank import from_records, leaderboards

RESULTS = Path(__file__).parents[2] / "results"
HOSTILE = r"\input{/etc/passwd} $x$ ^2 ~_# 50% & {a} [b] *c <d> |e| `f' ''g'' -- --- ,, \\[2cm] ^^M é Ż ŉ 中 α ✗ 😀"
COMMANDS = {
    "begin", "end", "centering", "footnotesize", "caption", "label", "linewidth", "toprule", "midrule", "bottomrule",
    "medskip", "cdot", "times", "downarrow", "uparrow", "textbackslash", "textasciitilde", "textasciicircum",
    "textasciigrave", "alpha", "dag", "to",
}  # fmt: skip
WHOLE = r"""\documentclass{article}
%s
\begin{document}
\showboxbreadth=1000 \showboxdepth=1000
%s
\end{document}
"""


def boards():
    spoilt = [record(HOSTILE, seed, 300.0 + seed, suite={"note": HOSTILE, "title": HOSTILE}) for seed in range(3)]
    more = rows(alpha=[121.0, 139.0, 160.0])
    for one in [*more, *(scale := scale_records())]:
        one["suite"] |= {"note": HOSTILE, "title": HOSTILE}
    return from_records([*spoilt, *more, *scale])


def test_a_table_says_what_the_other_pages_say():
    page = render(boards(), "latex")
    (row,) = [line for line in page.splitlines() if line.startswith("1 & alpha")]
    assert row.split(" & ")[2] == "139 {[}98, 197{]}" and row.endswith(r" \\")
    several = render([*leaderboards([RESULTS / "mnist-quick"]), *boards(), *boards()], "latex")
    labels = [
        "tab:mnist-quick",
        "tab:mnist-quick-times",
        "tab:mnist-quick-equal",
        "tab:mnist-quick-2",
        "tab:mnist-quick-2-times",
    ]
    labels += ["tab:toys-full", "tab:toys-full-2"]
    assert re.findall(r"\\label\{(.*)\}", several) == labels
    assert page.startswith("% \\usepackage{adjustbox,booktabs}\n") and "\\label{tab:toys-full}" in page
    first, second = page.split(r"\begin{tabular}")[1:]
    assert "images/s" in second and "images/s" not in first.split(r"\end{tabular}")[0]


def test_nothing_that_a_record_says_is_a_command():
    page = render(boards(), "latex")
    body = page.partition("\n")[2]
    said = set(re.findall(r"\\([A-Za-z]+)", body))
    assert said <= COMMANDS | {"char"}
    bare = re.sub(r"\\[{}$&#_%]", "", body)
    assert "%" not in bare and "#" not in bare and "_" not in bare and "~" not in bare and "^" not in bare
    assert bare.count("{") == bare.count("}") and all(ch.isascii() or unicodedata.category(ch)[0] == "L" for ch in bare)
    for words in bare.split(r"\begin{tabular}")[1:]:
        form, _, table = words.partition("@{}}")
        cells = [line.count("&") for line in table.split(r"\end{tabular}")[0].splitlines() if line.endswith(r"\\")]
        assert set(cells) == {len(form.removeprefix("{@{}")) - 1}
    assert "[U+4E2D]" in body.replace("{[}", "[").replace("{]}", "]")
    assert "-{}-{}-" in body and "$-$" not in body
    assert "$-$0.000619" in render(leaderboards([RESULTS / "mnist-quick"]), "latex")


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex with adjustbox and booktabs")
def test_a_real_latex_takes_every_table(tmp_path: Path):
    letters = "".join(chr(code) for code in range(0x21, 0x250) if unicodedata.category(chr(code))[0] != "C")
    strange = from_records([record(letters, seed, 100.0 + seed) for seed in range(3)])
    pages = [render(some, "latex") for some in (boards(), strange, leaderboards([RESULTS]))]
    (tmp_path / "tables.tex").write_text(WHOLE % ("\\usepackage{adjustbox,booktabs}", "\n".join(pages)), "utf-8")
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "tables.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout[-2000:]
    log = (tmp_path / "tables.log").read_text(errors="replace")
    assert "Missing character" not in log and "root:" not in log
