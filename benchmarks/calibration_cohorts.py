"""Cohorts for `calibration.py` and `stability.py`: values, cell types and a reference of each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import resistpath as rp
from resistpath.api import linear_tpm
from resistpath.deconvolve import deconvolve_long
from resistpath.io.resources import deconvolution_tables
from resistpath.io.tables import read_sample_sheet
from resistpath.mechanisms.evidence import assess
from resistpath.mechanisms.measure import CellTables
from resistpath.mechanisms.records import Catalogue
from resistpath.mechanisms.verdict import Thresholds
from resistpath.reference import Reference, build_reference
from resistpath.steps.deconvolve import wide_cells

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
T = Thresholds()
DEFINITE = ("high", "typical", "low")


@dataclass(frozen=True)
class Cohort:
    """Prepared values with what `assess` needs beside them."""

    values: pd.DataFrame
    cells: CellTables
    obs: pd.DataFrame

    def part(self, samples: Sequence[str]) -> Cohort:
        """Some of the samples."""
        c = self.cells
        tables = CellTables(*(t.loc[samples] for t in (c.values, c.half, c.below_limit)))
        return Cohort(self.values[list(samples)], tables, self.obs.loc[samples])


def cells_of(values: pd.DataFrame) -> CellTables:
    """Cell types of log2(TPM+1)."""
    tables = deconvolution_tables()
    return wide_cells(deconvolve_long(linear_tpm(values), "quantiseq", tables, symbols="current"))


def cohort(values: pd.DataFrame, obs: pd.DataFrame) -> Cohort:
    """Deconvolve prepared values."""
    values = values.astype(np.float32)
    return Cohort(values, cells_of(values), obs)


def read(folder: Path, matrix: str = "matrix.tsv.gz") -> tuple[rp.Expression, pd.DataFrame]:
    """A cohort's matrix as it stands and its sample sheet, in the matrix's order."""
    e = rp.read_expression(folder / matrix)
    # Time points in other words than a sample sheet's (pre-ipi) stay, and are not "pre".
    sheet = pd.read_csv(folder / "samples.tsv", sep="\t", dtype=str, index_col=0)
    sheet = sheet.rename(columns={"patient_id": "patient"}).reindex(e.values.columns)
    return e, sheet.astype(object).where(sheet.notna(), None)


def demo() -> Cohort:
    """The embedded cohort."""
    e = rp.read_expression(ROOT / "resources" / "demo" / "expression.tsv.gz")
    obs = read_sample_sheet(ROOT / "resources" / "demo" / "samples.tsv")
    return cohort(rp.normalise(e).values, obs)


def stranger(c: Cohort) -> Cohort:
    """The cohort under other names, so that no sample is taken for one of a reference."""
    return renamed(c, {s: f"stranger {s}" for s in c.values.columns})


def renamed(c: Cohort, names: Mapping[str, str]) -> Cohort:
    """The cohort with other names of samples."""
    cells = CellTables(*(t.rename(index=names) for t in vars(c.cells).values()))
    return Cohort(c.values.rename(columns=names), cells, c.obs.rename(index=names))


def reference_of(c: Cohort, name: str = "reference") -> Reference:
    """The cohort's pre-treatment tumours."""
    disease = c.obs["cancer_type"].mode()[0] if "cancer_type" in c.obs else ""
    return build_reference(name, str(disease), c.values, c.cells.values, c.obs, {})


def verdicts(
    c: Cohort, reference: Reference, book: Catalogue, thresholds: Thresholds = T
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Mechanisms and readouts of a cohort in a reference."""
    return assess(c.values, c.cells, c.obs, {}, reference, book, thresholds)


def prepared(folder: Path) -> Cohort:
    """A cohort's folder, normalised."""
    e, obs = read(folder)
    return cohort(rp.normalise(e).values, obs)
