"""Gene sets along a ranking of genes: what prerank is given, and what its answer says.

The null of prerank draws genes, not patients, as if genes were independent. Genes of one set go up
and down together, so its p values are too small; they order sets, they do not confirm one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from resistpath.cohort.multiplicity import benjamini_hochberg

COLUMNS = (
    *("readout", "side", "mechanism", "n_genes", "n_ranked", "coverage", "es", "nes", "p", "q"),
    *("fdr_gsea", "higher_in", "n_leading", "leading_genes", "leakage", "note"),
)
SIDES = ("up", "down")


def ranking(table: pd.DataFrame) -> tuple[pd.Series[float], int]:
    """Statistic by gene from high to low, ties by name, and how many genes share their value.

    Parameters
    ----------
    table
        Columns gene, statistic and p; genes without p are left out.
    """
    known = table[table["p"].notna() & table["statistic"].notna()]
    values = known.set_index("gene")["statistic"].astype(np.float64).sort_index()
    ties = int(values.duplicated(keep=False).sum())
    return values.sort_values(ascending=False, kind="stable"), ties


def term(readout: str, side: str) -> str:
    """Name under which one side of a readout's set is ranked."""
    return f"{readout}|{side}"


def sides(readout: str, up: Sequence[str], down: Sequence[str]) -> Iterable[tuple[str, list[str]]]:
    """Sides of a set that hold genes, each gene once."""
    for side, genes in zip(SIDES, (up, down), strict=True):
        if genes:
            yield side, sorted(set(genes))


def prerank_table(
    found: pd.DataFrame,
    sets: Mapping[tuple[str, str], Sequence[str]],
    ranked: pd.Index,
    *,
    mechanisms: Mapping[str, str],
    leakage: Mapping[str, str],
    smallest: int,
    permutations: int,
) -> pd.DataFrame:
    """Gather the answer of prerank, one row per set, also of those that were not tested.

    Parameters
    ----------
    found
        By `term`: ES, NES, NOM p-val, FDR q-val and Lead_genes, as gseapy names them.
    sets
        Readout and side to genes.
    ranked
        Genes of the ranking.
    mechanisms, leakage
        By readout, those that have one.
    smallest
        Fewest ranked genes of a set.
    permutations
        Draws behind p. A p of zero, which no number of draws can give, is written as one over it.

    Returns
    -------
    DataFrame
        `COLUMNS` in the order of \\|NES\\|: n_genes of the set and n_ranked of them (coverage:
        their share), es, nes (above zero: higher in responders), p, q (Benjamini and Hochberg over
        the sets tested), fdr_gsea (gseapy's own), leading_genes in the order of the ranking's end
        they stand at.
    """
    known = set(ranked)
    rows = []
    for (readout, side), genes in sets.items():
        n = sum(g in known for g in genes)
        row: dict[str, object] = {
            "readout": readout,
            "side": side,
            "mechanism": mechanisms.get(readout),
            "n_genes": len(genes),
            "n_ranked": n,
            "coverage": n / len(genes),
            "leakage": leakage.get(readout, ""),
            "note": f"not tested: {n} genes ranked, fewer than {smallest}" if n < smallest else "",
        }
        if term(readout, side) in found.index:
            row |= _read(found.loc[term(readout, side)], permutations)
        rows.append(row)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    for column in ("es", "nes", "p", "fdr_gsea"):
        table[column] = table[column].astype(np.float64)
    table["n_leading"] = table["n_leading"].astype("Int64")
    table["q"] = benjamini_hochberg(table["p"])
    order = table["nes"].abs().sort_values(ascending=False, kind="stable", na_position="last")
    return table.loc[order.index].reset_index(drop=True)


def _read(row: pd.Series, permutations: int) -> dict[str, object]:
    nes = float(row["NES"])
    genes = [g for g in str(row["Lead_genes"]).split(";") if g]
    if nes < 0:
        genes.reverse()  # the strongest first
    return {
        "es": float(row["ES"]),
        "nes": nes,
        "p": max(float(row["NOM p-val"]), 1 / permutations),
        "fdr_gsea": float(row["FDR q-val"]),
        "higher_in": "responders" if nes > 0 else "non-responders",
        "n_leading": len(genes),
        "leading_genes": ", ".join(genes),
    }
