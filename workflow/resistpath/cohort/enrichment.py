"""Gene sets along a ranking of genes: prerank's answer, and a test that knows of correlation.

The null of prerank draws genes, not patients, as if genes were independent. Genes of one set go up
and down together, so its p are too small: they order sets, they do not confirm one. Beside them
stands the competitive test of [1]_, whose variance of a set's mean grows with the correlation of
its genes in what the model leaves over.

References
----------
.. [1] Wu and Smyth 2012, Nucleic Acids Res 40:e133, doi:10.1093/nar/gks461
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from resistpath.cohort.multiplicity import benjamini_hochberg

COLUMNS = (
    *("readout", "side", "mechanism", "n_genes", "n_ranked", "coverage", "es", "nes", "p", "q"),
    *("fdr_gsea", "correlation", "p_correlated", "q_correlated"),
    *("higher_in", "n_leading", "leading_genes", "leakage", "note"),
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


def as_normal(table: pd.DataFrame) -> pd.Series[float]:
    """Normal score by gene with the sign of the statistic and its two-sided p, sorted by name."""
    from scipy.special import ndtri

    known = table[table["p"].notna() & table["statistic"].notna()].set_index("gene").sort_index()
    smallest = np.finfo(np.float64).tiny
    size = -ndtri(np.maximum(known["p"].to_numpy(dtype=np.float64), smallest) / 2)
    return pd.Series(np.sign(known["statistic"].to_numpy()) * size, index=known.index)


def correlated_test(
    scores: pd.Series[float], residuals: pd.DataFrame, sets: Mapping[str, Sequence[str]], df: int
) -> pd.DataFrame:
    """Whether a set's genes score otherwise than the rest, given how they go together.

    With m of G genes in the set and their mean residual correlation ρ̄ (not below zero), the
    difference of the mean score inside and outside is divided by the root of
    s² (v / m + 1 / (G − m)), v = 1 + (m − 1) ρ̄, s² the variance of the scores within the two
    groups, and read against Student's t with the model's residual degrees of freedom. This is
    limma's ``camera`` with ``inter.gene.cor = NA``.

    Parameters
    ----------
    scores
        Normal score by gene (`as_normal`).
    residuals
        Samples x genes, from `resistpath.cohort.moderated.standard_residuals`; all genes of
        `sets` that are in `scores`.
    sets
        Name to genes; two or more of them in `scores`, and not all.
    df
        Residual degrees of freedom of the model.

    Returns
    -------
    DataFrame
        By set: correlation (ρ̄ as estimated, −1 to 1), p (two-sided).
    """
    from scipy.stats import t as student

    x = scores.to_numpy(dtype=np.float64)
    total, centre, spread = len(x), float(x.mean()), float(x.var(ddof=1))
    rows = {}
    for name, genes in sets.items():
        inside = scores.index.isin(genes)
        m = int(inside.sum())
        rest = residuals[scores.index[inside]].to_numpy(dtype=np.float64)
        inflation = m * float((rest.mean(axis=1) ** 2).sum() / df)
        delta = total / (total - m) * (float(x[inside].mean()) - centre)
        within = (total - 1) * spread - delta**2 * m * (total - m) / total
        variance = within / (total - 2) * (max(inflation, 1.0) / m + 1 / (total - m))
        p = float(2 * student.sf(abs(delta) / np.sqrt(variance), min(df, total - 2)))
        rows[name] = {"correlation": (inflation - 1) / (m - 1), "p": p}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["correlation", "p"])


def term(readout: str, side: str) -> str:
    """Name under which one side of a readout's set is ranked."""
    return f"{readout}|{side}"


def sides(up: Sequence[str], down: Sequence[str]) -> Iterable[tuple[str, list[str]]]:
    """Sides of a set that hold genes, each gene once."""
    for side, genes in zip(SIDES, (up, down), strict=True):
        if genes:
            yield side, sorted(set(genes))


def prerank_table(
    found: pd.DataFrame,
    correlated: pd.DataFrame,
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
    correlated
        By `term`, see `correlated_test`.
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
        `COLUMNS`, the largest NES of either sign first: n_genes of the set and n_ranked of them
        (coverage: their share), es, nes (above zero: higher in responders), p, q (Benjamini and
        Hochberg over the sets tested), fdr_gsea (gseapy's own), correlation, p_correlated and
        q_correlated (`correlated_test`), leading_genes with the strongest first.
    """
    answers = {str(name): row for name, row in found.to_dict("index").items()}
    place = {str(gene): i for i, gene in enumerate(ranked)}
    rows = []
    for (readout, side), genes in sets.items():
        n = sum(g in place for g in genes)
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
        if term(readout, side) in answers:
            row |= _read(answers[term(readout, side)], place, permutations)
            row["correlation"], row["p_correlated"] = correlated.loc[term(readout, side)]
        rows.append(row)
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    for column in ("es", "nes", "p", "fdr_gsea", "correlation", "p_correlated"):
        table[column] = table[column].astype(np.float64)
    table["n_leading"] = table["n_leading"].astype("Int64")
    for p, q in (("p", "q"), ("p_correlated", "q_correlated")):
        table[q] = benjamini_hochberg(table[p])
    order = table["nes"].abs().sort_values(ascending=False, kind="stable", na_position="last")
    return table.loc[order.index].reset_index(drop=True)


def _read(row: Mapping[Any, Any], place: Mapping[str, int], permutations: int) -> dict[str, object]:
    nes = float(row["NES"])
    genes = [g for g in str(row["Lead_genes"]).split(";") if g]
    genes.sort(key=place.__getitem__, reverse=nes < 0)  # versions of gseapy differ
    return {
        "es": float(row["ES"]),
        "nes": nes,
        "p": max(float(row["NOM p-val"]), 1 / permutations),
        "fdr_gsea": float(row["FDR q-val"]),
        "higher_in": "responders" if nes > 0 else "non-responders",
        "n_leading": len(genes),
        "leading_genes": ", ".join(genes),
    }
