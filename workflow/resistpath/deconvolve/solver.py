"""Constrained least squares for all samples at once, each sample's bits independent of the others.

The problem, for one sample: ``minimise |A x - b|`` with ``x >= 0`` and, if a total is given,
``sum(x) <= total``. `A` (genes x cell types) is shared, so ``A'A`` is formed once and each sample
costs only ``A'b`` and a few solves of the size of the number of cell types.

No sum here runs through BLAS or a numpy reduction over samples: sums over genes and cell types are
written as loops whose terms are whole vectors of samples. Vector additions and products are exact
IEEE operations per element, so a sample's result does not depend on how many samples stand beside
it, in which order, or on the number of threads.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Bools: TypeAlias = npt.NDArray[np.bool_]

EMPTY = 1e-15  # smallest pivot of a matrix with ones on its diagonal
TOLERANCE = 1e-13  # of the terms that cancel in a gradient; 450 units of rounding


def grams(
    signature: Floats, mixture: Floats, groups: npt.NDArray[np.intp] | None = None
) -> tuple[Floats, Floats]:
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
    groups = np.zeros(n_genes, dtype=np.intp) if groups is None else groups
    n_groups = int(groups.max()) + 1
    gram = np.zeros((n_groups, n_types, n_types))
    cross = np.zeros((n_groups, n_types, mixture.shape[1]))
    for gene, group in enumerate(groups):
        row = signature[gene]
        gram[group] += row[:, None] * row
        cross[group] += row[:, None] * mixture[gene]
    return gram, np.ascontiguousarray(cross.transpose(0, 2, 1))


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
    out = np.zeros((vectors.shape[0], matrix.shape[-2]))
    for column in range(matrix.shape[-1]):
        out += matrix[..., column] * vectors[:, column, None]
    return out


def total(vectors: Floats) -> Floats:
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
    n = stack.shape[-1]
    diagonal = np.einsum("kii->ki", stack)
    scale = 1.0 / np.sqrt(np.where(diagonal > 0, diagonal, 1.0))
    scales = scale[:, :, None] * scale[:, None, :]
    work = stack * scales
    for step in range(n):
        pivot = 1.0 / np.maximum(work[:, step, step], EMPTY)
        row = work[:, step, :] * pivot[:, None]
        column = work[:, :, step].copy()
        work -= column[:, :, None] * row[:, None, :]
        work[:, step, :] = row
        work[:, :, step] = -column * pivot[:, None]
        work[:, step, step] = pivot
    return np.asarray(work * scales)


class _Passive:
    """Inverses of ``A'A`` restricted to sets of free cell types, kept by set."""

    def __init__(self, gram: Floats) -> None:
        self.gram = gram
        self.bits = 1 << np.arange(gram.shape[0], dtype=np.int64)
        self.known = np.empty(0, dtype=np.int64)
        self.inverse = np.empty((0, *gram.shape))

    def __call__(self, free: Bools) -> Floats:
        """Return one inverse per row of `free` (samples x cell types), zero outside the set."""
        codes = np.zeros(len(free), dtype=np.int64)
        for column, bit in enumerate(self.bits):
            codes += free[:, column] * bit
        new = np.setdiff1d(codes, self.known)
        if len(new):
            member = (new[:, None] & self.bits) > 0
            both = member[:, :, None] & member[:, None, :]
            stack = np.where(both, self.gram, np.eye(len(self.bits)))
            inverse = np.where(both, invert(stack), 0.0)
            known = np.concatenate([self.known, new])
            order = np.argsort(known)
            self.known, self.inverse = known[order], np.concatenate([self.inverse, inverse])[order]
        return self.inverse[np.searchsorted(self.known, codes)]


def constrained(
    gram: Floats, cross: Floats, limit: float | None = 1.0, start: Floats | None = None
) -> Floats:
    """Solve ``min |A x - b|``, ``x >= 0``, ``sum(x) <= limit``, for each sample exactly.

    An active-set method (Lawson and Hanson 1974, extended by the sum): each sample has a set of
    free cell types; the fit on that set is solved exactly; a type whose fraction would turn
    negative leaves the set at the point where it reaches zero, and the type with the steepest
    descent enters. What the sum leaves is one more type with an empty column, so one rule serves
    both constraints. It stops where no type can enter (Karush-Kuhn-Tucker conditions hold to
    rounding). A type that entered stays only if the fit became better, so it always comes to an
    end, even where two columns of `A` are the same to rounding.

    Parameters
    ----------
    gram
        ``A'A``, cell types x cell types, positive definite.
    cross
        ``A'b``, samples x cell types.
    limit
        Largest sum of a solution; None for no limit.
    start
        Samples x cell types, none negative; saves steps where the solution is near.

    Returns
    -------
    Floats
        Samples x cell types.
    """
    n, k = cross.shape
    passive = _Passive(gram)
    # The last column is what the sum leaves; without a limit it always stays free.
    x = np.zeros((n, k + 1))
    x[:, :k] = _plain(gram, cross) if start is None else start
    if limit is not None:
        whole = total(x[:, :k])
        over = whole > limit
        x[over, :k] *= (limit / whole[over])[:, None]
        x[~over, k] = limit - whole[~over]
    free = x > 0
    if limit is None:
        free[:, k] = True
    kept, kept_free = x.copy(), free.copy()  # the best fit so far
    reached = np.full(n, np.inf)  # and its value
    entered = np.full(n, -1)  # the type that entered since
    barred = np.zeros((n, k + 1), dtype=bool)  # types that entered to no avail
    length = np.sqrt(np.diag(gram))
    length = np.append(length, length.mean())
    left = np.arange(n)
    while len(left):
        at, f, entry = x[left], free[left], entered[left]
        z, pressure = _fit(passive, gram, cross[left], f, limit)
        bad = f & (z <= 0)
        if limit is None:
            bad[:, k] = False
        rows = np.arange(len(left))
        whole_fit = ~bad.any(axis=1)
        value = np.full(len(left), np.inf)
        value[whole_fit] = _value(gram, cross[left][whole_fit], z[whole_fit, :k])
        better = value < reached[left]

        # A step that brings nothing, by rounding alone: go back, and bar the type that entered.
        back = (entry >= 0) & (bad[rows, entry] & (at[rows, entry] == 0) | whole_fit & ~better)
        here = left[back]
        barred[here, entry[back]] = True
        x[here], free[here], entered[here] = kept[here], kept_free[here], -1

        # A fit with negative fractions: go towards it until the first one reaches zero.
        go = ~whole_fit & ~back
        here = left[go]
        out = bad[go]
        gap = np.where(out, at[go] - z[go], 1.0)
        ratio = np.where(out, at[go] / np.where(gap > 0, gap, 1.0), np.inf)
        step = ratio.min(axis=1, initial=np.inf)[:, None]
        stay = f[go] & ~(out & (ratio <= step))
        x[here] = np.where(stay, np.maximum(0.0, at[go] + step * (z[go] - at[go])), 0.0)
        free[here] = stay

        # A fit without: keep it, and let the type enter that improves it most.
        done = whole_fit & ~back
        here = left[done]
        x[here] = kept[here] = np.where(f[done], z[done], 0.0)
        kept_free[here] = f[done]
        barred[here] &= ~(better[done] & (entry[done] >= 0))[:, None]
        reached[here] = np.minimum(reached[here], value[done])
        slope = np.zeros((len(here), k + 1))
        size = np.zeros((len(here), k + 1))
        slope[:, :k] = cross[here] - apply(gram, x[here, :k])
        size[:, :k] = np.abs(cross[here]) + apply(np.abs(gram), x[here, :k])
        slope -= pressure[done][:, None]
        size += np.abs(pressure[done])[:, None]
        slope[f[done] | barred[here] | (slope <= TOLERANCE * size)] = -np.inf
        best = (slope / length).argmax(axis=1)
        more = slope[np.arange(len(here)), best] > 0
        free[here[more], best[more]] = True
        entered[here[more]] = best[more]
        finished = np.zeros(len(left), dtype=bool)
        finished[np.flatnonzero(done)[~more]] = True
        left = left[~finished]
    return x[:, :k]


def _value(gram: Floats, cross: Floats, x: Floats) -> Floats:
    """Compute ``|A x - b|`` squared, less ``|b|`` squared."""
    return total(x * (apply(gram, x) - 2 * cross))


def _plain(gram: Floats, cross: Floats) -> Floats:
    """Fit without constraints and set negative values to zero: a feasible place to start."""
    return np.maximum(0.0, apply(invert(gram[None])[0], cross))


def _fit(
    passive: _Passive, gram: Floats, cross: Floats, free: Bools, limit: float | None
) -> tuple[Floats, Floats]:
    """Fit on the free types; return the fractions, with what is left, and the sum's multiplier."""
    k = gram.shape[0]
    inverse = passive(free[:, :k])
    z = apply(inverse, cross)
    z += apply(inverse, cross - apply(gram, z))  # one step of refinement
    pressure = np.zeros(len(z))
    out = np.zeros((len(z), k + 1))
    if limit is not None:
        bound = ~free[:, k]
        ones = np.ones((1, k))
        spread = apply(inverse[bound], np.repeat(ones, int(bound.sum()), axis=0))
        pressure[bound] = (total(z[bound]) - limit) / total(spread)
        z[bound] -= pressure[bound][:, None] * spread
        out[:, k] = np.where(bound, 0.0, limit - total(z))
    out[:, :k] = z
    return out, pressure
