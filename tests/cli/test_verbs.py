"""What the verbs print."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ganbench import __version__
from ganbench.cli import main
from ganbench.cli.terminal import columns, duration
from ganbench.errors import one_line

RESULTS = Path(__file__).parents[2] / "results"
TOY = str(Path(__file__).parents[1] / "execute" / "toy.py")
RUN = ["run", "-p", TOY, "--suite", "toy", "--device", "cpu", "--dry-run"]


def said(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, told = capsys.readouterr()
    assert ended.value.code == 0, told
    return out


def answered(words: list[str], capsys: pytest.CaptureFixture[str]) -> Any:
    return json.loads(said([*words, "--format", "json"], capsys))


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert said(["--version"], capsys) == f"ganbench {__version__}\n"


def test_a_dry_run_shows_the_plan_and_writes_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = ["--out", str(tmp_path / "runs")]
    first, head, *rows = said([*RUN, *out, "--jobs", "1", "--seeds", "0..1"], capsys).splitlines()
    assert first == f"{tmp_path / 'runs' / 'toy-tiny'}: 7 runs to do, 2 skipped on 1 core, about 2 min"
    assert head.split() == ["LABEL", "SEED", "RUN", "STATE"]
    assert len(rows) == 7
    assert rows[-1].endswith("todo   skipped: takes image, not points")
    assert not list(tmp_path.iterdir())


def test_a_dry_run_for_programs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plan = answered([*RUN, "--out", str(tmp_path), "--loss", "toy-critic", "--set", "lr=0.5"], capsys)
    assert (plan["suite"], plan["device"], plan["seconds"]) == ("toy-tiny", "cpu", 34.0)
    assert [(r["label"], r["kind"], r["state"], r["todo"]) for r in plan["runs"]] == [
        ("toy-zero", "scale", "open", True),
        ("toy-linear · toy-critic [lr=0.5]", "trained", "open", True),
        ("toy-image · toy-critic [lr=0.5]", "trained", "open", True),
    ]
    assert plan["runs"][2]["skip"] == "takes image, not points"
    assert all(len(r["run_id"]) == 16 for r in plan["runs"])


def test_what_is_added_on_the_command_line_is_in_the_plan_and_in_what_was_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The run that a suite with the same words has, id and all; and the command that its table shows."""
    words = ["--architecture", "mlp", "--loss", "hinge", "--regularizer", "r1", "--set", "r1.weight=5.0"]
    suite = tmp_path / "own.toml"
    tier = "[tiers.one]\nbudget = { real_images = 64 }\nseeds = 1\nentries = [{ %s }]\n"
    base = 'version = 1\ndataset = "ring"\nextractor = []\nmetrics = ["modes"]\nheadline = "modes"\n'
    written = 'architecture = "mlp", loss = "hinge", regularizers = "r1", recipe = { "r1.weight" = 5.0 }'
    ids = []
    for entries, added in ((written, []), ('architecture = "mlp", loss = "lsgan"', words)):
        suite.write_text(base + tier % entries)
        plan = answered(["run", "--suite", str(suite), *added, "--out", str(tmp_path), "--dry-run"], capsys)
        (found,) = plan["runs"]
        ids.append(found["run_id"])
    assert ids[0] == ids[1] and found["label"] == "mlp · hinge + r1 [r1.weight=5]"
    said(["run", "--suite", str(suite), *words, "--out", str(tmp_path / "runs"), "--device", "cpu"], capsys)
    said(["publish", str(tmp_path / "runs"), "--to", str(tmp_path / "results")], capsys)
    page = (tmp_path / "results" / "own-one" / "LEADERBOARD.md").read_text()
    assert f"\nganbench run --suite own.toml {' '.join(words)}\n" in page


def test_list_and_info(capsys: pytest.CaptureFixture[str]) -> None:
    losses = answered(["list", "losses", "-p", TOY], capsys)
    assert {"toy-critic", "toy-square"} <= {entry["name"] for entry in losses}
    assert {entry["kind"] for entry in losses} == {"loss"}
    assert "toy-critic" in said(["list", "loss", "-p", TOY], capsys)
    for name in ("toy-linear", "architecture/toy-linear", "toy:toy-linear"):
        about = answered(["info", name, "-p", TOY], capsys)
        assert (about["kind"], about["name"], about["provider"]) == ("architecture", "toy-linear", "toy")
        assert about["recipe"] == {"delay": 0.0, "dies": False, "fails": False, "hangs": False}
    suite = answered(["info", "suite/toy", "-p", TOY], capsys)
    assert suite["tiers"]["tiny"]["budget"] == {"generator_steps": 40}
    assert "A whole little world" in said(["info", "suite/toy", "-p", TOY], capsys)


def test_info_of_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (published,) = RESULTS.glob("mnist-quick/cdcgan-non-saturating-s0-*")
    record = json.loads((published / "result.json").read_text())
    old = {key: value for key, value in record["scores"][0].items() if key not in ("sampling_error", "parts")}
    error = {"value": 1.25, "method": "first order", "groups": None}
    new = {**record["scores"][1], "sampling_error": error, "parts": {"0": 21.5, "7": 340.25}}
    (tmp_path / "result.json").write_text(json.dumps(record | {"scores": [old, new]}))
    first, second = answered(["info", str(tmp_path)], capsys)["scores"]
    assert (first["value"], first["sampling_error"], first["parts"]) == (old["value"], None, None)
    assert (second["sampling_error"], second["parts"]) == (error, new["parts"])
    page = said(["info", str(tmp_path)], capsys)
    assert "cdcgan · non-saturating" in page and "SAMPLING ERROR" in page and " 1.2\n" in page and "±" not in page
    assert f"{new['column']} of {new['variant']} is made of: 0 21.5, 7 340\n" in page


def test_info_of_a_folder_that_is_no_run_names_those_that_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    home = RESULTS / "mnist-quick"
    (run,) = home.glob("real-s0-*")
    (tmp_path / "pending").mkdir()
    for folder, says in (
        (home, rf"{home}: is a folder of \d+ runs; name one of them, as {home}/"),
        (RESULTS, rf"{RESULTS}: is no run's folder; "),
        (run.with_name(run.name[:-2]), rf"is no run's folder; did you mean {run.name}"),
        (tmp_path / "pending", r"is no run's folder; "),
    ):
        with pytest.raises(SystemExit) as ended:
            main(["info", str(folder)])
        assert ended.value.code == 2
        assert re.search(says, capsys.readouterr().err)


def test_a_name_of_several_kinds_must_be_told_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plugin = tmp_path / "twice.py"
    plugin.write_text(
        "from ganbench import Loss, Preset, hookimpl\n"
        "@hookimpl\ndef ganbench_losses():\n    yield Loss('twice', None, lambda D, fake: -D(fake))\n"
        "@hookimpl\ndef ganbench_presets():\n    yield Preset('twice', 'a', 'twice')\n"
    )
    with pytest.raises(SystemExit):
        main(["info", "twice", "-p", str(plugin)])
    assert "pick one: loss/twice, preset/twice" in capsys.readouterr().err
    assert answered(["info", "preset/twice", "-p", str(plugin)], capsys)["loss"] == "twice"


def test_a_broken_plugin_nobody_asked_for_is_a_warning(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "broken.py").write_text("import nonsense_that_is_not_there\n")
    with pytest.raises(SystemExit) as ended:
        main(["list", "loss", "--plugins-dir", str(tmp_path)])
    assert ended.value.code == 0
    warnings = [line for line in capsys.readouterr().err.splitlines() if "broken.py" in line]
    assert len(warnings) == 1
    assert warnings[0].startswith("ganbench: warning: plugin ")


def test_lines() -> None:
    assert one_line("a\n b\x1b[31m\u202e c") == "a b[31m c"
    assert columns([("a", "bc"), ("abc", "")]) == "a    bc\nabc"
    assert [duration(s) for s in (0.2, 40, 720, 12_600)] == ["1 s", "40 s", "12 min", "3.5 h"]


def test_ctrl_c_while_the_program_is_loading_leaves_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "typer.py").write_text("raise KeyboardInterrupt\n")
    path = os.pathsep.join([str(tmp_path), *filter(None, sys.path)])
    words = [sys.executable, "-m", "ganbench", "list"]
    done = subprocess.run(words, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")
