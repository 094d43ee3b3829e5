"""Whether batch, preservation, site or library is aligned with the response in a cohort."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.quality.gates import Gates

TECHNICAL = re.compile(
    r"batch|site|cent(?:er|re)|preserv|ffpe|librar|platform|plate|flowcell|lane|run\b|sequenc"
    r"|biops|tissue|location|protocol|\bkit\b|hospital|institut|timepoint|\bsex\b|gender",
    re.IGNORECASE,
)
"""Names of sample-sheet columns that are tested unless others are asked for."""
MOST_LEVELS = 12
ONE_SIDED = 4
"""A level with so many samples, all with one outcome, cannot be told from the outcome."""
PERMUTATIONS = 9999

COLUMNS = (*("variable", "levels", "n", "p", "cramers_v", "one_sided", "status", "note"),)


def cohort_confounding(
    sheet: pd.DataFrame,
    response: str = "response_binary",
    columns: Sequence[str] | None = None,
    gates: Gates | None = None,
) -> pd.DataFrame:
    """Test each technical column of a sample sheet against the response.

    Parameters
    ----------
    sheet
        Samples x columns.
    response
        Column with two outcomes or more; empty where unknown.
    columns
        Columns to test; by default those whose name sounds technical.
    gates
        ``warn_confounding_p``.

    Returns
    -------
    DataFrame
        One row per column with at least two levels among the samples with an outcome: variable,
        levels, n, p (Fisher's exact test for two by two, else permutation of Pearson's chi
        square, 9,999 draws from a fixed seed), cramers_v (0 to 1), one_sided (levels with
        `ONE_SIDED` samples or more that all have one outcome), status (``warn`` if p is low or a
        level is one-sided), note.
    """
    gates = gates or Gates()
    if response not in sheet:
        return pd.DataFrame(columns=list(COLUMNS))
    chosen = [c for c in sheet.columns if TECHNICAL.search(str(c))] if columns is None else columns
    found = []
    for column in chosen:
        if column == response or column not in sheet:
            continue
        pair = sheet[[column, response]].dropna()
        pair = pair[(pair.astype(str) != "").all(axis=1)].astype(str)
        table = pd.crosstab(pair[column], pair[response])
        if min(table.shape) >= 2 and len(table) <= MOST_LEVELS:
            found.append(_row(str(column), response, table, gates))
    return pd.DataFrame(found, columns=list(COLUMNS))


def _row(column: str, response: str, table: pd.DataFrame, gates: Gates) -> dict[str, object]:
    counts = table.to_numpy(dtype=np.int64)
    n = int(counts.sum())
    chi = float(_chi_square(counts))
    v = float(np.sqrt(chi / (n * (min(table.shape) - 1))))
    p = _p_value(counts)
    sided = [
        f"{level} ({int(row.sum())} of {int(row.sum())} {table.columns[int(row.argmax())]})"
        for level, row in zip(table.index, counts, strict=True)
        if row.sum() >= ONE_SIDED and row.max() == row.sum()
    ]
    aligned = p < gates.warn_confounding_p
    notes = []
    if aligned:
        notes.append(f"{column} and {response} are aligned (p {p:.2g})")
    if sided:
        notes.append(
            f"all samples with {column} {', '.join(sided)} have one outcome, so the two cannot be"
            " told apart there"
        )
    shape = "; ".join(
        f"{level}: " + ", ".join(f"{int(x)} {name}" for x, name in zip(row, table, strict=True))
        for level, row in zip(table.index, counts, strict=True)
    )
    return {
        "variable": column,
        "levels": shape,
        "n": n,
        "p": p,
        "cramers_v": v,
        "one_sided": "; ".join(sided),
        "status": "warn" if notes else "pass",
        "note": "; ".join(notes),
    }


def _chi_square(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Pearson's statistic of a table, or of each of several with the same margins."""
    rows, columns = counts.sum(axis=-1, keepdims=True), counts.sum(axis=-2, keepdims=True)
    expected = rows * columns / rows.sum(axis=-2, keepdims=True)
    return np.asarray(((counts - expected) ** 2 / expected).sum(axis=(-2, -1)))


def _p_value(counts: npt.NDArray[np.int64]) -> float:
    if counts.shape == (2, 2):
        from scipy.stats import fisher_exact

        return float(fisher_exact(counts)[1])
    from scipy.stats import random_table

    drawn = random_table(counts.sum(axis=1), counts.sum(axis=0))
    tables = drawn.rvs(size=PERMUTATIONS, random_state=np.random.default_rng(0))
    least = _chi_square(counts) * (1 - 1e-9)
    hits = int((_chi_square(tables) >= least).sum())
    return float((hits + 1) / (PERMUTATIONS + 1))
