"""`python -m ganbench.train FOLDER`: the child process that trains one run."""

from __future__ import annotations

import argparse
import contextlib
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

import torch

from ganbench import plugins
from ganbench.errors import UsageError
from ganbench.plan.modes import find_mode
from ganbench.plan.spec import FOREIGN, SCALE, RunSpec
from ganbench.record.files import FULL
from ganbench.record.head import head, write_lost
from ganbench.train.device import is_out_of_memory, reference_mode
from ganbench.train.memory import fitting
from ganbench.train.modes import refusal
from ganbench.train.room import say
from ganbench.train.run import Interrupted, Run
from ganbench.train.scale import make_scale_row


def main() -> int:
    """Exit code 0: `trained.json` is there; 1: `error.json` says why not."""
    parser = argparse.ArgumentParser(prog="python -m ganbench.train", description=__doc__)
    parser.add_argument("-p", dest="asked", action="append", default=[])
    parser.add_argument("--plugins-dir", action="append", default=[], type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--shared-device", action="store_true")
    parser.add_argument("--forced", action="store_true", help="take up a checkpoint from elsewhere")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    folder, stopping = options.folder, [False]

    def stop(number: int, frame: Any) -> None:
        stopping[0] = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which then says SIGTERM
    spec: RunSpec | None = None
    run: Run | None = None
    registry: plugins.Registry | None = None
    try:
        spec = RunSpec.read(folder)
        if spec.kind == FOREIGN:
            raise UsageError("samples of another program, which lie here no more; give them to ganbench evaluate again")
        device = torch.device(options.device)
        if reason := refusal(find_mode(spec.mode), device.type):
            raise UsageError(reason)
        reference_mode(device, spec.threads)
        only = {p["module"]: p["sha256"] for p in spec.plugins}
        registry = plugins.load(options.asked, options.plugins_dir, only=only)
        if spec.kind == SCALE:
            make_scale_row(spec, registry, folder)
        else:
            run = Run(
                spec,
                registry,
                folder,
                device,
                shared_device=options.shared_device,
                forced=options.forced,
                stop=lambda: stopping[0],
            )
            run.train()
        return 0
    except Interrupted as error:
        status, reason = "interrupted", str(error)
    except UsageError as error:
        status, reason = "crashed", str(error)
    except Exception as error:
        full = isinstance(error, OSError) and error.errno in FULL
        with contextlib.suppress(OSError):
            traceback.print_exc()
        if is_out_of_memory(error):
            status, reason = "oom", str(error).partition("\n")[0] or "out of memory"
        elif full:
            status = "interrupted" if stopping[0] else "crashed"
            reason = f"no room on the disk ({_first_line(error)}); make room and give the same command again"
        else:
            status, reason = "crashed", _where(error) + _meant(error, spec, registry)
    step = run.step if run is not None else 0
    run = None  # the memory that it holds is wanted for the trials
    if status == "oom" and options.shared_device:
        reason += "; other runs have the same GPU: with fewer --jobs each has more of it"
    elif status == "oom" and spec is not None and registry is not None:
        reason += fitting(spec, registry, torch.device(options.device))
    with contextlib.suppress(OSError):  # the disk is full, which the parent says
        say(f"{status}: {reason}")  # the last line of the log: all there is where the spec cannot be read
        if spec is not None:
            write_lost(folder, head(spec.json(), spec.entry_key), status, reason, step)
    return 1


def _where(error: Exception) -> str:
    """The error in one line, with the file and line it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    elsewhere = tuple(str(Path(str(p.__file__)).parent) + os.sep for p in (plugins, torch))
    frame = ([f for f in frames if not f.filename.startswith((*elsewhere, "<"))] or frames)[-1]
    return f"{type(error).__name__}: {_first_line(error)} ({Path(frame.filename).name}, line {frame.lineno})"


def _meant(error: Exception, spec: RunSpec | None, registry: plugins.Registry | None) -> str:
    """How a component's own recipe key must be written, where one was asked for that nobody here hears."""
    key = error.args[0] if isinstance(error, KeyError) and error.args else None
    if spec is None or registry is None or not isinstance(key, str) or key in spec.recipe:
        return ""
    for record in (registry.component(name).record for name in spec.components):
        if key in record.recipe or f"{record.name}.{key}" in spec.recipe:
            return (
                f"; a component's own key carries its name: write '{record.name}.{key}', in its recipe and in its code"
            )
    return ""


def _first_line(error: Exception) -> str:
    return (str(error).strip() or "no message").splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
