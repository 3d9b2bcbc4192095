"""Whether a foreign plugin can be imported at all, found out in a process that it may take down with it.

A plugin that raises is easy to leave out; one that ends the process, hangs, or crashes the interpreter takes the
program along. So whatever does not come with this program is first imported, and its hooks called, in a child process
(`ganbench.probe.__main__`), and by this process only if the child lived. What the child found is kept in
`cache_dir()/probes` under a hash of the plugin's files, so that a plugin costs this once.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import platform
import subprocess
import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import IO, Any

from ganbench.errors import UsageError
from ganbench.record.files import read_json, write_json_atomic
from ganbench.sources import Source
from ganbench.storage import cache_dir, seconds_from

SECONDS = "GANBENCH_PROBE_SECONDS"
"""Names the environment variable for how long the import of one plugin may take."""
PATIENCE = 20.0
"""Its default."""
STARTING = 60.0
"""Seconds that the child itself may take, whatever the plugins do."""


@dataclass(frozen=True)
class Verdict:
    """reason: why a plugin cannot be used, or None. raised: it failed in an orderly way, by an exception."""

    reason: str | None = None
    raised: bool = False


def seconds() -> float:
    """How long the import of one plugin may take."""
    return seconds_from(SECONDS, PATIENCE)


def verdicts(sources: Iterable[Source]) -> dict[str, Verdict]:
    """Module -> verdict for each source; those that have not been tried before are tried together, in one child."""
    found: dict[str, Verdict] = {}
    fresh: dict[str, Source] = {}
    keys: dict[str, str] = {}
    contents: dict[tuple[Path, ...], bytes] = {}  # the modules of a package share its files
    for source in sources:
        try:
            if source.files not in contents:
                contents[source.files] = b"".join(hashlib.sha256(f.read_bytes()).digest() for f in source.files)
            keys[source.module] = _key(source.module, contents[source.files])
        except OSError as error:
            found[source.module] = Verdict(f"{error.filename}: cannot be read ({error.strerror})", raised=True)
            continue
        if kept := _kept(keys[source.module]):
            found[source.module] = kept
        else:
            fresh[source.word] = source
    if fresh:
        tried = _try(list(fresh))
        for word, source in fresh.items():
            verdict = found[source.module] = tried.get(word, Verdict("could not be tried out", raised=True))
            if not verdict.raised:  # an exception is cheap to see again, and often mended from outside
                _keep(keys[source.module], verdict)
    return found


def _try(words: list[str]) -> dict[str, Verdict]:
    limit = seconds()
    try:
        done = in_child("ganbench.probe", [f"{limit:g}", *words], STARTING + len(words) * 2 * limit)
    except (OSError, subprocess.TimeoutExpired):
        return {}
    told: dict[str, Verdict] = {}
    for line in done.stdout.decode(errors="replace").splitlines():
        with contextlib.suppress(ValueError, KeyError, TypeError):
            said = json.loads(line)
            told[said["word"]] = Verdict(said["reason"], bool(said["raised"]))
    return told


def in_child(
    module: str, words: Iterable[str], timeout: float, errors: int | IO[bytes] = subprocess.DEVNULL
) -> subprocess.CompletedProcess[bytes]:
    """Run `python -m module words` with this process's module path. errors: where its stderr goes."""
    path = os.pathsep.join(dict.fromkeys(str(Path(p or ".").resolve()) for p in sys.path))
    return subprocess.run(
        [sys.executable, "-P", "-m", module, *words],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=errors,
        env={**os.environ, "PYTHONPATH": path, "PYTHONIOENCODING": "utf-8"},
        timeout=timeout,
        check=False,
    )


def _key(module: str, contents: bytes) -> str:
    """A hash of everything that the verdict hangs on: the plugin's files, and what is installed."""
    return hashlib.sha256(json.dumps([module, *surroundings()]).encode() + contents).hexdigest()


def surroundings() -> list[Any]:
    """What is installed, in values that change with it."""
    try:
        release = version("ganbench")
    except PackageNotFoundError:
        release = "0"
    site = Path(sysconfig.get_paths()["purelib"])
    installed = site.stat().st_mtime_ns if site.is_dir() else 0  # rises with every installation
    return [platform.python_version(), release, str(site), installed]


def _kept(key: str) -> Verdict | None:
    try:
        reason = read_json(_file(key)).get("reason")
    except UsageError:  # not there, or not readable: then it is tried again
        return None
    return Verdict(reason) if reason is None or isinstance(reason, str) else None


def _keep(key: str, verdict: Verdict) -> None:
    with contextlib.suppress(OSError):  # a cache that cannot be written to is no cache
        write_json_atomic(_file(key), {"reason": verdict.reason})


def _file(key: str) -> Path:
    return cache_dir() / "probes" / f"{key}.json"
