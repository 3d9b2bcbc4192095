"""Train an in-domain extractor and write everything that is shipped with it.

    PYTHONPATH=plugins GANBENCH_DATA=… python scripts/train_extractor.py NAME [--epochs N] [--seed 0] [--threads 1]

It learns from the data set's train, takes the epoch with the fewest errors on val, looks at test once, and writes, into
the extractor's folder: the weights (fp16; every accuracy is that of the file, not of the network before rounding), the
features and logits of val and test (fp16), and their sha256 into the module; and the figures into docs/extractors/.
`extractor_recipes.py` holds what differs between extractors.
"""

from __future__ import annotations

import argparse
import copy
import hashlib
import re
import time
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from extractor_recipes import RECIPES, Recipe
from safetensors.torch import load_file, save_file
from torch import Tensor

DOCS = Path(__file__).parents[1] / "docs" / "extractors"


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


def train(recipe: Recipe, epochs: int, seed: int) -> tuple[dict[str, Tensor], int]:
    """The best epoch's averaged weights, as stored, and its number."""
    torch.manual_seed(seed)
    images, labels = map(torch.from_numpy, recipe.dataset.load("train"))
    val, val_labels = map(torch.from_numpy, recipe.dataset.load("val"))
    network = recipe.network(dropout=recipe.dropout).to(memory_format=torch.channels_last)
    recipe.start(network, images)
    averaged = copy.deepcopy(network).eval()
    steps = len(images) // recipe.batch
    optimizer = recipe.optimizer(network.parameters(), recipe.lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, recipe.lr, epochs * steps, pct_start=recipe.rise)
    best: tuple[int, float] = (len(val) + 1, 0.0)
    state, chosen = {}, 0
    for epoch in range(1, epochs + 1):
        start = time.monotonic()
        for picked in torch.randperm(len(images)).split(recipe.batch)[:steps]:
            seen = recipe.augment(images[picked])
            with torch.autocast("cpu", torch.bfloat16, enabled=recipe.bf16):
                _, logits = network(seen)
            optimizer.zero_grad(set_to_none=True)
            F.cross_entropy(logits.float(), labels[picked], label_smoothing=recipe.smoothing).backward()
            optimizer.step()
            schedule.step()
            for mean, now in zip(averaged.state_dict().values(), network.state_dict().values(), strict=True):
                if mean.is_floating_point():
                    mean.lerp_(now, 1 - recipe.ema)
        stored = rounded(averaged.state_dict())
        tried = recipe.network()
        tried.load_state_dict(stored)
        _, logits = outputs(tried.eval(), val)
        score = (errors(logits, val_labels), float(F.cross_entropy(logits, val_labels)))
        took = time.monotonic() - start
        print(f"epoch {epoch}: {score[0]} errors on val, loss {score[1]:.4f}, {took:.0f} s", flush=True)
        if score < best:
            best, chosen, state = score, epoch, {name: v.clone() for name, v in stored.items()}
    return state, chosen


def write(recipe: Recipe, name: str, state: dict[str, Tensor], how: dict[str, object]) -> None:
    """Weights, features, their sha256 in the module, and the page. how: fields of the page on how it was trained."""
    module = Path(str(recipe.extractor.__file__))
    file = module.with_suffix(".safetensors")
    save_file(state, file)
    network = recipe.network().eval()
    network.load_state_dict(load_file(file))
    figures: dict[str, object] = {}
    files = [file]
    for split in ("val", "test"):
        images, labels = map(torch.from_numpy, recipe.dataset.load(split))
        features, logits = outputs(network, images)
        files.append(module.with_name(f"{module.stem}_{split}.safetensors"))
        save_file({"features": features.half(), "logits": logits.half()}, files[-1])
        wrong = errors(logits, labels)
        figures[split] = f"{100 - 100 * wrong / len(labels):.2f} % ({wrong:,} errors of {len(labels):,})"
        print(f"{split}: {figures[split]}", flush=True)
    hashes = {f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files}
    text = module.read_text(encoding="utf-8")
    for stored, digest in hashes.items():
        module.with_name(stored).chmod(0o644)  # safetensors leaves them readable by their owner alone
        text = re.sub(rf'("{stored}": )"[0-9a-f]*"', rf'\1"{digest}"', text)
    module.write_text(text, encoding="utf-8")
    rows = "".join(f"| `{f.name}` | {f.stat().st_size:,} | `{hashes[f.name]}` |\n" for f in files)
    parameters = sum(p.numel() for p in network.parameters())
    DOCS.mkdir(parents=True, exist_ok=True)
    page = PAGE.format(name=name, rows=rows, parameters=parameters, torch=torch.__version__.split("+")[0],
                       **figures, **recipe.words, **how)  # fmt: skip
    (DOCS / f"{name}.md").write_text(page, encoding="utf-8")


PAGE = """# {name}

A small convolutional classifier of {of}. Its penultimate layer (128 numbers, after the ReLU) is what
distances on {data} are taken in, its logits are what the classifier score and the label histogram are made of.

| | |
|---|---|
| accuracy on val (chose the epoch) | {val} |
| accuracy on test (looked at once) | {test} |
| parameters | {parameters:,} |
| trained on | {trained_on} |
| epoch | {epoch} of {epochs}, averaged weights |
| seed | {seed} |
| made with | torch {torch}, {threads}, {minutes:.0f} minutes |

Both accuracies are those of the stored half-precision weights, computed in single precision.

## Input

{input}

## Files

| file | bytes | sha256 |
|---|---|---|
{rows}
The features and logits of `{dataset}`'s val and test are shipped, in half precision, and are *the* reference of this
extractor everywhere, so that every machine measures against the same numbers.

## How to make it again

    export PYTHONPATH=plugins OMP_NUM_THREADS=1 GANBENCH_DATA=FOLDER
    python scripts/{command} --epochs {epochs} --seed {seed}{more}

The script writes the three files, their sha256 in the extractor's module, and this page. On another processor or
another torch the last bits differ, and so do the hashes; new weights mean new fingerprints, and old scores no longer
compare.

## How far to believe it

A classifier sees what tells {of_what} apart and little else. A ranking that it gives is a claim only where another
extractor (`inception-v3-compat`, say) agrees. `scripts/compare_extractors.py {name}` adds how far others do.
"""


def main(words: Sequence[str] | None = None) -> None:
    """Train one extractor. words: the command line, by default the program's own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=sorted(RECIPES))
    parser.add_argument("--epochs", type=int, help="by default those of the recipe")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args(words)
    recipe = RECIPES[given.name]
    torch.set_num_threads(given.threads)
    began = time.monotonic()
    epochs = given.epochs or recipe.epochs
    state, epoch = train(recipe, epochs, given.seed)
    how = {"epoch": epoch, "epochs": epochs, "seed": given.seed, "minutes": (time.monotonic() - began) / 60}
    one = given.threads == 1
    how |= {"threads": "one CPU thread" if one else f"{given.threads} CPU threads"}
    how |= {"more": "" if one else f" --threads {given.threads}"}
    write(recipe, given.name, state, how)


if __name__ == "__main__":
    main()
