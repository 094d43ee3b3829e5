"""Imports of the package point one way (docs: design, section 4), read from the source by ast.

A finding is ``file:line: what``. The checker works on any directory, so that planted mistakes
can show that it sees them.
"""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "workflow" / "resistpath"

# Low to high. A module imports from floors below its own.
FLOORS = (
    {"errors", "provenance"},
    {"expression"},
    {"methods"},
    {
        "identifiers",
        "genes",
        "units",
        "normalise",
        "quality",
        "score",
        "deconvolve",
        "reference",
        "mechanisms",
        "cohort",
    },
    {"io", "report"},
    {"api"},
    {"steps"},
    {"cli", "__main__"},
)
FLOOR = {unit: level for level, units in enumerate(FLOORS) for unit in units}
PURE = FLOORS[1] | FLOORS[2] | FLOORS[3] | {"errors"}

# (importer, imported): why this neighbour on the same floor may be used.
NEIGHBOURS = {
    ("provenance", "errors"): "a damaged manifest is a user error",
    ("genes", "identifiers"): "what a name stands for, before what becomes of a matrix",
    ("normalise", "units"): "what a unit is stands in one place",
    ("reference", "score"): "a reference holds scores, computed as for any sample",
    **{
        (f"mechanisms.{part}", tool): "samples are scored and placed on the universe they share"
        for part in ("evidence", "measure", "position", "summary")
        for tool in ("score", "reference")
    },
    ("mechanisms.line", "score"): "an interval is made in one place",
    ("__main__", "cli"): "python -m resistpath is the command line",
}

# Files, network, processes: none of it in the pure floors.
WORLD = {
    "bz2",
    "ftplib",
    "glob",
    "gzip",
    "http",
    "io",
    "lzma",
    "os",
    "pathlib",
    "requests",
    "shutil",
    "socket",
    "ssl",
    "subprocess",
    "tarfile",
    "tempfile",
    "urllib",
    "urllib3",
    "zipfile",
}
WORLD_CALLS = {
    "fromfile",
    "genfromtxt",
    "loadtxt",
    "memmap",
    "read_csv",
    "read_excel",
    "read_h5ad",
    "read_parquet",
    "read_pickle",
    "read_table",
    "savetxt",
    "to_csv",
    "to_excel",
    "to_parquet",
    "to_pickle",
    "tofile",
    "write_h5ad",
}
LOGGING_SETUP = {"addHandler", "basicConfig", "config", "handlers", "setLevel"}
# Seconds of CPU per job; they stand inside the functions that need them.
HEAVY = {
    "anndata",
    "gseapy",
    "h5py",
    "lifelines",
    "matplotlib",
    "numba",
    "pydeseq2",
    "rnanorm",
    "scanpy",
    "seaborn",
    "sklearn",
    "statsmodels",
}
FORBIDDEN = {
    "snakemake": "the package knows nothing of the workflow",
    "pickle": "no pickled object is ever executed",
    "shelve": "no pickled object is ever executed",
    "marshal": "no pickled object is ever executed",
}
LONGEST_FILE = 450


@dataclass(frozen=True)
class Import:
    """One imported module, as an absolute dotted name, and where it stands."""

    importer: str
    target: str
    file: str
    line: int
    at_module_level: bool

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(frozen=True)
class Source:
    """A parsed module; `name` is dotted and relative to the package, ``""`` for its root."""

    name: str
    path: Path
    file: str
    tree: ast.Module
    lines: int


def read_package(root: Path) -> list[Source]:
    """Parse every module below `root`."""
    sources = []
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        text = path.read_text(encoding="utf-8")
        file = str(path.relative_to(root.parent))
        sources.append(Source(name, path, file, ast.parse(text), len(text.splitlines())))
    return sources


def unit_of(name: str) -> str:
    """First part of a dotted name: the unit the floors speak of."""
    return name.split(".")[0]


def is_type_checking(node: ast.AST) -> bool:
    """Whether `node` is ``if TYPE_CHECKING:``, whose body never runs."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def statements(tree: ast.Module) -> Iterator[tuple[ast.AST, bool]]:
    """Every node, and whether it runs when the module is imported."""
    todo: list[tuple[ast.AST, bool]] = [(tree, True)]
    while todo:
        node, runs = todo.pop()
        yield node, runs
        lazy = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        lazy = lazy or is_type_checking(node)
        todo.extend((child, runs and not lazy) for child in ast.iter_child_nodes(node))


def imports_of(source: Source, package: str, modules: set[str]) -> list[Import]:
    """Every import in `source`; names from the package resolve to the module they come from."""
    found = []
    here = source.name.split(".") if source.name else []
    if source.path.name != "__init__.py":
        here = here[:-1]

    def add(node: ast.AST, target: str, runs: bool) -> None:
        found.append(Import(source.name, target, source.file, node.lineno, runs))  # type: ignore[attr-defined]

    for node, runs in statements(source.tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                add(node, alias.name, runs)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                up = here[: len(here) - node.level + 1]
                base = ".".join([package, *up, *filter(None, [base])])
            for alias in node.names:
                whole = f"{base}.{alias.name}"
                add(node, whole if whole.removeprefix(f"{package}.") in modules else base, runs)
        elif isinstance(node, ast.Call) and node.args:
            called = ast.unparse(node.func)
            name = node.args[0]
            if called in {"__import__", "import_module", "importlib.import_module"} and (
                isinstance(name, ast.Constant) and isinstance(name.value, str)
            ):
                add(node, name.value, runs)
    return found


def direction(item: Import, package: str) -> str | None:
    """What is wrong with one import from inside the package, if anything."""
    target = item.target.removeprefix(package).removeprefix(".")
    importer, imported = unit_of(item.importer), unit_of(target)
    if importer == "":
        if item.at_module_level and FLOOR.get(imported) != 0:
            return f"{item}: the package root imports {target} before anyone asks for it"
        return None
    if imported == "":
        return f"{item}: {item.importer} imports from the package root; name the module"
    if imported == importer or importer not in FLOOR or imported not in FLOOR:
        return None
    if FLOOR[imported] < FLOOR[importer]:
        return None
    if {(importer, imported), (item.importer, imported)} & NEIGHBOURS.keys():
        return None
    where = "beside" if FLOOR[imported] == FLOOR[importer] else "above"
    return f"{item}: {item.importer} imports {target}, which stands {where} it"


def wrong_directions(root: Path) -> list[str]:
    """Modules without a floor, and imports that do not point to a lower one."""
    sources = read_package(root)
    modules = {s.name for s in sources}
    findings = [
        f"{s.file}:1: {unit_of(s.name)} stands on no floor; give it one in FLOORS of this test"
        for s in sources
        if s.name and unit_of(s.name) not in FLOOR
    ]
    for source in sources:
        for item in imports_of(source, root.name, modules):
            if unit_of(item.target) == root.name and (finding := direction(item, root.name)):
                findings.append(finding)
    return list(dict.fromkeys(findings))


def cycles(root: Path) -> list[str]:
    """One finding per circle of imports, naming each link."""
    sources = read_package(root)
    modules = {s.name for s in sources}
    links: dict[str, list[tuple[str, Import]]] = {s.name: [] for s in sources}
    for source in sources:
        for item in imports_of(source, root.name, modules):
            target = item.target.removeprefix(f"{root.name}.")
            if target in links and target != source.name:
                links[source.name].append((target, item))

    findings, done = [], set()

    def walk(name: str, trail: list[str], taken: list[Import]) -> None:
        if name in trail:
            circle = taken[trail.index(name) :]
            steps = ", ".join(f"{i} ({i.importer} imports {i.target})" for i in circle)
            findings.append(f"circle: {steps}")
            return
        if name in done:
            return
        for target, item in links[name]:
            walk(target, [*trail, name], [*taken, item])
        done.add(name)

    for name in sorted(links):
        walk(name, [], [])
    return findings


def impurities(root: Path) -> list[str]:
    """Files, network, processes or logging set-up in the pure floors."""
    findings = []
    for source in read_package(root):
        if unit_of(source.name) not in PURE:
            continue
        for item in imports_of(source, root.name, set()):
            if unit_of(item.target) in WORLD or item.target.startswith("logging."):
                findings.append(f"{item}: a pure module imports {item.target}")
        for node, _ in statements(source.tree):
            if not isinstance(node, ast.Call):
                continue
            called = ast.unparse(node.func)
            last = called.rsplit(".", 1)[-1]
            if called == "open" or ("." in called and last in WORLD_CALLS):
                findings.append(f"{source.file}:{node.lineno}: a pure module calls {called}()")
            if last in LOGGING_SETUP and "log" in called.lower():
                findings.append(f"{source.file}:{node.lineno}: a pure module sets up logging")
    return findings


def heavy_imports(root: Path) -> list[str]:
    """Imports that cost seconds in every job, or that are not allowed at all."""
    findings = []
    for source in read_package(root):
        for item in imports_of(source, root.name, set()):
            library = unit_of(item.target)
            if library in FORBIDDEN:
                findings.append(f"{item}: imports {item.target}: {FORBIDDEN[library]}")
            if library in HEAVY and item.at_module_level:
                findings.append(
                    f"{item}: {item.target} at module level; import it where it is used"
                )
    return findings


def prints(root: Path) -> list[str]:
    """Calls of print() outside the command line."""
    return [
        f"{source.file}:{node.lineno}: print() outside the command line"
        for source in read_package(root)
        if unit_of(source.name) not in {"cli", "__main__"}
        for node, _ in statements(source.tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "print"
    ]


def long_files(root: Path) -> list[str]:
    """Modules longer than a reader can hold."""
    return [
        f"{source.file}:{source.lines}: {source.lines} lines, at most {LONGEST_FILE}; split it"
        for source in read_package(root)
        if source.lines > LONGEST_FILE
    ]


CHECKS = (wrong_directions, cycles, impurities, heavy_imports, prints, long_files)


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_package_keeps_its_shape(check):
    assert len(read_package(PACKAGE)) > 10, f"no package at {PACKAGE}"
    if findings := check(PACKAGE):
        pytest.fail("\n".join(findings), pytrace=False)


PLANTED = {
    "upward": (wrong_directions, "units.py", "from resistpath.io import tables", 1),
    "upward, relative": (wrong_directions, "score/x.py", "\nfrom ..report import content", 2),
    "upward, in a function": (
        wrong_directions,
        "genes.py",
        "def f():\n    import resistpath.cli",
        2,
    ),
    "upward, by name": (
        wrong_directions,
        "units.py",
        "from importlib import import_module\nimport_module('resistpath.api')",
        2,
    ),
    "upward, for types": (
        wrong_directions,
        "expression.py",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from resistpath.genes import T",
        3,
    ),
    "sideways": (wrong_directions, "cohort/x.py", "from resistpath import mechanisms", 1),
    "sideways, wrong way": (wrong_directions, "score/y.py", "import resistpath.reference", 1),
    "package root": (wrong_directions, "report/x.py", "from resistpath import score_all", 1),
    "no floor": (wrong_directions, "helpers.py", "from resistpath.errors import UserError", 1),
    "eager root": (wrong_directions, "__init__.py", "from resistpath import api", 1),
    "circle": (cycles, "score/z.py", "from resistpath.score import z2", 1),
    "path in pure code": (impurities, "quality.py", "from pathlib import Path", 1),
    "path in a function": (impurities, "deconvolve/x.py", "def f():\n    import os.path", 2),
    "open in pure code": (impurities, "units.py", "def f():\n    return open('x')", 2),
    "table in pure code": (impurities, "units.py", "import pandas as pd\npd.read_csv('x')", 2),
    "logging set-up": (impurities, "methods.py", "import logging\nlogging.basicConfig()", 2),
    "heavy": (heavy_imports, "io/x.py", "import anndata as ad", 1),
    "heavy in a class": (heavy_imports, "io/y.py", "class A:\n    import scanpy", 2),
    "snakemake": (heavy_imports, "cli.py", "def f():\n    from snakemake.api import x", 2),
    "print": (prints, "io/x.py", "def f():\n    print(1)", 2),
    "long": (long_files, "genes.py", "x = 1\n" * (LONGEST_FILE + 1), LONGEST_FILE + 1),
}


@pytest.fixture
def clean_tree(tmp_path):
    """A small package that breaks nothing."""
    root = tmp_path / "resistpath"
    for unit in ("score", "deconvolve", "mechanisms", "cohort", "report", "io"):
        (root / unit).mkdir(parents=True)
        (root / unit / "__init__.py").write_text("")
    (root / "__init__.py").write_text(
        "from resistpath.provenance import VERSION\n"
        "def __getattr__(name):\n    from resistpath import api\n    return getattr(api, name)\n"
    )
    (root / "provenance.py").write_text("import os\nVERSION = '0'\n")
    (root / "errors.py").write_text("")
    (root / "units.py").write_text("from resistpath.errors import UserError\n")
    (root / "score" / "z2.py").write_text("from . import z\n")
    (root / "score" / "z.py").write_text("from resistpath.methods import Method\n")
    (root / "methods.py").write_text("import logging\nlog = logging.getLogger(__name__)\n")
    (root / "reference.py").write_text("from resistpath.score import z\n")
    (root / "mechanisms" / "evidence.py").write_text("from resistpath import reference, score\n")
    (root / "io" / "tables.py").write_text(
        "from pathlib import Path\nfrom typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import anndata\n"
        "def f():\n    import anndata\n    return open('x')\n"
    )
    (root / "api.py").write_text("from resistpath.io import tables\nfrom resistpath import score\n")
    (root / "cli.py").write_text("def main():\n    from resistpath import api\n    print(api)\n")
    (root / "__main__.py").write_text("from resistpath.cli import main\n")
    return root


@pytest.mark.parametrize("check", CHECKS, ids=lambda c: c.__name__)
def test_checker_is_quiet_on_a_clean_tree(check, clean_tree):
    assert check(clean_tree) == []


@pytest.mark.parametrize("planted", PLANTED)
def test_checker_sees_a_planted_mistake(planted, clean_tree):
    check, file, text, line = PLANTED[planted]
    (clean_tree / file).write_text(text)
    findings = check(clean_tree)
    place = f"resistpath/{file}:{line}"
    assert len(findings) == 1, findings
    assert place in findings[0], f"expected {place} in {findings}"


def run_python(code: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run `code` in a fresh interpreter that finds the package."""
    return subprocess.run(  # noqa: S603
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(PACKAGE.parent), **env},
    )


def loaded_after(code: str) -> set[str]:
    """Top-level libraries a fresh interpreter holds after running `code`."""
    done = run_python(
        f"import json, sys\ntry:\n    {code}\nexcept SystemExit:\n    pass\n"
        "sys.stderr.write('\\n' + json.dumps(sorted(sys.modules)))"
    )
    assert done.returncode == 0, f"{code}\n{done.stderr}"
    return {name.split(".")[0] for name in json.loads(done.stderr.splitlines()[-1])}


SLOW = {"pandas", "numpy", "scipy", "anndata", "scanpy", "gseapy", "jinja2", "snakemake"}


def test_import_of_the_package_is_light():
    heavy = loaded_after("import resistpath") & SLOW
    assert not heavy, f"resistpath/__init__.py: `import resistpath` loads {sorted(heavy)}"


@pytest.mark.parametrize("words", [["--help"], ["score", "--help"], ["report", "--help"]])
def test_help_is_light(words):
    argv = ["resistpath", *words]
    heavy = loaded_after(f"sys.argv = {argv}; import resistpath.cli; resistpath.cli.main()") & SLOW
    assert not heavy, f"resistpath/cli: {' '.join(argv)} loads {sorted(heavy)}"


@pytest.mark.parametrize("name", ["score", "deconvolve", "normalise"])
def test_public_function_survives_the_module_of_its_name(name):
    # Importing resistpath.score binds that module to the package, over a function of its name.
    done = run_python(
        f"import resistpath, resistpath.{name}\n"
        f"assert callable(resistpath.{name}), 'a module, not the function'"
    )
    assert done.returncode == 0, f"resistpath/__init__.py: resistpath.{name}: {done.stderr}"


def test_code_digest_is_the_same_in_every_process():
    # It stands in each rule's params: a digest that varies makes a finished workflow run again.
    verbs = [p.stem for p in (PACKAGE / "steps").glob("*.py") if p.stem != "__init__"]
    code = "from resistpath.provenance import code_digest as d" + "".join(
        f"\nprint(d('resistpath.steps.{verb}'))" for verb in sorted(verbs)
    )
    seen = {run_python(code, PYTHONHASHSEED=str(seed)).stdout for seed in range(6)}
    assert len(seen) == 1, f"resistpath/provenance.py: code_digest gave {len(seen)} answers"
    assert len(seen.pop().split()) == len(verbs)
