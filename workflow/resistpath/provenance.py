"""Which code and which files a result came from."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

VERSION = "0.1.0"
RESEARCH_USE_ONLY = "Research use only. Not for diagnosis or treatment decisions."
_ROOT = Path(__file__).resolve().parent


def file_sha256(path: Path | str) -> str:
    """Return the SHA-256 of a file's bytes as hexadecimal text."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def path_sha256(path: Path | str) -> str:
    """Return the SHA-256 of a file, or of the names and digests of the files of a folder."""
    path = Path(path)
    if path.is_file():
        return file_sha256(path)
    digest = hashlib.sha256()
    for file in sorted(p for p in path.rglob("*") if p.is_file()):
        digest.update(f"{file.relative_to(path)}\0{file_sha256(file)}\0".encode())
    return digest.hexdigest()


@cache
def _module_file(module: str) -> Path | None:
    stem = _ROOT.joinpath(*module.split(".")[1:])
    for path in (stem.with_suffix(".py"), stem / "__init__.py"):
        if path.is_file() and path != _ROOT / "__init__.py":
            return path
    return None


@cache  # modules share most of what they import
def _imports(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("resistpath"):
            names.add(str(node.module))
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {a.name for a in node.names if a.name.startswith("resistpath")}
    return names


@cache
def code_digest(*modules: str) -> str:
    """Digest of the source of `modules` and of everything they import from this package.

    Snakemake does not see edits inside an installed package. Rules carry this digest in
    ``params``, so that an edit reruns exactly the steps it can change.

    Parameters
    ----------
    modules
        Dotted names such as ``"resistpath.score"``. Templates and other data files beside a
        module's code count as part of it.

    Examples
    --------
    >>> len(code_digest("resistpath.errors"))
    16
    """
    code: set[Path] = set()
    data: set[Path] = set()
    queue = [path for m in modules if (path := _module_file(m))]
    while queue:
        path = queue.pop()
        if path in code:
            continue
        code.add(path)
        queue += [found for name in _imports(path) if (found := _module_file(name))]
        if path.name == "__init__.py":
            beside = (p for p in path.parent.rglob("*") if p.is_file())
            # Compiled code of Python and numba comes and goes with the machine.
            data |= {p for p in beside if p.suffix != ".py" and "__pycache__" not in p.parts}
    digest = hashlib.sha256()
    for path in sorted(code | data):
        digest.update(str(path.relative_to(_ROOT)).encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
