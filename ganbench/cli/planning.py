"""From the words of `ganbench run` to a plan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganbench.cli.loading import known, load
from ganbench.errors import UsageError
from ganbench.execute.engines import LOCAL, Engine, find
from ganbench.execute.slot import Doors
from ganbench.execute.slots import Devices, devices
from ganbench.plan.build import Plan, plan
from ganbench.plan.columns import parse_extractor
from ganbench.plan.data import Data, resolve_data
from ganbench.plan.entries import Wishes
from ganbench.plan.modes import Mode, find_mode
from ganbench.plan.own import settle
from ganbench.plan.recipe import parse_settings
from ganbench.plan.scoring import Choice
from ganbench.plan.suite import Suite, Tier, parse_seeds, read_suite
from ganbench.plugins import Registry


@dataclass(frozen=True)
class Request:
    """What the command line says."""

    suite: str
    tier: str | None = None
    architectures: tuple[str, ...] = ()
    losses: tuple[str, ...] = ()
    regularizers: tuple[str, ...] = ()
    augmentations: tuple[str, ...] = ()
    presets: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    seeds: str | None = None
    settings: tuple[str, ...] = ()
    extractors: tuple[str, ...] = ()
    metrics: tuple[str, ...] = ()
    dataset: str | None = None
    device: str = "auto"
    jobs: int | None = None
    on: str = LOCAL
    ask: tuple[str, ...] = ()
    per_job: int | None = None
    detach: bool = False
    plugins: tuple[str, ...] = ()
    plugins_dirs: tuple[Path, ...] = ()

    @classmethod
    def of(cls, **words: Any) -> Request:
        """From options as a verb has them: lists, and None for what was not given."""
        given: Any = {k: tuple(v) if isinstance(v, list) else v for k, v in words.items() if v is not None}
        return cls(**given)

    def asked(self) -> dict[str, Any]:
        """The options that decide what is run, by name, without those at their default; of files the name alone."""
        options = {
            "suite": Path(self.suite).name,
            "tier": self.tier,
            "architecture": self.architectures,
            "loss": self.losses,
            "regularizer": self.regularizers,
            "augmentation": self.augmentations,
            "preset": self.presets,
            "mode": self.modes,
            "seeds": self.seeds,
            "set": self.settings,
            "extractor": tuple(text.partition("=")[0] for text in self.extractors),
            "metric": self.metrics,
            "dataset": self.dataset,
            "plugin": tuple(Path(text).name for text in self.plugins),
            "plugins-dir": tuple(path.name for path in self.plugins_dirs),
        }
        return {name: value for name, value in options.items() if value}


@dataclass(frozen=True)
class Prepared:
    """What the words name, loaded: the parts of a plan. engine: None is this machine."""

    suite: Suite
    tier: Tier
    registry: Registry
    data: Data
    devices: Devices
    wishes: Wishes
    engine: Engine | None = None


@dataclass(frozen=True)
class Planned:
    """A plan, where it runs, and where children find its plugins. engine: None is this machine. per_job, detach: of
    its jobs."""

    plan: Plan
    tier: Tier
    devices: Devices
    doors: Doors
    engine: Engine | None = None
    per_job: int = 1
    detach: bool = False


def make(request: Request) -> Planned:
    """The plan of `ganbench run`."""
    seeds = parse_seeds(request.seeds) if request.seeds is not None else None
    ready = prepare(request)
    made = plan(
        ready.suite,
        ready.tier,
        ready.registry,
        ready.data,
        device=ready.devices.kind,
        wishes=ready.wishes,
        choice=Choice(request.extractors, request.metrics),
        seeds=seeds,
        asked=request.asked(),
    )
    return hold(request, ready, made)


def hold(request: Request, ready: Prepared, made: Plan) -> Planned:
    """A plan that this machine, or those of its jobs, can carry out as far as can be told here."""
    for mode in map(find_mode, dict.fromkeys(r.mode for r in made.runs)):
        if ready.engine is None or mode.only not in (None, ready.devices.kind):
            hold_to_machine(mode, ready.devices.kind)
    doors = Doors(request.plugins, request.plugins_dirs, made.weights)
    return Planned(made, ready.tier, ready.devices, doors, ready.engine, request.per_job or 1, request.detach)


def prepare(request: Request) -> Prepared:
    """What costs nothing to check is checked before plugins and data are loaded."""
    for name in request.modes:
        find_mode(name, "--mode: ")
    settings = parse_settings(request.settings)
    engine = _engine(request)
    check_names(
        request.plugins,
        request.plugins_dirs,
        {
            "architecture": request.architectures,
            "loss": request.losses,
            "regularizer": request.regularizers,
            "augmentation": request.augmentations,
            "preset": request.presets,
            "extractor": request.extractors,
            "metric": request.metrics,
            "dataset": filter(None, [request.dataset]),
        },
        request.suite,
        request.tier,
    )
    registry = load(request.plugins, request.plugins_dirs)
    suite = find_suite(registry, request.suite, own=request.dataset is None)
    tier = suite.tier(request.tier)
    found = slots(request.device, request.jobs) if engine is None else Devices(engine.kind(request.device), ())
    data = resolve_data(suite, tier, registry, request.dataset)
    wishes = Wishes(
        request.architectures,
        request.losses,
        request.presets,
        request.modes,
        settings,
        request.regularizers,
        request.augmentations,
    )
    return Prepared(suite, tier, registry, data, found, wishes, engine)


def _engine(request: Request) -> Engine | None:
    """Its own words are checked; whether it is here is not."""
    if request.jobs is not None and request.jobs < 1:
        raise UsageError(f"--jobs {request.jobs}: must be at least 1")
    engine = find(request.on, request.ask, request.jobs)
    if engine is None and (request.detach or request.per_job is not None):
        word = "--detach" if request.detach else f"--per-job {request.per_job}"
        raise UsageError(f"{word}: is for jobs, and there are none on this machine; say --on slurm, or leave it out")
    if engine is not None and request.detach and not engine.lasting:
        raise UsageError(f"--detach: {engine.title} ends the jobs of a command that ends; leave it out")
    return engine


def hold_to_machine(mode: Mode, device: str) -> None:
    """A mode that this machine cannot carry out on a kind of device is an error."""
    from ganbench.train.modes import refusal

    if reason := refusal(mode, device):
        raise UsageError(reason)


def find_suite(registry: Registry, text: str, own: bool = False) -> Suite:
    """A registered suite by name, or a suite file. own: whether data of its own is read and named."""
    suite = read_suite(*suite_source(registry, text))
    return settle(suite) if own else suite


def suite_source(registry: Registry, text: str) -> tuple[Path, str | None]:
    """The file of a suite, and its name where that is not the file's."""
    path = Path(text)
    if path.suffix == ".toml" or (path.is_file() and text not in registry.names("suite")):
        if not path.is_file():
            raise UsageError(f"--suite {text}: no such file")
        return path, None
    record = registry.get("suite", text)
    return record.file, record.name


def check_names(
    plugins: Iterable[str] | None,
    plugins_dirs: Iterable[Path] | None,
    names: Mapping[str, Iterable[str]],
    suite: str | None = None,
    tier: str | None = None,
) -> None:
    """Refuse a name that nothing has before plugins are loaded, where it is known what they declare.

    names: kind -> names, as the command line has them.
    """
    registry = known(plugins, plugins_dirs)
    if registry is None:
        return
    if suite is not None:
        find_suite(registry, suite).tier(tier)
    for kind, wanted in names.items():
        for name in wanted:
            registry.find(kind, parse_extractor(name)[0] if kind == "extractor" else name)


def slots(device: str, jobs: int | None) -> Devices:
    """What `--device` and `--jobs` mean here; torch is asked only if it matters."""
    return devices(device, _gpus, jobs)


def _gpus() -> int:
    from ganbench.train.gpus import gpus

    return gpus()
