r"""ESTIMATE: stromal and immune scores (Yoshihara 2013).

Each score is the single-sample enrichment of 141 genes: with average ascending ranks :math:`r_g` of
a sample's *N* genes (1 = lowest), positions :math:`q_g` from the bottom (equal values in reverse
order of their symbols) and a set of *n* genes *S*,

.. math:: s = \frac{\sum_{g \in S} r_g^{0.25} q_g}{\sum_{g \in S} r_g^{0.25}}
              - \frac{N(N+1)/2 - \sum_{g \in S} q_g}{N - n}

and the combined score is their sum. Scores compare samples for one score, measured on one list of
genes: they grow with *N*.

**Universe.** The original first keeps 10,412 genes that six platforms have in common. That list is
published only inside a GPL-2 program and so is not shipped; by default all genes given are ranked.
Give the list as ``universe`` to get the original's scores, to the last digits. Without it, on 27
melanomas with 19,961 protein-coding genes, the scores correlate with the original's by 0.997 and
more, but are 1.8 times steeper and 1,700 to 3,500 higher; with non-coding genes among the rows the
stromal score of four lymph-node metastases agreed no longer (r 0.47): give protein-coding genes.

**Purity.** :math:`\cos(0.6049872018 + 0.0001467884\, s)` of the combined score was fitted on
Affymetrix arrays. It is given only where that platform is declared, together with the original's
universe, on whose size the score depends.

The 90 % intervals are jackknives over the genes of the sets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.deconvolve import intervals
from resistpath.deconvolve.algebra import Floats, Whole
from resistpath.deconvolve.markers import unfitted
from resistpath.deconvolve.result import Result, no_rows
from resistpath.deconvolve.rows import Rows, find, need, require_half, text
from resistpath.errors import UserError, some

ALPHA = 0.25
SETS = {"stromal": "StromalScore", "immune": "ImmuneScore"}
COMBINED, PURITY = "ESTIMATEScore", "TumorPurity"
PLATFORMS = ("rnaseq", "affymetrix", "other_array")
COMMON_GENES = 10412
MOST = 0.9  # of them must be there; five in a hundred have had another symbol since
WITHHELD = "purity is not given: its formula holds for Affymetrix arrays only"
WRONG_UNIVERSE = f"purity is not given: its formula needs the {COMMON_GENES:,} genes of ESTIMATE"


def estimate(
    tpm: pd.DataFrame,
    tables: Mapping[str, pd.DataFrame],
    *,
    platform: str = "rnaseq",
    universe: Sequence[str] | None = None,
    symbols: str = "current",
    interval: bool = True,
) -> Result:
    """Score stromal and immune content by ESTIMATE.

    Parameters
    ----------
    tpm
        Genes x samples, linear TPM (or intensities: only their order within a sample counts);
        gene symbols.
    tables
        ``estimate``.
    platform
        ``"rnaseq"``, ``"affymetrix"`` or ``"other_array"``.
    universe
        Symbols of the genes to rank, such as the original's 10,412; all if left out.
    symbols
        ``"current"`` finds the sets' genes by their symbols of today or former ones,
        ``"published"`` by the names printed alone.
    interval
        Also give 90 % intervals.

    Returns
    -------
    Result
        StromalScore, ImmuneScore, ESTIMATEScore and, where it holds, TumorPurity.
    """
    for option, word, known in (
        ("platform", platform, PLATFORMS),
        ("symbols", symbols, ("current", "published")),
    ):
        if word not in known:
            raise UserError(
                f"estimate knows no {option} {word!r}", do=f"use one of {', '.join(known)}"
            )
    table = need(tables, "estimate", ("set", "gene", "symbol", "other_symbols"))
    labels = [str(gene) for gene in tpm.index]
    ranked = _universe(labels, universe)
    wanted = find(table, ranked) if symbols == "current" else text(table["gene"])
    place = {name: i for i, name in enumerate(ranked)}
    there = [name in place for name in wanted]
    require_half(sum(there), len(there), "estimate")

    rows = Rows(tpm, labels)
    of_set = np.array(text(table["set"]))
    members = {
        name: np.array(
            [place[w] for w, s in zip(wanted, of_set, strict=True) if s == name and w in place],
            dtype=np.intp,
        )
        for name in SETS
    }
    scores, variances = _scores(rows, ranked, list(members.values()))
    n = np.array([len(m) for m in members.values()])
    value = _frame(np.column_stack([scores, scores.sum(axis=1)]), rows)
    half = np.sqrt(np.column_stack([variances, variances.sum(axis=1)]))
    half *= [intervals.quantile(freedom) for freedom in (*(n - 1), n.sum() - len(n))]
    if not interval:
        half[:] = np.nan
    low, high = value - half, value + half
    notes, kinds = {"": f"{len(ranked):,} genes ranked"}, {}
    if platform != "affymetrix":
        notes[COMBINED] = WITHHELD
    elif universe is None or len(ranked) < MOST * COMMON_GENES:
        notes[COMBINED] = WRONG_UNIVERSE
    else:  # purity falls as the score rises
        ends = purity(high[COMBINED]), purity(low[COMBINED])
        value[PURITY], low[PURITY], high[PURITY] = purity(value[COMBINED]), *ends
        kinds[PURITY] = "fraction"
    return Result(
        estimate=value,
        combined=pd.DataFrame(index=rows.samples),
        low=low,
        high=high,
        fit=unfitted(rows.samples, sum(there), len(there)),
        genes=pd.DataFrame(
            {
                "gene": text(table["gene"]),
                "row": [w if here else "" for w, here in zip(wanted, there, strict=True)],
                "used": there,
                "fate": ["used" if here else "missing" for here in there],
            }
        ),
        dropped=no_rows(),
        notes=notes,
        kinds=kinds,
    )


def purity(score: pd.Series) -> pd.Series:
    """Tumour purity from the combined score; missing where the formula gives a negative one."""
    value = pd.Series(np.cos(0.6049872018 + 0.0001467884 * score))
    return value.where(value >= 0)


def _frame(values: Floats, rows: Rows) -> pd.DataFrame:
    return pd.DataFrame(values, rows.samples, [*SETS.values(), COMBINED])


def _universe(labels: Sequence[str], universe: Sequence[str] | None) -> list[str]:
    """Names of the genes to rank, in the order of their names, which decides between ties."""
    if universe is None:
        return sorted(labels)
    if isinstance(universe, str):
        raise UserError("universe is one text", do="give a list of gene symbols")
    listed = {str(gene) for gene in universe}
    kept = sorted(listed & set(labels))
    if 2 * len(kept) < len(listed):
        missing = sorted(listed - set(labels))
        raise UserError(
            f"{len(missing)} of {len(listed)} genes of the universe are not among the rows,"
            f" such as {some(missing, 3)}",
            do="give a universe of the symbols the matrix uses",
        )
    return kept


def _scores(rows: Rows, ranked: Sequence[str], members: Sequence[Whole]) -> tuple[Floats, Floats]:
    """Scores and their jackknife variances: samples x sets."""
    order = np.array([rows.first(name) for name in ranked], dtype=np.intp)
    total = len(order)
    shape = (len(rows.samples), len(members))
    scores, variances = np.full(shape, np.nan), np.full(shape, np.nan)
    for start in range(0, shape[0], 64):
        block = rows.values[:, start : start + 64].T.astype(np.float64, order="C")
        for sample, values in enumerate(np.take(block, order, axis=1), start):
            ordered = np.sort(values)
            for column, genes in enumerate(members):
                n = len(genes)
                if not 1 < n < total:
                    continue
                ranks, q = _ranks(values, genes, ordered)
                w = ranks**ALPHA
                scores[sample, column] = _enrichment(w.sum(), (w * q).sum(), q.sum(), n, total)
                less = _enrichment(w.sum() - w, (w * q).sum() - w * q, q.sum() - q, n - 1, total)
                variances[sample, column] = (n - 1) / n * ((less - less.mean()) ** 2).sum()
    return scores, variances


def _enrichment(
    weight: npt.ArrayLike, weighted: npt.ArrayLike, position: npt.ArrayLike, n: int, total: int
) -> Floats:
    """Score from the sums of weights, of weights times positions and of positions."""
    outside = (total * (total + 1) / 2 - np.asarray(position)) / (total - n)
    return np.asarray(np.asarray(weighted) / np.asarray(weight) - outside)


def _ranks(values: Floats, genes: Whole, ordered: Floats) -> tuple[Floats, Floats]:
    """Average ascending ranks of some genes, and their positions from the bottom.

    Of equal values the one that stands first among `values` has the highest position. `ordered`
    are all values, ascending.
    """
    own = values[genes]
    below, up_to = ordered.searchsorted(own), ordered.searchsorted(own, "right")
    position = up_to.astype(np.float64)
    tied = np.flatnonzero(up_to - below > 1)
    for value in np.unique(own[tied]):
        here = tied[own[tied] == value]
        position[here] -= np.flatnonzero(values == value).searchsorted(genes[here])
    return (below + up_to + 1) / 2, position
