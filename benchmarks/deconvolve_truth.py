"""Deconvolution against flow cytometry and mixtures of known fractions.

    python benchmarks/deconvolve_truth.py [--data FOLDER] [--epic FILE_OR_FOLDER] [--out TABLE.tsv]

For each data set, method and cell type: Pearson and Spearman over samples, root mean square error
and bias (fractions only), number of samples; and over all cell types of a data set together, as
Sturm 2019 reports it. Beside them stand published figures: Sturm 2019 for the whole of Racle and
Hoek, the DREAM challenge (White 2024, mean over its admixtures) for cell types. Those were measured
on other samples: they say what to expect, not what to equal.

The data are not part of the project (see ``../shared/data``); nor are EPIC's tables.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from resistpath.deconvolve import METHODS, deconvolve_long
from resistpath.io.resources import deconvolution_tables
from resistpath.io.signature_matrices import read_signature

ROOT = Path(__file__).resolve().parents[1]

# Data set -> is it a tumour, and column of its truth -> cell type.
TRUTH: dict[str, tuple[bool, dict[str, str]]] = {
    "racle_2017_melanoma_facs": (
        True,
        {"B cell": "b_cell", "NK cell": "nk", "T cell CD4+": "t_cd4", "T cell CD8+": "t_cd8"},
    ),
    "hoek_2015_pbmc_facs": (
        False,
        {"T": "t_cell", "Mono": "monocyte", "B": "b_cell", "DC": "myeloid_dc", "NK": "nk"},
    ),
    "finotello_gse107572_pbmc": (
        False,
        {
            "B.cells": "b_cell",
            "Dendritic.cells": "myeloid_dc",
            "Monocytes": "monocyte",
            "NK.cells": "nk",
            "Neutrophils": "neutrophil",
            "T.cells.CD4": "t_cd4_conventional",
            "T.cells.CD8": "t_cd8",
            "Tregs": "treg",
        },
    ),
    "monaco_gse107011_pbmc": (
        False,
        {
            "Monocytes": "monocyte",
            "CD4Tcells": "t_cd4",
            "Bcells": "b_cell",
            "NK": "nk",
            "CD8Tcells": "t_cd8",
        },
    ),
    "insilico_pbmc2_mixtures": (
        False,
        {
            "B Cells": "b_cell",
            "CD4 T Cells": "t_cd4",
            "CD8 T Cells": "t_cd8",
            "Monocytes": "monocyte",
            "NK Cells": "nk",
        },
    ),
}
ALL = "all"
# Pearson; over all cell types: Sturm 2019; per cell type: White 2024.
STURM = {
    ("racle_2017_melanoma_facs", "quantiseq"): 0.86,
    ("racle_2017_melanoma_facs", "epic"): 0.92,
    ("hoek_2015_pbmc_facs", "quantiseq"): 0.99,
    ("hoek_2015_pbmc_facs", "epic"): 0.98,
}
DREAM = {
    "quantiseq": {
        "b_cell": 0.88,
        "t_cd4": 0.68,
        "t_cd8": 0.86,
        "nk": 0.80,
        "treg": 0.79,
        "neutrophil": 0.84,
        "myeloid_dc": -0.00,
    },
    "mcpcounter": {
        "b_cell": 0.49,
        "t_cd8": 0.85,
        "nk": 0.76,
        "neutrophil": 0.92,
        "myeloid_dc": 0.48,
    },
    "epic": {"b_cell": 0.95, "t_cd4": 0.64, "t_cd8": 0.79, "nk": 0.91},
}


def runs(tumour: bool, epic: Path | None) -> Iterator[tuple[str, str, dict[str, object]]]:
    """Label, method and options of every run on a data set."""
    yield "quantiseq", "quantiseq", {"tumour": tumour}
    yield "quantiseq, current symbols", "quantiseq", {"tumour": tumour, "symbols": "current"}
    yield "quantiseq, huber", "quantiseq", {"tumour": tumour, "robust": "huber"}
    yield "mcpcounter", "mcpcounter", {}
    yield "consensus_markers", "consensus_markers", {}
    yield "least_squares, TIL10", "least_squares", {}
    yield "svr, TIL10", "svr", {}
    if epic is not None:
        yield "epic", "epic", {"signature": read_signature(epic)}


def compare(estimate: np.ndarray, truth: np.ndarray, kind: str) -> dict[str, float]:
    """Figures of one comparison; error and bias for fractions only."""
    varies = np.ptp(estimate) > 0 and np.ptp(truth) > 0
    x, y = pd.Series(estimate), pd.Series(truth)
    fraction = kind == "fraction"
    return {
        "n": len(x),
        "pearson": float(np.corrcoef(x, y)[0, 1]) if varies else np.nan,
        "spearman": float(np.corrcoef(x.rank(), y.rank())[0, 1]) if varies else np.nan,
        "rmse": float(np.sqrt(((x - y) ** 2).mean())) if fraction else np.nan,
        "bias": float((x - y).mean()) if fraction else np.nan,
    }


def one(data: Path, name: str, epic: Path | None) -> list[dict[str, object]]:
    """Compare every run on one data set."""
    tumour, columns = TRUTH[name]
    tpm = pd.read_csv(data / name / "matrix.tsv.gz", sep="\t", index_col=0)
    truth = pd.read_csv(data / name / "fractions.tsv", sep="\t", index_col=0)
    if name.startswith("insilico"):
        tpm = tpm / tpm.sum() * 1e6
    tables, rows = deconvolution_tables(), []
    for label, method, options in runs(tumour, epic):
        long = deconvolve_long(tpm, method, tables, interval=False, **options)
        long = long[long["kind"] == METHODS[method].kind]
        wide = long.pivot(index="sample", columns="cell_type", values="value").loc[truth.index]
        kind = METHODS[method].kind
        there = {c: t for c, t in columns.items() if t in wide and wide[t].notna().all()}
        head = {"data": name, "run": label}
        for column, cell in there.items():
            figures = compare(wide[cell].to_numpy(), truth[column].to_numpy(), kind)
            published = DREAM.get(label, {}).get(cell, np.nan)
            rows.append({**head, "cell_type": cell, **figures, "published": published})
        if kind == "fraction" and there:
            x = wide[list(there.values())].to_numpy().ravel()
            y = truth[list(there)].to_numpy().ravel()
            published = STURM.get((name, label), np.nan)
            figures = compare(x, y, kind)
            rows.append({**head, "cell_type": ALL, **figures, "published": published})
    return rows


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--epic", type=Path, help="EPIC's reference, from your own copy")
    parser.add_argument("--out", type=Path, help="also write the table here")
    args = parser.parse_args()
    missing = [name for name in TRUTH if not (args.data / name).is_dir()]
    if missing:
        raise SystemExit(f"no data in {args.data}: {', '.join(missing)}")
    table = pd.DataFrame([row for name in TRUTH for row in one(args.data, name, args.epic)])
    if args.out:
        table.to_csv(args.out, sep="\t", index=False, na_rep="NA")
    text = table.round(3).to_string(index=False, na_rep="")
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main()
