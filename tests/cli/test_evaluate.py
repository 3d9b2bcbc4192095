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
    assert f"{folder}: `ganbench leaderboard {runs}` shows it" in page
    recall = json.loads((folder / "result.json").read_text())["scores"][1]["value"]
    assert recall == 0.0, "noise covers no digit"

    words = ["evaluate", "--run", str(folder), "--metric", "classifier-score", "--format", "json", "--device", "cpu"]
    added = json.loads(said(words, capsys))
    assert [s["column"] for s in added["scores"]] == ["classifier-score/mnist-cnn"] and added["folder"] == str(folder)
    table = said(["leaderboard", str(runs)], capsys)
    assert "their [31mGAN (foreign)" in table and "classifier-score" in table


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
