"""Errors that are the user's to mend: one clear line, exit code 2, no traceback."""

from __future__ import annotations

import contextlib
import difflib
import reprlib
import traceback
from collections.abc import Iterable, Iterator
from pathlib import Path


class UsageError(Exception):
    """A wrong name, file, value or plugin. The message says what, where and how to mend it, in one line."""


class Unavailable(UsageError):
    """Data or weights that are neither on this machine nor reachable."""


class Caution(UserWarning):
    """Warned of by a metric: its number stands and says less than usual. The message goes into the record beside it."""


def nearest(name: str, valid: Iterable[str]) -> str:
    """`did you mean a, b?` with the nearest valid names, or the list of all of them."""
    names = sorted(set(valid))
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    return f"did you mean {', '.join(close)}?" if close else f"there are: {', '.join(names) or 'none'}"


def short(value: object) -> str:
    """A value as Python writes it, in one line that is never long: for messages about what a file holds."""
    try:
        return _SHORT.repr(value)
    except ValueError:  # a number with more digits than Python writes
        return "a number with thousands of digits"


def one_line(text: object) -> str:
    """The text on one line, with what is not printable (terminal sequences, control characters) left out."""
    return "".join(c for c in " ".join(str(text).split()) if c.isprintable())


def told(error: BaseException) -> str:
    """An error in one line, with the last place outside the harness and its libraries where it passed."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if not {"ganbench", "site-packages", "lib"} & set(Path(f.filename).parts[-4:-1])]
    place = f" ({Path(own[-1].filename).name}, line {own[-1].lineno})" if own else ""
    try:
        said = str(error)
    except Exception:  # a plugin's own error may not even be able to say what it is
        said = ""
    return ": ".join(filter(None, (type(error).__name__, " ".join(said.split())[:300]))) + place


@contextlib.contextmanager
def asking(whom: str) -> Iterator[None]:
    """A block that calls a plugin's function while nothing runs yet: what it raises is one line of the user's. That it
    ends the program, which would then seem to be done, is one of these things."""
    try:
        yield
    except UsageError:
        raise
    except (Exception, SystemExit) as error:
        raise UsageError(f"{whom}: {told(error)}") from error


_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 60
