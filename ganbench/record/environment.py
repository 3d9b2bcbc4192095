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
NUMBERS = ("cpu family", "model", "stepping", "CPU implementer", "CPU part")
"""What tells processors apart whose model's name a virtual machine cuts short (x86 has the first three)."""
INSTRUCTION_SETS = ("avx2", "avx512f", "amx_tile", "asimd", "sve")


@cache
def cpu() -> dict[str, Any]:
    """Model, its numbers, cores and the instruction sets that change bits or speed."""
    info, said = Path("/proc/cpuinfo"), dict[str, str]()
    if info.exists():
        first = info.read_text(errors="replace").partition("\n\n")[0]  # each core has a paragraph
        said = {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in first.splitlines())}
    flags = (said.get("flags") or said.get("Features") or "").split()
    return {
        "model": said.get("model name") or platform.processor() or platform.machine(),
        "numbers": [said[name] for name in NUMBERS if name in said],
        "cores": os.cpu_count(),
        "instruction_sets": [name for name in INSTRUCTION_SETS if name in flags],
    }


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
