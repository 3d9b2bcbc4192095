"""`Scorer`: finishes run folders, and keeps plugins, networks and references from one to the next."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ganbench import plugins
from ganbench.errors import Unavailable
from ganbench.plan.spec import VAL, RunSpec
from ganbench.record.head import head, write_skipped
from ganbench.score.extraction import LOGITS, Extraction, Features, prepare
from ganbench.score.measure import Measure, Side, measures, sanity, score
from ganbench.score.outlook import Outlook
from ganbench.score.references import Reference, References
from ganbench.score.result import earlier_looks, read_trained, write_result
from ganbench.score.samples import Samples, quantisation, read_samples, samples_file

PATIENCE = 30.0
"""Seconds of extraction from which on the user is told beforehand."""


class Scorer:
    """asked, directories: as in `ganbench.plugins.load`. weights: extractor → file. device: `cpu` or `cuda:0`."""

    def __init__(
        self,
        asked: Iterable[str] = (),
        directories: Iterable[Path] = (),
        weights: Mapping[str, Path] | None = None,
        device: str = "cpu",
    ) -> None:
        self.asked, self.directories = tuple(asked), tuple(directories)
        self.weights, self.device = dict(weights or {}), device
        self._registries: dict[frozenset[tuple[str, str]], plugins.Registry] = {}
        self._references: dict[tuple[str, str], References] = {}
        self._extractions: dict[tuple[Any, ...], Extraction] = {}
        self._outlook: Outlook | None = None

    def score(self, folder: Path) -> None:
        """Measure what lies in a trained run's folder and write its `result.json`."""
        self._outlook = outlook = Outlook(folder)
        try:
            self._score(folder, outlook)
        finally:
            outlook.close()

    def _score(self, folder: Path, outlook: Outlook) -> None:
        spec = RunSpec.read(folder)
        if spec.skip:
            write_skipped(folder, head(spec.json(), spec.entry_key), spec.skip)
            return
        trained = read_trained(folder)
        if not trained["variants"] and not trained["looks"]:
            write_result(folder, spec, trained, [], {}, [])
            return
        session = self._session(folder, spec, outlook)
        session.announce(trained)
        scores: list[dict[str, Any]] = []
        checks: dict[str, Any] = {}
        for variant in trained["variants"]:
            found, check = session.variant(variant)
            scores += found
            if check:
                checks[variant["name"]] = check
        looks = session.looks(trained["looks"])
        write_result(folder, spec, trained, scores, checks, looks)
        for look in trained["looks"]:
            samples_file(folder, look["file"]).unlink(missing_ok=True)
            samples_file(folder, f"{look['file']}.labels").unlink(missing_ok=True)

    def _extracted(self, name: str, samples: int) -> None:
        """A sign of life, in the folder that is being scored, and how far it is."""
        if self._outlook is not None:
            if samples:
                self._outlook.extracted(name, samples)
            else:
                self._outlook.extracts()

    def _session(self, folder: Path, spec: RunSpec, outlook: Outlook) -> _Session:
        only = {p["module"]: p["sha256"] for p in spec.score["plugins"]}
        key = frozenset(only.items())
        if key not in self._registries:
            self._registries[key] = plugins.load(self.asked, self.directories, only)
        registry = self._registries[key]
        references = self._splits(spec.score["dataset"], registry)
        extractions = [self._extraction(plan, registry) for plan in spec.score["extractors"]]
        wanted = measures(spec, registry, extractions)
        learns = any(measure.learns for measure in wanted)
        training = self._splits(next(iter(spec.data.values()))["name"], registry) if learns else None
        return _Session(folder, spec, references, training, extractions, wanted, outlook)

    def _splits(self, dataset: str, registry: plugins.Registry) -> References:
        found = registry.find("dataset", dataset)
        return self._references.setdefault((found.provenance.sha256, found.name), References(found.record))

    def _extraction(self, plan: Mapping[str, Any], registry: plugins.Registry) -> Extraction:
        found = registry.find("extractor", plan["name"])
        key = (
            found.provenance.sha256,
            plan["name"],
            plan["features"],
            plan["logits"],
            plan["weights"],
            str(plan["public"]),
        )
        if key not in self._extractions:
            self._extractions[key] = prepare(
                plan, registry, self.weights, self.device, partial(self._extracted, plan["name"])
            )
        return self._extractions[key]


@dataclass(frozen=True, eq=False)
class _Session:
    """One run folder being scored."""

    folder: Path
    spec: RunSpec
    references: References
    training: References | None
    extractions: list[Extraction]
    measures: list[Measure]
    outlook: Outlook

    @property
    def split(self) -> str:
        """The split that was trained on."""
        return str(next(iter(self.spec.data.values()))["split"])

    def announce(self, trained: Mapping[str, Any]) -> None:
        """Plan the outlook, and say in one line on stderr beforehand what takes long."""
        samples: dict[str, int] = {}
        each: dict[str, float | None] = {}
        for at, extraction in enumerate(self.extractions):
            name, known = extraction.plan["name"], extraction.device == "cpu"
            samples[name] = samples.get(name, 0) + self._images(extraction, trained, first=at == 0)
            each[name] = 1 / extraction.record.images_per_second if known else None
            if known and samples[name] * (each[name] or 0.0) > PATIENCE:
                print(
                    f"scoring {self.spec.entry['label']} (seed {self.spec.seed}): {samples[name]:,} samples through "
                    f"{name}, about {samples[name] * (each[name] or 0.0) / 60:.0f} min on one core",
                    file=sys.stderr,
                    flush=True,
                )
        self.outlook.plan(samples, each, len(self.measures) * len(trained["variants"]) + len(trained["looks"]))

    def _images(self, extraction: Extraction, trained: Mapping[str, Any], first: bool) -> int:
        """How many samples an extractor has yet to see; the first one sees the early looks too."""
        images: int = self.spec.score["samples"] * sum(not v.get("split") for v in trained["variants"])
        splits = {self.spec.split, *(v["split"] for v in trained["variants"] if v.get("split"))}
        if first and trained["looks"]:
            images += self.spec.score["looks"]["samples"] * len(trained["looks"])
            splits.add(VAL)
        images += sum(self.references.unread(extraction, split) for split in splits)
        if self.training and any(m.learns and m.extraction is extraction for m in self.measures):
            images += self.training.unread(extraction, self.split)
        return images

    def variant(self, variant: Mapping[str, Any]) -> tuple[list[dict[str, Any]], dict[str, Any] | None]:
        """All scores of one sampling variant, and its check on classes."""
        sides: dict[Extraction | None, Side | str] = {}
        for extraction in dict.fromkeys([m.extraction for m in self.measures]):
            sides[extraction] = self._generated(
                variant["name"], variant.get("split"), self.spec.score["samples"], extraction
            )
        head = {"variant": variant["name"], "batch_norm": variant.get("batch_norm")}
        tail = {"split": self.spec.split, "headline_variant": bool(variant.get("headline"))}
        scores = [
            {**head, **found, **tail}
            for measure in self.measures
            for found in self._score(measure, sides[measure.extraction], self.spec.split)
        ]
        logits = (s.features[LOGITS] for s in sides.values() if isinstance(s, Side) and LOGITS in s.features)
        first = next(logits, None)
        return scores, None if first is None else sanity(first)

    def looks(self, planned: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The headline's column on the samples taken during training, against the split that may choose.

        Where the samples are gone, the value stands that an earlier result has, with its own fingerprint.
        """
        column = self.spec.suite["headline"]
        measure = next((m for m in self.measures if column in m.columns.values()), None)
        if measure is None or not planned:
            return []
        earlier = earlier_looks(self.folder, column)
        result = []
        for look in planned:
            if not samples_file(self.folder, look["file"]).is_file():
                result += [earlier[look["cycle"]]] if look["cycle"] in earlier else []
                continue
            side = self._generated(look["file"], None, self.spec.score["looks"]["samples"], measure.extraction)
            found = next(s for s in self._score(measure, side, VAL) if s["column"] == column)
            kept = {k: found[k] for k in ("column", "value", "skipped", "n", "fingerprint")}
            when = {k: look.get(k) for k in ("cycle", "real_images", "seconds")}
            result.append({**when, **kept, "split": VAL})
        return result

    def _score(self, measure: Measure, fake: Side | str, split: str) -> list[dict[str, Any]]:
        def side(references: References, split: str) -> tuple[Reference, Side]:
            reference = references.under(measure.extraction, split)
            return reference, Side(reference.size, reference.features, lambda: references.samples(split)[0])

        def training() -> tuple[Reference, Side]:
            assert self.training is not None
            return side(self.training, self.split)

        form = self.references.dataset.spec
        self.outlook.measures(measure.name)
        return score(measure, self.spec, fake, lambda: side(self.references, split), training, quantisation(form))

    def _generated(self, name: str, split: str | None, most: int, extraction: Extraction | None) -> Side | str:
        """The generated side: samples from a file, or a split of the reference; a str says why there is none."""
        if split is not None:
            try:
                reference = self.references.under(extraction, split)
            except Unavailable as error:
                return str(error)
            n = min(most, reference.size)
            features = {role: t[:n] for role, t in reference.features.items()}
            return Side(n, features, lambda: _first(self.references.samples(split)[0], n))
        form = self.references.dataset.spec
        samples = read_samples(self.folder, name, form, most)
        given: Features = {}
        if extraction:
            if reason := extraction.refuses(samples.x, form):
                return f"{extraction.plan['name']} {reason}"
            given = extraction(samples.x)
        return Side(len(samples), given, lambda: samples)


def _first(samples: Samples, n: int) -> Samples:
    return Samples(samples.x[:n], None if samples.y is None else samples.y[:n])
