"""The script for a CUDA machine, tried out without one: what it would do, and that no part costs another."""

from __future__ import annotations

import dataclasses
import gzip
import importlib.util
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import venv
from importlib.metadata import distribution, distributions
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / "scripts" / "gpu"
FILES = ["logs.tar.gz", "results.tar.gz", "summary.json"]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    spec = importlib.util.spec_from_file_location("on_gpu", ROOT / "scripts" / "on_gpu.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "on_gpu", module)
    spec.loader.exec_module(module)
    return module


def parts(out: Path) -> dict[str, dict[str, object]]:
    return {part["part"]: part for part in json.loads((out / "summary.json").read_text())["parts"]}


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_it_says_what_it_would_do_and_does_nothing(tmp_path: Path) -> None:
    assert subprocess.run(["bash", "-n", SCRIPT], check=False).returncode == 0
    command = ["bash", str(SCRIPT), "--dry", "--jobs", "6", str(tmp_path / "out"), "quick", "reference", "captured"]
    command += ["--", "--architecture", "dcgan"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    lines = {line.partition(" ")[0]: line for line in done.stdout.splitlines()}
    assert list(lines) == ["machine", "tests", "program", "speed", "together", "run", "publish", "verify"]
    assert "--tier quick --device cuda --jobs 6" in lines["run"]
    assert lines["run"].endswith("--mode=reference --mode=captured --architecture dcgan")
    assert lines["machine"].endswith(lines["run"].partition(" run ")[2])
    assert not (tmp_path / "out").exists()


def test_a_part_that_fails_or_hangs_costs_no_other(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has its time and its log, and what there is by then is kept."""
    python = {
        "machine": "print('here')",
        "tests": "import sys; print('one failed'); sys.exit(3)",
        "program": "import time; print('begun', flush=True); time.sleep(100)",
        "speed": "print('measured')",
        "publish": "from pathlib import Path; Path({results!r}).mkdir(); Path({results!r}, 'row').touch()",
    }

    def command(plan: object, part: str) -> list[str]:
        code = python[part].replace("{results!r}", repr(str(plan.work / "results")))  # type: ignore[attr-defined]
        return [sys.executable, "-c", code]

    monkeypatch.setattr(script.Plan, "command", command)
    monkeypatch.setattr(script, "GRACE", 1.0)
    monkeypatch.setitem(script.LIMITS, "program", 3)
    began = time.monotonic()
    assert script.main(["--parts", ",".join(python), "--seconds", "100", str(tmp_path)]) == 1
    assert time.monotonic() - began < 60
    found = parts(tmp_path)
    assert {name: part["ok"] for name, part in found.items()} == {
        "machine": True,
        "tests": False,
        "program": False,
        "speed": True,
        "publish": True,
    }
    assert (found["tests"]["exit_code"], found["tests"]["last_line"]) == (3, "one failed")
    assert found["program"]["ended_by_limit"] and "begun" in _log(tmp_path, "program")
    assert sorted(file.name for file in tmp_path.iterdir()) == FILES
    with tarfile.open(tmp_path / "results.tar.gz") as file:
        assert "results/row" in file.getnames()


def _log(out: Path, part: str) -> str:
    with tarfile.open(out / "logs.tar.gz") as file:
        member = file.extractfile(f"logs/{part}.log")
        assert member is not None
        return member.read().decode()


def test_without_the_machine_nothing_is_begun(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(script.Plan, "command", lambda plan, part: [sys.executable, "-c", "import no_such_module"])
    assert script.main([str(tmp_path)]) == 1
    assert list(parts(tmp_path)) == ["machine"] and "no_such_module" in str(parts(tmp_path)["machine"]["last_line"])


def test_a_slow_machine_is_no_missing_one(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its first imports may take longer than the part may; and whoever began all this may have SIGINT ignored."""
    code = {"machine": "import time; time.sleep(100)", "speed": "import signal; print(signal.getsignal(signal.SIGINT))"}
    monkeypatch.setattr(script.Plan, "command", lambda plan, part: [sys.executable, "-c", code[part]])
    monkeypatch.setitem(script.LIMITS, "machine", 0.1)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        assert script.main(["--parts", "machine,speed", str(tmp_path)]) == 1
    finally:
        signal.signal(signal.SIGINT, before)
    assert parts(tmp_path)["machine"]["ended_by_limit"]
    assert parts(tmp_path)["speed"]["ok"] and "default_int_handler" in str(parts(tmp_path)["speed"]["last_line"])


def test_a_tree_that_is_not_installed_says_what_an_installation_says(script: ModuleType, tmp_path: Path) -> None:
    (made,) = distributions(path=[str(script.gpu_machine.register(tmp_path))])
    installed = distribution("ganbench")
    assert (made.name, made.version) == (installed.name, installed.version)
    assert {p for p in made.entry_points} == {p for p in installed.entry_points if p.group != "console_scripts"}
    assert {r for r in installed.requires or () if "extra" not in r} == set(made.requires or ())


def test_packed_data_is_unpacked_beside_what_else_there_is(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    here, bare, work = tmp_path / "here", tmp_path / "bare", tmp_path / "work"
    (here / "MNIST" / "raw").mkdir(parents=True)
    bare.mkdir()
    packed = here / "MNIST" / "raw" / "train-labels-idx1-ubyte.gz"
    packed.write_bytes(gzip.compress(b"labels"))
    packed.with_name("t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(bytes(range(256)))[:-20])
    monkeypatch.setenv("GANBENCH_DATA", f"{bare}:{here}")
    unpacked, *others = script.gpu_machine.made(work)["GANBENCH_DATA"].split(":")
    assert others == [str(bare), str(here)] and work in Path(unpacked).parents
    assert (Path(unpacked) / "MNIST" / "raw" / "train-labels-idx1-ubyte").read_bytes() == b"labels"
    assert "t10k-labels-idx1-ubyte.gz: cannot be unpacked" in capsys.readouterr().err
    assert [f.name for f in Path(unpacked).rglob("*ubyte")] == ["train-labels-idx1-ubyte"]
    for file in here.rglob("*.gz"):
        file.with_suffix("").touch()
    assert script.gpu_machine.made(tmp_path / "again")["GANBENCH_DATA"] == f"{bare}:{here}"


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The folder of programs of an environment with every library that is here, and without ganbench."""
    venv.create(tmp_path / "bare", symlinks=True)
    (there,) = (tmp_path / "bare").glob("lib/python3*/site-packages")
    for place in (Path(p) for p in sys.path if Path(p).name in ("site-packages", "dist-packages")):
        for item in place.iterdir():
            if "ganbench" not in item.name and not (there / item.name).is_symlink():
                (there / item.name).symlink_to(item)
    return tmp_path / "bare" / "bin"


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_ganbench_need_not_be_installed(bare: Path, tmp_path: Path) -> None:
    """Its plugins and suites are known all the same; of what a run needs, only the data is missed, and named."""
    path = f"{bare}:{os.environ['PATH']}"
    mine = {"PATH": path, "GANBENCH_DATA": str(tmp_path / "nothing"), "GANBENCH_CACHE": str(tmp_path / "cache")}
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"} | mine
    known = subprocess.run(["python3", "-c", "import ganbench"], env=environment, cwd=tmp_path, check=False)
    assert known.returncode != 0
    command = ["bash", str(SCRIPT), "--device", "cpu", "--parts", "machine,program,run", str(tmp_path / "out"), "quick"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert list(parts(tmp_path / "out")) == ["machine"], done.stdout + done.stderr
    said = parts(tmp_path / "out")["machine"]["last_line"]
    assert said == f"missing: the data of mnist (looked for in GANBENCH_DATA={tmp_path / 'nothing'})"


def test_what_no_time_is_left_for_is_said(script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script.Plan, "command", lambda plan, part: [sys.executable, "-c", "pass"])
    assert script.main(["--seconds", "1", "--parts", "speed,publish", str(tmp_path)]) == 1
    assert parts(tmp_path)["speed"]["last_line"] == "no time was left for it" and parts(tmp_path)["publish"]["ok"]


def test_its_words_are_those_of_the_tests_and_of_what_was_measured(script: ModuleType, tmp_path: Path) -> None:
    plan = script.Plan(tmp_path, tmp_path, "standard", (), "cuda")
    written = (ROOT / "tests" / "train" / "test_cuda.py").read_text()
    for word in plan.command("program")[-1].split(" or "):
        assert f"{word}(" in written or f"_{word}" in written, word
    assert plan.jobs() == 1
    (tmp_path / "together.json").write_text(json.dumps({"pays": {"reference": 4}}))
    assert plan.command("run")[-4:-2] == ["--jobs", "4"]
    assert dataclasses.replace(plan, at_a_time=2).jobs() == 2
    with pytest.raises(SystemExit):
        script.main(["--parts", "tset", str(tmp_path)])


@pytest.mark.full
def test_its_parts_run_on_a_processor(tmp_path: Path) -> None:
    """Which says nothing of a GPU: its tests are skipped, and only modes for processors are measured."""
    command = ["bash", str(SCRIPT), "--device", "cpu", "--parts", "machine,tests,speed,together", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert set(json.loads((tmp_path / "speed.json").read_text())["modes"]) >= {"reference", "fast"}
    assert json.loads((tmp_path / "together.json").read_text())["pays"]["reference"] >= 1
