"""What the documentation says is true: its commands run, its files load, its tables name every key and hook."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from ganbench import TERM_NAMES, Recipe, Regularizer, SampleSpec, plugins
from ganbench.plan.recipe import CHOICES, ENGINE, parse_setting
from ganbench.plan.suite import read_suite
from ganbench.plan.tuning import read_space
from ganbench.train.draws import Latents, Stream
from ganbench.train.engine import Engine
from ganbench.train.parts import HOOKS, ORDER, build_parts
from ganbench.train.sampling import Sampler
from ganbench.train.standard import two_player

ROOT = Path(__file__).resolve().parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "plugins" / "README.md",
    *sorted((ROOT / "plugins" / "examples").glob("*/README.md")),
    *sorted((ROOT / "docs").rglob("*.md")),
]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    page: Path
    language: str
    text: str

    @property
    def file(self) -> str | None:
        """The name under which the page says to save it: the last `*.py`, or `*.toml`, named before the block."""
        before = self.page.read_text(encoding="utf-8").split(self.text)[0]
        named = re.findall(rf"`(\w+\.{'toml' if self.language == 'toml' else 'py'})`", before)
        return named[-1] if named else None


BLOCKS = [Block(page, *found) for page in PAGES for found in FENCE.findall(page.read_text(encoding="utf-8"))]
FILES = {b.file: b.text for b in BLOCKS if b.language == "python" and b.file}
SUITES = {b.file: b.text for b in BLOCKS if b.language == "toml" and b.file}
ASKING = ("info", "list", "plugins")
"""Verbs whose commands are run also where a sentence has them, unless a word in capitals stands for another."""


def commands() -> list[str]:
    """Every `ganbench …` line of the console blocks, and every question in a sentence, each once, in order."""
    lines = [
        line.removeprefix("$ ")
        for b in BLOCKS
        if b.language in ("console", "bash", "sh")
        for line in b.text.splitlines()
    ]
    for page in PAGES:
        said = re.findall(r"`(ganbench\s[^`]+)`", FENCE.sub("", page.read_text(encoding="utf-8")))
        words = [line.split() for line in said]
        lines += [" ".join(w) for w in words if w[1] in ASKING and not any(word.isupper() for word in w)]
    return list(dict.fromkeys(line for line in lines if line.split()[:1] == ["ganbench"]))


EXAMPLE = ROOT / "plugins" / "examples" / "boundary-seeking"
FIRST = [
    "ganbench run --suite smoke -p my_loss.py --loss mine",
    "ganbench run --suite smoke -p my_gan.py --architecture my-gan",
    "ganbench new loss mine",
    "ganbench run --suite smoke -p mine.py --loss mine",
    "ganbench run --suite smoke --architecture mlp --loss boundary:boundary-seeking",
    "ganbench new regularizer calm",
    "ganbench run --suite my.toml -p calm.py -p my_game.py",
]
"""Commands of the pages that are run as they stand; other runs are planned only."""


def test_the_pages_have_commands_and_files() -> None:
    assert len(commands()) >= 5
    assert {"my_loss.py", "my_gan.py", "my_game.py"} <= set(FILES)
    assert {"my.toml"} <= set(SUITES)
    assert {"ganbench info dataset/mnist", "ganbench info architecture/dcgan"} <= set(commands())


def planned(command: str) -> str:
    """The command, with `--dry-run` where it would train."""
    words = shlex.split(command)
    trains = words[1] in ("run", "tune") and not {"--help", "--dry-run"} & set(words)
    return f"{command} --dry-run" if trains else command


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, pip_install: Callable[[Path, Path], None]) -> Path:
    """A folder as a newcomer has it after README: the files saved, the example distribution installed (by pip, beside
    the program), and the first commands typed into a shell."""
    folder = tmp_path_factory.mktemp("desk")
    for name, text in {**FILES, **SUITES}.items():
        (folder / name).write_text(text, encoding="utf-8")
    pip_install(EXAMPLE, folder / "site")
    done = shell(" && ".join(FIRST), folder)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return folder


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A line typed in a folder, by somebody who has `ganbench` and what lies in the folder's `site`."""
    path = os.pathsep.join([str(folder / "site"), *filter(None, sys.path)])
    line = f'ganbench() {{ {shlex.quote(sys.executable)} -m ganbench "$@"; }}; {line}'
    environment = {**os.environ, "PYTHONPATH": path}
    return subprocess.run(
        ["sh", "-c", line],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.xdist_group("desk")
@pytest.mark.parametrize("command", list(dict.fromkeys(planned(c) for c in commands() if c not in FIRST)))
def test_commands_work(command: str, desk: Path) -> None:
    if "--ask" in command and "--on slurm" in command:
        pytest.importorskip("submitit", reason="needs submitit, which knows what jobs may ask for")
    done = shell(command, desk)
    assert done.returncode == 0, f"$ {command}\n{done.stdout[-2000:]}{done.stderr[-2000:]}"
    assert done.stdout.strip(), f"$ {command} printed nothing"


@pytest.mark.xdist_group("desk")
def test_what_the_newcomer_wrote_has_rows(desk: Path) -> None:
    """The loss and the GAN typed from the pages, the loss that `ganbench new` wrote, and the installed one, whose
    record names it."""
    assert set(FIRST) <= set(commands())
    records = [json.loads(file.read_text()) for file in (desk / "runs" / "smoke").glob("*/result.json")]
    rows = {(r["entry"]["label"], p["provider"], p["distribution"]) for r in records for p in r["plugins"]}
    for architecture in ("mlp", "dcgan"):
        assert {(f"{architecture} · mine", provider, None) for provider in ("my_loss", "mine")} <= rows
    assert ("my-gan · non-saturating", "my_gan", None) in rows
    assert ("mlp · boundary-seeking", "boundary", "boundary-seeking") in rows
    for record in records:
        assert record["status"] == "completed", record
    own = {json.loads(f.read_text())["entry"]["label"]: f.parent for f in (desk / "runs").glob("my-*/*/result.json")}
    assert {"mlp · hinge + calm", "my-game"} <= set(own), own
    events = [json.loads(line) for line in (own["my-game"] / "events.jsonl").read_text().splitlines()]
    assert [e["value"] for e in events if e["kind"] == "probe" and e["name"] == "margin"]
    assert "mine" in shell("ganbench leaderboard runs", desk).stdout


@pytest.mark.parametrize("name", sorted(FILES))
def test_files_load_and_are_as_short_as_promised(name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text(FILES[name], encoding="utf-8")
    found = [e for e in plugins.load(asked=[str(file)]).entries if e.provenance.asked]
    assert len(found) == 1
    code = [line for line in FILES[name].splitlines() if line.strip()]
    assert len(code) <= 27, f"{name} has {len(code)} lines"


SPACES = [b for b in BLOCKS if b.language == "toml" and b.file == "space.toml"]


def test_search_spaces_in_the_pages_are_some(tmp_path: Path) -> None:
    assert SPACES
    for block in SPACES:
        (tmp_path / "space.toml").write_text(block.text, encoding="utf-8")
        assert len(read_space(tmp_path / "space.toml").draw(0)) == 8


@pytest.mark.parametrize(
    "block", [b for b in BLOCKS if b.language == "toml" and b not in SPACES], ids=lambda b: b.page.name
)
def test_suites_in_the_pages_are_suites(block: Block, tmp_path: Path, registry: plugins.Registry) -> None:
    file = tmp_path / "shown.toml"
    file.write_text(block.text, encoding="utf-8")
    suite = read_suite(file)
    for kind, names in {
        "dataset": [name for stream, name in suite.datasets.items() if stream not in suite.sources],
        "extractor": suite.extractors,
        "metric": suite.metrics,
        "scale-row": suite.scale_rows,
    }.items():
        for name in names:
            registry.find(kind, name)
    for tier in suite.tiers.values():
        for entry in tier.entries:
            for kind, names in (("architecture", entry.architectures), ("loss", entry.losses)):
                for name in names:
                    registry.find(kind, name)
            if entry.preset:
                registry.find("preset", entry.preset)
        if tier.offline:
            registry.find("dataset", tier.offline)


def test_every_key_of_a_suite_is_documented() -> None:
    sources = [(ROOT / "ganbench" / "plan" / name).read_text(encoding="utf-8") for name in ("suite.py", "own.py")]
    keys = {
        call.args[0].value
        for source in sources
        for call in ast.walk(ast.parse(source))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in ("take", "words")
        and call.args
        and isinstance(call.args[0], ast.Constant)
    }
    assert len(keys) > 20
    page = (ROOT / "docs" / "suites.md").read_text(encoding="utf-8")
    missing = {key for key in keys if not re.search(rf"`[^`]*\b{re.escape(key)}\b[^`]*`", page)}
    assert not missing, f"docs/suites.md says nothing of {sorted(missing)}"


def test_every_recipe_key_of_the_engine_is_documented_with_its_default() -> None:
    page = (ROOT / "docs" / "suites.md").read_text(encoding="utf-8")
    section = page.split("## The engine's recipe keys")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`.+?`) \| `(.+?)` \| (.+?) \|$", section, re.MULTILINE)
    shown = {key: parse_setting(f"{key}={value}")[1] for keys, value, _ in rows for key in re.findall(r"`(\w+)`", keys)}
    assert {k: tuple(v) if isinstance(v, list) else v for k, v in shown.items()} == dict(ENGINE)
    for key, choices in CHOICES.items():
        said = next(meaning for keys, _, meaning in rows if keys == f"`{key}`")
        default = repr(ENGINE[key])
        assert all(f'"{c}"' in said for c in choices if repr(c) != default), f"{key}: {said}"


def test_every_name_and_hook_is_documented() -> None:
    page = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
    missing = {word for word in TERM_NAMES | set(ORDER) if not re.search(rf"`[^`]*\b{word}\b[^`]*`", page)}
    missing |= {hook for hook in {*HOOKS, "sees", "wrap"} if f"| `{hook}(" not in page}
    assert not missing, f"docs/plugins.md says nothing of {sorted(missing)}"
    table = (ROOT / "plugins" / "README.md").read_text(encoding="utf-8")
    lacking = {hook for hook, _ in plugins.KINDS.values() if f"`{hook}`" not in table}
    assert not lacking, f"plugins/README.md says nothing of {sorted(lacking)}"


def test_every_column_of_a_published_table_is_documented_and_read_as_shown(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = ROOT / "docs" / "reading-a-leaderboard.md"
    (shown,) = [block for block in BLOCKS if block.page == page and block.language == "python"]
    rows = re.findall(
        r"^\| (`.*?) \|", page.read_text(encoding="utf-8").partition("## The table as data")[2], re.MULTILINE
    )
    told = [name for row in rows for name in re.findall(r"`(\w+)`", row)]
    header = (ROOT / "results" / "mnist-quick" / "leaderboard.csv").read_text(encoding="utf-8").splitlines()[0]
    assert sorted(told) == sorted(header.split(","))
    monkeypatch.chdir(ROOT)
    exec(compile(shown.text, page.name, "exec"), {})
    said = capsys.readouterr().out
    assert said.split()[:4] == ["value", "seconds", "architecture", "loss"] and "wgan-gp" in said and "NaN" not in said


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    targets = [t.partition("#")[0] for t in re.findall(r"\]\(([^)\s]+)\)", text) if "://" not in t]
    broken = [t for t in targets if t and not (page.parent / t).exists()]
    assert not broken, f"{page.relative_to(ROOT)}: {broken}"


COMMON = "nets, D, G, recipe, spec, step, progress, engine, own"
PROMISED = {
    "sees": "spec",
    "wrap": "player, maker",
    "view": f"batch, {COMMON}",
    "latents": f"batch, turn, real, reals, {COMMON}",
    "inputs": f"batch, reals, {COMMON}",
    "weigh": f"turn, name, values, fake, real, latents, {COMMON}",
    "opponent": f"real, fake, latents, {COMMON}",
    "around": f"turn, {COMMON}",
    "after": f"turn, seen, {COMMON}",
    "at_step": "step, progress, recipe",
}
"""Hook -> every name that docs/plugins.md says it may ask for."""


def test_every_hook_is_handed_what_the_page_promises(registry: plugins.Registry) -> None:
    """A component that has every hook and asks each for all there is, played for two cycles and sampled from."""
    called: set[str] = set()
    passed_on = {"sees": "spec", "wrap": "maker", "view": "batch", "latents": "batch", "inputs": "batch"}
    passed_on |= {"weigh": "values", "opponent": "D"}
    scope: dict[str, Any] = {"called": called}
    for hook, names in PROMISED.items():
        exec(f"def {hook}(self, {names}):\n called.add('{hook}')\n return {passed_on.get(hook)}", scope)
    module = type("Everything", (torch.nn.Module,), {hook: scope[hook] for hook in PROMISED})
    everything = Regularizer("everything", build=lambda spec, recipe: module())
    architecture, loss = registry.get("architecture", "mlp"), registry.get("loss", "hinge")
    recipe = Recipe({**ENGINE, **architecture.recipe, "width": 8, "batch_size": 4})
    spec = SampleSpec((1, 4, 4))
    game = two_player(architecture, build_parts([loss, everything], spec, recipe), spec, recipe)
    stream = Stream(torch.zeros(8, 1, 4, 4, dtype=torch.uint8), None, spec, seed=0)
    engine = Engine(game, recipe, spec, {"A": stream}, Latents(recipe, 0, torch.device("cpu"), None), seed=0)
    engine.cycle(0.0)
    engine.cycle(0.5)
    sampler = Sampler(engine, torch.uint8, seed=0)
    made, _ = sampler.draw(sampler.networks("last-raw"), 3, "test")
    assert made.shape == (3, 1, 4, 4)
    assert called == set(PROMISED) == {*HOOKS, "sees", "wrap"}
