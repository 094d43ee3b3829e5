"""Sums and small matrices for all samples at once, each sample's bits independent of the others.

No sum here runs through BLAS or a numpy reduction over samples: sums over genes and cell types are
written as loops whose terms are whole vectors of samples. Vector additions and products are exact
IEEE operations per element, so a sample's result does not depend on how many samples stand beside
it, in which order, or on the number of threads.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import sparse

Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]
Whole: TypeAlias = npt.NDArray[np.intp]

BLOCK = 16384  # samples worked on at a time
EMPTY = 1e-15  # smallest pivot of a matrix with ones on its diagonal


def grams(signature: Floats, mixture: Floats, groups: Whole | None = None) -> tuple[Floats, Floats]:
    """Form ``A'A`` and ``A'b``, in all or split by groups of genes.

    Parameters
    ----------
    signature
        Genes x cell types.
    mixture
        Genes x samples.
    groups
        Group number of each gene, from 0; one group if left out.

    Returns
    -------
    gram
        Groups x cell types x cell types.
    cross
        Groups x samples x cell types.
    """
    n_genes, n_types = signature.shape
    n_samples = mixture.shape[1]
    groups = np.zeros(n_genes, dtype=np.intp) if groups is None else groups
    n_groups = int(groups.max()) + 1
    gram = np.zeros((n_groups, n_types, n_types))
    for gene, group in enumerate(groups):
        gram[group] += signature[gene][:, None] * signature[gene]
    cross = np.empty((n_groups, n_samples, n_types))
    columns = signature[:, :, None]
    for first in range(0, n_samples, BLOCK):
        block = np.ascontiguousarray(mixture[:, first : first + BLOCK])
        sums = np.zeros((n_groups, n_types, block.shape[1]))
        term = np.empty((n_types, block.shape[1]))
        for gene, group in enumerate(groups):
            np.multiply(columns[gene], block[gene], out=term)
            sums[group] += term
        cross[:, first : first + BLOCK] = sums.transpose(0, 2, 1)
    return gram, cross


def apply(matrix: Floats, vectors: Floats) -> Floats:
    """Multiply each row of `vectors` by a matrix, or by its own matrix, in a fixed order.

    Parameters
    ----------
    matrix
        Rows x columns, or samples x rows x columns.
    vectors
        Samples x columns.

    Returns
    -------
    Floats
        Samples x rows.
    """
    if matrix.ndim == 2:
        return np.ascontiguousarray(times(matrix, np.ascontiguousarray(vectors.T)).T)
    out = np.zeros((vectors.shape[0], matrix.shape[-2]))
    for column in range(matrix.shape[-1]):
        out += matrix[..., column] * vectors[:, column, None]
    return out


def row_sums(vectors: Floats) -> Floats:
    """Sum each row in a fixed order."""
    out = np.zeros(vectors.shape[0])
    for column in range(vectors.shape[1]):
        out += vectors[:, column]
    return out


def invert(stack: Floats) -> Floats:
    """Invert positive definite matrices (stack x n x n) by Gauss-Jordan steps, no pivoting.

    A direction that is empty to rounding counts as nearly so: two equal columns share a fit in
    some way, but nothing becomes infinite.
    """
    inverse = inverse_last(np.ascontiguousarray(stack.transpose(1, 2, 0)))
    return np.ascontiguousarray(inverse.transpose(2, 0, 1))


def times(matrix: Floats, vectors: Floats) -> Floats:
    """Multiply a matrix (rows x columns, or one per sample along the last axis) by vectors."""
    columns = matrix[:, :, None] if matrix.ndim == 2 else matrix
    out = columns[:, 0] * vectors[0]
    term = np.empty_like(out)
    for column in range(1, matrix.shape[1]):
        np.multiply(columns[:, column], vectors[column], out=term)
        out += term
    return out


def sum_first(vectors: Floats) -> Floats:
    """Sum over the first axis in a fixed order."""
    out = np.zeros(vectors.shape[1:])
    for row in vectors:
        out += row
    return out


def inverse_last(stack: Floats) -> Floats:
    """Invert matrices that stand along the last axis; see `invert`."""
    n = len(stack)
    diagonal = np.einsum("iik->ik", stack)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scales = scale[:, None] * scale
    work = stack * scales
    term = np.empty_like(work)
    for step in range(n):
        pivot = 1.0 / np.maximum(work[step, step], EMPTY)
        row = work[step] * pivot
        column = work[:, step].copy()
        np.multiply(column[:, None], row, out=term)
        work -= term
        work[step] = row
        work[:, step] = -column * pivot
        work[step, step] = pivot
    work *= scales
    return work


def sums_by_row(weights: Floats, rows: Floats) -> Floats:
    """Sum `rows` (genes x terms) with each sample's own weights (samples x genes).

    A product of a sparse with a dense matrix: scipy adds up the rows one by one in their order, for
    each sample alone, without BLAS.

    Returns
    -------
    Floats
        Samples x terms.
    """
    n, n_genes = weights.shape
    places = np.tile(np.arange(n_genes, dtype=np.int64), n)
    ends = np.arange(0, n * n_genes + 1, n_genes, dtype=np.int64)
    table = sparse.csr_array((weights.ravel(), places, ends), shape=(n, n_genes))
    return np.asarray(table @ np.ascontiguousarray(rows))


def factor_last(stack: Floats) -> Floats:
    """Factorise positive definite matrices that stand along the last axis, by Gauss's elimination.

    Returns
    -------
    Floats
        The upper triangle holds the eliminated rows, the lower one the multipliers. A direction
        that is empty to rounding counts as nearly so.
    """
    work = stack.copy()
    floor = EMPTY * np.einsum("iik->ik", stack)
    floor[floor <= 0] = EMPTY
    for step in range(len(work)):
        work[step, step] = np.maximum(work[step, step], floor[step])
        below = work[step + 1 :, step]
        below /= work[step, step]
        work[step + 1 :, step + 1 :] -= below[:, None] * work[step, step + 1 :]
    return work


def solve_last(factors: Floats, right: Floats) -> Floats:
    """Solve factorised systems: `factors` from `factor_last`, `right` rows x stack."""
    x = right.copy()
    n = len(x)
    for step in range(n):
        x[step + 1 :] -= factors[step + 1 :, step] * x[step]
    for step in range(n - 1, -1, -1):
        x[step] /= factors[step, step]
        x[:step] -= factors[:step, step] * x[step]
    return x
