"""`ganbench reproduce` on runs of the toy suite: bitwise, where it differs first, and what is refused."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from ganbench.cli import main
from ganbench.errors import short
from ganbench.execute import folders
from ganbench.execute.slot import Doors, Slot
from ganbench.plan.build import plan
from ganbench.plan.data import resolve_data
from ganbench.plan.entries import Wishes
from ganbench.plan.spec import RunSpec
from ganbench.plan.suite import read_suite
from ganbench.plugins import load

TOY = Path(__file__).parents[1] / "execute" / "toy.py"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    registry, suite = load([str(TOY)]), read_suite(TOY.with_suffix(".toml"))
    tier = suite.tier(None)
    wishes = Wishes(architectures=("toy-linear",), losses=("toy-square",))
    planned = plan(suite, tier, registry, resolve_data(suite, tier, registry), device="cpu", wishes=wishes, seeds=(5,))
    work = folders.survey(planned, tmp_path_factory.mktemp("runs"))
    slot = Slot(doors=Doors([str(TOY)]))
    (folder,) = (w.folder for w in work if w.spec.kind == "trained")
    folders.prepare(work)
    assert slot.finish(folder).status == "completed"
    slot.close()
    return folder


@pytest.fixture
def run(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "suite" / made.name))


def said(words: list[str], code: int, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(["reproduce", *words])
    out, told = capsys.readouterr()
    assert ended.value.code == code, (out, told)
    return out if code < 2 else told


def edit(file: Path, **changes: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


def test_a_run_comes_out_bitwise(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(run), "-p", str(TOY), "--out", str(tmp_path / "kept")]
    answer = json.loads(said([*words, "--format", "json"], 0, capsys))
    assert (answer["verdict"], answer["first"], answer["surroundings"]) == ("bitwise", None, [])
    assert {"events", "weights of G", "weights of D", "gap/toy-identity of last-raw"} <= {
        c["what"] for c in answer["compared"]
    }
    kept = tmp_path / "kept" / "toy-tiny" / run.name
    assert (kept / "samples" / "last-raw.npy").read_bytes() == (run / "samples" / "last-raw.npy").read_bytes()
    assert "is there already; name another --out" in said(words, 2, capsys)


def test_weights_are_taken_from_where_they_are_said_to_lie(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    other.write_text("other weights")
    told = said([str(run), "-p", str(TOY), "--weights", f"toy-identity={other}"], 0, capsys)
    assert "weights of extractor 'toy-identity' with sha256" in told and "--weights toy-identity=FILE" in told


def test_another_seed_is_found_at_the_first_cycle(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Altered by hand: in spec.json; with its id; and throughout, so that only the repetition tells."""
    edit(run / "spec.json", seed=6)
    assert "was edited (its content does not give its run_id)" in said([str(run), "-p", str(TOY)], 2, capsys)
    value = json.loads((run / "spec.json").read_text())
    value = {k: tuple(v) if k in ("components", "plugins") else v for k, v in value.items()}
    spec = RunSpec(**{k: v for k, v in value.items() if k not in ("run_id", "schema_version")})
    spec.write(run)
    told = said([str(run), "-p", str(TOY)], 1, capsys)
    assert "inconsistent: in itself: result.json does not follow from spec.json: run_id is" in told
    answer = json.loads(said([str(run), "-p", str(TOY), "--format", "json"], 1, capsys))
    assert answer["verdict"] == "inconsistent" and answer["why"] in told and not answer["compared"]
    edit(run / "result.json", seed=6, run_id=spec.run_id)
    told = said([str(run), "-p", str(TOY)], 1, capsys)
    assert "seed 6: inconsistent: gap/toy-identity is" in told
    assert "on one machine and with the same versions every bit should be equal" in told
    assert "first difference: events: cycle 1, losses D/toy-square" in told


def test_a_repetition_stays_where_it_is_made(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The suite's id names a folder, whoever wrote it."""
    for elsewhere in (str(tmp_path / "elsewhere"), "../elsewhere", "..", "", "a\x1b[31m"):
        for file in (run / "spec.json", run / "result.json"):
            edit(file, suite={**json.loads(file.read_text())["suite"], "id": elsewhere})
        told = said([str(run), "-p", str(TOY), "--out", str(tmp_path / "out")], 2, capsys)
        assert f"spec.json: `suite.id` is {short(elsewhere)}" in told and "which is no name for a folder" in told
    assert sorted(path.name for path in tmp_path.iterdir()) == ["suite"]


def test_what_is_refused_is_one_line(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A module that a record names is never imported; code must be the recorded."""

    def refused(*words: str) -> str:
        told = said([str(run), *words], 2, capsys)
        assert told.count("\n") == 1 and told.startswith("ganbench: ")
        return told

    assert "is not installed here; install it, or give its file with -p" in refused()
    assert "--weights toy-identity: expected EXTRACTOR=FILE" in refused("--weights", "toy-identity")
    assert "there is no file gone" in refused("--weights", "toy-identity=gone")
    misspelt = refused("-p", str(TOY), "--weights", f"toy-identiti={TOY}")
    assert "extractor 'toy-identiti'" in misspelt and "did you mean toy-identity" in misspelt
    edited = tmp_path / "toy.py"
    edited.write_text(TOY.read_text() + "\n# edited\n")
    shutil.copy(TOY.with_suffix(".toml"), tmp_path)
    told = refused("-p", str(edited))
    here, recorded = re.findall(r"[0-9a-f]{12}(?=…)", told)
    assert here != recorded == json.loads((run / "spec.json").read_text())["plugins"][0]["sha256"][:12]
    assert f"plugin toy: the code of {edited} differs from the run's (sha256 " in told and "not installed" not in told
    assert "give the file as it was then with -p, or train anew with this one (ganbench run)" in told
    renamed = edited.rename(tmp_path / "other.py")
    assert "is not installed here" in refused("-p", str(renamed))
    value = json.loads((run / "spec.json").read_text())
    hostile = tmp_path / "hostile.py"
    hostile.write_text(f"open({str(tmp_path / 'imported')!r}, 'w')\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    plugins = [{**value["plugins"][0], "module": "hostile"}, *value["plugins"][1:]]
    spec = {k: tuple(v) if k == "components" else v for k, v in value.items() if k not in ("run_id", "schema_version")}
    RunSpec(**{**spec, "plugins": tuple(plugins)}).write(run)
    edit(run / "result.json", run_id=RunSpec.read(run).run_id, plugins=plugins)
    assert "plugin hostile is not installed here" in refused("-p", str(TOY))
    assert not (tmp_path / "imported").exists()
    edit(run / "result.json", environment=5)
    assert "result.json: `environment` is int, not dict or null" in refused()
    (run / "result.json").unlink()
    assert "has no result to compare with" in refused()
    shutil.rmtree(run)
    assert "is no run's folder" in refused()


def test_stored_samples_are_measured_again(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`verify --rescore`, here because a finished run with its samples is at hand."""
    record = json.loads((run / "result.json").read_text())
    record["scores"][0]["value"] += 0.25
    edit(run / "result.json", scores=record["scores"])
    with pytest.raises(SystemExit) as ended:
        main(["verify", str(run.parent), "--rescore", "-p", str(TOY)])
    told = capsys.readouterr().out
    assert ended.value.code == 1 and told.count("wrong: ") == 1
    assert f"gap/toy-identity of last-raw: {record['scores'][0]['value']} in the record, its samples give" in told
    assert not list(run.glob(".rescore*"))


@pytest.mark.parametrize("words", [["reproduce"], ["evaluate", "--device", "cpu", "--run"]])
def test_one_that_is_ended_leaves_nothing_behind(run: Path, tmp_path: Path, words: list[str]) -> None:
    """A scheduler, or a terminal that is closed: as by Ctrl-C."""
    places = {
        "reproduce": (tmp_path / "temporary", "ganbench-*/*/*/spec.json"),
        "evaluate": (run, ".rescore-*/spec.json"),
    }
    place, made = places[words[0]]
    place.mkdir(exist_ok=True)
    there = sorted(path.name for path in place.iterdir())
    command = [sys.executable, "-m", "ganbench", *words, str(run), "-p", str(TOY)]
    environment = {**os.environ, "TMPDIR": str(place), "PYTHONPATH": os.pathsep.join(p for p in sys.path if p)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    while not list(place.glob(made)):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    time.sleep(0.5)
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in told
    assert sorted(path.name for path in place.iterdir()) == there
