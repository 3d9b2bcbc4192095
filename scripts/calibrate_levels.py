"""Calibrates the levels of the `mnist` suite on real digits, and writes them into its file.

    GANBENCH_DATA=FOLDER python scripts/calibrate_levels.py

`readable` is half of the distance of the mean picture. `learnt` asks for a distance below ten repeated digits, and for
what a collapsed or blurred generator cannot have:

- recall at least that of real digits of which half the classes are missing,
- a label histogram at most as far from uniform (total variation) as that of real digits without two classes,
- a classifier's confidence at least that of pictures that are the mean of two real digits.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

import numpy as np
import torch

from ganbench import plugins
from ganbench.plan.suite import read_suite
from ganbench.score.measure import sanity

SUITE = "mnist"


def calibrate(registry: plugins.Registry, samples: int, params: dict[str, object]) -> dict[str, float]:
    """The bounds of `learnt`, from `samples` real training digits against the test split."""
    extractor = registry.get("extractor", "mnist-cnn")
    metric = registry.get("metric", "precision-recall")
    network = extractor.build(extractor.weights(None).file, ("features", "logits"))
    digits, labels = registry.get("dataset", SUITE).load("train")
    test, _ = registry.get("dataset", SUITE).load("test")

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
    order = np.random.default_rng(0).permutation(len(digits))
    digits, labels = digits[order], labels[order]
    half = digits[labels < 5][:samples]
    eight = digits[labels < 8][:samples]
    pairs = (digits[:samples].astype(np.uint16) + digits[samples : 2 * samples]) // 2
    series = {"real": digits[:samples], "half": half, "eight": eight, "pairs": pairs.astype(np.uint8)}
    table = {name: scores(np.ascontiguousarray(x)) for name, x in series.items()}
    print(f"{'set':8}{'recall':>8}{'TV':>8}{'confidence':>12}")
    for name, (recall, apart, confidence) in table.items():
        print(f"{name:8}{recall:8.3f}{apart:8.3f}{confidence:12.3f}")
    return {
        "recall_at_least": round(table["half"][0], 2),
        "histogram_tv_at_most": round(table["eight"][1], 2),
        "confidence_at_least": round(table["pairs"][2], 2),
    }


def main() -> None:
    """Calibrate and write the line `learnt = …` of the suite's file."""
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    registry = plugins.load()
    file: Path = registry.get("suite", SUITE).file
    tier = read_suite(file).tier("quick")
    bounds = calibrate(registry, tier.samples, dict(tier.params.get("precision-recall", {})))
    words = ", ".join(f"{key} = {value}" for key, value in bounds.items())
    line = f'learnt = {{ below_role = "collapse", {words} }}'
    text, found = re.subn(r"^learnt = .*$", line, file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    if found != 1:
        raise SystemExit(f"{file}: expected one line that begins with 'learnt = '")
    file.write_text(text, encoding="utf-8")
    print(line)


if __name__ == "__main__":
    main()
