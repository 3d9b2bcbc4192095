"""Suites that come with the zoo: one TOML file each."""

from pathlib import Path

from ganbench import SuiteFile, hookimpl


@hookimpl
def ganbench_suites():
    for file in sorted(Path(__file__).parent.glob("*.toml")):
        yield SuiteFile(file.stem, file)
