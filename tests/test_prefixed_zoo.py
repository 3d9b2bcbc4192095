"""The core knows no name: a copy of the zoo with every registered name prefixed runs the whole smoke suite."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import ganbench_zoo
from ganbench import plugins

PREFIX = "x-"
RECORDS = (*tuple(record.__name__ for _, record in plugins.KINDS.values()), "Reference")
FIELDS = ("reference", "architecture", "loss")
LISTS = ("brings", "regularizers", "augmentations")
"""Keywords of records that hold a registered name, or several."""


def prefixed(text: str, names: set[str]) -> str:
    """Python source with registered names prefixed where a record or a recipe key holds one."""
    word = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    text = re.sub(rf'((?:{"|".join(RECORDS)})\(\s*(?:name=)?)"({word})"', rf'\1"{PREFIX}\2"', text)
    text = re.sub(rf'((?:{"|".join(FIELDS)})=)"({word})"', rf'\1"{PREFIX}\2"', text)
    text = re.sub(rf'"({word})\.([a-z_-]+)"', rf'"{PREFIX}\1.\2"', text)
    lists = re.compile(rf"({'|'.join(LISTS)})=\(([^)]*)\)")
    text = lists.sub(lambda m: f"{m[1]}=(" + re.sub(rf'"({word})"', rf'"{PREFIX}\1"', m[2]) + ")", text)
    return text.replace("ganbench_zoo", "prefixed_zoo").replace("file.stem", f'"{PREFIX}" + file.stem')


def copy_of_the_zoo(to: Path, names: set[str]) -> None:
    shutil.copytree(Path(ganbench_zoo.__file__).parent, to, ignore=shutil.ignore_patterns("__pycache__"))
    for file in to.rglob("*.py"):
        file.write_text(prefixed(file.read_text(), names))
    word = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    for file in to.rglob("*.toml"):
        text = re.sub(rf'"({word})(/[^"]*)?"', rf'"{PREFIX}\1\2"', file.read_text())
        text = re.sub(rf'"([a-z-]+)/({word})"', rf'"\1/{PREFIX}\2"', text)
        file.write_text(re.sub(rf"(?<![\w-])({word}) = \{{ ", rf"{PREFIX}\1 = {{ ", text))


def test_smoke_with_every_name_prefixed(tmp_path: Path, registry: plugins.Registry) -> None:
    names = {e.name for e in registry.entries if e.kind != "suite"}
    copy_of_the_zoo(tmp_path / "prefixed_zoo", names)
    path = os.pathsep.join([str(tmp_path), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = {**os.environ, "PYTHONPATH": path}
    command = [sys.executable, "-m", "ganbench", "run", "--suite", f"{PREFIX}smoke", "-p", "prefixed_zoo"]
    done = subprocess.run(
        [*command, "--format", "json"], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(f.read_text()) for f in (tmp_path / "runs").rglob("result.json")]
    assert len(found) >= 4
    for record in found:
        assert record["status"] == "completed", record
        assert all(m["module"].startswith("prefixed_zoo.") for m in record["plugins"])
        assert all(score["skipped"] is None for score in record["scores"])
        assert f"/{PREFIX}" in record["suite"]["headline"]
