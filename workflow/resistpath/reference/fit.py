"""Whether a sample looks like the tumours of a reference at all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.expression import BLOCK_GENES
from resistpath.reference.pack import Reference, members, shared_universe
from resistpath.score.data import doubled_ranks

FIT_MADS = 4.0
"""Scaled MADs below the reference's median correlation from which a sample fits poorly."""
_MAD_TO_SD = 1.4826
_BLOCK = 64

Floats = npt.NDArray[np.float64]


def fit_to_reference(values: pd.DataFrame, reference: Reference) -> pd.DataFrame:
    """How far each sample's rank profile lies from the reference's.

    The Spearman correlation with the reference's median profile over the shared genes is held
    against the reference samples' own correlations, each with the median of the others. A
    sample below their median minus `FIT_MADS` scaled MADs fits poorly. A sample that is itself
    in the reference is held against the others too.

    Returns
    -------
    pandas.DataFrame
        By sample: correlation, lowest_typical, fits (bool).
    """
    universe = shared_universe(values, reference)
    middle = _Middle.of(reference.values, universe)
    own = np.concatenate(
        [
            _spearman(block, middle.without(block)) if reference.n >= 3 else np.ones(len(block))
            for block in _rows(reference.values, universe)
        ]
    )
    centre = float(np.median(own))
    mad = float(np.median(np.abs(own - centre))) * _MAD_TO_SD
    lowest = centre - FIT_MADS * mad
    whole = middle.of_all[None, :]
    correlation = np.concatenate([_spearman(block, whole) for block in _rows(values, universe)])
    place = members(values, reference)
    correlation[place >= 0] = own[place[place >= 0]]
    return pd.DataFrame(
        {"correlation": correlation, "lowest_typical": lowest, "fits": correlation >= lowest},
        index=pd.Index(values.columns),
    )


def _rows(values: pd.DataFrame, genes: pd.Index) -> Iterator[Floats]:
    """Samples x genes, some samples at a time."""
    matrix, rows = values.to_numpy(), values.index.get_indexer(genes)
    for start in range(0, matrix.shape[1], _BLOCK):
        yield matrix[rows, start : start + _BLOCK].T.astype(np.float64, order="C")


class _Middle:
    """Values around the middle of each gene, from which the median of all but one follows.

    Parameters
    ----------
    ordered
        Positions (n - 2) // 2 to (n - 1) // 2 + 1 of each gene's values in ascending order, by
        position.
    n
        Number of samples.
    """

    def __init__(self, ordered: dict[int, Floats], n: int) -> None:
        self._ordered, self._n = ordered, n

    @classmethod
    def of(cls, values: pd.DataFrame, genes: pd.Index) -> _Middle:
        """Read the middle values of a genes x samples table, some genes at a time."""
        matrix, rows = values.to_numpy(), values.index.get_indexer(genes)
        n = matrix.shape[1]
        wanted = sorted({max(n // 2 - 1, 0), (n - 1) // 2, n // 2, min((n - 1) // 2 + 1, n - 1)})
        parts = [
            np.partition(matrix[rows[start : start + BLOCK_GENES]], wanted, axis=1)[:, wanted]
            for start in range(0, len(genes), BLOCK_GENES)
        ]
        found = np.concatenate(parts).astype(np.float64)
        return cls({at: found[:, i] for i, at in enumerate(wanted)}, n)

    @property
    def of_all(self) -> Floats:
        """Median of each gene."""
        return (self._ordered[(self._n - 1) // 2] + self._ordered[self._n // 2]) / 2

    def without(self, rows: Floats) -> Floats:
        """Median of each gene over the samples other than each of these, samples x genes.

        Without the value at position k, every later position moves down by one.
        """

        def left(at: int) -> Floats:
            # Where a value ties with the one at this position, its successor is no other value
            # or the value stands at it or below.
            return np.where(rows <= self._ordered[at], self._ordered[at + 1], self._ordered[at])

        return (left((self._n - 2) // 2) + left((self._n - 1) // 2)) / 2


def _spearman(a: Floats, b: Floats) -> Floats:
    """Spearman correlation of each row of `a` with that of `b`, or with its only one.

    Twice the centred ranks are whole numbers, so that every sum is exact in any order. 0 where
    a row does not vary.
    """
    x, y = (doubled_ranks(rows) - (rows.shape[1] + 1) for rows in (a, b))
    products = np.einsum("ij,ij->i", x, np.broadcast_to(y, x.shape))
    squares = (x * x).sum(axis=1) * (y * y).sum(axis=1)
    return np.divide(products, np.sqrt(squares), out=np.zeros(len(a)), where=squares > 0)
