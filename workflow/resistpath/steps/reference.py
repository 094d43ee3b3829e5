"""reference: a prepared cohort becomes a frozen reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd

from resistpath.io.packs import write_reference
from resistpath.io.prepared import read_prepared
from resistpath.io.tables import read_table
from resistpath.quality import failed_gates
from resistpath.reference import Reference, build_reference
from resistpath.steps import Progress, silent
from resistpath.steps.deconvolve import read_cells


def build(folder: Path, *, name: str, cancer_type: str, out: Path, say: Progress = silent) -> None:
    """Make a reference pack of a prepared, deconvolved cohort's pre-treatment tumours."""
    prepared = read_prepared(folder / "prepared.h5ad")
    cells = read_cells(folder)
    failed = failed_gates(read_table(folder / "quality.tsv"))
    disease = cancer_type or _only(prepared.obs, "cancer_type")
    reference = build_reference(name, disease, prepared.values, cells.values, prepared.obs, failed)
    say(f"{reference.n} samples; {len(reference.info['left_out'])} left out")
    write_reference(out, reference)


def _only(obs: pd.DataFrame, column: str) -> str:
    words = sorted({str(x) for x in obs[column].dropna()}) if column in obs else []
    return " + ".join(words) if words else "unknown disease"


def describe(reference: Reference) -> dict[str, Any]:
    """What a reference pack is, as plain values."""
    return {
        "name": reference.name,
        "cancer_type": reference.cancer_type,
        "n_samples": reference.n,
        "n_genes": len(reference.values),
        **reference.info,
    }
