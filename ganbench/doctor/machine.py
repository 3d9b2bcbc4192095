"""The machine: processors, memory, GPUs, and the folders that are written to."""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
from collections.abc import Iterator
from glob import glob
from pathlib import Path

from ganbench.api import Check, Finding
from ganbench.execute.slots import cpu_cores
from ganbench.storage import cache_dir, data_roots

GIB = 2**30
MEMORY_PER_RUN = 2 * GIB
"""Bytes that a small run and its scoring take, with the libraries."""
GPU_FILES = "/dev/nvidia[0-9]*"
"""What the driver of a GPU puts there."""
LOW, LOWEST = 5 * GIB, GIB // 4
"""Free bytes on a disk below which a suite may, or will, not finish."""


def checks(out: Path) -> Iterator[Check]:
    """Cores, memory, GPUs, and the cache and the folder of runs."""
    yield Check("processor", processor)
    yield Check("memory", memory)
    yield Check("devices", devices)
    if os.environ.get("GANBENCH_DATA"):
        yield Check("data", data_folders)
    for name, folder, mend in (
        ("cache", cache_dir(), "set GANBENCH_CACHE to a folder that you may write to"),
        ("runs", out, "give another folder with ganbench run --out"),
    ):
        yield Check(name, functools.partial(writable, folder, mend))
        yield Check(f"disk of {name}", functools.partial(disk, folder, mend))


def processor() -> Finding:
    """Cores that this process may use: as many runs go at a time."""
    usable, there = cpu_cores(), os.cpu_count() or 1
    of = f" of {there}" if usable != there else ""
    return Finding("ok", f"{usable}{of} cores: as many runs at a time, with one thread each (--jobs lowers it)")


def memory() -> Finding:
    """Main memory, against what a run on every core would take."""
    try:
        total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return Finding("ok", "unknown on this system")
    limit = memory_limit()
    have = min(total, limit or total)
    said = (
        _size(have)
        if have == total
        else f"{_size(have)}, the limit of this control group (the machine: {_size(total)})"
    )
    fit = max(1, have // MEMORY_PER_RUN)
    if fit < cpu_cores():
        return Finding("warning", f"{said}, for {cpu_cores()} runs at a time", f"use ganbench run --jobs {fit}")
    return Finding("ok", said)


def memory_limit(of: Path = Path("/proc/self/cgroup"), root: Path = Path("/sys/fs/cgroup")) -> int | None:
    """Bytes that a container or a job of a cluster may use (control groups, version 2); None where nothing is said."""
    try:
        name = next(line[3:] for line in of.read_text().splitlines() if line.startswith("0::"))
    except (OSError, StopIteration):
        return None
    group, limits = root / name.strip("/"), []
    for folder in (group, *group.parents):
        with contextlib.suppress(OSError, ValueError):  # no such file at the top, and "max" for no limit
            limits.append(int((folder / "memory.max").read_text()))
        if folder == root:
            break
    return min(limits, default=None)


def devices() -> Finding:
    """What `--device auto` means here."""
    import torch

    if not torch.cuda.is_available():
        if not glob(GPU_FILES):
            return Finding("ok", "no GPU: runs go to the processor")
        built = torch.version.cuda
        why = f"is built for CUDA {built}, which the driver does not serve" if built else "is built without CUDA"
        mend = "install the build for the driver's CUDA (https://pytorch.org/get-started), or a newer driver"
        return Finding("warning", f"a GPU is here that torch cannot use: torch {torch.__version__} {why}", mend)
    found = []
    for at in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(at)
        found.append(f"cuda:{at} {torch.cuda.get_device_name(at)}, {_size(free)} of {_size(total)} free")
    return Finding("ok", "; ".join(found))


def data_folders() -> Finding:
    """The folders that the user named for data are there and can be read."""
    folders = [place for place in data_roots() if place != cache_dir() / "data"]
    bad = [str(place) for place in folders if not place.is_dir() or not os.access(place, os.R_OK | os.X_OK)]
    if bad:
        mend = "give folders that are there and may be read, several separated by ':'"
        return Finding("warning", f"GANBENCH_DATA: no folder to read from: {', '.join(bad)}", mend)
    return Finding("ok", ", ".join(map(str, folders)))


def writable(folder: Path, mend: str) -> Finding:
    """Whether a folder that may not be there yet can be made and written to."""
    there = _nearest(folder)
    if not there.is_dir():
        return Finding("failed", f"{folder}: {there} is no folder", mend)
    if not os.access(there, os.W_OK | os.X_OK):
        return Finding("failed", f"{folder}: {there} cannot be written to", mend)
    return Finding("ok", str(folder) if there == folder else f"{folder} (made when first needed)")


def disk(folder: Path, mend: str) -> Finding:
    """Free space."""
    free = shutil.disk_usage(_nearest(folder)).free
    if free < LOW:
        return Finding("failed" if free < LOWEST else "warning", f"{_size(free)} free", f"delete files, or {mend}")
    return Finding("ok", f"{_size(free)} free")


def _nearest(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    folder = folder.absolute()
    return next((place for place in (folder, *folder.parents) if os.path.lexists(place)), folder)


def _size(count: float) -> str:
    return f"{count / GIB:.1f} GiB"
