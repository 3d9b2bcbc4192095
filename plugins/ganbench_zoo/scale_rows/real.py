"""real: the validation split as if it had been generated. The floor: nothing honest comes closer to the test split."""

from __future__ import annotations

from ganbench import ScaleRow, hookimpl


@hookimpl
def ganbench_scale_rows():
    yield ScaleRow("real", split="val", role="floor")
