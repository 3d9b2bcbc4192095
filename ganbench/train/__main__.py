"""`python -m ganbench.train FOLDER`: the child process that trains one run."""

from __future__ import annotations

import argparse
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
from ganbench.plan.spec import SCALE, RunSpec
from ganbench.record.head import head, write_lost
from ganbench.train.device import reference_mode
from ganbench.train.modes import refusal
from ganbench.train.run import Interrupted, Run
from ganbench.train.scale import make_scale_row


def main() -> int:
    """Exit code 0: `trained.json` is there; 1: `error.json` says why not."""
    parser = argparse.ArgumentParser(prog="python -m ganbench.train", description=__doc__)
    parser.add_argument("-p", dest="asked", action="append", default=[])
    parser.add_argument("--plugins-dir", action="append", default=[], type=Path)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--shared-device", action="store_true")
    parser.add_argument("folder", type=Path)
    options = parser.parse_args()
    folder, stopping = options.folder, [False]

    def stop(number: int, frame: Any) -> None:
        stopping[0] = True

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which then says SIGTERM
    spec: RunSpec | None = None
    run: Run | None = None
    try:
        spec = RunSpec.read(folder)
        device = torch.device(options.device)
        if reason := refusal(find_mode(spec.mode), device.type):
            raise UsageError(reason)
        reference_mode(device, spec.threads)
        only = {p["module"]: p["sha256"] for p in spec.plugins}
        registry = plugins.load(options.asked, options.plugins_dir, only=only)
        if spec.kind == SCALE:
            make_scale_row(spec, registry, folder)
        else:
            run = Run(spec, registry, folder, device, shared_device=options.shared_device, stop=lambda: stopping[0])
            run.train()
        return 0
    except Interrupted as error:
        status, reason = "interrupted", str(error)
    except torch.OutOfMemoryError as error:
        traceback.print_exc()
        status, reason = "oom", str(error).partition("\n")[0]
    except MemoryError as error:
        traceback.print_exc()
        status, reason = "oom", f"out of memory: {error}"
    except UsageError as error:
        status, reason = "crashed", str(error)
    except Exception as error:
        traceback.print_exc()
        status, reason = "crashed", _where(error)
    print(
        f"{status}: {reason}", file=sys.stderr
    )  # the last line of the log: all there is where the spec cannot be read
    if spec is not None:
        write_lost(folder, head(spec.json(), spec.entry_key), status, reason, run.step if run else 0)
    return 1


def _where(error: Exception) -> str:
    """The error in one line, with the file and line it came from."""
    frames = traceback.extract_tb(error.__traceback__)
    elsewhere = tuple(str(Path(str(p.__file__)).parent) + os.sep for p in (plugins, torch))
    frame = ([f for f in frames if not f.filename.startswith((*elsewhere, "<"))] or frames)[-1]
    first = (str(error).strip() or "no message").splitlines()[0]
    return f"{type(error).__name__}: {first} ({Path(frame.filename).name}, line {frame.lineno})"


if __name__ == "__main__":
    sys.exit(main())
