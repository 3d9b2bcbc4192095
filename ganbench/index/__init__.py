"""What plugins declare, without importing one of them: a registry of plain descriptions.

It is made once, in a process of its own (`ganbench.index.__main__`), by the loader that runs use, and kept in
`cache_dir()/index` under a hash of the plugins' files and of what is installed. Names are found in
it as in any registry.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganbench import probe
from ganbench.errors import UsageError
from ganbench.index.description import from_json, to_json
from ganbench.index.fingerprint import content, fingerprint
from ganbench.plugins import Registry
from ganbench.record.files import read_json, write_json_atomic
from ganbench.sources import find_sources
from ganbench.storage import cache_dir

KEPT = 32
"""How many indexes are kept: each edit of a plugin makes another."""


@dataclass(frozen=True)
class Index:
    """The descriptions of what is behind the doors `asked` and `directories`, as `ganbench.plugins.load` has them.

    key: what they hang on, as it was when this was made. foreign: how many sources do not come with this program.
    """

    asked: tuple[str, ...]
    directories: tuple[Path, ...]
    key: str
    foreign: int

    @classmethod
    def of(cls, asked: Iterable[str] | None, directories: Iterable[Path] | None) -> Index:
        """Look behind the doors, and import nothing."""
        asked, directories = tuple(asked or ()), tuple(directories or ())
        complaints: list[tuple[str, str]] = []
        sources = find_sources(asked, directories, lambda where, why: complaints.append((where, why)))
        foreign = sum(not source.trusted for source in sources)
        return cls(asked, directories, fingerprint(sources, complaints), foreign)

    @property
    def file(self) -> Path:
        """Where it is kept."""
        return cache_dir() / "index" / f"{self.key}.json"

    def kept(self) -> Registry | None:
        """The registry as it was kept; None if it was not, or a suite's file has changed since."""
        try:
            found = from_json(read_json(self.file))
        except (UsageError, ValueError):  # damaged, or of a newer program
            return None
        suites = (e.record for e in found.entries if e.record.file)
        return found if all(content(suite.file) == suite.sha256 for suite in suites) else None

    def load(self) -> Registry:
        """The registry as it was kept, else made anew and kept.

        A plugin that is left out may have been mended by something that no file shows, so it is then made anew too.
        """
        found = self.kept()
        if found is None or found.broken:
            found = self._make()
            self.keep(found)
        return found

    def keep(self, descriptions: Registry) -> None:
        """Keep descriptions, if all that they hang on is still as it was."""
        with contextlib.suppress(OSError, ValueError, UsageError):  # a cache that cannot be written to is no cache
            if self.of(self.asked, self.directories).key == self.key:
                write_json_atomic(self.file, to_json(descriptions))
                old = sorted(self.file.parent.glob("*.json"), key=lambda f: f.stat().st_mtime)[:-KEPT]
                for file in old:
                    file.unlink(missing_ok=True)

    def _make(self) -> Registry:
        limit = 2 * probe.STARTING + 3 * self.foreign * probe.seconds()
        words = [json.dumps([self.asked, [str(d) for d in self.directories]])]
        with tempfile.TemporaryFile() as trace:
            try:
                done = probe.in_child("ganbench.index", words, limit, trace)
            except subprocess.TimeoutExpired:
                raise UsageError(f"plugins: loading them did not end within {limit:g} s") from None
            except OSError as error:
                raise UsageError(f"plugins: no process to load them could be started ({error.strerror})") from None
            trace.seek(0)
            last = trace.read().decode(errors="replace").strip().rpartition("\n")[2]
        try:
            values: dict[str, Any] = json.loads(done.stdout)
        except ValueError:
            raise UsageError(
                f"plugins: the process that loads them ended with code {done.returncode}: {last}"
            ) from None
        if refused := values.get("refused"):
            raise UsageError(refused)
        return from_json(values)
