"""`ganbench bench`: what it measures hangs together, and wrong words are one line."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import torch

from ganbench.cli import main

SMALL = ["--batch-size", "8", "--set", "width=8", "--set", "latent=4", "--seconds", "0.5", "--device", "cpu"]


@pytest.fixture(autouse=True)
def process() -> Iterator[None]:
    """Leave the process as it was: a measurement sets threads and determinism."""
    threads = torch.get_num_threads()
    yield
    torch.set_num_threads(threads)
    torch.set_deterministic_debug_mode("default")


def bench(words: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        main(["bench", *words])
    out, told = capsys.readouterr()
    return int(ended.value.code or 0), out, told


def test_what_is_measured_hangs_together(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--architecture", "mlp", "--loss", "wgan-gp", "--shape", "2", "--mode", "fast", "--format", "json"]
    words += ["--regularizer", "r1", "--set", "r1.every=1"]
    code, out, told = bench([*words, *SMALL], capsys)
    assert code == 0, told
    found = json.loads(out)
    assert found["label"] == "mlp · wgan-gp + r1 [batch_size=8, latent=4, r1.every=1, width=8] [mode=fast]"
    assert (found["batch_size"], found["shape"]) == (8, [2])
    by_d, by_g = found["images_per_second_D"], found["images_per_second_G"]
    assert by_d[1] <= by_d[0] <= by_d[2]
    assert by_g[0] == pytest.approx(by_d[0] / 5), "five steps of D for one of G"
    assert found["samples_per_second"] > 0 and found["peak_memory_bytes"] > 0
    assert found["flops_per_second"] == pytest.approx(by_d[0] / 40 * found["flops_per_cycle"])
    assert found["share_of_peak"] == pytest.approx(found["flops_per_second"] / found["peak_flops_per_second"])
    assert 0 < found["share_of_peak"] < 1
    assert found["environment"]["vector_code"].startswith(torch.backends.cpu.get_cpu_capability())
    assert set(found["profile"]) == {"D", "G", "penalty"}
    assert found["profile"]["D"] > 0 and found["profile"]["G"] > 0
    assert found["switches"] == {"on": ["shared_fake", "fused_optimizer", "channels_last"], "off": {}}


def test_a_table_for_people(capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--architecture", "cdcgan", "--loss", "hinge", "--shape", "1x28x28", "--mode", "fast-bf16"]
    code, out, told = bench([*words, *SMALL], capsys)
    assert code == 0, told
    first, *rows = out.splitlines()
    assert first.startswith("cdcgan · hinge") and "on 1×28×28, batch of 8" in first
    named = [row.partition("  ")[0] for row in rows]
    assert named[:2] == ["images/s by D", "images/s by G"] and "channels_last" in named
    assert "time of penalty" not in named


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--loss", "hinge"], "give --architecture and --loss, or --preset"),
        (["--preset", "dcgan", "--loss", "hinge"], "give --architecture and --loss, or --preset"),
        (["--architecture", "dcgan", "--loss", "hinge", "--shape", "30x"], "--shape 30x: expected sizes"),
        (["--architecture", "dcgan", "--loss", "hinge", "--shape", "1x30x30"], "takes images of 28, 32, 64 pixels"),
        (["--architecture", "dcgan", "--loss", "hinge", "--mode", "fsat"], "no mode 'fsat'; did you mean fast?"),
        (["--architecture", "dcgan", "--loss", "hinge", "--batch-size", "0"], "'batch_size' must be at least 1"),
        (["--architecture", "dcgan", "--loss", "hinge", "--batch-size", "1" + "0" * 20], "at most 16,777,216"),
        (
            ["--architecture", "mlp", "--loss", "hinge", "--set", "width=0"],
            "mlp · hinge [width=0] cannot be measured: ",
        ),
    ],
)
def test_wrong_words_are_one_line(words: list[str], reason: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, told = bench([*words, "--device", "cpu"], capsys)
    assert (code, out) == (2, "")
    assert reason in told and len(told.splitlines()) == 1
