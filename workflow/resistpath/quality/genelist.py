"""Gene lists that break off: a file cut short, a spreadsheet that ran out of rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

SHORTEST = {"symbol": 150, "ensembl": 1500, "entrez": 1500}
"""Fewest genes beyond a break. Lists of real cohorts are complete to either end by symbol; by
number they lack up to 700 of the youngest genes, which older annotations do not have."""
STRAY = 0.12
"""Share of the genes beyond the break that may be there, under an older name in another place."""


def truncation(measured: pd.Index, universe: pd.DataFrame) -> tuple[float, str]:
    """Share of the protein-coding genes that lie beyond a break in the list, and where it is.

    Looks at the genes in the order of their symbols, Ensembl ids and Entrez ids, for an end (or
    a beginning) where hardly any is measured while most of the others are.

    Parameters
    ----------
    measured
        Symbols in the matrix.
    universe
        `symbol` and, if there, `ensembl` and `entrez` of all protein-coding genes.

    Returns
    -------
    share, words
        0 and "" if there is no break.
    """
    if not len(universe) or universe["symbol"].isna().all():
        return 0.0, ""
    has = universe["symbol"].isin(measured)
    best = (0.0, "")
    for column, name in (("symbol", "symbol"), ("ensembl", "Ensembl id"), ("entrez", "Entrez id")):
        if column not in universe:
            continue
        keys = universe[column].fillna("").astype(str)
        keys = keys[keys != ""]
        order = keys.str.upper() if column != "entrez" else keys.astype(float)
        order = order.sort_values(kind="stable")
        there = has[order.index].to_numpy()
        for end, flags in (("after", there), ("before", there[::-1])):
            cut = _break(flags, SHORTEST[column])
            if cut is None:
                continue
            share = float((~flags[cut:]).sum() / len(universe))
            last = keys[order.index[cut - 1 if end == "after" else len(flags) - cut]]
            if share > best[0]:
                n = int((~flags[cut:]).sum())
                best = (
                    share,
                    f"the list breaks off: hardly any of {n:,} genes {end} {last} in the order of"
                    f" {name}s; the file may be cut short",
                )
    return best


def _break(there: npt.NDArray[np.bool_], shortest: int) -> int | None:
    """First position from which on hardly any gene is there, though most before it are."""
    n = len(there)
    behind = np.cumsum(there[::-1])[::-1]
    share = behind / np.arange(n, 0, -1)
    cuts = np.flatnonzero((share <= STRAY) & (np.arange(n, 0, -1) >= shortest))
    if not len(cuts):
        return None
    cut = int(cuts[0])
    while cut < n and there[cut]:
        cut += 1
    front = int(there[:cut].sum())
    return cut if cut and front / cut >= 0.5 else None
