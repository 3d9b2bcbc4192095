"""The rules of the house: who imports whom, who knows which name, how long a file may be, what is never read."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import ganbench
from ganbench import plugins

ROOT = Path(__file__).resolve().parents[1]
CORE = ROOT / "ganbench"
ZOO = ROOT / "plugins" / "ganbench_zoo"

STORAGE = {"errors", "storage"}
ARROWS: dict[str, set[str]] = {
    "api": set(),
    "errors": set(),
    "storage": {"errors"},
    "hookspecs": {"api"},
    "sources": {"errors"},
    "undisturbed": set(),
    "probe": {"plugins", "sources", "record"} | STORAGE,
    "code_hash": set(),
    "reading": {"errors"},
    "own_data": {"api", "reading", "record"} | STORAGE,
    "contract": {"api", "errors"},
    "plugins": {"api", "code_hash", "contract", "hookspecs", "errors", "sources", "own_data", "probe", "undisturbed"},
    "index": {"api", "plugins", "plan", "probe", "record", "sources"} | STORAGE,
    "__init__": {"api", "errors", "hookspecs", "storage"},
    "__main__": {"cli"},
    "record": {"api"} | STORAGE,
    "plan": {"api", "own_data", "plugins", "reading", "record"} | STORAGE,
    "train": {"api", "code_hash", "plugins", "record", "plan"} | STORAGE,
    "score": {"api", "plugins", "reading", "record", "plan", "undisturbed"} | STORAGE,
    "doctor": {"api", "plugins", "execute"} | STORAGE,
    "rank": {"record", "errors"},
    "publish": {"rank", "record", "errors"},
    "verify": {"plan", "rank", "publish", "record", "errors"},
    "execute": {"plan", "record"} | STORAGE,
    "tune": {"api", "plan", "plugins", "record", "errors"},
    "conformance": {"api", "plugins", "plan", "train", "errors"},
    "cli": {
        "api",
        "index",
        "plugins",
        "reading",
        "record",
        "plan",
        "train",
        "score",
        "rank",
        "publish",
        "verify",
        "execute",
        "conformance",
        "doctor",
        "tune",
    }
    | STORAGE,
}
"""Room -> the rooms that it may import, itself aside."""

FORBIDDEN: dict[str, set[str]] = {
    "reading": {"torch", "torchvision", "torch_fidelity", "pandas", "rich", "typer"},
    "own_data": {"torch", "torchvision", "torch_fidelity", "pandas", "rich", "typer"},
    "record": {"torch", "torchvision", "torch_fidelity", "pandas"},
    "plan": {"torch", "torchvision", "torch_fidelity", "pandas"},
    "train": {"torch_fidelity", "pandas", "rich", "typer"},
    "score": {"pandas", "rich", "typer"},
    "conformance": {"torch_fidelity", "pandas", "rich", "typer"},
    "rank": {"torch", "torchvision", "torch_fidelity", "pluggy", "rich", "typer"},
    "tune": {"torch", "torchvision", "torch_fidelity", "pandas", "rich", "typer"},
    "verify": {"torch", "torchvision", "torch_fidelity", "pandas", "pluggy", "rich", "typer"},
    "publish": {"torch", "torchvision", "torch_fidelity", "pluggy", "typer"},
    "execute": {"torch", "torchvision", "torch_fidelity", "pandas", "typer"},
    "index": {"torch", "torchvision", "torch_fidelity", "numpy", "pandas", "rich", "typer"},
    "cli": {"torch", "torchvision", "torch_fidelity"},
}
"""Room -> libraries that it never imports, not even inside a function."""

SHARED = ("ganbench_zoo.layers.", "ganbench_zoo.files.")
"""What files of the zoo may import of each other: building blocks, and the reading of files."""
WRAPPERS = {"datasets", "extractors", "files", "metrics", "scale_rows"}
"""Folders of the zoo whose files may import the one library they wrap, inside functions."""
ZOO_LIBRARIES = {"torch", "torchvision", "numpy"} | set(sys.stdlib_module_names)

MAX_LINES = 300
LONGER = {"api.py": 510, "plugins.py": 325}
MAX_PLUGIN_CODE = 200

PLAIN_WORDS: dict[str, str] = {
    "real": "the origin of a batch, and a side of a comparison",
    "noise": "where a view stands: augment, noise, pack",
    "grid": "what the latents of a picture are drawn for",
}
"""Registered names that the core may hold as strings, for they are words of the field there."""


@dataclass(frozen=True)
class Import:
    """One imported module. names: what is taken from it. lazy: inside a function. typing: under TYPE_CHECKING."""

    file: Path
    line: int
    module: str
    names: tuple[str, ...]
    lazy: bool
    typing: bool

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}:{self.line} imports {self.module}"


def sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def imports(file: Path) -> Iterator[Import]:
    """Every import of a file, wherever it stands."""

    def visit(node: ast.AST, lazy: bool, typing: bool) -> Iterator[Import]:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Import):
                for alias in child.names:
                    yield Import(file, child.lineno, alias.name, (), lazy, typing)
            elif isinstance(child, ast.ImportFrom):
                assert child.level == 0, f"{file}:{child.lineno}: a relative import"
                names = tuple(alias.name for alias in child.names)
                yield Import(file, child.lineno, child.module or "", names, lazy, typing)
            else:
                inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                guard = isinstance(child, ast.If) and ast.unparse(child.test).endswith("TYPE_CHECKING")
                yield from visit(child, lazy or inside, typing or guard)

    yield from visit(ast.parse(file.read_text(encoding="utf-8")), False, False)


def room(file: Path) -> str:
    """`plan` for a file of `ganbench/plan/`, `api` for `ganbench/api.py`."""
    return file.relative_to(CORE).parts[0].removesuffix(".py")


def rooms_of(found: Import) -> set[str]:
    """The rooms that an import reaches: `from ganbench import api` is `api`, a record of the front door `__init__`."""
    if found.top != "ganbench":
        return set()
    parts = found.module.split(".")
    if len(parts) > 1:
        return {parts[1]}
    return {name if name in ARROWS else "__init__" for name in found.names} or {"__init__"}


def docstrings(tree: ast.Module) -> set[int]:
    """The ids of all nodes that are docstrings: a string on its own, wherever it stands."""
    return {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant)}


def test_the_core_imports_along_the_arrows_only() -> None:
    wrong = []
    for file in sources(CORE):
        here = room(file)
        assert here in ARROWS, f"{file.relative_to(ROOT)}: a new room; say in ARROWS what it may import"
        allowed = ARROWS[here] | {here}
        if here == "cli":
            allowed |= {"__init__"}  # the version
        wrong += [str(i) for i in imports(file) if rooms_of(i) - allowed]
    assert not wrong, "\n".join(wrong)


def test_no_room_imports_what_it_must_not_know() -> None:
    wrong = [
        str(i) for f in sources(CORE) for i in imports(f) if i.top in FORBIDDEN.get(room(f), set()) and not i.typing
    ]
    light = {"api", "errors", "storage", "hookspecs", "plugins", "sources", "undisturbed", "__init__"}
    heavy = {"torch", "torchvision", "torch_fidelity", "pandas", "numpy", "scipy", "rich", "typer"}
    wrong += [str(i) for f in sources(CORE) if room(f) in light for i in imports(f) if i.top in heavy and not i.typing]
    assert not wrong, "\n".join(wrong)


def test_the_core_never_imports_the_zoo() -> None:
    named = [
        f"{f.relative_to(ROOT)}: names ganbench_zoo" for f in sources(CORE) if "ganbench_zoo" in f.read_text("utf-8")
    ]
    assert not named, "\n".join(named)


def test_the_zoo_uses_the_public_door() -> None:
    wrong = []
    for file in sources(ZOO):
        folder = file.relative_to(ZOO).parts[0]
        for found in imports(file):
            if found.module == "ganbench":
                wrong += [f"{found}: {n} is not exported" for n in found.names if n not in ganbench.__all__]
            elif found.top == "ganbench":
                wrong.append(f"{found}: past the door; import from ganbench")
            elif found.top == "ganbench_zoo":
                if not found.module.startswith(SHARED):
                    wrong.append(f"{found}: only layers/ and files/ are shared")
            elif found.top not in ZOO_LIBRARIES and not (folder in WRAPPERS and (found.lazy or found.typing)):
                wrong.append(str(found))
    assert not wrong, "\n".join(wrong)


def test_layers_register_nothing() -> None:
    values = {"Batch", "Caution", "Recipe", "SampleSpec", "UsageError"}
    wrong = [
        f"{i}: {set(i.names) - values}" for f in sources(ZOO / "layers") for i in imports(f) if i.top == "ganbench"
    ]
    wrong = [w for w in wrong if not w.endswith("set()")]
    assert not wrong, "\n".join(wrong)


def test_algorithms_leave_seeds_and_consoles_to_the_engine() -> None:
    banned = {"print", "manual_seed", "seed_all", "set_default_device", "input"}
    wrong = []
    for folder in ("architectures", "augmentations", "games", "layers", "losses", "presets", "regularizers"):
        for file in sources(ZOO / folder):
            wrong += [f"{file.relative_to(ROOT)}:{i.line} {i.module}" for i in imports(file) if i.top == "random"]
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                    if name in banned:
                        wrong.append(f"{file.relative_to(ROOT)}:{node.lineno} calls {name}")
    assert not wrong, "\n".join(wrong)


def test_the_core_holds_no_registered_name(registry: plugins.Registry) -> None:
    names = {entry.name for entry in registry.entries}
    assert names, "no plugin was found: install the project first"
    wrong = []
    for file in sources(CORE):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        skip = docstrings(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and id(node) not in skip and node.value in names - set(PLAIN_WORDS):
                wrong.append(f"{file.relative_to(ROOT)}:{node.lineno} holds {node.value!r}")
    assert not wrong, "\n".join(wrong)


def test_files_stay_short() -> None:
    wrong = []
    for file in sources(CORE):
        limit = LONGER.get(str(file.relative_to(CORE)), MAX_LINES)
        lines = len(file.read_text(encoding="utf-8").splitlines())
        if lines > limit:
            wrong.append(f"{file.relative_to(ROOT)}: {lines} lines, at most {limit}")
    wrong += [
        f"{f.relative_to(ROOT)}: {n} lines of code, at most {MAX_PLUGIN_CODE}"
        for f in sources(ZOO)
        if (n := lines_of_code(f)) > MAX_PLUGIN_CODE
    ]
    assert not wrong, "\n".join(wrong)


def lines_of_code(file: Path) -> int:
    """Lines that hold something other than blanks, comments and docstrings."""
    text = file.read_text(encoding="utf-8")
    tree = ast.parse(text)
    skip = docstrings(tree)
    quiet: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and id(node) in skip:
            quiet |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    code = (line.strip() for at, line in enumerate(text.splitlines(), 1) if at not in quiet)
    return sum(bool(line) and not line.startswith("#") for line in code)


def test_nothing_is_unpickled() -> None:
    wrong = []
    for file in [*sources(CORE), *sources(ZOO), *sources(ROOT / "scripts")]:
        where = file.relative_to(ROOT)
        wrong += [str(i) for i in imports(file) if i.top in ("pickle", "cloudpickle", "dill", "joblib")]
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            given = {k.arg: k.value.value for k in node.keywords if isinstance(k.value, ast.Constant)}
            if given.get("weights_only", True) is not True or given.get("allow_pickle", False) is not False:
                wrong.append(f"{where}:{node.lineno} reads with full unpickling")
            if ast.unparse(node.func) == "torch.load" and given.get("weights_only") is not True:
                wrong.append(f"{where}:{node.lineno} torch.load without weights_only=True")
            if ast.unparse(node.func) in ("np.load", "numpy.load") and given.get("allow_pickle") is not False:
                wrong.append(f"{where}:{node.lineno} np.load without allow_pickle=False")
    assert not wrong, "\n".join(wrong)


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    place = re.compile(r"(?<![\w.:/-])/(?:work|home|root|mnt|Users|media|scratch)/\w")
    kinds = {".py", ".md", ".toml", ".ini", ".cfg", ".txt", ".yaml", ".yml", ".cff", ".html", ".csv", ".json", ""}
    wrong = []
    for file in tracked():
        if file.suffix in kinds:
            for at, line in enumerate(file.read_text(encoding="utf-8", errors="ignore").splitlines(), 1):
                if place.search(line):
                    wrong.append(f"{file.relative_to(ROOT)}:{at} {line.strip()[:80]}")
    assert not wrong, "\n".join(wrong)


def tracked() -> list[Path]:
    """The repository's files; without git, the files of the folders that belong to it."""
    if (ROOT / ".git").exists():
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]
    folders = ("ganbench", "plugins", "tests", "docs", "scripts", "results")
    return [f for d in folders for f in (ROOT / d).rglob("*") if f.is_file() and "__pycache__" not in f.parts]


IMPORT_ALL = """
import importlib, pkgutil
for name in {rooms!r}:
    package = importlib.import_module(name)
    for found in pkgutil.walk_packages(getattr(package, "__path__", []), name + "."):
        importlib.import_module(found.name)
"""
COMMAND = """
import contextlib, io, sys
sys.argv = {argv!r}
from ganbench.cli import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    main()
"""
CHECK = """
import sys
loaded = sorted({banned!r} & set(sys.modules))
sys.exit("loaded: " + ", ".join(loaded) if loaded else 0)
"""
TORCH = {"torch", "torchvision", "torch_fidelity"}


@pytest.mark.parametrize(
    ("code", "banned"),
    [
        pytest.param("import ganbench", TORCH | {"pandas", "numpy", "rich"}, id="ganbench"),
        pytest.param("import ganbench.conformance.pytest_plugin", TORCH | {"pandas", "numpy"}, id="pytest plugin"),
        pytest.param(IMPORT_ALL.format(rooms=["ganbench.record"]), TORCH | {"pandas"}, id="record"),
        pytest.param(IMPORT_ALL.format(rooms=["ganbench.plan"]), TORCH | {"pandas"}, id="plan"),
        pytest.param(IMPORT_ALL.format(rooms=["ganbench.rank"]), TORCH | {"ganbench.plugins"}, id="rank"),
        pytest.param(IMPORT_ALL.format(rooms=["ganbench.publish"]), TORCH | {"ganbench.plugins"}, id="publish"),
        pytest.param(COMMAND.format(argv=["ganbench", "verify", "results"]), TORCH | {"ganbench_zoo"}, id="verify"),
        pytest.param(COMMAND.format(argv=["ganbench", "--help"]), TORCH | {"pandas", "ganbench_zoo"}, id="--help"),
        pytest.param(COMMAND.format(argv=["ganbench", "run", "--help"]), TORCH | {"pandas"}, id="run --help"),
        pytest.param(
            COMMAND.format(argv=["ganbench", "leaderboard", str(ROOT / "results")]),
            TORCH | {"ganbench.plugins", "ganbench_zoo"},
            id="leaderboard",
        ),
        pytest.param(
            COMMAND.format(argv=["ganbench", "compare", *[str(ROOT / "results" / "mnist-quick")] * 2]),
            TORCH | {"ganbench.plugins", "ganbench_zoo"},
            id="compare",
        ),
    ],
)
def test_what_a_laptop_needs_loads_no_torch(code: str, banned: set[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-c", code + CHECK.format(banned=banned)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
