"""Calibrates the levels of a suite of images with classes on real ones, and writes them into its file.

    GANBENCH_DATA=FOLDER python scripts/calibrate_levels.py [SUITE]

`readable` is half of the distance of the mean picture. `learnt` asks for a distance below ten repeated images, and for
what a collapsed or blurred generator cannot have:

- recall at least that of real images of which half the classes are missing,
- a label histogram at most as far from uniform (total variation) as that of real images without two classes,
- a classifier's confidence at least that of pictures that are the mean of two real images.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import torch

from ganbench import plugins
from ganbench.plan.suite import Suite, read_suite
from ganbench.score.measure import sanity


def calibrate(registry: plugins.Registry, suite: Suite, samples: int, params: dict[str, object]) -> dict[str, float]:
    """The bounds of `learnt`, from `samples` real training images against the test split."""
    extractor = registry.get("extractor", suite.extractors[0])
    metric = registry.get("metric", "precision-recall")
    network = extractor.build(extractor.weights(None).file, ("features", "logits"))
    (name,) = suite.datasets.values()
    dataset = registry.get("dataset", name)
    images, labels = dataset.load("train")
    test, _ = dataset.load("test")
    classes = dataset.spec.classes

    @torch.no_grad()
    def look(x: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        parts = [network(torch.from_numpy(x[i : i + 500])) for i in range(0, len(x), 500)]
        return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])

    def scores(x: np.ndarray) -> tuple[float, float, float]:
        features, logits = look(x)
        found = sanity(logits)
        apart = 0.5 * sum(abs(share - 1 / len(found["histogram"])) for share in found["histogram"])
        values = metric.compute({"features": real[:most]}, {"features": features[:most]}, settings, "cpu")
        return values["recall"], apart, found["confidence"]

    settings = {**metric.params, **params}
    most = int(settings["samples"])
    real, _ = look(test)
    order = np.random.default_rng(0).permutation(len(images))
    images, labels = images[order], labels[order]
    half = images[labels < classes // 2][:samples]
    some = images[labels < classes - 2][:samples]
    pairs = (images[:samples].astype(np.uint16) + images[samples : 2 * samples]) // 2
    series = {"real": images[:samples], "half": half, "some": some, "pairs": pairs.astype(np.uint8)}
    table = {kind: scores(np.ascontiguousarray(x)) for kind, x in series.items()}
    print(f"{'set':8}{'recall':>8}{'TV':>8}{'confidence':>12}")
    for kind, (recall, apart, confidence) in table.items():
        print(f"{kind:8}{recall:8.3f}{apart:8.3f}{confidence:12.3f}")
    return {
        "recall_at_least": round(table["half"][0], 2),
        "histogram_tv_at_most": round(table["some"][1], 2),
        "confidence_at_least": round(table["pairs"][2], 2),
    }


def main() -> None:
    """Calibrate and write the line `learnt = …` of the suite's file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", nargs="?", default="mnist")
    registry = plugins.load()
    file: Path = registry.get("suite", parser.parse_args().suite).file
    suite = read_suite(file)
    tier = suite.tier("quick")
    bounds = calibrate(registry, suite, tier.samples, dict(tier.params.get("precision-recall", {})))
    words = ", ".join(f"{key} = {value}" for key, value in bounds.items())
    line = f'learnt = {{ below_role = "collapse", {words} }}'
    text, found = re.subn(r"^learnt = .*$", line, file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if found != 1:
        raise SystemExit(f"{file}: expected one line that begins with 'learnt = '")
    file.write_text(text, encoding="utf-8")
    print(line)


if __name__ == "__main__":
    main()
