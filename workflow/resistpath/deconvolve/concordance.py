"""How far methods agree on a cell type over the samples of a cohort."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from resistpath.deconvolve.algebra import Floats
from resistpath.deconvolve.celltypes import CELL_TYPES
from resistpath.errors import UserError

NEEDED = ("method", "sample", "cell_type", "label", "value", "kind", "low", "high")
FEWEST = 5  # samples for a rank correlation that means anything
COLUMNS = (
    "cell_type",
    "label",
    "method_a",
    "method_b",
    "n",
    "spearman",
    "mean_difference",
    "intervals_overlap",
)


def cohort_concordance(long: pd.DataFrame) -> pd.DataFrame:
    """Compare methods pairwise on each cell type of the vocabulary that both offer.

    Parameters
    ----------
    long
        Rows of `table.long_table` of two or more methods; the cell types of one matrix alone
        (ids with a colon) have nothing to be compared with and are passed over.

    Returns
    -------
    DataFrame
        ``cell_type``, ``label``, ``method_a``, ``method_b``, ``n`` samples with a value by both,
        ``spearman`` (missing below five samples, or where one method gives all samples one value)
        and, for two fractions, ``mean_difference`` (b less a) and ``intervals_overlap``, the share
        of samples in which the 90 % intervals meet. The figures describe the samples given.
    """
    lacking = [c for c in NEEDED if c not in long.columns]
    if lacking:
        raise UserError(f"the table of cell types lacks columns: {', '.join(lacking)}")
    if long.duplicated(["method", "sample", "cell_type"]).any():
        raise UserError("the table of cell types repeats a method, sample and cell type")
    rows = []
    shared = long[long["cell_type"].isin(CELL_TYPES)]
    for cell in [c for c in CELL_TYPES if c in set(shared["cell_type"])]:
        mine = shared[shared["cell_type"] == cell]
        tables = {m: t.set_index("sample") for m, t in mine.groupby("method", sort=False)}
        for a, b in combinations(tables, 2):
            rows.append((cell, CELL_TYPES[cell].label, a, b, *_compare(tables[a], tables[b])))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _compare(a: pd.DataFrame, b: pd.DataFrame) -> tuple[int, float, float, float]:
    both = a.join(b, how="inner", lsuffix="_a", rsuffix="_b").sort_index()
    both = both[both["value_a"].notna() & both["value_b"].notna()]
    x, y = (both[f"value_{side}"].to_numpy(dtype=np.float64) for side in "ab")
    rho = spearman(x, y) if len(both) >= FEWEST else float("nan")
    if not (both["kind_a"].eq("fraction").all() and both["kind_b"].eq("fraction").all()):
        return len(both), rho, float("nan"), float("nan")
    difference = float((y - x).mean()) if len(both) else float("nan")
    ends = both[["low_a", "high_a", "low_b", "high_b"]].dropna()
    meet = (ends["low_a"] <= ends["high_b"]) & (ends["low_b"] <= ends["high_a"])
    return len(both), rho, difference, float(meet.mean()) if len(ends) else float("nan")


def spearman(x: Floats, y: Floats) -> float:
    """Rank correlation; missing where one side has one value only."""
    a, b = (pd.Series(values).rank().to_numpy() for values in (x, y))
    a, b = a - a.mean(), b - b.mean()
    size = float(np.sqrt((a * a).sum() * (b * b).sum()))
    return float((a * b).sum()) / size if size > 0 else float("nan")
