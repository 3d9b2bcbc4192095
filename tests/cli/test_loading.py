"""Quick answers import neither torch nor a plugin; the bad ones among the plugins cost a warning each."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass

import pytest

PLUGIN = """
{}
from ganbench import Loss, hookimpl
@hookimpl
def ganbench_losses():
    yield Loss("{}", None, lambda D, fake: -D(fake))
"""
BAD = {"raises": "1 / 0", "dies": "import os; os._exit(3)", "hangs": "import time; time.sleep(600)"}
BAD |= {"crashes": "import ctypes; ctypes.string_at(0)"}
ANSWER = """
import json, sys
from ganbench.cli import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    print(json.dumps([end.code, sorted(sys.modules)]))
"""
HEAVY = {"torch", "torchvision", "torch_fidelity", "numpy", "pandas", "ganbench_zoo"}
pytestmark = pytest.mark.xdist_group("quick answers")


@dataclass(frozen=True)
class Answer:
    """imported: the modules that a quick answer has no business with."""

    code: int
    out: str
    told: str
    imported: set[str]


def answered(words: list[str], around: dict[str, str]) -> Answer:
    command = [sys.executable, "-c", ANSWER, *words]
    done = subprocess.run(command, env=around, capture_output=True, text=True, check=False)
    out, _, last = done.stdout.rstrip("\n").rpartition("\n")
    code, modules = json.loads(last)
    foreign = {m for m in modules if m.partition(".")[0] in HEAVY or m.startswith("ganbench_file_")}
    return Answer(code, out, done.stderr, foreign)


@pytest.fixture(scope="module")
def around(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment with a folder of plugins, good and bad, whose index is made."""
    folder = tmp_path_factory.mktemp("plugins")
    for name, text in {"good": "import torch", **BAD}.items():
        place = folder if name == "good" else folder / "bad"
        place.mkdir(exist_ok=True)
        (place / f"{name}.py").write_text(PLUGIN.format(text, name))
    cache = str(tmp_path_factory.mktemp("cache"))
    around = {**os.environ, "GANBENCH_CACHE": cache, "GANBENCH_PROBE_SECONDS": "2", "FOLDER": str(folder)}
    cold = answered(["list", "--plugins-dir", str(folder)], around)
    assert (cold.code, cold.told, cold.imported) == (0, "", set())
    return around


@pytest.mark.parametrize(
    ("words", "expected", "says"),
    [
        (["--help"], 0, "Usage: ganbench"),
        (["list", "loss"], 0, "good  "),
        (["plugins"], 0, "loss/good"),
        (["info", "good"], 0, "couples_samples"),
        (["info", "hinje"], 2, "nothing is called 'hinje'; did you mean hinge?"),
        (["run", "--suite", "mnsit"], 2, "no suite 'mnsit'; did you mean mnist, mnist-tuned, mnist-parts?"),
        (["run", "--suite", "mnist", "--tier", "quik"], 2, "has no tier 'quik'; did you mean quick?"),
        (["run", "--suite", "mnist", "--loss", "hinje"], 2, "no loss 'hinje'; did you mean hinge?"),
        (["run", "--suite", "mnist", "--regularizer", "r11"], 2, "no regularizer 'r11'; did you mean r1"),
        (["run", "--suite", "mnist", "--augmentation", "hinge"], 2, "no augmentation 'hinge'"),
        (["run", "--suite", "mnist", "--extractor", "mnist-cn@x"], 2, "no extractor 'mnist-cn'; did you mean"),
        (["run", "--suite", "mnist", "--dataset", "mnits"], 2, "no dataset 'mnits'; did you mean"),
        (["evaluate", "--samples", "x", "--dataset", "mnits"], 2, "no dataset 'mnits'; did you mean"),
        (["bench", "--preset", "sngam"], 2, "no preset 'sngam'; did you mean sngan"),
        (["bench", "--preset", "sngan", "--regularizer", "r11"], 2, "no regularizer 'r11'; did you mean r1"),
        (["check", "hinje"], 2, "nothing is called 'hinje'; did you mean hinge?"),
        (["new", "loss", "good"], 2, "loss 'good' is registered already"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_quick_answer_imports_no_plugin(words: list[str], expected: int, says: str, around: dict[str, str]) -> None:
    folder = [] if words[0] == "--help" else ["--plugins-dir", around["FOLDER"]]
    answer = answered([*words, *folder], around)
    assert answer.code == expected and says in (answer.told if expected else answer.out), answer.told
    assert answer.imported == set()


def test_bad_plugins_cost_a_warning_each(around: dict[str, str]) -> None:
    answer = answered(["list", "loss", "--plugins-dir", around["FOLDER"] + "/bad"], around)
    assert answer.code == 0 and answer.imported == set()
    assert "hinge" in answer.out
    warnings = sorted(answer.told.splitlines())
    assert [line.partition(".py is left out: ")[0].rpartition("/")[2] for line in warnings] == sorted(BAD)
