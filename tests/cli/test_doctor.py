"""`ganbench doctor`: a line for each check, with the mend; nothing is downloaded, nothing is a traceback."""

from __future__ import annotations

import json
import os
import urllib.request
from pathlib import Path

import pytest

from ganbench import Check, Finding
from ganbench.cli import main
from ganbench.doctor import examine, machine
from ganbench.doctor.libraries import demand, pair, satisfied

CHECKS = """
import time
from ganbench import Check, Dataset, Extractor, Finding, SampleSpec, UsageError, cache_dir, fetch, hookimpl

def boom():
    raise ZeroDivisionError("a check that breaks")

def coming(folder):
    (folder / "much").write_bytes(bytes(9))
    time.sleep(20)

def refused(folder):
    raise OSError("no route to host")

def from_afar(download):
    return lambda wanted: fetch(download, cache_dir() / "nothing", "a thing")

def damaged(path):
    raise UsageError("w.bin: damaged; delete it")

@hookimpl
def ganbench_checks():
    yield Check("fine", lambda: Finding("ok", "all is well"))
    if BAD:
        yield Check("boom", boom)
        yield Check("odd", lambda: "yes")

@hookimpl
def ganbench_datasets():
    for name, load in ("far-away", from_afar(coming)), ("out-of-reach", from_afar(refused)), ("odd", lambda split: 0):
        yield Dataset(name, SampleSpec((2,), None, "points"), load, here=lambda: False)
    yield Dataset("nearby", SampleSpec((2,), None, "points"), lambda split: None, here=lambda: True)

@hookimpl
def ganbench_extractors():
    yield Extractor("weightless", lambda weights, layers: None, from_afar(refused))
    yield Extractor("waiting", lambda weights, layers: None, from_afar(coming))
    if BAD:
        yield Extractor("damaged", lambda weights, layers: None, damaged)
"""


def examined(words: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    """Check -> its line."""
    with pytest.raises(SystemExit) as ended:
        main(["doctor", "--format", "json", *words])
    out, told = capsys.readouterr()
    assert (ended.value.code, told) == (code, "")
    return {line["check"]: line for line in json.loads(out)}


def plugin(folder: Path, bad: bool) -> str:
    file = folder / "checking.py"
    file.write_text(CHECKS.replace("BAD", str(bad)))
    return str(file)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No data and no weights but those that come with packages, and no network."""
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.delenv("GANBENCH_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    for name in ("http_proxy", "https_proxy"):  # the network is out of reach, and says so at once
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setattr(urllib.request, "_opener", None)


def test_what_works_and_what_is_not_here(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "broken.py").write_text("import nonsense_that_is_not_there\n")
    lines = examined(["-p", plugin(tmp_path, bad=False), "--plugins-dir", "folder"], 0, capsys)
    for check in ("python", "torch", "torchvision", "torch-fidelity", "processor", "devices", "cache", "runs", "fine"):
        assert lines[check]["status"] == "ok", lines[check]
    for what in ("data set far-away", "extractor waiting"):
        assert (lines[what]["status"], lines[what]["what"][-37:]) == ("ok", "reachable: downloaded when first used")
    for what in ("data set out-of-reach", "extractor weightless", "data set mnist"):
        assert lines[what]["status"] == "warning" and "not downloaded (" in lines[what]["what"]
        assert "mend the connection" in lines[what]["mend"] and "GANBENCH_DATA" in lines[what]["mend"]
    assert "no route to host" in lines["data set out-of-reach"]["what"]
    assert "--extractor weightless=FILE" in lines["extractor weightless"]["mend"]
    assert "made or downloaded" in lines["data set odd"]["what"]
    assert lines["plugin checking"]["status"] == "ok"
    broken = lines["plugin folder/broken.py"]
    assert broken["status"] == "warning" and "broken.py, line 1: ModuleNotFoundError" in broken["what"]
    left = {path.name for path in tmp_path.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    assert left - {path.name for path in tmp_path.glob("cache/probes/*")} == {"checking.py", "broken.py"}


def test_what_fails_is_a_finding_and_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "runs").touch()
    lines = examined(["-p", plugin(tmp_path, bad=True)], 1, capsys)
    failed = {check: line["what"] for check, line in lines.items() if line["status"] == "failed"}
    assert failed.keys() == {"boom", "odd", "extractor damaged", "runs"}
    assert failed["boom"] == "ZeroDivisionError: a check that breaks"
    assert "damaged; delete it" in failed["extractor damaged"]
    assert "--out" in lines["runs"]["mend"]

    with pytest.raises(SystemExit) as ended:
        main(["doctor", "-p", str(tmp_path / "checking.py")])
    out, told = capsys.readouterr()
    assert (ended.value.code, told) == (1, "")
    *rows, last = out.splitlines()
    assert {row.split()[1] for row in rows if row.startswith("FAILED")} == {"runs", "extractor", "odd", "boom"}
    assert last.startswith(f"{len(rows)} checks: 4 failed")


def test_folders_that_are_not_there_and_a_gpu_that_torch_cannot_use(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANBENCH_DATA", os.pathsep.join([str(tmp_path), str(tmp_path / "nowhere")]))
    found = machine.data_folders()
    assert found.status == "warning" and found.what.endswith(str(tmp_path / "nowhere"))
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path))
    assert machine.data_folders() == Finding("ok", str(tmp_path))

    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    monkeypatch.setattr(machine, "GPU_FILES", str(tmp_path / "nvidia[0-9]"))
    assert machine.devices() == Finding("ok", "no GPU: runs go to the processor")
    (tmp_path / "nvidia0").touch()
    for built, why in ((None, "is built without CUDA"), ("13.0", "is built for CUDA 13.0, which the driver")):
        monkeypatch.setattr("torch.version.cuda", built)
        found = machine.devices()
        assert found.status == "warning" and why in found.what and "pytorch.org" in found.mend


def test_the_memory_of_a_container(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The least of what the group and those above it say."""
    said, root = tmp_path / "cgroup", tmp_path / "fs"
    (root / "slurm" / "job1").mkdir(parents=True)
    (root / "slurm" / "job1" / "memory.max").write_text("max\n")
    said.write_text("1:cpu:/old\n0::/slurm/job1\n")
    (tmp_path / "memory.max").write_text("1\n")  # above the root
    assert machine.memory_limit(said, root) is None
    (root / "slurm" / "memory.max").write_text(f"{3 * 2**30}\n")
    assert machine.memory_limit(said, root) == 3 * 2**30
    (root / "slurm" / "job1" / "memory.max").write_text(f"{2**30}\n")
    assert machine.memory_limit(said, root) == 2**30
    assert machine.memory_limit(tmp_path / "nowhere", root) is None

    monkeypatch.setattr(machine, "cpu_cores", lambda: 4)
    monkeypatch.setattr(machine, "memory_limit", lambda: 3 * 2**30)
    found = machine.memory()
    assert found.status == "warning" and found.what.startswith("3.0 GiB, the limit of this control group")
    assert found.mend == "use ganbench run --jobs 1"


def test_every_check_answers() -> None:
    def leave() -> Finding:
        raise SystemExit(3)

    found = examine([Check("leaves", leave), Check("unknown", lambda: Finding("fine", "?"))])
    assert [(name, finding.status) for name, finding in found] == [("leaves", "failed"), ("unknown", "failed")]


def test_torchvision_of_another_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found out from what is installed, before anything is imported."""
    for name, release, needs in (("torch", "2.12.0+cpu", "numpy"), ("torchvision", "0.26.0", "torch==2.11.0")):
        about = tmp_path / f"{name}-{release}.dist-info"
        about.mkdir()
        text = (
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {release}\nRequires-Dist: numpy\nRequires-Dist: {needs}\n"
        )
        (about / "METADATA").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    found = pair("torchvision")
    assert found.status == "failed"
    assert found.what == "torchvision 0.26.0 needs torch ==2.11.0, and torch 2.12.0+cpu is installed"
    assert "pip install --upgrade torch torchvision" in found.mend


@pytest.mark.parametrize(
    ("specifiers", "found", "met"),
    [
        ("==2.11.0", "2.11.0", True),
        ("==2.11", "2.11.0+cu128", True),
        ("==2.11.0", "2.11.1", False),
        ("==2.11.*", "2.11.3", True),
        ("==2.11.*", "2.12.0", False),
        (">=2.14.0", "2.15.0", True),
        (">=2.14.0", "2.9.1", False),
        (">=2.9,<2.12", "2.12.0", False),
        ("!=2.10.0,>2.9", "2.10.0", False),
        ("", "2.11.0", True),
    ],
)
def test_specifiers(specifiers: str, found: str, met: bool) -> None:
    assert satisfied(specifiers, found) is met


def test_demands() -> None:
    assert demand(["numpy", "torch (>=2.14.0)"], "torch") == ">=2.14.0"
    assert demand(["torchdata==1", "torch==2.11.0; python_version >= '3.10'"], "torch") == "==2.11.0"
    assert demand(["torch==1 ; extra == 'old'"], "torch") == ""
