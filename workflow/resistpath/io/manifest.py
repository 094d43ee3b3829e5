"""What was run, on what, with what result; the one output that carries the time."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

from resistpath.io.files import write_json
from resistpath.io.resources import catalogue_files, resource
from resistpath.provenance import RESEARCH_USE_ONLY, VERSION, code_digest, file_sha256

PACKAGES = ("anndata", "jinja2", "numpy", "pandas", "scipy", "snakemake")


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def write_manifest(
    path: Path, folder: Path, outputs: Iterable[Path], facts: Mapping[str, Any]
) -> str:
    """Write ``manifest.json`` with a digest of every output and every shipped table used.

    Returns
    -------
    str
        The time it states.
    """
    created = datetime.now(UTC).isoformat(timespec="seconds")
    tables = [*catalogue_files(), resource("genes.tsv.gz")]
    write_json(
        path,
        {
            "schema": "resistpath/manifest/1",
            "research_use_only": RESEARCH_USE_ONLY,
            "created": created,
            "resistpath": {"version": VERSION, "code": code_digest("resistpath.cli")},
            "packages": _versions(),
            **facts,
            "resources": {t.name: file_sha256(t) for t in tables},
            "outputs": {str(f.relative_to(folder)): file_sha256(f) for f in sorted(set(outputs))},
        },
    )
    return created
