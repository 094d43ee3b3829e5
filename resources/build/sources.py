"""Keep resources/sources.tsv true: one row per shipped table, each with its SHA-256.

``python resources/build/sources.py`` rewrites the sha256 column; with ``--check`` it writes
nothing and exits 1 if a table has no row, a row has no table, or a hash or field is wrong.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pandas as pd
from packaged import RESOURCES, digest, write_table

SOURCES = RESOURCES / "sources.tsv"
COLUMNS = [
    "file",
    "title",
    "source",
    "doi",
    "retrieved_from",
    "version",
    "licence",
    "sha256",
    "made_by",
    "note",
]
REQUIRED = ["title", "source", "licence", "made_by"]


def shipped(root: Path) -> list[str]:
    """Every table under `root`: all files but the build scripts, pages and sources.tsv."""
    files = (p for p in root.rglob("*") if p.is_file() and not p.name.startswith("."))
    names = (p.relative_to(root) for p in files)
    return sorted(
        n.as_posix()
        for n in names
        if n.parts[0] not in ("build", "sources.tsv") and n.suffix not in (".md", ".part")
    )


def read(path: Path) -> pd.DataFrame:
    """Read sources.tsv as text."""
    frame = pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    if list(frame.columns) != COLUMNS:
        raise SystemExit(f"{path.name}: columns must be {', '.join(COLUMNS)}")
    return frame


def problems(frame: pd.DataFrame, root: Path) -> list[str]:
    """Say, file by file, what is wrong with the table of sources."""
    files = shipped(root)
    found = [f"{f}: no row in {SOURCES.name}" for f in files if f not in set(frame["file"])]
    found += [f"{f}: more than one row" for f in frame["file"][frame["file"].duplicated()]]
    for row in frame.to_dict("records"):
        if row["file"] not in files:
            found.append(f"{row['file']}: no such file")
        elif row["sha256"] != digest(root / row["file"]):
            found.append(f"{row['file']}: sha256 is {'wrong' if row['sha256'] else 'missing'}")
        found += [f"{row['file']}: {c} is empty" for c in REQUIRED if not row[c].strip()]
    return found


def update(frame: pd.DataFrame, root: Path) -> pd.DataFrame:
    """Recompute every hash, in the order of the file names."""
    frame = frame.sort_values("file", ignore_index=True)
    paths = [root / name for name in frame["file"]]
    return frame.assign(sha256=[digest(p) if p.is_file() else "" for p in paths])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if untrue")
    check = parser.parse_args().check
    frame = read(SOURCES)
    if not check:
        frame = update(frame, RESOURCES)
        write_table(frame, SOURCES)
    found = problems(frame, RESOURCES)
    for line in found:
        sys.stderr.write(f"{line}\n")
    if found:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
