"""What a process says of its device and of itself."""

from __future__ import annotations

import subprocess
import sys

PARENT = """
import subprocess, sys
held = bytearray(1_500_000_000)
held[::4096] = bytes(len(held[::4096]))
sys.exit(subprocess.call([sys.executable, "-c", sys.argv[1]]))
"""
CHILD = """
import torch
from ganbench.train.device import peak_memory
before = peak_memory(torch.device("cpu"))
torch.ones(50_000_000)
print(before, peak_memory(torch.device("cpu")))
"""


def test_the_peak_of_memory_is_the_processs_own() -> None:
    """Not what the process that started it held."""
    done = subprocess.run([sys.executable, "-c", PARENT, CHILD], capture_output=True, text=True, check=True)
    before, after = map(int, done.stdout.split())
    assert before < 1_200_000_000
    assert 190_000_000 < after - before < 300_000_000
