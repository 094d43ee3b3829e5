"""gseapy as another way to compute ssgsea, gsva and prerank.

Its numbers are gseapy's, with its ties: it orders tied genes by their row in the matrix, so
scores change when the file is shuffled. Rows are therefore sorted by gene name first; the
result is then reproducible, but tied genes still count as if they were ordered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from resistpath.errors import UserError
from resistpath.methods import GeneSet

METHODS = ("ssgsea", "gsva", "prerank")
_ANY_SIZE: dict[str, Any] = {"min_size": 1, "max_size": 1_000_000, "outdir": None}


def score(
    values: pd.DataFrame,
    sets: Sequence[GeneSet],
    method: str,
    *,
    threads: int = 1,
    **options: Any,
) -> pd.DataFrame:
    """Scores by gseapy, samples x sets; sets it leaves out are NaN.

    ``ssgsea`` gives gseapy's ES, the sum of the walk, not its NES, which divides by the range
    over all samples and sets. ``gsva`` leaves out genes that do not vary, as Bioconductor's
    does. ``prerank`` ranks each sample's genes by its values and gives the normalised
    enrichment score over `permutations`.

    Parameters
    ----------
    **options
        ``alpha`` (ssgsea); ``kcdf``, ``max_diff``, ``abs_ranking``, ``tau`` (gsva);
        ``permutations``, ``seed`` (prerank).
    """
    if method not in METHODS:
        raise UserError(
            f"gseapy does not score by {method}", do=f"choose one of {', '.join(METHODS)}"
        )
    with_down = [s.name for s in sets if s.down]
    if with_down:
        raise UserError(f"gseapy knows no down genes, set {with_down[0]!r} has some")
    known = {s.name: list(s.up) for s in sets if values.index.isin(s.up).any()}
    empty = pd.DataFrame(
        np.nan, index=pd.Index(values.columns, name="sample"), columns=[s.name for s in sets]
    )
    if not known:
        return empty
    ordered = values.sort_index().astype(np.float64)
    # Columns by number: gseapy reads names as text and gives them back in its own order.
    ordered.columns = [str(i) for i in range(ordered.shape[1])]
    runs: dict[str, Callable[..., pd.DataFrame]]
    runs = {"ssgsea": _ssgsea, "gsva": _gsva, "prerank": _prerank}
    found = runs[method](ordered, known, threads, **options)
    found = found.reindex(index=ordered.columns, columns=empty.columns)
    return pd.DataFrame(found.to_numpy(dtype=float), index=empty.index, columns=empty.columns)


def _wide(result: pd.DataFrame, column: str) -> pd.DataFrame:
    return result.pivot(index="Name", columns="Term", values=column).astype(float)


def _ssgsea(
    values: pd.DataFrame, sets: dict[str, list[str]], threads: int, *, alpha: float = 0.25
) -> pd.DataFrame:
    import gseapy

    done = gseapy.ssgsea(
        data=values,
        gene_sets=sets,
        sample_norm_method="rank",
        correl_norm_type="rank",
        weight=alpha,
        permutation_num=0,
        no_plot=True,
        threads=threads,
        seed=1,
        **_ANY_SIZE,
    )
    return _wide(done.res2d, "ES")


def _gsva(
    values: pd.DataFrame,
    sets: dict[str, list[str]],
    threads: int,
    *,
    kcdf: str = "gaussian",
    max_diff: bool = True,
    abs_ranking: bool = False,
    tau: float = 1.0,
) -> pd.DataFrame:
    import gseapy

    # gseapy takes a word it does not know for "none".
    kernels = {"gaussian": "Gaussian", "poisson": "Poisson", "none": None}
    if kcdf not in kernels:
        raise UserError(f"kcdf must be one of {', '.join(kernels)}, not {kcdf!r}", where="gsva")
    done = gseapy.gsva(
        data=values[np.ptp(values.to_numpy(), axis=1) > 0],
        gene_sets=sets,
        kcdf=kernels[kcdf],
        weight=tau,
        mx_diff=max_diff,
        abs_rnk=abs_ranking,
        threads=threads,
        **_ANY_SIZE,
    )
    return _wide(done.res2d, "ES")


def _prerank(
    values: pd.DataFrame,
    sets: dict[str, list[str]],
    threads: int,
    *,
    permutations: int = 1000,
    seed: int = 1,
) -> pd.DataFrame:
    rows = {
        name: prerank(column, sets, threads=threads, permutations=permutations, seed=seed)["NES"]
        for name, column in values.items()
    }
    return pd.DataFrame(rows).T


def prerank(
    statistic: pd.Series,
    sets: dict[str, list[str]],
    *,
    threads: int = 1,
    permutations: int = 1000,
    seed: int = 1,
) -> pd.DataFrame:
    """GSEA of one ranking by gseapy.

    Parameters
    ----------
    statistic
        One number by gene, such as a z value; the ranking is by it, from high to low, ties by
        gene name.

    Returns
    -------
    pandas.DataFrame
        Sets x ES, NES, NOM p-val, FDR q-val and the other columns of gseapy. The NES rests on
        random permutations and changes with `seed`.
    """
    import gseapy

    ranking = statistic.sort_index().sort_values(ascending=False, kind="stable")
    # Genes by code: gseapy puts names in capitals where it takes the lists to be in different
    # cases, and joins the leading ones by semicolons.
    names = {f"G{i}": str(gene) for i, gene in enumerate(ranking.index)}
    codes = {gene: code for code, gene in zip(names, ranking.index, strict=True)}
    done = gseapy.prerank(
        rnk=pd.Series(_without_ties(ranking.to_numpy(dtype=np.float64)), index=list(names)),
        gene_sets={name: [codes[g] for g in genes if g in codes] for name, genes in sets.items()},
        permutation_num=permutations,
        threads=threads,
        seed=seed,
        no_plot=True,
        **_ANY_SIZE,
    )
    found = done.res2d.set_index("Term").drop(columns="Name").rename_axis("readout")
    leading = found["Lead_genes"].str.split(";")
    found["Lead_genes"] = [";".join(names[code] for code in row if code) for row in leading]
    return found


def _without_ties(falling: np.ndarray) -> np.ndarray:
    """Values with equal neighbours parted by the smallest step; gseapy's sort may turn ties."""
    out = falling.copy()
    for i in range(1, len(out)):
        if out[i] >= out[i - 1]:
            out[i] = np.nextafter(out[i - 1], -np.inf)
    return out
