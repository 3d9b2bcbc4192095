"""A run in its folder: what it leaves, how it stops and goes on, and what it says when it cannot."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tiny_runs import PARTS, Planner, lasting, plan_runs, read, told

import ganbench
from ganbench import plugins
from ganbench.execute.child import environment
from ganbench.plan.spec import RunSpec
from ganbench.train.__main__ import main
from ganbench.train.checkpoint import load_checkpoint, save_checkpoint
from ganbench.train.device import reference_mode
from ganbench.train.run import ENGINE_CODE, Interrupted, Run

CPU = torch.device("cpu")
MLP = 'architecture = "mlp", loss = "{}", recipe = {{ width = 8, depth = 1 }}'
GAME = 'game = "{}"'


@pytest.fixture(scope="module")
def parts() -> plugins.Registry:
    return plugins.load([str(PARTS)])


@pytest.fixture
def planned(parts: plugins.Registry, tmp_path: Path) -> Planner:
    """The spec of one run: its entry, its budget, further settings."""

    def make(entry: str = MLP.format("t-slow"), budget: str = "generator_steps = 150", **settings: Any) -> RunSpec:
        return plan_runs(parts, tmp_path / "tiny.toml", entry, budget, **settings)[-1]

    return make


@pytest.fixture
def train(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """What `python -m ganbench.train` does, in this process."""
    handlers = {s: signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)}

    def child(spec: RunSpec, folder: Path, file: Path = PARTS, options: Sequence[str] = ()) -> int:
        spec.write(folder)
        monkeypatch.setattr(sys, "argv", ["ganbench.train", "-p", str(file), *options, str(folder)])
        return main()

    yield child
    for number, handler in handlers.items():
        signal.signal(number, handler)
    torch.set_deterministic_debug_mode("default")


def stopped_at(spec: RunSpec, parts: plugins.Registry, folder: Path, cycle: int) -> None:
    """Train until a cycle, and be told to stop there."""
    run = Run(spec, parts, folder, CPU, stop=lambda: run.step == cycle)
    with pytest.raises(Interrupted, match=f"stopped at cycle {cycle}"):
        run.train()


def test_what_a_run_leaves(planned: Planner, train: Any, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    assert train(planned(), folder) == 0
    trained = read(folder)
    assert (trained["status"], trained["reason"], trained["last_step"]) == ("completed", None, 150)
    assert {v["name"] for v in trained["variants"]} == {"last-ema", "last-raw"}
    samples = np.load(folder / "samples" / "last-ema.npy")
    assert samples.shape == (20, 1, 28, 28) and samples.dtype == np.uint8
    assert [look["cycle"] for look in trained["looks"]] == [75, 150]
    assert np.load(folder / "samples" / f"{trained['looks'][0]['file']}.npy").shape[0] == 10
    assert trained["switches"] == {"on": [], "off": {}}
    assert set(trained["parameters"]) == set(trained["weights"]) == {"G", "D"}
    assert (folder / "samples.png").exists()
    assert not (folder / "checkpoint.safetensors").exists() and not (folder / "error.json").exists()
    cycles = [e["cycle"] for e in told(folder) if e["kind"] == "progress"]
    assert cycles == list(range(2, 151, 2))


def test_a_run_told_to_stop_goes_on_bit_for_bit(planned: Planner, train: Any, tmp_path: Path) -> None:
    """Stopped by SIGTERM as a process of its own, and finished in this one."""
    spec, whole, folder = planned(**{"t-slow.seconds": 0.01}), tmp_path / "whole", tmp_path / "stopped"
    spec.write(folder)
    command = [sys.executable, "-m", "ganbench.train", "-p", str(PARTS), str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while process.poll() is None and not (folder / "events.jsonl").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=60)
    assert process.returncode == 1 and log.splitlines()[-1].startswith("interrupted: stopped at cycle ")
    error = read(folder, "error.json")
    assert (error["status"], error["stage"], error["run_id"]) == ("interrupted", "training", spec.run_id)
    assert 1 <= error["last_step"] < 150 and (folder / "checkpoint.safetensors").exists()
    assert train(spec, folder) == 0 and train(spec, whole) == 0
    assert lasting(folder) == lasting(whole)


def test_stops_between_polls_and_looks(planned: Planner, parts: Any, train: Any, tmp_path: Path) -> None:
    spec, whole, folder = planned(), tmp_path / "whole", tmp_path / "stopped"
    assert train(spec, whole) == 0
    spec.write(folder)
    for cycle in (1, 38, 75, 111):
        stopped_at(spec, parts, folder, cycle)
        with (folder / "events.jsonl").open("a") as file:
            file.write('{"kind": "progress", "cycle": 149')  # told after the checkpoint, and torn
    assert train(spec, folder) == 0
    assert lasting(folder) == lasting(whole)


def test_buffers_are_state_also_where_they_are_not_persistent(
    planned: Planner, parts: Any, train: Any, tmp_path: Path
) -> None:
    """Counting the operations of a cycle does not count as one, and a checkpoint holds them."""
    entry = MLP.format("t-slow").replace("recipe", 'regularizers = "t-fleeting", recipe')
    spec, whole, folder = planned(entry, "generator_steps = 20"), tmp_path / "whole", tmp_path / "stopped"
    assert train(spec, whole) == 0
    counts = [e["values"]["count"] for e in told(whole) if e["kind"] == "memory"]
    assert counts == [2.0 * cycle for cycle in range(1, 21)], "one after each turn's step"
    spec.write(folder)
    for cycle in (1, 7):
        stopped_at(spec, parts, folder, cycle)
    tensors = load_checkpoint(folder / "checkpoint.safetensors", CPU)[0]
    assert {"mask", "count", "cache"} <= {key.rpartition("/")[2] for key in tensors}
    assert train(spec, folder) == 0
    assert lasting(folder) == lasting(whole)


@pytest.mark.parametrize("step", [0, 36, 37, 149])
def test_a_loss_that_is_no_number_ends_the_run(planned: Planner, train: Any, tmp_path: Path, step: int) -> None:
    """The step is exact, also between two polls."""
    assert train(planned(MLP.format("t-nan"), **{"t-nan.step": step}), tmp_path / "run") == 0
    trained = read(tmp_path / "run")
    assert (trained["status"], trained["last_step"]) == ("diverged", step)
    assert trained["reason"] == f"a loss or a weight was not finite at cycle {step}"
    assert trained["variants"] == [] and not list((tmp_path / "run").rglob("last-*.npy"))
    good = [look["cycle"] for look in trained["looks"]]
    assert good == ([75] if step == 149 else []), "what was seen while all was well is kept to be scored"
    assert len(list((tmp_path / "run").rglob("look-*.npy"))) == len(good)
    assert "NaN" not in (tmp_path / "run" / "events.jsonl").read_text()


def test_a_weight_that_is_no_number_ends_the_run(planned: Planner, train: Any, tmp_path: Path) -> None:
    """The losses of the only cycle are finite, what they do to the weights is not."""
    assert train(planned(MLP.format("t-steep"), "generator_steps = 1"), tmp_path / "run") == 0
    trained = read(tmp_path / "run")
    assert (trained["status"], trained["last_step"]) == ("diverged", 1)
    assert all(v == v and v is not None for e in told(tmp_path / "run") for v in e.get("losses", {}).values())


@pytest.mark.parametrize(
    ("loss", "text", "message"),
    [
        ("t-raises", "raise RuntimeError", "it broke"),
        ("t-mismatched", "return nn.Linear(3, 3)", "mat1 and mat2 shapes"),
    ],
)
def test_a_component_that_raises_is_named(
    planned: Planner, train: Any, tmp_path: Path, loss: str, text: str, message: str
) -> None:
    """Its own line, not the library's; also where its file lies below a folder of this program's name."""
    folder, file = tmp_path / "run", tmp_path / "ganbench" / PARTS.name
    file.parent.mkdir()
    file.write_bytes(PARTS.read_bytes())
    assert train(planned(MLP.format(loss)), folder, file) == 1
    error = read(folder, "error.json")
    line = next(i for i, t in enumerate(PARTS.read_text().splitlines(), 1) if text in t)
    assert (error["status"], error["last_step"], error["stage"]) == ("crashed", 0, "training")
    assert error["reason"].startswith("RuntimeError: ") and message in error["reason"]
    assert error["reason"].endswith(f" (run_parts.py, line {line})")
    assert not (folder / "trained.json").exists()


FLAT, SINGLE = "nn.Unflatten(1, spec.shape)", "end D with .flatten(0) or .squeeze(1)"


@pytest.mark.parametrize(
    ("architecture", "what", "mend"),
    [
        ("t-flat", "G gives (8, 784) instead of (8, 1, 28, 28); ", FLAT),
        ("t-tuple", "D answers a tuple instead of (8,); ", SINGLE),
        ("t-column", "D answers (8, 1) instead of (8,); ", SINGLE),
        ("t-mean", "D answers () instead of (8,); ", SINGLE),
    ],
)
def test_a_wrong_form_is_told_before_training(
    planned: Planner, train: Any, tmp_path: Path, architecture: str, what: str, mend: str
) -> None:
    spec = planned(f'architecture = "{architecture}", loss = "t-slow"')
    assert train(spec, tmp_path / "run") == 1
    reason = read(tmp_path / "run", "error.json")["reason"]
    assert reason.startswith(what) and reason.endswith(mend)


@pytest.mark.parametrize(
    ("game", "what", "mend"),
    [
        ("t-rows", "the game's sample gives (8, 784) instead of (8, 1, 28, 28); ", FLAT),
        ("t-bare", "the game's sample gives a Tensor instead of a Batch; ", "give what G.make gives"),
    ],
)
def test_a_game_of_its_own_with_samples_of_a_wrong_form_is_told_before_training(
    planned: Planner, train: Any, tmp_path: Path, game: str, what: str, mend: str
) -> None:
    assert train(planned(GAME.format(game)), tmp_path / "run") == 1
    error = read(tmp_path / "run", "error.json")
    assert error["reason"].startswith(what) and error["reason"].endswith(mend) and error["last_step"] == 0


def test_a_buffer_that_was_none_is_averaged_and_resumed(
    planned: Planner, parts: Any, train: Any, tmp_path: Path
) -> None:
    reference_mode(CPU, 1)
    spec = planned('architecture = "t-fleeting-buffer", loss = "t-slow"', "generator_steps = 20")
    run = Run(spec, parts, tmp_path / "one", CPU)
    run.train()
    average, net = run.engine.averages["G"].copy, run.engine.nets["G"]
    assert torch.equal(average.scale, net.scale) and average.scale is not net.scale
    stopped_at(spec, parts, tmp_path / "other", 7)
    assert train(spec, tmp_path / "other") == 0
    assert lasting(tmp_path / "other") == lasting(tmp_path / "one")


@pytest.mark.parametrize("form", ["persistent", "absent"])
def test_a_buffer_that_no_checkpoint_could_give_back_is_told_before_training(
    planned: Planner, train: Any, tmp_path: Path, form: str
) -> None:
    assert train(planned(f'architecture = "t-{form}-buffer", loss = "t-slow"'), tmp_path / "run") == 1
    error = read(tmp_path / "run", "error.json")
    assert error["reason"].startswith("player/G/scale is a buffer that comes to be while it trains")
    assert error["last_step"] <= 1


def test_two_logits_a_sample_are_allowed(planned: Planner, train: Any, tmp_path: Path) -> None:
    assert train(planned('architecture = "t-two", loss = "t-slow"', "generator_steps = 2"), tmp_path / "run") == 0


@pytest.mark.parametrize(
    ("budget", "counter", "reached"),
    [
        ("generator_steps = 5", "generator_steps", 5),
        ("discriminator_steps = 10", "discriminator_steps", 12),
        ("real_images = 50", "real_images", 72),
        ("real_images = 72", "real_images", 72),
    ],
)
def test_a_budget_ends_with_the_first_whole_cycle(
    planned: Planner, train: Any, tmp_path: Path, budget: str, counter: str, reached: int
) -> None:
    assert train(planned(budget=budget, d_steps=3), tmp_path / "run") == 0
    counters = read(tmp_path / "run")["counters"]
    cycles = counters["cycles"]
    assert counters[counter] == reached
    assert (counters["generator_steps"], counters["discriminator_steps"]) == (cycles, 3 * cycles)
    assert counters["real_images"] == 24 * cycles


def test_a_budget_of_seconds_counts_training(planned: Planner, train: Any, tmp_path: Path) -> None:
    assert train(planned(budget="seconds = 0.3", **{"t-slow.seconds": 0.01}), tmp_path / "run") == 0
    trained = read(tmp_path / "run")
    assert trained["status"] == "completed" and 0.3 <= trained["counters"]["seconds"] < 5
    assert 1 <= trained["counters"]["cycles"] <= 31


def test_a_killed_run_remembers_how_long_it_has_trained(
    planned: Planner, parts: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a budget of seconds never ends where a run is killed again and again; what saving takes is not training."""
    spec, folder = planned(budget="seconds = 100", **{"t-slow.seconds": 0.01}), tmp_path / "run"
    spec.write(folder)

    def slowly(*arguments: Any) -> None:
        time.sleep(0.05)
        save_checkpoint(*arguments)

    monkeypatch.setattr("ganbench.train.run.save_checkpoint", slowly)
    before = 0.0
    for attempt in (1, 2):
        stops = iter([False] * 20)
        began = time.monotonic()
        with pytest.raises(StopIteration):
            Run(spec, parts, folder, CPU, checkpoint_seconds=0.0, stop=lambda stops=stops: next(stops)).train()
        passed = time.monotonic() - began
        plain = load_checkpoint(folder / "checkpoint.safetensors", CPU)[1]
        assert plain["counters"]["cycles"] == 20 * attempt
        assert 20 * 0.01 <= plain["seconds"] - before <= passed - 20 * 0.05
        before = plain["seconds"]


def test_a_budget_that_nothing_advances(planned: Planner, train: Any, tmp_path: Path) -> None:
    assert train(planned(GAME.format("t-alone"), "discriminator_steps = 9"), tmp_path / "run") == 1
    error = read(tmp_path / "run", "error.json")
    assert error["status"] == "crashed"
    assert error["reason"].startswith("no turn of this game advances the budget's 'discriminator_steps'")


def test_a_budget_that_some_cycles_do_not_advance(planned: Planner, train: Any, tmp_path: Path) -> None:
    assert train(planned(GAME.format("t-lazy"), "discriminator_steps = 9"), tmp_path / "run") == 0
    counters = read(tmp_path / "run")["counters"]
    assert (counters["discriminator_steps"], counters["cycles"]) == (9, 27)


def altered(folder: Path, **changes: Any) -> None:
    """The checkpoint, as if it had been written elsewhere."""
    file = folder / "checkpoint.safetensors"
    tensors, plain = load_checkpoint(file, CPU)
    save_checkpoint(file, tensors, {**plain, **changes})


def test_a_checkpoint_from_elsewhere_is_refused_unless_forced_and_that_is_recorded(
    planned: Planner, parts: Any, train: Any, tmp_path: Path
) -> None:
    reference_mode(CPU, 1)
    spec, whole, folder = planned(), tmp_path / "whole", tmp_path / "run"
    assert train(spec, whole) == 0
    stopped_at(spec, parts, folder, 3)
    made_with = load_checkpoint(folder / "checkpoint.safetensors", CPU)[1]["made_with"]
    assert set(made_with) == {"ganbench", "engine code", "torch", "system", "processor", "vector code", "GPU"}
    altered(folder, made_with={**made_with, "torch": "0.4.1", "processor": "an abacus"})
    assert train(spec, folder) == 1
    reason = read(folder, "error.json")["reason"]
    assert f"torch: 0.4.1, here {torch.__version__}; processor: an abacus, here " in reason
    assert "--resume forced" in reason
    assert (folder / "checkpoint.safetensors").exists(), "it is the user's to delete"

    assert train(spec, folder, options=["--forced"]) == 0
    forced = read(folder)["forced"]
    assert [f["cycle"] for f in forced] == [3]
    assert forced[0]["differences"]["torch"] == ["0.4.1", torch.__version__]
    same, other = lasting(whole), lasting(folder)
    assert same["trained"].pop("forced") == [] and other["trained"].pop("forced")
    assert same == other, "nothing had changed in truth"


def test_a_checkpoint_under_other_vector_code_is_refused(
    planned: Planner, parts: Any, train: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An environment variable changes bits as well as another processor does."""
    spec, folder = planned(), tmp_path / "run"
    stopped_at(spec, parts, folder, 3)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "SSE41")
    assert train(spec, folder) == 1
    here = torch.backends.cpu.get_cpu_capability()
    assert f"(vector code: {here}, here {here}, ONEDNN_MAX_CPU_ISA=SSE41)" in read(folder, "error.json")["reason"]
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA")
    made_with = load_checkpoint(folder / "checkpoint.safetensors", CPU)[1]["made_with"]
    altered(folder, made_with={k: v for k, v in made_with.items() if k not in ("engine code", "vector code")})
    assert train(spec, folder) == 0, "earlier checkpoints do not tell"
    assert read(folder)["environment"]["vector_code"] == here


def test_a_checkpoint_of_an_engine_that_was_edited_since_is_refused(
    planned: Planner, parts: Any, tmp_path: Path
) -> None:
    """A copy of this package, in which one file of the engine has one more comment, goes on with the run."""
    folder, copy = tmp_path / "run", tmp_path / "checkout"
    spec = planned()
    spec.write(folder)
    stopped_at(spec, parts, folder, 3)
    package = Path(ganbench.__file__).parent
    shutil.copytree(package, copy / package.name, ignore=shutil.ignore_patterns("__pycache__"))
    with (copy / package.name / "train" / "averaging.py").open("a") as file:
        file.write("# edited\n")
    there = {**environment(1), "PYTHONPATH": os.pathsep.join([str(copy), os.environ.get("PYTHONPATH", "")])}
    words = [sys.executable, "-P", "-m", "ganbench.train", "-p", str(PARTS), str(folder)]
    assert subprocess.run(words, capture_output=True, check=False, env=there).returncode == 1
    reason = read(folder, "error.json")["reason"]
    assert f"was written under other circumstances (engine code: {ENGINE_CODE[:12]}, here " in reason
    assert reason.count(", here ") == 1, "nothing else had changed"


def test_a_checkpoint_of_another_run_is_refused_also_by_force(
    planned: Planner, parts: Any, train: Any, tmp_path: Path
) -> None:
    spec, folder = planned(), tmp_path / "run"
    stopped_at(spec, parts, folder, 3)
    altered(folder, run_id="ff")
    assert train(spec, folder, options=["--forced"]) == 1
    assert f"is of run ff, and here is run {spec.run_id}" in read(folder, "error.json")["reason"]


def test_where_the_newest_checkpoint_is_damaged_the_one_before_goes_on(
    planned: Planner, parts: Any, train: Any, tmp_path: Path, capsys: Any
) -> None:
    spec, whole, folder = planned(), tmp_path / "whole", tmp_path / "run"
    assert train(spec, whole) == 0
    stopped_at(spec, parts, folder, 40)
    stopped_at(spec, parts, folder, 81)
    file = folder / "checkpoint.safetensors"
    data = bytearray(file.read_bytes())
    data[-9] ^= 4  # one bit of a weight
    file.write_bytes(data)
    capsys.readouterr()
    assert train(spec, folder) == 0
    told_so = [line for line in capsys.readouterr().err.splitlines() if "going on from the one before it" in line]
    assert len(told_so) == 1 and "its content does not give its sha256" in told_so[0]
    assert lasting(folder) == lasting(whole)
    assert not list(folder.glob("*checkpoint*"))


def test_a_log_of_events_that_is_shorter_than_the_checkpoint_says(
    planned: Planner, parts: Any, train: Any, tmp_path: Path
) -> None:
    spec, folder = planned(), tmp_path / "run"
    stopped_at(spec, parts, folder, 40)
    (folder / "events.jsonl").write_bytes(b"")
    assert train(spec, folder) == 1
    assert "events.jsonl has lost what was told before it" in read(folder, "error.json")["reason"]


@pytest.mark.parametrize("content", [b"", b"garbage " * 100])
def test_a_checkpoint_that_is_none(planned: Planner, train: Any, tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "checkpoint.safetensors").write_bytes(content)
    assert train(planned(), folder) == 1
    assert "checkpoint.safetensors: is no checkpoint of ganbench" in read(folder, "error.json")["reason"]


def test_what_a_scale_row_leaves(parts: Any, train: Any, tmp_path: Path) -> None:
    spec = plan_runs(parts, tmp_path / "tiny.toml", MLP.format("t-slow"), "generator_steps = 1")[0]
    assert spec.kind == "scale" and train(spec, tmp_path / "run") == 0
    trained = read(tmp_path / "run")
    assert trained["status"] == "completed" and trained["variants"][0]["name"] == "scale"
    assert np.load(tmp_path / "run" / "samples" / "scale.npy").shape == (20, 1, 28, 28)
    assert (tmp_path / "run" / "samples.png").exists()


def test_a_folder_without_a_spec(train: Any, tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["ganbench.train", str(tmp_path)])
    assert main() == 1
    assert capsys.readouterr().err.splitlines()[-1].startswith(f"crashed: {tmp_path / 'spec.json'}: cannot be read")
