"""Find data files inside installed packages, and write files whose bytes never change."""

from __future__ import annotations

import gzip
import hashlib
import io
from importlib.util import find_spec
from pathlib import Path

import pandas as pd

RESOURCES = Path(__file__).resolve().parents[1]


def packaged(package: str, relative: str, sha256: str) -> Path:
    """Return a file of an installed package without importing the package.

    Importing is avoided on purpose: some of these packages start downloads, print, or need
    dependencies that the data do not.

    Raises
    ------
    SystemExit
        If the package is absent, or the file is not the one the tables were made from.
    """
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise SystemExit(f"package {package} is missing: pip install '.[resources]'")
    path = Path(spec.submodule_search_locations[0]) / relative
    found = digest(path)
    if found != sha256:
        raise SystemExit(f"{package}/{relative} has sha256 {found}, expected {sha256}")
    return path


def digest(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_table(frame: pd.DataFrame, path: Path) -> None:
    """Write a frame as TSV, gzipped if the name ends in ``.gz``; same frame, same bytes."""
    text = frame.to_csv(sep="\t", index=False, lineterminator="\n").encode()
    if path.suffix == ".gz":
        buffer = io.BytesIO()
        with gzip.GzipFile("", "wb", compresslevel=9, fileobj=buffer, mtime=0) as handle:
            handle.write(text)
        text = buffer.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(text)
    part.replace(path)
