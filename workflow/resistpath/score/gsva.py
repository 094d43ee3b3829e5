"""GSVA (Hänzelmann 2013): a random walk on each sample's ranks of kernel-smoothed expression."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy import special

from resistpath.errors import UserError
from resistpath.methods import Method
from resistpath.score.cohort import (
    by_sample_name,
    gene_chunks,
    gene_parts,
    gene_values,
    need_cohort,
)
from resistpath.score.data import BLOCK, ScoreData, SetIndex
from resistpath.score.kernels import compiled
from resistpath.score.ranking import rank_float64
from resistpath.score.walk import gsva_walk, smooth

KERNELS = {"none": 0, "gaussian": 1, "poisson": 2}
_STEPS, _WIDEST = 10_000, 10.0
"""GSVA reads the normal distribution from a table: this many steps up to this many s.d."""


def _normal_table() -> np.ndarray:
    return np.asarray(special.ndtr(_WIDEST * np.arange(_STEPS + 1) / _STEPS))


def _poisson_table(most: int) -> np.ndarray:
    """Entry (k, m): P(X <= k) for a mean of m + 1/2; GSVA's bandwidth for counts is 1/2."""
    k = np.arange(most + 1)
    return np.asarray(special.pdtr(k[:, None], k[None, :] + 0.5))


def gsva(
    data: ScoreData,
    sets: SetIndex,
    *,
    kcdf: str = "gaussian",
    max_diff: bool = True,
    abs_ranking: bool = False,
    tau: float = 1.0,
    ties: str = "name",
    threads: int = 1,
) -> np.ndarray:
    r"""Score every set in every sample of a cohort.

    Each gene's expression becomes its smoothed rank among the samples: the logit of a
    Gaussian kernel estimate (bandwidth sd/4), of a Poisson one (counts), or the empirical
    distribution. Genes are ranked by it within a sample, and a walk goes down the M ranks: it
    climbs by :math:`|p - M/2|^\tau` at the set's genes and falls evenly at the others
    (Hänzelmann et al. 2013, doi:10.1186/1471-2105-14-7; GSVA's tables and constants).

    Parameters
    ----------
    kcdf
        ``"gaussian"`` (log values), ``"poisson"`` (whole counts) or ``"none"``.
    max_diff
        Largest climb minus deepest fall; else the larger of the two.
    abs_ranking
        With `max_diff`: add the two instead.
    tau
        Exponent of the step.
    ties
        Tied genes are ordered by ``"name"``, or by the ``"row"`` of the matrix as in GSVA,
        whose scores therefore change with the order of the file.
    threads
        Genes are smoothed on so many threads; the time grows with the square of the samples.

    Returns
    -------
    numpy.ndarray
        Samples x sets, -1 to 1; NaN for sets without measured genes that vary.

    Notes
    -----
    Genes that do not vary over the cohort are left out. Missing values are refused before
    (GSVA's ``use="all.obs"``); GSVA's ``na.rm`` would give each sample another universe.
    """
    kernel = KERNELS.get(kcdf.lower())
    if kernel is None:
        raise UserError(f"kcdf must be one of {', '.join(KERNELS)}, not {kcdf!r}", where="gsva")
    if ties not in ("name", "row"):
        raise UserError(f"ties must be 'name' or 'row', not {ties!r}", where="gsva")
    need_cohort(data, "gsva")
    rows = data.order if ties == "name" else np.arange(data.n_genes)
    rows, density = _densities(data, rows, kernel, threads)
    column = np.full(data.n_genes, -1, dtype=np.int64)
    column[rows] = np.arange(len(rows))
    found = column[sets.rows]
    counts = np.bincount(
        np.repeat(np.arange(len(sets.sets)), np.diff(sets.whole))[found >= 0],
        minlength=len(sets.sets),
    )
    bounds = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    # GSVA knows no down genes: a set's sides are one set.
    out = np.full((len(density), len(sets.sets)), np.nan)
    place = np.arange(len(rows), dtype=np.int32)
    for start in range(0, len(density), BLOCK):
        part = density[start : start + BLOCK]
        doubled, low, position = (np.empty(part.shape, dtype=np.int32) for _ in range(3))
        compiled(rank_float64)(part.view(np.uint64), place, True, doubled, low, position)
        compiled(gsva_walk)(
            position, found[found >= 0], bounds, tau, max_diff, abs_ranking, out[start:][:BLOCK]
        )
    result = np.empty_like(out)
    result[by_sample_name(data)] = out
    return result


def _densities(
    data: ScoreData, rows: np.ndarray, kernel: int, threads: int = 1
) -> tuple[np.ndarray, np.ndarray]:
    """Genes that vary, and their densities: samples by name x genes."""
    density = np.empty((len(data.samples), len(rows)))
    varies = np.zeros(len(rows), dtype=bool)
    table = _normal_table() if kernel == KERNELS["gaussian"] else np.zeros(1)
    counts = np.zeros((1, 1))
    if kernel == KERNELS["poisson"]:
        most = 0
        for _, values in gene_chunks(data, rows):
            if (values < 0).any() or (values != np.floor(values)).any():
                raise UserError(
                    "the Poisson kernel takes whole counts",
                    where="gsva",
                    do="give counts, or use kcdf='gaussian' for log values",
                )
            most = max(most, int(values.max()))
        if most <= 2000:
            counts = _poisson_table(most)

    def one(part: slice) -> None:
        values = gene_values(data, rows[part])
        out = np.empty_like(values)
        if kernel == KERNELS["poisson"] and counts.shape[0] == 1:
            out[:] = _poisson(values)
        else:
            compiled(smooth)(values, kernel, table, counts, _STEPS / _WIDEST, out)
        density[:, part] = out.T
        varies[part] = np.ptp(values, axis=1) > 0

    with ThreadPoolExecutor(threads) as pool:
        # Reading the results raises what a worker raised.
        for _ in pool.map(one, gene_parts(len(rows))):
            pass
    return rows[varies], np.ascontiguousarray(density[:, varies])


def _poisson(values: np.ndarray) -> np.ndarray:
    """Logit densities of large counts, gene by gene, each distinct pair once."""
    out = np.empty_like(values)
    for g, row in enumerate(values):
        distinct, which, number = np.unique(row, return_inverse=True, return_counts=True)
        below = special.pdtr(distinct[:, None], distinct[None, :] + 0.5)
        left = (below * number).sum(axis=1) / len(row)
        with np.errstate(divide="ignore"):
            out[g] = (-np.log((1 - left) / left))[which]
    return out


METHOD = Method(
    name="gsva",
    step="score",
    func=gsva,
    needs="log2_tpm",
    kind="score",
    range=(-1.0, 1.0),
    cohort_dependent=True,
    reference="10.1186/1471-2105-14-7",
    licence="-",
    description="Random walk on ranks of expression smoothed over the cohort.",
)
