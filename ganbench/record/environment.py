"""The machine and the versions that a run was made with: provenance, never identity. No host names, no paths."""

from __future__ import annotations

import hashlib
import json
import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

PACKAGES = ("ganbench", "torch", "torchvision", "torch-fidelity", "numpy")
INSTRUCTION_SETS = ("avx2", "avx512f", "amx_tile", "asimd", "sve")


@cache
def cpu() -> dict[str, Any]:
    """Model, cores and the instruction sets that change bits or speed."""
    model, flags = platform.processor() or platform.machine(), set[str]()
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text(errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                model = value.strip()
            elif key.strip() in ("flags", "Features"):
                flags = set(value.split())
                break
    return {"model": model, "cores": os.cpu_count(), "instruction_sets": [s for s in INSTRUCTION_SETS if s in flags]}


def environment(gpu: dict[str, Any] | None = None) -> dict[str, Any]:
    """Versions, processor, accelerator, and a hash of what decides bits: the machine fingerprint."""
    versions: dict[str, str | None] = {}
    for package in PACKAGES:
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    hardware = {"cpu": {k: v for k, v in cpu().items() if k != "cores"}, "gpu": gpu, "system": platform.system()}
    machine = hashlib.sha256(json.dumps(hardware, sort_keys=True).encode()).hexdigest()[:12]
    return {
        "python": platform.python_version(),
        "system": platform.system(),
        "versions": versions,
        "cpu": cpu(),
        "gpu": gpu,
        "machine": machine,
    }
