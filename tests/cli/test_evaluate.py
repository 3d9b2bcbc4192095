"""`ganbench evaluate` as a user types it: a folder of pictures becomes a row, and gets further scores later."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganbench.cli import main


def said(words: list[str], capsys: pytest.CaptureFixture[str], code: int = 0) -> str:
    with pytest.raises(SystemExit) as ended:
        main(words)
    out, told = capsys.readouterr()
    assert ended.value.code == code, told
    return out if code == 0 else told


def test_a_folder_of_pictures_is_a_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pictures, runs = tmp_path / "pictures", tmp_path / "runs"
    pictures.mkdir()
    for at, image in enumerate(np.random.default_rng(0).integers(0, 256, (12, 28, 28), np.uint8)):
        Image.fromarray(image).save(pictures / f"{at}.png")
    words = ["evaluate", "--samples", str(pictures), "--suite", "smoke", "--name", "their \x1b[31mGAN"]
    words += ["--metric", "precision-recall", "--metric", "kid", "--out", str(runs), "--device", "cpu"]
    page = said(words, capsys)
    assert page.startswith("their [31mGAN: 12 of 12 samples against mnist, as suite smoke, tier smoke\n")
    assert "skipped: subsets of 500 from 12 samples" in page
    (folder,) = (runs / "smoke").glob("their*")
    assert f"{folder}: `ganbench leaderboard {runs}` shows it in a table of its own (12 of the tier's " in page
    recall = json.loads((folder / "result.json").read_text())["scores"][1]["value"]
    assert recall == 0.0, "noise covers no digit"

    words = ["evaluate", "--run", str(folder), "--metric", "classifier-score", "--format", "json", "--device", "cpu"]
    added = json.loads(said(words, capsys))
    assert [s["column"] for s in added["scores"]] == ["classifier-score/mnist-cnn"] and added["folder"] == str(folder)
    table = said(["leaderboard", str(runs)], capsys)
    assert "their [31mGAN (foreign)" in table and "classifier-score" in table

    for file in (folder / "samples").glob("*.npy"):
        file.unlink()
    checked = said(["verify", str(runs), "--rescore"], capsys)
    note = next(line for line in checked.splitlines() if "not measured again" in line)
    assert f"{folder}/samples/" in note and ".rescore" not in checked
    assert "nothing wrong; 1 run could not be measured again\n" in checked
    told = said(["evaluate", "--run", str(folder), "--metric", "classifier-score", "--device", "cpu"], capsys, 1)
    assert f"{folder}/samples/" in told and ".rescore" not in told


def test_where_nothing_can_be_scored_nothing_is_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    samples, runs = tmp_path / "samples.npy", tmp_path / "runs"
    np.save(samples, np.random.default_rng(0).integers(0, 256, (12, 1, 28, 28), np.uint8))
    words = ["evaluate", "--samples", str(samples), "--suite", "smoke", "--out", str(runs), "--device", "cpu"]
    told = said([*words, "--metric", "intra-class-distance"], capsys, 2)
    assert f"ganbench: {samples}: no score has a value, so nothing was written (" in told and "no labels" in told
    assert not runs.exists()
    said([*words, "--metric", "precision-recall"], capsys)
    (folder,) = (runs / "smoke").glob("samples-*")
    before = {name: (folder / name).read_bytes() for name in ("spec.json", "result.json")}
    told = said([*words, "--metric", "intra-class-distance"], capsys, 2)
    assert {name: (folder / name).read_bytes() for name in before} == before
    told = said(["evaluate", "--run", str(folder), "--metric", "intra-class-distance", "--device", "cpu"], capsys, 2)
    assert f"{folder}: no score has a value" in told
    assert {name: (folder / name).read_bytes() for name in before} == before
    (folder / "result.json").write_text(json.dumps({**json.loads(before["result.json"]), "scores": {"kid": 1}}))
    told = said(["evaluate", "--run", str(folder), "--metric", "kid", "--device", "cpu"], capsys, 2)
    assert "result.json: `scores` is dict, not list or null" in told and told.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "give --samples DIR|FILE with --dataset NAME, or --run RUN"),
        (["--samples", "x.npy", "--run", "y"], "give --samples DIR|FILE with --dataset NAME, or --run RUN"),
        (["--samples", "x.npy"], "--samples wants --dataset NAME"),
        (["--run", "y", "--name", "n", "--seed", "1"], "--name, --seed: not with --run"),
        (["--run", "nowhere"], "nowhere: is no run's folder; the folders in a suite's folder are runs"),
        (["--samples", "x.npy", "--dataset", "mnist", "--range", "1,0"], "--range 1,0: expected the values of black"),
        (["--samples", "x.npy", "--dataset", "mnist", "--layout", "CHWN"], "--layout CHWN: must be one of NCHW, NHWC"),
        (["--samples", "x.npy", "--dataset", "mnist", "--name", "\x1b"], "--name: a row needs a name"),
        (["--samples", "nowhere.npy", "--dataset", "mnist"], "nowhere.npy: no such file"),
        (["--samples", "x.npy", "--dataset", "mnits"], "no dataset 'mnits'; did you mean mnist"),
    ],
)
def test_wrong_words_are_one_line(
    words: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    told = said(["evaluate", *words], capsys, code=2)
    assert says in told and told.count("\n") == 1 and not list(tmp_path.iterdir())
