"""A checkpoint is one file, whole or not there, and gives back what it was given."""

from __future__ import annotations

import os

import pytest
import torch
from stand_ins import CASES, train

from ganbench.errors import UsageError
from ganbench.train.checkpoint import load_checkpoint, save_checkpoint

CPU = torch.device("cpu")


def test_tensors_and_plain_values_come_back(tmp_path):
    shared = torch.randn(4, 3)
    tensors = {
        "a/b": shared.t(),
        "again": shared.t(),
        "scalar": torch.tensor(2.5),
        "whole": torch.tensor([1, 2**60]),
        "flag": torch.tensor([True, False]),
        "empty": torch.empty(0, 3),
    }
    plain = {"counters": {"cycles": 3}, "told": {"progress": 0.1 + 0.2}, "list": [1, "ü"]}
    save_checkpoint(tmp_path / "c.safetensors", tensors, plain)
    loaded, values = load_checkpoint(tmp_path / "c.safetensors", CPU)
    assert values == plain and loaded.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert loaded[name].dtype == tensor.dtype and torch.equal(loaded[name], tensor)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None], ids=["empty", "garbage", "cut"])
def test_what_is_no_checkpoint_is_told(tmp_path, content):
    file = tmp_path / "c.safetensors"
    save_checkpoint(file, {"a": torch.ones(100)}, {})
    file.write_bytes(file.read_bytes()[:-50] if content is None else content)
    with pytest.raises(UsageError, match="is no checkpoint of ganbench"):
        load_checkpoint(file, CPU)


def test_a_failed_write_leaves_the_old_one(tmp_path, monkeypatch):
    file = tmp_path / "c.safetensors"
    save_checkpoint(file, {"a": torch.ones(3)}, {"step": 1})

    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="No space"):
        save_checkpoint(file, {"a": torch.zeros(3)}, {"step": 2})
    monkeypatch.undo()
    loaded, plain = load_checkpoint(file, CPU)
    assert plain == {"step": 1} and torch.equal(loaded["a"], torch.ones(3))


@pytest.mark.parametrize("every", [1, 3, 4])
def test_how_often_it_is_written_changes_no_bit(tmp_path, every):
    case, file = CASES["many-packed"], tmp_path / "c.safetensors"
    plain = case.engine()
    train(plain, 8)
    engine = case.engine()
    for until in (*range(every, 8, every), 8):
        train(engine, until)
        save_checkpoint(file, *engine.state())
        engine = case.engine()
        engine.load(*load_checkpoint(file, CPU))
    one, other = plain.state(), engine.state()
    assert one[1] == other[1] and one[0].keys() == other[0].keys()
    assert not [k for k in one[0] if not torch.equal(one[0][k], other[0][k])]


def test_losses_of_before_lie_where_those_to_come_will(tmp_path):
    """A checkpoint is read to the host, and a poll stacks losses from before and after it; `meta` stands for a GPU."""
    engine = CASES["images"].engine()
    train(engine, 3)
    save_checkpoint(tmp_path / "c.safetensors", *engine.state())
    engine.device = torch.device("meta")
    engine.load(*load_checkpoint(tmp_path / "c.safetensors", CPU))
    columns = engine.window.columns()
    engine.window.add(columns, [torch.zeros((), device="meta") for _ in columns], 4, watched=False)
    assert columns and {loss.device.type for loss in engine.window.values()} == {"meta"}
