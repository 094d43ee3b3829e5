"""Cohorts with response for the benchmarks: read, scored, one row per patient.

Not a benchmark itself. Cohorts come from a sheet in the form of ``config/cohorts.tsv`` (columns
cohort, expression, samples; optional cancer_type, treatment, units), or, without one, from the
folders of ``../shared/data``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

import resistpath as rp
from resistpath.cohort import residual, samples
from resistpath.io.resources import catalogue
from resistpath.io.tables import read_sample_sheet
from resistpath.mechanisms.records import Catalogue
from resistpath.reference import midrank_counts, normal_scores
from resistpath.units import parse_units

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data"
PANEL = 5000
"""With fewer genes than this a matrix is a panel, and is not rescaled to one million."""

# Folder -> cancer and therapy, for strata.
SHARED = {
    "hugo_gse78220": ("melanoma", "anti-PD-1"),
    "gide_prjeb23709_pd1": ("melanoma", "anti-PD-1"),
    "liu_2019_pd1": ("melanoma", "anti-PD-1"),
    "riaz_gse91061_counts": ("melanoma", "anti-PD-1"),
    "vanallen_2015_ctla4": ("melanoma", "anti-CTLA-4"),
    "nathanson_2017_ctla4": ("melanoma", "anti-CTLA-4"),
    "miao_2018_ccrcc": ("kidney", "anti-PD-1"),
    "snyder_2017_urothelial": ("bladder", "anti-PD-L1"),
    "imvigor210_bladder_1768genes": ("bladder", "anti-PD-L1"),
    "zhao_2019_gbm": ("glioblastoma", "anti-PD-1"),
    "padron_2022_pdac": ("pancreas", "anti-PD-1 + chemotherapy"),
    "jung_2019_nsclc_male": ("lung", "anti-PD-(L)1"),
    "limagne_2022_nsclc": ("lung", "anti-PD-1 + chemotherapy"),
    "ravi_2023_nsclc_combo": ("lung", "anti-PD-(L)1 + other"),
    "cho_gse126044_counts": ("lung", "anti-PD-1"),
    "thibaudin_2023_crc_female": ("colorectum", "anti-PD-L1 + chemotherapy"),
}


@dataclass(frozen=True)
class Entry:
    """Where a cohort lies."""

    cohort: str
    expression: Path
    sheet: Path
    cancer: str
    therapy: str
    units: str = "auto"


@dataclass(frozen=True)
class Scored:
    """A cohort, one row per patient with a pre-treatment sample.

    Attributes
    ----------
    values
        Genes x patients, log2(TPM+1).
    readouts, mechanisms
        Patients x columns; ``mechanisms`` holds the catalogue's composites.
    sheet
        One row per patient.
    selection
        Who stands for whom, and who was left out.
    panel
        Whether only a gene panel was measured.
    """

    entry: Entry
    values: pd.DataFrame
    readouts: pd.DataFrame
    mechanisms: pd.DataFrame
    sheet: pd.DataFrame
    selection: samples.Selection
    panel: bool

    @property
    def inflammation(self) -> pd.Series:
        """T-cell-inflamed score of the catalogue."""
        return self.readouts[catalogue().inflammation]

    def residuals(self, table: pd.DataFrame) -> pd.DataFrame:
        """`table` given T-cell inflammation, within the cohort."""
        return residual.residuals_in_cohort(table, self.inflammation)


def entries(sheet: Path | None, names: list[str] | None = None) -> list[Entry]:
    """Cohorts of a sheet, or of the shared folder."""
    if sheet is None:
        if not DATA.is_dir():
            raise SystemExit(f"no cohorts: {DATA} is not here; give --cohorts")
        found = [
            Entry(name, DATA / name / "matrix.tsv.gz", DATA / name / "samples.tsv", *kind)
            for name, kind in SHARED.items()
        ]
    else:
        table = pd.read_csv(sheet, sep="\t", dtype=str, comment="#").fillna("")
        found = [
            Entry(
                row["cohort"],
                sheet.parent / row["expression"],
                sheet.parent / row["samples"],
                row.get("cancer_type", ""),
                row.get("treatment", ""),
                row.get("units", "") or "auto",
            )
            for _, row in table.iterrows()
        ]
    return [e for e in found if not names or e.cohort in names]


def tpm_log(entry: Entry) -> tuple[pd.DataFrame, bool]:
    """Genes x samples, log2(TPM+1), and whether it is a panel."""
    raw = rp.read_expression(entry.expression, entry.units)
    if len(raw.values) >= PANEL:
        return rp.normalise(raw).values, False
    units = parse_units(raw.units)
    if units.quantity not in ("tpm", "fpkm"):
        raise SystemExit(f"{entry.cohort}: a panel in {raw.units} cannot be brought to TPM")
    from resistpath.api import linear_symbols

    return np.log2(linear_symbols(raw)[0] + 1), True


def read_sheet(entry: Entry) -> pd.DataFrame:
    """Sample sheet with the time points of the schema; words it does not know are not `pre`."""
    sheet = pd.read_csv(entry.sheet, sep="\t", dtype=str, keep_default_na=False)
    sheet = sheet.rename(columns={"sample_id": "sample", "patient_id": "patient"})
    if "timepoint" in sheet:
        known = sheet["timepoint"].isin(["", *samples.TIMEPOINTS])
        if known.all():
            return read_sample_sheet(entry.sheet)
        # Liu: biopsies before or during an earlier ipilimumab.
        sheet.loc[~known, "timepoint"] = "other"
    return sheet.set_index("sample").replace("", None)


def scored(entry: Entry, book: Catalogue) -> Scored:
    """Read, score and reduce a cohort to one row per patient."""
    values, panel = tpm_log(entry)
    sheet = read_sheet(entry)
    sheet = sheet.loc[[s for s in values.columns if s in sheet.index]]
    values = values[list(sheet.index)]
    methods = list(dict.fromkeys(r.method for r in book.readouts))
    parts = [
        rp.score(values, sets, method) for method in methods if (sets := book.gene_sets(method))
    ]
    table = pd.concat(parts, axis=1)
    chosen = samples.select(sheet, present=set(values.columns))
    readouts = samples.represent(chosen, table)
    means = {p: values[list(s)].mean(axis=1) for p, s in chosen.groups.items()}
    return Scored(
        entry,
        pd.DataFrame(means),
        readouts,
        composites(readouts, book),
        samples.patient_sheet(chosen, sheet)[0],
        chosen,
        panel,
    )


def composites(readouts: pd.DataFrame, book: Catalogue) -> pd.DataFrame:
    """Mechanisms as the catalogue combines them, with the cohort as its own reference.

    Oriented normal scores of each readout's mid-rank, averaged with the catalogue's weights over
    the readouts that were measured.
    """
    out = {}
    for entry in book.mechanisms:
        total, weight = pd.Series(0.0, readouts.index), pd.Series(0.0, readouts.index)
        for r in book.readouts_of(entry.mechanism):
            if r.readout not in readouts or readouts[r.readout].notna().sum() < 5:
                continue
            column = readouts[r.readout].dropna()
            counts = midrank_counts(column.to_numpy(), column.to_numpy())
            z = pd.Series(normal_scores(counts, len(column)), column.index)
            total = total.add(r.sign * r.weight * z, fill_value=0.0)
            weight = weight.add(pd.Series(r.weight, column.index), fill_value=0.0)
        if (weight > 0).any():
            out[entry.mechanism] = total / weight.where(weight > 0)
    return pd.DataFrame(out)


def recist(sheet: pd.DataFrame) -> pd.Series:
    """CR or PR against SD or PD, by the words of the column ``response``."""
    words = sheet["response"].astype(str).str.strip().str.upper() if "response" in sheet else None
    if words is None:
        return pd.Series(dtype=bool)
    known = words.isin(["CR", "PR", "SD", "PD"])
    return words[known].isin(["CR", "PR"])


def read_all(sheet: Path | None, names: list[str] | None = None) -> Iterator[Scored]:
    """All cohorts, one after the other."""
    book = catalogue()
    for entry in entries(sheet, names):
        yield scored(entry, book)
