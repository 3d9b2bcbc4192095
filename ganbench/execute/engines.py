"""The engines that run folders can be handed to beside this machine, and what they have in common."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ganbench.errors import UsageError

LOCAL = "local"
"""This machine, which is no engine."""
NAMES = (LOCAL, "slurm", "ray")


@dataclass(frozen=True)
class State:
    """How a job stands. words: for people. alive: it waits or works. status, reason: of a run that it lost, as
    `error.json` has them; reason is empty where the engine does not know why it ended."""

    words: str
    alive: bool
    status: str = "killed"
    reason: str = ""


class Engine(Protocol):
    """Starts workers on other machines, as jobs. lasting: jobs outlive the command that submitted them."""

    name: str
    title: str
    lasting: bool

    def kind(self, device: str) -> str:
        """`cpu` or `cuda`: what `--device` means there."""
        ...

    def ready(self) -> None:
        """A `UsageError` where jobs cannot be submitted from here."""
        ...

    def submit(self, commands: Sequence[Sequence[str]], logs: Path) -> list[str]:
        """Submit a job for each worker, which is told these words; their names. A job prints to `NAME_0_log.out`."""
        ...

    def look(self, jobs: Collection[str]) -> Mapping[str, State] | None:
        """How they stand; one that is left out is not known any more. None: it cannot be told just now."""
        ...

    def cancel(self, jobs: Collection[str]) -> None:
        """Have those end that have not."""
        ...


def find(name: str, asked: Sequence[str] = (), jobs: int | None = None) -> Engine | None:
    """An engine by its name; None for this machine. Its library is imported when it is used.

    asked: KEY=VALUE words, what a job asks of it. jobs: at most so many at a time.
    """
    if name == "slurm":
        from ganbench.execute.slurm import Slurm

        return Slurm(asked, jobs)
    if name == "ray":
        from ganbench.execute.ray import Ray

        return Ray(asked, jobs)
    if asked:
        raise UsageError(f"--ask {asked[0]}: jobs ask, and there are none on this machine; say --on slurm or --on ray")
    return None


def kind_of(device: str, name: str, auto: str) -> str:
    """What `--device` means where an engine decides which GPU a job gets. auto: what that word means."""
    if device in ("cpu", "cuda"):
        return device
    if device == "auto":
        return auto
    if device.startswith("cuda:"):
        raise UsageError(
            f"--device {device}: which GPU a job gets is not said here; use --device cuda with --on {name}"
        )
    raise UsageError(f"--device {device}: must be auto, cpu or cuda with --on {name}")


def settings(asked: Sequence[str], name: str) -> list[tuple[str, str]]:
    """The KEY=VALUE words of `--ask`, as they came; hyphens in a key are underscores."""
    found = []
    for text in asked:
        key, equals, value = text.partition("=")
        if not (key.strip() and equals and value.strip()):
            raise UsageError(f"--ask {text}: expected KEY=VALUE, such as --on {name} --ask {EXAMPLES[name]}")
        found.append((key.strip().replace("-", "_"), value.strip()))
    return found


def lacking(name: str) -> UsageError:
    """The line for an engine whose library is not installed."""
    library = {"slurm": "submitit"}.get(name, name)
    return UsageError(f"--on {name}: needs {library}, which is not installed; pip install 'ganbench[{name}]'")


EXAMPLES = {"slurm": "partition=gpu", "ray": "num_cpus=2"}
