"""Build resources/score/typical_expression.tsv.gz from the demo cohort.

Run ``python resources/build/score.py`` after ``demo.py``. For each gene the mean log2(TPM+1) over
the demo cohort's tumours is taken; genes ordered by it, ties by name, fall into ten bins of equal
size, 1 the lowest. Only the bin is kept: it says which genes a gene of a set is compared with.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from packaged import RESOURCES, write_table

from resistpath import normalise, read_expression

BINS = 10


def typical_expression() -> pd.DataFrame:
    """Columns gene and bin, genes ordered by name."""
    values = normalise(read_expression(RESOURCES / "demo" / "expression.tsv.gz")).values
    # Rounded, so that the last digit of a sum cannot move a gene across a border.
    mean = values.astype(np.float64).mean(axis=1).round(6)
    table = pd.DataFrame({"gene": mean.index, "mean": mean.to_numpy()})
    table = table.sort_values(["mean", "gene"], kind="stable")
    table["bin"] = 1 + np.arange(len(table)) * BINS // len(table)
    return table.sort_values("gene", kind="stable")[["gene", "bin"]]


if __name__ == "__main__":
    write_table(typical_expression(), RESOURCES / "score" / "typical_expression.tsv.gz")
