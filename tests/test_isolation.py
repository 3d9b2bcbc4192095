"""A bad plugin that nobody asked for costs one warning and nothing else; one that was asked for is an error."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ganbench import plugins
from ganbench.cli import main
from ganbench.errors import UsageError

LOSS = """
@hookimpl
def ganbench_losses():
    yield Loss("{}", lambda D, real, fake: D(fake) - D(real), lambda D, fake: -D(fake))
"""


@dataclass(frozen=True)
class Bad:
    """A plugin's lines after the first, which imports from ganbench, and what is said of it."""

    text: str
    reason: str


BAD = {
    "syntax": Bad("x = (\n", "syntax.py, line 2: SyntaxError"),
    "imports": Bad("import nonsense_that_is_not_there\n", "imports.py, line 2: ModuleNotFoundError"),
    "misspelt": Bad(LOSS.replace("losses", "loses"), "misspelt.py, line 3: HookError: unknown hook ganbench_loses"),
    "argument": Bad(LOSS.replace("losses()", "losses(x)"), "argument.py, line 3: HookError: hook ganbench_losses must"),
    "raises": Bad("@hookimpl\ndef ganbench_losses():\n    yield {}['x']\n", "raises.py, line 4: KeyError: 'x'"),
    "yields": Bad("@hookimpl\ndef ganbench_losses():\n    yield 1\n", "must yield Loss, not int"),
    "exits": Bad("import sys\nsys.exit(3)\n", "exits.py, line 3: SystemExit: 3"),
    "dies": Bad("import os\nos._exit(4)\n", "its import ended the process with exit code 4"),
    "hangs": Bad("import time\ntime.sleep(600)\n", "hangs.py, line 3: its import did not end within 2 s"),
    "hangs_later": Bad(
        "import time\n@hookimpl\ndef ganbench_losses():\n    time.sleep(600)\n", "hangs_later.py, line 5: its import"
    ),
    "segfault": Bad(
        "import ctypes\nctypes.string_at(0)\n", "segfault.py, line 3: its import crashed the process with SIGSEGV"
    ),
    "interrupts": Bad("raise KeyboardInterrupt\n", "interrupts.py, line 2: KeyboardInterrupt"),
}


def write(folder: Path, name: str, text: str) -> Path:
    folder.mkdir(exist_ok=True)
    file = folder / f"{name}.py"
    file.write_text(f"from ganbench import Loss, hookimpl\n{text}")
    return file


def bad_folder(folder: Path) -> Path:
    for name, bad in BAD.items():
        write(folder, name, bad.text)
    (folder / "dangling.py").symlink_to(folder / "nowhere")
    return folder


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has been tried before, and little patience."""
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("GANBENCH_PROBE_SECONDS", "2")


def distribution(folder: Path) -> None:
    """An installed distribution whose package ends the process, and whose entry point is a module inside."""
    package, about = folder / "evil", folder / "evil-1.0.dist-info"
    (package / "parts").mkdir(parents=True)
    about.mkdir()
    (package / "__init__.py").write_text("import os\nos._exit(5)\n")
    (package / "parts" / "__init__.py").touch()
    (package / "parts" / "more.py").touch()
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: evil\nVersion: 1.0\n")
    (about / "entry_points.txt").write_text("[ganbench]\nevil = evil.parts\ngone = nowhere_at_all\n")


def program(*words: str, path: Path | None = None) -> subprocess.CompletedProcess[str]:
    paths = [str(path)] if path else []
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([*paths, *filter(None, sys.path)])}
    command = [sys.executable, "-m", "ganbench", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=300)


def test_each_costs_one_warning(tmp_path: Path) -> None:
    """All at once: files, and a distribution that ends the process as soon as anything of it is imported."""
    folder = bad_folder(tmp_path / "bad")
    write(folder, "good", LOSS.format("good"))
    distribution(tmp_path / "site")
    words = ["run", "--suite", "smoke", "--loss", "good", "--architecture", "mlp", "--dry-run", "--device", "cpu"]
    out = ["--out", str(tmp_path / "runs"), "--format", "json"]
    done = program(*words, *out, "--plugins-dir", str(folder), path=tmp_path / "site")
    assert done.returncode == 0, done.stderr
    assert "mlp · good" in {r["label"] for r in json.loads(done.stdout)["runs"]}
    lines = done.stderr.splitlines()
    for name, bad in BAD.items():
        found = [line for line in lines if f"{name}.py is left out" in line]
        assert len(found) == 1 and bad.reason in found[0], (name, done.stderr)
    assert len([line for line in lines if "dangling.py is left out: cannot be read" in line]) == 1
    evil = [line for line in lines if "evil" in line]
    assert len(evil) == 1 and "evil.parts is left out: its import ended the process with exit code 5" in evil[0]
    assert len([line for line in lines if "gone" in line]) == 1
    assert len(lines) == len(BAD) + 3, done.stderr


@pytest.mark.parametrize("name", BAD)
def test_asked_for_it_is_an_error(name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write(tmp_path / "bad", name, BAD[name].text)
    with pytest.raises(SystemExit) as ended:
        main(["list", "-p", str(file)])
    out, told = capsys.readouterr()
    assert (ended.value.code, out, told.count("\n")) == (2, "", 1), told
    assert told.startswith(f"ganbench: plugin {file}: ") and BAD[name].reason in told
    with pytest.raises(SystemExit):  # also where it lies in a folder that is searched
        main(["list", "-p", str(file), "--plugins-dir", str(file.parent)])
    assert BAD[name].reason in capsys.readouterr().err


def imports(log: Path) -> list[str]:
    """The processes that have imported a plugin of `counting`, in order."""
    return log.read_text().split() if log.exists() else []


def counting(log: Path) -> str:
    return f"import os\nwith open({str(log)!r}, 'a') as f:\n    f.write(f'{{os.getpid()}} ')\n"


def test_a_plugin_is_tried_out_once(tmp_path: Path) -> None:
    log, here = tmp_path / "log", str(os.getpid())
    file = write(tmp_path / "some", "counts", counting(log))
    for others in (1, 1):  # the second time, only this process imports it
        plugins.load(directories=[file.parent])
        assert len([p for p in imports(log) if p != here]) == others
    assert imports(log).count(here) == 2
    write(file.parent, "counts", counting(log) + "changed = True\n")
    plugins.load(directories=[file.parent])
    assert len([p for p in imports(log) if p != here]) == 2
    for kept in (tmp_path / "cache" / "probes").iterdir():
        kept.write_text("damaged")
    plugins.load(directories=[file.parent])
    assert len([p for p in imports(log) if p != here]) == 3


def test_a_death_is_remembered_an_exception_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "log"
    write(tmp_path / "some", "dies", counting(log) + "os._exit(4)\n")
    write(tmp_path / "some", "wants", "import wanted_by_a_test\n" + LOSS.format("wanting"))
    for _ in range(2):
        found = plugins.load(directories=[tmp_path / "some"])
        assert [Path(b.source).stem for b in found.broken] == ["dies", "wants"]
        assert "exit code 4" in found.broken[0].reason
    assert len(imports(log)) == 1
    (tmp_path / "late").mkdir()
    (tmp_path / "late" / "wanted_by_a_test.py").touch()
    monkeypatch.syspath_prepend(tmp_path / "late")
    assert "wanting" in plugins.load(directories=[tmp_path / "some"]).names("loss")


@pytest.mark.parametrize("text", ["soon", "0", "-1", "nan"])
def test_patience_is_a_number(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GANBENCH_PROBE_SECONDS", text)
    with pytest.raises(UsageError, match=f"GANBENCH_PROBE_SECONDS={text}"):
        plugins.load([str(write(tmp_path / "some", "good", LOSS.format("good")))])


def test_of_two_with_one_name_the_unasked_one_loses(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    mine = write(tmp_path / "a", "mine", LOSS.format("hinge"))
    yours = write(tmp_path / "b", "yours", LOSS.format("hinge"))

    unasked = plugins.load(directories=[mine.parent])
    assert unasked.find("loss", "hinge").provenance.distribution == "ganbench"
    assert unasked.find("loss", "mine:hinge").provenance.source == str(mine)
    assert [unasked.find("loss", name).name for name in ("hinge", "zoo:hinge", "mine:hinge")] == [
        "hinge",
        "hinge",
        "mine:hinge",
    ]
    (line,) = unasked.clashes()
    assert all(words in line for words in ("mine:hinge", str(mine), "zoo:hinge", "hinge alone means the latter"))

    asked = plugins.load([str(mine)], [yours.parent])
    assert asked.find("loss", "hinge").provenance.provider == "mine"
    assert asked.find("loss", "zoo:hinge").provenance.provider == "zoo"
    assert len(asked.clashes()) == 2

    both = plugins.load([str(mine), str(yours)])
    with pytest.raises(UsageError, match="pick one: mine:hinge, yours:hinge"):
        both.find("loss", "hinge")
    assert both.find("loss", "yours:hinge").provenance.provider == "yours"

    with pytest.raises(SystemExit) as ended:
        main(["info", "loss/hinge", "--plugins-dir", str(mine.parent)])
    out, told = capsys.readouterr()
    assert ended.value.code == 0 and "1705.02894" in out
    assert told.count("\n") == 1 and told.startswith("ganbench: warning: loss 'hinge' is claimed by mine:hinge")


MEDDLES = """
import os, sys, torch
torch.set_default_dtype(torch.float64)
torch.set_num_threads(7)
torch.set_grad_enabled(False)
torch.set_float32_matmul_precision("medium")
torch.set_deterministic_debug_mode("warn")
torch.manual_seed(1)
os.environ["OMP_NUM_THREADS"] = "7"
os.environ["GANBENCH_DATA"] = os.environ["PYTHONPATH"] = os.path.join(os.path.dirname(__file__), "shadow")
sys.path.insert(0, os.environ["PYTHONPATH"])
os.chdir("/")
print("hello")
"""


METRIC = """
from ganbench import Column, Metric

def compute(real, fake, params, device):
    torch.set_default_dtype(torch.float64)
    torch.set_num_threads(7)
    os.chdir("/")
    return {"meddled": 1.0}

@hookimpl
def ganbench_metrics():
    yield Metric("meddled", ("features",), compute, (Column("meddled", "lower"),))
"""


def meddling_folder(folder: Path) -> Path:
    write(folder, "meddles", MEDDLES + LOSS.format("meddling") + METRIC)
    write(folder, "clashes", LOSS.format("hinge"))
    (folder / "shadow").mkdir()
    for name in ("scipy", "torch_fidelity", "safetensors"):
        (folder / "shadow" / f"{name}.py").write_text("raise RuntimeError('shadowed')\n")
    return folder


def test_what_a_plugin_changes_at_import_is_put_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    folder = meddling_folder(tmp_path / "bad")

    def state() -> tuple[object, ...]:
        defaults = torch.get_default_dtype(), torch.is_grad_enabled(), torch.get_float32_matmul_precision()
        return dict(os.environ), os.getcwd(), torch.get_num_threads(), torch.get_deterministic_debug_mode(), *defaults

    before, path = state(), list(sys.path)
    try:
        assert "meddling" in plugins.load(directories=[folder]).names("loss")
        assert state() == before
        assert sys.path == [*path, str(folder / "shadow")]
        assert capsys.readouterr().out == ""
    finally:
        sys.path[:] = path


SUITE = """
title = "A few hundred digits"
version = 1
dataset = "mnist-5k"
extractor = ["mnist-cnn"]
metrics = {metrics}
headline = "fd/mnist-cnn"
scale = []

[tiers.tiny]
budget = {{ real_images = 320 }}
seeds = 1
ranks = false
samples = 200
looks = {{ count = 1, samples = 200 }}
recipe = {{ width = 16, batch_size = 32, latent = 8 }}
entries = [{{ architecture = "mlp", loss = {losses} }}]
"""


def test_a_good_plugins_row_does_not_depend_on_its_neighbours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither on bad files beside it nor on one that meddles with the process as another row and as a metric of it."""
    monkeypatch.undo()  # the digits are parsed once for all tests
    monkeypatch.setenv("GANBENCH_PROBE_SECONDS", "2")
    log = tmp_path / "log"
    note = f"import sys\nwith open({str(log)!r}, 'a') as f:\n    print(sys.modules['__main__'].__spec__.name, file=f)\n"
    good = write(tmp_path / "good", "good", note + LOSS.format("hinge"))  # claimed by three: rows carry its own name
    suite = tmp_path / "few.toml"
    bad = bad_folder(meddling_folder(tmp_path / "bad"))
    records = []
    for out, losses, metrics, more in (
        ("alone", ["hinge"], ["frechet-distance"], []),
        ("beside", ["meddling", "hinge"], ["meddled", "frechet-distance"], ["--plugins-dir", str(bad)]),
    ):
        suite.write_text(SUITE.format(losses=losses, metrics=metrics))
        words = ["run", "--suite", str(suite), "-p", str(good), "--device", "cpu", "--jobs", "1"]
        done = program(*words, "--out", str(tmp_path / out), *more)
        assert done.returncode == 0, done.stderr
        found = {r["entry"]["label"]: r for r in map(read, (tmp_path / out).rglob("result.json"))}
        assert [r["status"] for r in found.values()] == ["completed"] * len(losses), found
        records.append(found["mlp · good:hinge"])
    alone, beside = records
    assert alone["weights"]["G"] and alone["weights"]["D"]
    assert (alone["run_id"], alone["weights"]) == (beside["run_id"], beside["weights"])
    assert alone["plugins"] == [p for p in beside["plugins"] if p["provider"] != "meddles"]
    assert alone["scores"] == [s for s in beside["scores"] if s["column"].startswith("fd/")]
    assert all(s["value"] for s in beside["scores"])
    processes = log.read_text()
    assert "ganbench.train" in processes and "ganbench.score" not in processes, "scores need no plugin of the GAN"


def read(file: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(file.read_text())
    return found
