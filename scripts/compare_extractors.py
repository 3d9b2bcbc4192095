"""How far other extractors agree with one that was trained here: Kendall's τ; writes the table of its page.

    PYTHONPATH=plugins GANBENCH_DATA=… python scripts/compare_extractors.py NAME [--samples 500] [--runs FOLDER…]

Ranked are real images that are damaged by degrees (`graded_samples.py`) and the samples of finished runs, by their
Fréchet distances from the test split under the extractor, under a network that was never trained, and under layer 768
of Inception, where its weights are there. Features are kept (`--cache`), so that what is broken off goes on, also with
more samples.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import re
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from extractor_recipes import RECIPES
from graded_samples import families
from safetensors.torch import load_file, save_file
from scipy.stats import kendalltau
from torch import Tensor, nn

from ganbench import cache_dir, data_roots
from ganbench_zoo.extractors import inception_v3_compat, random_cnn
from ganbench_zoo.layers.frechet import distance, half

DOCS = Path(__file__).parents[1] / "docs" / "extractors"
BATCH = 50
EVERY = 30.0
"""Seconds of work that may be lost when it is broken off."""
DRAWS = 10_000
MARKS = ("<!-- agreement: written by scripts/compare_extractors.py -->", "<!-- end of agreement -->")


class Features:
    """Features of images by one extractor: each different image is extracted once, and kept in a file."""

    def __init__(self, network: nn.Module, file: Path) -> None:
        self.network, self.file = network, file
        self.known: dict[str, Tensor] = load_file(file) if file.is_file() else {}
        self.kept = time.monotonic()

    def __call__(self, images: np.ndarray) -> Tensor:
        """uint8 `(n, C, H, W)` to float32 `(n, width)`."""
        keys = [hashlib.sha256(image.tobytes()).hexdigest() for image in images]
        missing = {key: image for key, image in zip(keys, images, strict=True) if key not in self.known}
        for at in range(0, len(missing), BATCH):
            part = list(missing)[at : at + BATCH]
            with torch.inference_mode():
                (features,) = self.network(torch.from_numpy(np.stack([missing[key] for key in part])))
            self.known |= {key: row.clone() for key, row in zip(part, features, strict=True)}
            if time.monotonic() - self.kept > EVERY:
                self.keep()
        if missing:
            self.keep()
        return torch.stack([self.known[key] for key in keys])

    def keep(self) -> None:
        """Write all that is known, at once or not at all."""
        self.file.parent.mkdir(parents=True, exist_ok=True)
        part = self.file.with_suffix(f".{os.getpid()}")
        save_file(self.known, part)
        os.replace(part, self.file)
        self.kept = time.monotonic()


def extractors(name: str, cache: Path, inception: Path | None) -> dict[str, Features]:
    """The extractor, the untrained network, and Inception's layer 768 if a file of its weights is given or found."""
    inner = RECIPES[name].extractor
    built = {
        name: (inner.build(None, ("features",)), inner.weights()),
        "random-cnn": (random_cnn.build(), random_cnn.weights()),
    }
    found = [file for root in data_roots() for file in sorted((root / "inception").glob("*.pth"))]
    if file := inception or next(iter(found), None):
        network = inception_v3_compat.build(file, ("768",))
        network.to(memory_format=torch.channels_last)  # half again as fast on a CPU, for features a millionth apart
        built["inception-768"] = (network, inception_v3_compat.weights(file))
    return {
        kind: Features(network, cache / f"{kind}-{weights.sha256[:12]}.safetensors")
        for kind, (network, weights) in built.items()
    }


def generated(folder: Path, n: int) -> tuple[str, np.ndarray]:
    """What a finished run is called, and the first n of its samples."""
    spec = json.loads((folder / "spec.json").read_text(encoding="utf-8"))
    samples = np.load(folder / "samples" / "last-ema.npy", mmap_mode="r", allow_pickle=False)
    words = f"{spec['entry']['label']}, {spec['suite']['budget']['real_images']:,} images, seed {spec['seed']}"
    return words, np.array(samples[:n])


def named(family: str, degree: str) -> str:
    """A set's name in the tables."""
    return f"{family}, {degree}" if degree else family


def order_kept(graded: dict[str, list[str]], distances: dict[str, float]) -> tuple[int, int, list[str]]:
    """Of the steps from real images to a family's first degree and on, how many make the distance greater, of how many,
    and the others in words."""
    steps = [pair for names in graded.values() for pair in itertools.pairwise(["real", *names])]
    wrong = [f"{a} → {b}" for a, b in steps if distances[a] >= distances[b]]
    return len(steps) - len(wrong), len(steps), wrong


def tau(a: Sequence[float], b: Sequence[float]) -> float:
    """Kendall's τ."""
    return float(kendalltau(a, b).statistic)


def interval(a: Sequence[float], b: Sequence[float], seed: int = 0) -> tuple[float, float]:
    """95 % percentile interval of τ when the sets are drawn anew, with replacement; a set is no pair with itself."""
    signs = np.sign(np.subtract.outer(a, a)) * np.sign(np.subtract.outer(b, b))
    drawn = np.random.default_rng(seed).multinomial(len(a), [1 / len(a)] * len(a), DRAWS).astype(float)
    pairs = len(a) ** 2 - (drawn**2).sum(1)
    drawn, pairs = drawn[pairs > 0], pairs[pairs > 0]
    low, high = np.quantile(((drawn @ signs) * drawn).sum(1) / pairs, (0.025, 0.975))
    return float(low), float(high)


def block(
    graded: dict[str, list[str]], trained: list[str], whole: dict[str, dict[str, float]], halves: list[dict]
) -> str:
    """The tables of the page. whole: extractor → set → distance; halves: the same from either half of the samples."""
    sets = list(next(iter(whole.values())))
    ranks = {kind: sorted(sets, key=found.__getitem__) for kind, found in whole.items()}
    lines = ["| samples | " + " | ".join(f"`{kind}`" for kind in whole) + " |", "|---|" + "---|" * len(whole)]
    for name in ranks[next(iter(whole))]:
        cells = (f"{found[name]:.3g} ({ranks[kind].index(name) + 1})" for kind, found in whole.items())
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "| Kendall's τ | all | 95 % interval | graded | trained |", "|---|---|---|---|---|"]
    some = [name for name in sets if name not in trained]
    for one, other in itertools.combinations(whole, 2):
        every, few, made = ([[whole[k][s] for s in chosen] for k in (one, other)] for chosen in (sets, some, trained))
        low, high = interval(every[0], every[1])
        last = f"{tau(*made):.2f}" if len(trained) > 2 else "–"
        lines.append(f"| `{one}`, `{other}` | {tau(*every):.2f} | [{low:.2f}, {high:.2f}] | {tau(*few):.2f} | {last} |")
    for kind in whole:
        own = [[part[kind][s] for s in sets] for part in halves]
        low, high = interval(own[0], own[1])
        lines.append(f"| `{kind}`, itself on other samples | {tau(*own):.2f} | [{low:.2f}, {high:.2f}] | | |")
    lines += ["", "| | degrees in order | out of order |", "|---|---|---|"]
    for kind, found in whole.items():
        kept, steps, wrong = order_kept(graded, found)
        lines.append(f"| `{kind}` | {kept} of {steps} | {'; '.join(wrong) or '–'} |")
    return "\n".join(lines) + "\n"


def written(page: str, text: str) -> str:
    """The page with the text between its marks; a page without marks gets them at its end."""
    between = f"{MARKS[0]}\n{text}{MARKS[1]}"
    found = re.compile(re.escape(MARKS[0]) + ".*?" + re.escape(MARKS[1]), re.DOTALL)
    return found.sub(lambda _: between, page) if found.search(page) else f"{page}\n{between}\n"


def main(words: Sequence[str] | None = None) -> None:
    """Compare, print, and write the page. words: the command line, by default the program's own."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=sorted(RECIPES))
    parser.add_argument("--samples", type=int, default=500, help="of each set, and of the test split")
    parser.add_argument("--runs", type=Path, nargs="*", default=[], help="folders of finished runs on the same data")
    parser.add_argument("--inception", type=Path, help="its weights, if not in inception/ of a data folder")
    parser.add_argument("--cache", type=Path, default=cache_dir() / "compare-extractors")
    parser.add_argument("--page", type=Path, help="what to write, by default docs/extractors/NAME.md")
    given = parser.parse_args(words)
    torch.set_num_threads(1)
    dataset, n = RECIPES[given.name].dataset, given.samples
    images, labels = dataset.load("train")
    made = families(images, labels, n)
    sets = {named(family, degree): x for family, degrees in made.items() for degree, x in degrees.items()}
    graded = {family: [named(family, d) for d in degrees] for family, degrees in made.items() if family != "real"}
    trained = dict(generated(folder, n) for folder in given.runs)
    test = dataset.load("test")[0]
    test = test[np.random.default_rng(1).permutation(len(test))[:n]]
    whole: dict[str, dict[str, float]] = {}
    halves: list[dict[str, dict[str, float]]] = [{}, {}]
    for kind, features in extractors(given.name, given.cache, given.inception).items():
        found = {}
        for name, images in {**sets, **trained}.items():
            found[name] = features(images)
            print(f"{kind}: {name}", flush=True)
        real = features(test)
        for into, part in ((whole, slice(None)), (halves[0], slice(n // 2)), (halves[1], slice(n // 2, None))):
            of = half(real[part], "cpu")
            into[kind] = {name: distance(of, x[part], "cpu") for name, x in found.items()}
    text = f"{n} samples of each set and {n} of the test split.\n\n" + block(graded, list(trained), whole, halves)
    print(text)
    page = given.page or DOCS / f"{given.name}.md"
    page.write_text(written(page.read_text(encoding="utf-8"), text), encoding="utf-8")


if __name__ == "__main__":
    main()
