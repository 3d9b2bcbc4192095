"""Python and the libraries: which are here, and whether torch's companions were built for it."""

from __future__ import annotations

import functools
import importlib
import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata, requires, version

from ganbench.api import Check, Finding

OLDEST = (3, 11)
PAIR = ("torch", "torchvision")
MEND_PAIR = "install both at once from one index: pip install --upgrade torch torchvision (see docs/troubleshooting.md)"


def checks() -> Iterator[Check]:
    """Python, the pair, torch-fidelity, the other requirements, the extras."""
    yield Check("python", python)
    for name in PAIR:
        yield Check(name, functools.partial(pair, name))
    yield Check("torch-fidelity", torch_fidelity)
    yield Check("libraries", others)
    for extra in metadata("ganbench").get_all("Provides-Extra") or [] if _version("ganbench") else []:
        yield Check(f"extra {extra}", functools.partial(extras, extra))


def python() -> Finding:
    """New enough or not."""
    if sys.version_info < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        return Finding("failed", f"{platform.python_version()}", f"make an environment with Python {wanted} or newer")
    return Finding("ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")


def pair(name: str) -> Finding:
    """torch and torchvision: here, made for each other (as their metadata says, before anything is imported), and
    importable."""
    found = _version(name)
    if found is None:
        return Finding("failed", "not installed", MEND_PAIR)
    torch = _version("torch")
    if torch and not satisfied(demands := demand(requires(name) or [], "torch"), torch):
        return Finding("failed", f"{name} {found} needs torch {demands}, and torch {torch} is installed", MEND_PAIR)
    return _imports(name, f"{found}", MEND_PAIR)


def torch_fidelity() -> Finding:
    """The judge."""
    found = _version("torch-fidelity")
    mend = "pip install --upgrade torch-fidelity"
    if found is None:
        return Finding("failed", "not installed", mend)
    return _imports("torch_fidelity", found, f"mend torch and torchvision first if they failed; else {mend}")


def others() -> Finding:
    """Everything that ganbench requires is installed."""
    if _version("ganbench") is None:
        return Finding("warning", "ganbench runs from a folder and is not installed", "pip install -e . in its clone")
    names = [_name(r) for r in requires("ganbench") or [] if "extra ==" not in r]
    if missing := [name for name in names if _version(name) is None]:
        return Finding("failed", f"not installed: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    return Finding(
        "ok", ", ".join(f"{name} {_version(name)}" for name in names if name not in (*PAIR, "torch-fidelity"))
    )


def extras(extra: str) -> Finding:
    """What is optional: nothing is wrong where it is not here."""
    names = [_name(r) for r in requires("ganbench") or [] if re.search(rf"extra == ['\"]{re.escape(extra)}['\"]", r)]
    missing = [name for name in names if _version(name) is None]
    if missing:
        return Finding("ok", f"optional, without {', '.join(missing)}", f"pip install 'ganbench[{extra}]' if wanted")
    return Finding("ok", f"optional, all here: {', '.join(names)}")


def demand(requirements: list[str], name: str) -> str:
    """The version specifiers that a list of requirements has for one library, such as `==2.11.0`; `""` if none."""
    for line in requirements:
        if _name(line) == name and "extra ==" not in line:
            return line.partition(";")[0].strip()[len(name) :].strip(" ()").replace(" ", "")
    return ""


def satisfied(specifiers: str, found: str) -> bool:
    """Whether a version meets specifiers with `==`, `!=`, `>=`, `<=`, `>`, `<`; others are taken as met. Local parts
    (`+cpu`) do not count."""
    here = _numbers(found)
    for sign, wanted in re.findall(r"(==|!=|>=|<=|>|<)(\d\w*(?:\.\w+)*(?:\.\*)?)", specifiers):
        there = _numbers(wanted)
        at = here[: len(there)] if wanted.endswith(".*") else here
        width = max(len(at), len(there))
        left, right = (v + (0,) * (width - len(v)) for v in (at, there))
        met = {
            "==": left == right,
            "!=": left != right,
            ">=": left >= right,
            "<=": left <= right,
            ">": left > right,
            "<": left < right,
        }
        if not met[sign]:
            return False
    return True


def _numbers(text: str) -> tuple[int, ...]:
    release = re.match(r"\d+(?:\.\d+)*", text)
    return tuple(int(part) for part in release[0].split(".")) if release else ()


def _imports(module: str, found: str, mend: str) -> Finding:
    try:
        importlib.import_module(module)
    except Exception as error:
        return Finding("failed", f"{found}, but it cannot be imported ({type(error).__name__}: {error})", mend)
    return Finding("ok", found)


def _name(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0]


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
