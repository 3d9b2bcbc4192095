"""Modes: how a training step is carried out. A mode belongs to the entry: in another mode it is another row.

`reference` is plain and exact, the measure of the others. What a mode needs of a machine and of an entry is said in
`train/modes.py`; what each gains and costs, in `docs/performance.md`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ganbench.errors import UsageError, nearest


@dataclass(frozen=True)
class Mode:
    """A name for a set of switches.

    shared_fake: D's last step of a cycle and G's step see one batch of samples, which is made once. fused_optimizer:
    Adam's update in one pass over memory. channels_last: images and kernels are stored with the channels innermost.
    autocast: the type that the networks compute in while they train (`"bfloat16"`), or None for float32; weights,
    losses, optimizers and samples are float32 in any case. tf32: on a GPU, matrix products and convolutions round their
    factors to TF32 while networks train. compiled: each turn (objective, gradients, Adam) is one compiled function.
    captured: on a GPU, the whole cycle (every turn, optimizers, averages) is one graph; a processor has none. only: the
    kind of device that the mode is for, or None. off: switches that one entry could not have, and why.
    """

    name: str
    shared_fake: bool = False
    fused_optimizer: bool = False
    channels_last: bool = False
    autocast: str | None = None
    tf32: bool = False
    compiled: bool = False
    captured: bool = False
    only: str | None = None
    off: Mapping[str, str] = field(default_factory=dict)

    def without(self, off: Mapping[str, str]) -> Mode:
        """The mode with some of its switches off; `off` says why."""
        changes: dict[str, Any] = {f.name: f.default for f in dataclasses.fields(self) if f.name in off}
        return dataclasses.replace(self, **changes, off=off)

    def switches(self) -> dict[str, Any]:
        """What a record says of it: the switches that are on, and those that could not be, with the reason."""
        names = [f.name for f in dataclasses.fields(self) if f.name not in ("name", "only", "off")]
        return {"on": [n for n in names if getattr(self, n)], "off": dict(self.off)}


REFERENCE = Mode("reference")
FAST: dict[str, Any] = {"shared_fake": True, "fused_optimizer": True, "channels_last": True, "captured": True}
MODES = {
    mode.name: mode
    for mode in (
        REFERENCE,
        Mode("fast", **FAST),
        Mode("fast-tf32", **FAST, tf32=True, only="cuda"),
        Mode("fast-bf16", **FAST, autocast="bfloat16"),
        Mode("compiled", compiled=True, only="cpu"),
        Mode("captured", fused_optimizer=True, captured=True, only="cuda"),
    )
}


def find_mode(name: str, where: str = "") -> Mode:
    """A mode by name. where: begins the message about one that does not exist."""
    if name not in MODES:
        raise UsageError(f"{where}there is no mode '{name}'; {nearest(name, MODES)}")
    return MODES[name]
