"""What the parts of `on_gpu.py` need of a machine: made where that takes no network, else named.

    python3 scripts/gpu_machine.py --device cuda --parts tests,run [-- WORD…]      words: of the `ganbench run` to come

Exit code 0: all is there; 1: the last line says what is not.
"""

from __future__ import annotations

import argparse
import gzip
import importlib
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
IMPORTS = "numpy, pandas, rfc8785, rich, safetensors, scipy, torch, torchvision, torch_fidelity, typer"
PACKED = "*-ubyte.gz"
"""Files of MNIST's kind as they are published, a fifth of what they hold."""


def made(work: Path) -> dict[str, str]:
    """The environment that the parts run in: this tree's plugins are known, and packed data is unpacked."""
    environment = dict(os.environ)
    if not _is_known("ganbench"):
        known = register(work / "site")
        environment["PYTHONPATH"] = os.pathsep.join(filter(None, (environment.get("PYTHONPATH"), str(known))))
    folders = [folder for folder in environment.get("GANBENCH_DATA", "").split(os.pathsep) if folder]
    unpacked = [unpack(Path(folder), work / "data" / str(at)) for at, folder in enumerate(folders)]
    environment["GANBENCH_DATA"] = os.pathsep.join([*map(str, filter(None, unpacked)), *folders])
    return environment


def register(site: Path) -> Path:
    """Write into a folder what an installation of this tree would say of it: its name, version and entry points."""
    project = _project()
    folder = site / f"{project['name']}-{project['version']}.dist-info"
    folder.mkdir(parents=True)
    said = [f"Name: {project['name']}", f"Version: {project['version']}"]
    said += [f"Requires-Dist: {requirement}" for requirement in project["dependencies"]]
    (folder / "METADATA").write_text("\n".join(["Metadata-Version: 2.1", *said, ""]), "utf-8")
    points = [
        line
        for group, named in project["entry-points"].items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in named.items()))
    ]
    (folder / "entry_points.txt").write_text("\n".join([*points, ""]), "utf-8")
    return site


def unpack(folder: Path, into: Path) -> Path | None:
    """Unpack a data folder's packed files into another of the same layout; None where they lie unpacked beside
    themselves, or there are none."""
    files = sorted(folder.rglob(PACKED))
    if all(file.with_suffix("").exists() for file in files):
        return None
    for file in files:
        to = into / file.relative_to(folder).with_suffix("")
        to.parent.mkdir(parents=True, exist_ok=True)
        try:
            with gzip.open(file) as packed, to.open("wb") as unpacked:
                shutil.copyfileobj(packed, unpacked)
        except (OSError, EOFError, zlib.error) as error:
            to.unlink(missing_ok=True)
            print(f"{file}: cannot be unpacked ({error})", file=sys.stderr, flush=True)
    return into


def lacking(device: str, parts: Iterable[str], words: list[str]) -> Iterator[str]:
    """What is not here, or does not work."""
    needed = [re.split(r"[^\w.-]", requirement, maxsplit=1)[0] for requirement in _project()["dependencies"]]
    needed += ["pytest"] if {"tests", "program"} & set(parts) else []
    if absent := [name for name in needed if not _is_known(name)]:
        yield f"the packages {', '.join(absent)}"
        return
    for name in IMPORTS.split(", "):
        try:
            importlib.import_module(name)
        except Exception as error:
            yield f"{name}, which cannot be imported ({type(error).__name__}: {error})"
            return
    import torch

    print(f"torch {torch.__version__} for CUDA {torch.version.cuda}")
    if device == "cuda":
        if torch.cuda.is_available():
            print(torch.cuda.get_device_properties(0))
        else:
            yield "a GPU that torch can use"
    yield from _plugins(parts, words)


def _plugins(parts: Iterable[str], words: list[str]) -> Iterator[str]:
    from ganbench import plugins

    registry = plugins.load()
    print(f"{len(registry.entries)} things registered")
    if not registry.entries:
        yield "plugins (none is known)"
        return
    yield from (f"the plugin {broken.source} ({broken.reason})" for broken in registry.broken)
    wanted = {"mnist-5k": {"tests", "program"}, "mnist": {"run"}}
    datasets = [name for name, by in wanted.items() if by & set(parts)]
    if absent := [name for name in datasets if not registry.find("dataset", name).record.here()]:
        yield f"the data of {', '.join(absent)} (looked for in GANBENCH_DATA={os.environ.get('GANBENCH_DATA', '')})"
    elif words:  # which finds the suite, reads its data, and says what would be run
        planned = subprocess.run(
            [sys.executable, "-m", "ganbench", "run", *words, "--dry-run"], capture_output=True, text=True, check=False
        )
        print(planned.stdout, planned.stderr, sep="\n")
        if planned.returncode:
            yield f"a suite to run ({planned.stderr.strip().rpartition(chr(10))[2]})"


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    return project


def _is_known(distribution: str) -> bool:
    try:
        return bool(importlib.metadata.version(distribution))
    except importlib.metadata.PackageNotFoundError:
        return False


def main() -> int:
    """Say what is there, and last what is not."""
    mine, words = sys.argv[1:], list[str]()
    if "--" in mine:
        mine, words = mine[: mine.index("--")], mine[mine.index("--") + 1 :]
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--parts", default="")
    asked = parser.parse_args(mine)
    missing = list(lacking(asked.device, asked.parts.split(","), words))
    print(f"missing: {'; '.join(missing)}" if missing else "all that is needed is here")
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
