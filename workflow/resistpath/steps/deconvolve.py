"""deconvolve: cell fractions and cell scores by each method."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from resistpath.api import linear_tpm
from resistpath.deconvolve import deconvolve_long
from resistpath.io.prepared import read_prepared
from resistpath.io.resources import deconvolution_tables
from resistpath.io.tables import read_table, write_table
from resistpath.mechanisms.measure import CellTables
from resistpath.steps import Progress, silent


def deconvolve(folder: Path, *, methods: Sequence[str], say: Progress = silent) -> None:
    """Estimate cell types by each method; write ``fractions.tsv``."""
    prepared = read_prepared(folder / "prepared.h5ad")
    tpm = linear_tpm(prepared.values)
    frames = []
    for method in methods:
        options = {"symbols": "current"} if method == "quantiseq" else {}
        frames.append(deconvolve_long(tpm, method, deconvolution_tables(), **options))
        say(f"{method}: {frames[-1]['cell_type'].nunique()} cell types")
    write_table(folder / "fractions.tsv", pd.concat(frames, ignore_index=True))


def read_cells(folder: Path) -> CellTables:
    """``fractions.tsv`` as wide tables."""
    return wide_cells(read_table(folder / "fractions.tsv", "table of cell fractions"))


def wide_cells(table: pd.DataFrame) -> CellTables:
    """Turn the long table of cell types into samples x ``method:cell_type``."""
    name = table["method"] + ":" + table["cell_type"]
    long = table.assign(
        name=name,
        half=(table["high"] - table["low"]) / 2,
        below=table["detectable"] == "below limit",
    )

    def wide(column: str) -> pd.DataFrame:
        out = long.pivot(index="sample", columns="name", values=column)
        return out.reindex(index=table["sample"].unique(), columns=name.unique())

    return CellTables(wide("value"), wide("half"), wide("below").fillna(False).astype(bool))
