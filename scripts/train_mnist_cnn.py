"""Train the extractor `mnist-cnn` and write everything that is shipped with it.

    PYTHONPATH=plugins GANBENCH_DATA=… python scripts/train_mnist_cnn.py [--epochs 12] [--seed 0]

About a quarter of an hour on one CPU core. It learns from `mnist`'s train, takes the epoch with the fewest errors on
val, looks at test once, and writes, into the extractor's folder: the weights (fp16; every accuracy is that of the
file, not of the network before rounding), the features and logits of val and test (fp16), and their sha256 into the
module; and the figures into docs/extractors/mnist-cnn.md.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import re
import time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import Tensor

from ganbench_zoo.datasets import mnist
from ganbench_zoo.extractors import mnist_cnn

DOC = Path(__file__).parents[1] / "docs" / "extractors" / "mnist-cnn.md"
BATCH = 128
EMA = 0.998


def augmented(images: Tensor) -> Tensor:
    """`(B, 1, 28, 28)` turned by up to 10°, scaled by up to 10 %, sheared by up to 0.1, shifted by up to 2 pixels."""
    n = len(images)
    angle, scale, shear = ((torch.rand(3, n) * 2 - 1) * torch.tensor([0.1745, 0.1, 0.1])[:, None]).unbind()
    cos, sin, zoom = angle.cos(), angle.sin(), scale.exp()
    shift = (torch.rand(n, 2) * 2 - 1) * (2 / 14)
    theta = torch.stack([cos * zoom, (shear - sin) * zoom, shift[:, 0], sin * zoom, cos * zoom, shift[:, 1]], 1)
    grid = F.affine_grid(theta.view(n, 2, 3), [n, 1, 28, 28], align_corners=False)
    return F.grid_sample(images.float(), grid, align_corners=False)


def rounded(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """A state as it is stored: floating point as fp16."""
    return {name: (v.half() if v.is_floating_point() else v).contiguous() for name, v in state.items()}


@torch.no_grad()
def outputs(network: torch.nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """Features `(N, 128)` and logits `(N, 10)`."""
    parts = [network(batch) for batch in images.split(1000)]
    return torch.cat([f for f, _ in parts]), torch.cat([g for _, g in parts])


def errors(logits: Tensor, labels: Tensor) -> int:
    """How many are classified wrongly."""
    return int((logits.argmax(1) != labels).sum())


def train(epochs: int, seed: int) -> tuple[dict[str, Tensor], int]:
    """The best epoch's averaged weights, as stored, and its number."""
    torch.manual_seed(seed)
    images, labels = map(torch.from_numpy, mnist.load("train"))
    val, val_labels = map(torch.from_numpy, mnist.load("val"))
    network = mnist_cnn.Classifier(dropout=0.3).to(memory_format=torch.channels_last)
    averaged = copy.deepcopy(network).eval()
    steps = len(images) // BATCH
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, epochs * steps, pct_start=0.2)
    best: tuple[int, float] = (len(val) + 1, 0.0)
    state, chosen = {}, 0
    for epoch in range(1, epochs + 1):
        start = time.monotonic()
        for picked in torch.randperm(len(images)).split(BATCH)[:steps]:
            _, logits = network(augmented(images[picked]))
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(logits, labels[picked]).backward()
            optimizer.step()
            schedule.step()
            for mean, now in zip(averaged.state_dict().values(), network.state_dict().values(), strict=True):
                if mean.is_floating_point():
                    mean.lerp_(now, 1 - EMA)
        stored = rounded(averaged.state_dict())
        tried = mnist_cnn.Classifier()
        tried.load_state_dict(stored)
        _, logits = outputs(tried.eval(), val)
        score = (errors(logits, val_labels), float(F.cross_entropy(logits, val_labels)))
        took = time.monotonic() - start
        print(f"epoch {epoch}: {score[0]} errors on val, loss {score[1]:.4f}, {took:.0f} s", flush=True)
        if score < best:
            best, chosen, state = score, epoch, {name: v.clone() for name, v in stored.items()}
    return state, chosen


def write(state: dict[str, Tensor], epoch: int, epochs: int, seed: int, seconds: float) -> None:
    """Weights, features, their sha256 in the module, and the page."""
    module = Path(mnist_cnn.__file__)
    file = module.with_name("mnist_cnn.safetensors")
    save_file(state, file)
    network = mnist_cnn.Classifier().eval()
    network.load_state_dict(load_file(file))
    figures: dict[str, object] = {}
    files = [file]
    for split in ("val", "test"):
        images, labels = map(torch.from_numpy, mnist.load(split))
        features, logits = outputs(network, images)
        files.append(module.with_name(f"mnist_cnn_{split}.safetensors"))
        save_file({"features": features.half(), "logits": logits.half()}, files[-1])
        wrong = errors(logits, labels)
        figures[split] = f"{100 - 100 * wrong / len(labels):.2f} % ({wrong} errors of {len(labels):,})"
        print(f"{split}: {figures[split]}", flush=True)
    hashes = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files}
    text = module.read_text()
    for name, digest in hashes.items():
        module.with_name(name).chmod(0o644)  # safetensors leaves them readable by their owner alone
        text = re.sub(rf'("{name}": )"[0-9a-f]*"', rf'\1"{digest}"', text)
    module.write_text(text)
    rows = "".join(f"| `{f.name}` | {f.stat().st_size:,} | `{hashes[f.name]}` |\n" for f in files)
    DOC.parent.mkdir(parents=True, exist_ok=True)
    DOC.write_text(PAGE.format(
        val=figures["val"], test=figures["test"], seed=seed, epoch=epoch, epochs=epochs, minutes=seconds / 60,
        parameters=sum(p.numel() for p in network.parameters()), torch=torch.__version__.split("+")[0], rows=rows,
    ))  # fmt: skip


PAGE = """# mnist-cnn

A small convolutional classifier of handwritten digits. Its penultimate layer (128 numbers, after the ReLU) is what
distances on MNIST are taken in, its logits are what the classifier score and the label histogram are made of.

| | |
|---|---|
| accuracy on val (chose the epoch) | {val} |
| accuracy on test (looked at once) | {test} |
| parameters | {parameters:,} |
| trained on | `mnist` train, 50,000 digits; light shifts, turns, scalings and shears |
| epoch | {epoch} of {epochs}, averaged weights |
| seed | {seed} |
| made with | torch {torch}, one CPU thread, {minutes:.0f} minutes |

Both accuracies are those of the stored half-precision weights, computed in single precision.

## Input

uint8, 28 × 28 pixels, one channel or three (averaged). Of 32 × 32 pixels the middle 28 × 28 are taken, because MNIST
at 32 pixels is MNIST with a black frame of two.

## Files

| file | bytes | sha256 |
|---|---|---|
{rows}
The features and logits of `mnist`'s val and test are shipped, in half precision, and are *the* reference of this
extractor everywhere, so that every machine measures against the same numbers.

## How to make it again

    export PYTHONPATH=plugins OMP_NUM_THREADS=1 GANBENCH_DATA=FOLDER
    python scripts/train_mnist_cnn.py --epochs {epochs} --seed {seed}

The script writes the three files, their sha256 in the extractor's module, and this page. On another processor or
another torch the last bits differ, and so do the hashes; new weights mean new fingerprints, and old scores no longer
compare.

## How far to believe it

A classifier sees what tells digits apart and little else. A ranking that it gives is a claim only where another
extractor (`inception-v3-compat`, say) agrees.
"""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    torch.set_num_threads(1)
    began = time.monotonic()
    best_state, best_epoch = train(given.epochs, given.seed)
    write(best_state, best_epoch, given.epochs, given.seed, time.monotonic() - began)
