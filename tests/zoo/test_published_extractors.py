"""CLIP and DINOv2: the networks against other ways to compute them, and files that are not what they should be."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch_fidelity.feature_extractor_clip import MODEL_METADATA, CLIPVisual, FeatureExtractorCLIP

from ganbench import Unavailable, UsageError
from ganbench.cli import main
from ganbench.storage import offline
from ganbench_zoo.extractors import clip, dinov2
from ganbench_zoo.layers.vision_transformer import VisionTransformer

CLIP = clip.Variant("clip-vit-b-32", "ViT-B-32.pt", "0" * 64, patch=32, inner=64, depth=2, width=16, rate=1.0)
DINO = dinov2.Variant("dinov2-vit-b-14", "dinov2_vitb14", 64, 2, 4, 1.0)
"""As the registered ones, with a network small enough for a test."""
EITHER = pytest.mark.parametrize("variant", [CLIP, DINO], ids=lambda variant: variant.name)
State = dict[str, Tensor]


def random(network: nn.Module, deviation: float = 0.1) -> State:
    """Values for the parameters of a network."""
    generator = torch.Generator().manual_seed(0)
    return {key: torch.randn(x.shape, generator=generator) * deviation for key, x in network.state_dict().items()}


def state(variant: clip.Variant | dinov2.Variant) -> State:
    """Tensors as the published file of a variant names them, and what else is in it."""
    with torch.device("meta"):
        if isinstance(variant, clip.Variant):
            network: nn.Module = CLIPVisual(variant.width, 224, variant.depth, variant.inner, variant.patch)
        else:
            network = VisionTransformer(variant.width, variant.depth, variant.heads)
    beside = "logit_scale" if isinstance(variant, clip.Variant) else "mask_token"
    return random(network) | {beside: torch.ones(1)}


@pytest.fixture
def images() -> Tensor:
    """Random bytes in the form of digits: uint8 `(3, 1, 28, 28)`."""
    return torch.from_numpy(np.random.default_rng(0).integers(0, 256, (3, 1, 28, 28), np.uint8))


@EITHER
def test_features_of_grey_and_colour_from_either_kind_of_file(variant, images, tmp_path):
    files = [tmp_path / "a.safetensors", tmp_path / "a.pth", tmp_path / "old.pth"]
    save_file(state(variant), files[0])
    torch.save(state(variant), files[1])
    torch.save(state(variant), files[2], _use_new_zipfile_serialization=False)
    networks = [variant.build(file) for file in files]
    given = [network(images)[0] for network in networks]
    assert given[0].shape == (3, variant.width) and given[0].dtype == torch.float32
    assert (given[0][0] - given[0][1]).abs().max() > 1e-3
    assert given[0].equal(given[1]) and given[0].equal(given[2])
    torch.testing.assert_close(networks[0](images.expand(-1, 3, -1, -1))[0], given[0])
    torch.testing.assert_close(networks[0](images[:1])[0], given[0][:1])
    assert not networks[0].training and not any(p.requires_grad for p in networks[0].parameters())
    assert variant.weights(files[0]).sha256 == hashlib.sha256(files[0].read_bytes()).hexdigest()
    with pytest.raises(UsageError, match="no layer 2048; there "):
        variant.build(files[0], ("2048",))


class Whole(nn.Module):
    """What torch-fidelity looks for in the published archive."""

    def __init__(self) -> None:
        super().__init__()
        self.visual = CLIPVisual(CLIP.width, 224, CLIP.depth, CLIP.inner, CLIP.patch).visual
        self.text_projection = nn.Parameter(torch.zeros(8, CLIP.width))

    def forward(self, x: Tensor) -> Tensor:
        return self.visual(x) + self.text_projection.sum()


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> tuple[Path, State]:
    """A TorchScript archive with random tensors as the published one names them, and the tensors."""
    whole = Whole().eval().requires_grad_(False)
    values = random(whole)
    whole.load_state_dict(values)
    file = tmp_path_factory.mktemp("clip") / "archive.pt"
    with pytest.warns(Warning):
        torch.jit.trace(whole, torch.zeros(1, 3, 224, 224)).save(str(file))
    return file, values


@pytest.mark.filterwarnings("ignore:.*torch.jit.load")  # torch-fidelity's call
def test_clip_equals_torch_fidelity(archive, images, tmp_path):
    file, values = archive
    theirs = FeatureExtractorCLIP(CLIP.name, ["clip"], feature_extractor_weights_path=str(file))
    save_file(values | {"positional_embedding": torch.ones(3)}, tmp_path / "plain.safetensors")
    (expected,) = theirs(images.expand(-1, 3, -1, -1))
    assert CLIP.build(tmp_path / "plain.safetensors")(images)[0].equal(expected)
    known = dataclasses.replace(CLIP, sha256=hashlib.sha256(file.read_bytes()).hexdigest())
    assert known.weights(file).official and known.build(file)(images)[0].equal(expected)


def test_an_archive_with_code_is_opened_only_if_it_is_the_published_one(archive):
    with pytest.raises(UsageError, match=r"archive\.pt: no weights of clip-vit-b-32 \(a TorchScript archive"):
        CLIP.build(archive[0])
    assert {v.name: v.sha256 for v in clip.VARIANTS} == {v.name: MODEL_METADATA[v.name]["hash"] for v in clip.VARIANTS}


def test_the_transformer_equals_torchs_own_layers():
    ours = VisionTransformer(64, 3, 4, grid=4).eval()
    values = random(ours, 0.3)
    ours.load_state_dict(values)
    x = torch.randn(2, 3, 56, 56, generator=torch.Generator().manual_seed(1))
    patches = x.unfold(2, 14, 14).unfold(3, 14, 14).permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)
    tokens = patches @ values["patch_embed.proj.weight"].flatten(1).T + values["patch_embed.proj.bias"]
    tokens = torch.cat([values["cls_token"].expand(2, 1, 64), tokens], 1) + values["pos_embed"]
    for k in range(3):
        block = {key.removeprefix(f"blocks.{k}."): v for key, v in values.items() if key.startswith(f"blocks.{k}.")}
        layer = nn.TransformerEncoderLayer(64, 4, 256, 0, "gelu", 1e-6, batch_first=True, norm_first=True).eval()
        scaled = {  # torch's layer has no factors on its branches: they go into the last product of each
            part: {"weight": gamma[:, None] * block[f"{of}.weight"], "bias": gamma * block[f"{of}.bias"]}
            for part, of, gamma in (
                ("self_attn.out_proj", "attn.proj", block["ls1.gamma"]),
                ("linear2", "mlp.fc2", block["ls2.gamma"]),
            )
        }
        same = {"linear1": "mlp.fc1", "norm1": "norm1", "norm2": "norm2"}
        plain = {part: {end: block[f"{of}.{end}"] for end in ("weight", "bias")} for part, of in same.items()}
        loaded = {f"{part}.{end}": v for part, ends in (scaled | plain).items() for end, v in ends.items()}
        loaded |= {f"self_attn.in_proj_{end}": block[f"attn.qkv.{end}"] for end in ("weight", "bias")}
        layer.load_state_dict(loaded)
        tokens = layer(tokens)
    expected = nn.functional.layer_norm(tokens[:, 0], (64,), values["norm.weight"], values["norm.bias"], 1e-6)
    torch.testing.assert_close(ours(x), expected)


def test_positions_are_stretched_as_in_training():
    network = VisionTransformer(2, 0, 1)
    at = torch.arange(37.0)
    ramps = torch.stack(torch.meshgrid(at, at, indexing="ij"), 2).flatten(0, 1)  # each patch's own row and column
    with torch.no_grad():
        network.pos_embed[0, 1:], network.pos_embed[0, 0] = ramps, 7.0
    given = network.positions(16, 16)
    assert given.shape == (1, 257, 2) and (given[0, 0] == 7).all()
    inside = given[0, 1:].unflatten(0, (16, 16))[2:-2, 2:-2]
    middles = (torch.arange(16.0) + 0.5) * 37 / 16.1 - 0.5
    expected = torch.stack(torch.meshgrid(middles, middles, indexing="ij"), 2)[2:-2, 2:-2]
    torch.testing.assert_close(inside, expected, atol=0.06, rtol=0)  # a ramp is off by 0.05; without the 0.1, by 0.19
    assert network.positions(37, 37) is network.pos_embed


class Attack:
    """Runs a command when it is unpickled."""

    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


def other(values: State, change: Callable[[str], Tensor | None]) -> State:
    """The tensors with the last but one changed, or left out."""
    key = sorted(values)[-2]
    rest = {k: v for k, v in values.items() if k != key}
    return rest if (value := change(key)) is None else rest | {key: value}


@EITHER
def test_damaged_and_foreign_files_end_in_one_line(variant, tmp_path):
    values = state(variant)
    key = sorted(values)[-2]
    of = values[key]
    tower = "visual." if isinstance(variant, clip.Variant) else ""
    good = tmp_path / "good.safetensors"
    save_file(values, good)
    cases: dict[str, tuple[object, str]] = {
        "missing": (other(values, lambda _: None), rf"{key} is missing"),
        "shape": (other(values, lambda _: of[:1].clone()), rf"{key} is \(1,"),
        "nan": (other(values, lambda _: of * float("nan")), rf"{key} is not finite"),
        "more": (values | {f"{tower}register_tokens": torch.ones(2)}, "register_tokens, which belongs to another"),
        "list": ([of], "something other than tensors by name"),
        "hostile": ({key: Attack(tmp_path / "marker")}, "something other than tensors by name"),
    }
    for name, (held, said) in cases.items():
        torch.save(held, tmp_path / name)
        with pytest.raises(UsageError, match=rf"{name}: no weights of {variant.name} \(.*{said}"):
            variant.build(tmp_path / name)
    raw = {"pickle": pickle.dumps(Attack(tmp_path / "marker")), "text": b"not weights", "empty": b""}
    for name, data in {**raw, "torn": good.read_bytes()[:-100], "zip": (tmp_path / "nan").read_bytes()[:-900]}.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(UsageError, match=rf"{name}: no weights of {variant.name} \(") as caught:
            variant.build(tmp_path / name)
        assert "\n" not in str(caught.value)
    assert not (tmp_path / "marker").exists()
    with pytest.raises(UsageError, match=r"none: weights of .* cannot be read"):
        variant.weights(tmp_path / "none")


@EITHER
def test_weights_are_searched_in_the_data_folders(variant, tmp_path, monkeypatch):
    monkeypatch.setenv("GANBENCH_DATA", str(tmp_path))
    monkeypatch.setenv("GANBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    with offline(), pytest.raises(Unavailable, match=rf"--extractor {variant.name}=FILE"):
        variant.weights()
    file = tmp_path / variant.name / ("ViT-B-32.pt" if variant is CLIP else "dinov2_vitb14_pretrain.pth")
    file.parent.mkdir()
    torch.save(state(variant), file)
    if variant is CLIP:
        with pytest.raises(UsageError, match=r"ViT-B-32\.pt: damaged, sha256"):
            variant.weights()
    else:
        assert variant.weights().file == file and variant.build() is not None


@pytest.mark.parametrize("name", ["clip-vit-b-32", "dinov2-vit-b-14", "inception-v3-compat"])
def test_a_foreign_file_costs_the_program_one_line(name, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    np.save("digits.npy", np.zeros((20, 1, 28, 28), np.uint8))
    Path("foreign.pth").write_bytes(b"PK not weights")
    words = ["evaluate", "--samples", "digits.npy", "--suite", "smoke", "--extractor", f"{name}=foreign.pth"]
    with pytest.raises(SystemExit) as ended:
        main(words)
    assert ended.value.code == 2
    told = capsys.readouterr().err.strip()
    assert f"foreign.pth: no weights of {name}" in told and "\n" not in told


@pytest.mark.full
@pytest.mark.parametrize("variant", [clip.VARIANTS[0], dinov2.VARIANTS[0]], ids=lambda variant: variant.name)
def test_the_registered_sizes_with_random_values(variant, images, tmp_path):
    file = tmp_path / "random.safetensors"
    save_file(state(variant), file)
    (features,) = variant.build(file)(images)
    assert features.shape == (3, variant.width) and features.isfinite().all()
    assert (features[0] - features[1]).abs().max() > 1e-4
