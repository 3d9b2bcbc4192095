"""`python -m ganbench.score FOLDER…` scores run folders; without one it serves them as they are named.

As a server it reads one folder in each line of stdin, as a JSON string, and answers each with one line of JSON on
stdout, `{"folder": …, "ok": true}` or `{"folder": …, "ok": false, "reason": "one line"}`: starting torch costs seconds,
so one process serves many runs. Everything else is said on stderr.
"""

from __future__ import annotations

import argparse
import json
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING

from ganbench.errors import UsageError, short

if TYPE_CHECKING:
    from ganbench.score.scorer import Scorer

WRONG_USAGE, INTERRUPTED = 2, 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Score, and return the exit code: 0, 1 (a folder could not be scored), 2 (wrong usage) or 130 (Ctrl-C)."""
    options = _parser().parse_args(arguments)
    try:
        scorer = _scorer(options)
        return _list(scorer, options.folders) if options.folders else _serve(scorer)
    except UsageError as error:
        print(f"ganbench.score: {error}", file=sys.stderr)
        return WRONG_USAGE
    except KeyboardInterrupt:
        return INTERRUPTED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m ganbench.score", description="Score trained runs.", allow_abbrev=False)
    parser.add_argument(
        "-p", dest="plugins", metavar="FILE", action="append", default=[], help="a plugin: file or module"
    )
    parser.add_argument("--plugins-dir", dest="directories", metavar="DIR", type=Path, action="append", default=[])
    parser.add_argument("--weights", metavar="NAME=FILE", action="append", default=[], help="an extractor's weights")
    parser.add_argument("--device", default="cpu", help="cpu (default) or cuda:0")
    parser.add_argument("--threads", type=int, default=1, help="CPU threads (default 1); set OMP_NUM_THREADS as well")
    parser.add_argument("folders", metavar="FOLDER", type=Path, nargs="*")
    return parser


def _scorer(options: argparse.Namespace) -> Scorer:
    import torch

    if options.threads < 1:
        raise UsageError(f"--threads {options.threads}: at least 1")
    torch.set_num_threads(options.threads)
    try:
        device = torch.device(options.device)
    except RuntimeError:
        raise UsageError(f"--device {options.device}: expected cpu or cuda:0") from None
    if device.type == "cuda":
        if not torch.cuda.is_available() or (device.index or 0) >= torch.cuda.device_count():
            raise UsageError(f"--device {options.device}: no such GPU here; there are {torch.cuda.device_count()}")
        # features are in single precision
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        torch.backends.cudnn.deterministic = True
    weights = {}
    for text in options.weights:
        name, equals, file = text.partition("=")
        if not (name and equals and Path(file).is_file()):
            raise UsageError(f"--weights {text}: expected NAME=FILE with a file that is there")
        weights[name] = Path(file)

    from ganbench.score.scorer import Scorer

    return Scorer(options.plugins, options.directories, weights, str(device))


def _serve(scorer: Scorer) -> int:
    """Answer until stdin ends."""
    answers: IO[str] = sys.stdout
    sys.stdout = sys.stderr  # what a library prints is no answer
    for line in sys.stdin:
        try:
            folder = str(json.loads(line))
        except ValueError:
            raise UsageError(f"expected a folder as a JSON string in each line of stdin, not {short(line)}") from None
        reason, _ = _try(scorer, Path(folder))
        answer = {"folder": folder, "ok": reason is None} | ({} if reason is None else {"reason": reason})
        print(json.dumps(answer), file=answers, flush=True)
    return 0


def _list(scorer: Scorer, folders: Sequence[Path]) -> int:
    """Score every folder, also after one that could not be; the worst exit code."""
    worst = 0
    for folder in folders:
        reason, code = _try(scorer, folder)
        worst = max(worst, code)
        if reason is not None:
            print(f"ganbench.score: {reason}", file=sys.stderr)
    return worst


def _try(scorer: Scorer, folder: Path) -> tuple[str | None, int]:
    """None and 0 for a folder that was scored, else the reason in one line and an exit code."""
    try:
        scorer.score(folder)
    except UsageError as error:
        return " ".join(str(error).split()), WRONG_USAGE
    except Exception as error:
        traceback.print_exc()
        memory = isinstance(error, MemoryError) or "out of memory" in str(error).lower()
        first = (str(error).strip() or "no message").splitlines()[0]
        return f"{'out of memory: ' if memory else ''}{type(error).__name__}: {first}", 1
    return None, 0


if __name__ == "__main__":
    sys.exit(main())
