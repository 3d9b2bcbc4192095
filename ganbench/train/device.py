"""The `reference` mode on a device: float32 without TF32, deterministic algorithms, pinned threads."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from ganbench.record.environment import environment

ISA_VARIABLES = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA", "MKL_ENABLE_INSTRUCTIONS", "MKL_CBWR")
"""By which the libraries of torch are told to do without some instructions; torch's own variable it tells itself."""

NO_MEMORY = ("DefaultCPUAllocator", "CUDA error: out of memory")


def reference_mode(device: torch.device, threads: int) -> None:
    """Set the process up so that the same run gives the same bits. Call before anything runs on the device."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.set_default_dtype(torch.float32)
    torch.set_deterministic_debug_mode("error")  # `use_deterministic_algorithms` imports the compiler, for 2 s
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    if device.type == "cuda":
        torch.cuda.set_device(device)
        torch.cuda.init()


@contextlib.contextmanager
def tf32() -> Iterator[None]:
    """A block in which matrix products and convolutions on a GPU round their factors to TF32 (10 bits of mantissa)."""
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
    try:
        yield
    finally:
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = False


def synchronize(device: torch.device) -> None:
    """Wait until the device has done its work."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def peak_memory(device: torch.device) -> int:
    """Bytes: allocated on the GPU at most, or the process's largest resident set on a CPU."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    with contextlib.suppress(OSError):  # Linux's `getrusage` also counts what the parent held when it started this one
        found = re.search(rb"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_bytes())
        if found:
            return int(found[1]) * 1024
    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an allocation failed, on the GPU or on the host: also one that is not of torch's allocator of GPU memory
    (a context, a graph, page-locked memory), which torch tells by another `RuntimeError`."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or (
        isinstance(error, RuntimeError) and any(words in str(error) for words in NO_MEMORY)
    )


def vector_code() -> str:
    """The vector instructions that torch's and its libraries' code keeps to here: the processor's, or fewer where
    variables of the environment say so. They decide bits."""
    said = [f"{name}={os.environ[name][:40]}" for name in ISA_VARIABLES if os.environ.get(name)]
    return ", ".join([torch.backends.cpu.get_cpu_capability(), *said])


def training_environment(device: torch.device) -> dict[str, Any]:
    """The machine and the versions as a training on this device has them."""
    return {**environment(gpu_facts(device)), "vector_code": vector_code()}


def gpu_facts(device: torch.device) -> dict[str, Any] | None:
    """Name, memory and driver-side facts of the GPU; None on a CPU."""
    if device.type != "cuda":
        return None
    facts = torch.cuda.get_device_properties(device)
    return {
        "name": facts.name,
        "memory": facts.total_memory,
        "capability": f"{facts.major}.{facts.minor}",
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
    }
