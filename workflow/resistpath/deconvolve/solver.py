"""Constrained least squares for all samples at once, each sample's bits independent of the others.

The problem, for one sample: ``minimise |A x - b|`` with ``x >= 0`` and, if a total is given,
``sum(x) <= total`` or ``sum(x) == total``. `A` (genes x cell types) is shared, so ``A'A`` is formed
once and each sample costs only ``A'b`` and a few solves of the size of the number of cell types.
Inside, samples run along the last axis; see `algebra` for why no sample sees its neighbours.
"""

from __future__ import annotations

import numpy as np

from resistpath.deconvolve.algebra import Bools, Floats, Whole, inverse_last, sum_first, times

BLOCK = 16384  # samples worked on at a time, fewer where there are many cell types
CELLS = 1 << 21  # numbers in the inverses of one block
KEPT = 4096  # inverses kept for later blocks
MOST_TYPES = 62  # a set of free types is one 64-bit number
ROUNDS = 6  # of letting types leave and enter all at once
TOLERANCE = 1e-13  # of the terms that cancel in a gradient; 450 units of rounding


def constrained(
    gram: Floats,
    cross: Floats,
    limit: float | None = 1.0,
    start: Floats | None = None,
    *,
    exact: bool = False,
) -> Floats:
    """Solve ``min |A x - b|``, ``x >= 0``, ``sum(x) <= limit``, for each sample exactly.

    Each sample has a set of free cell types, and the fit on that set is solved exactly. In the
    first rounds all types whose fraction would turn negative leave the set and all that improve
    the fit enter, at once (block pivoting; Portugal 1994); for most samples that is the end.
    Others go on by an active-set method (Lawson and Hanson 1974): a type whose fraction would turn
    negative leaves at the point where it reaches zero, and the type with the steepest descent
    enters, alone. A type that entered stays only if the fit became better, so it always comes to
    an end, even where two columns of `A` are the same to rounding. What the sum leaves is one more
    type with an empty column, so one rule serves both constraints. Either way it stops where no
    type can enter (Karush-Kuhn-Tucker conditions hold to rounding).

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
    exact
        The sum equals `limit` instead of staying below it.

    Returns
    -------
    Floats
        Samples x cell types.
    """
    n, k = cross.shape
    out = np.empty((n, k))
    passive = _Passive(gram)
    size = min(BLOCK, max(1, CELLS // k**2))
    for first in range(0, n, size):
        here = slice(first, first + size)
        near = None if start is None else np.ascontiguousarray(start[here].T)
        block = _ActiveSet(passive, np.ascontiguousarray(cross[here].T), limit, exact, near)
        out[here] = block.solve().T
    return out


class _Passive:
    """Inverses of ``A'A`` restricted to sets of free cell types, kept by set."""

    def __init__(self, gram: Floats) -> None:
        self.gram = gram
        self.bits = 1 << np.arange(len(gram), dtype=np.int64)[:, None]
        self._forget()

    def plain(self, cross: Floats) -> Floats:
        """Fit without constraints and set negative values to zero."""
        return np.maximum(0.0, times(inverse_last(self.gram[:, :, None])[:, :, 0], cross))

    def _forget(self) -> None:
        self.known = np.empty(0, dtype=np.int64)
        self.inverse = np.empty((*self.gram.shape, 0))

    def __call__(self, free: Bools) -> Floats:
        """Return one inverse per column of `free` (cell types x samples), zero outside the set."""
        codes = np.zeros(free.shape[1], dtype=np.int64)
        for row, bit in zip(free, self.bits[:, 0], strict=True):
            codes += row * bit
        wanted, which = np.unique(codes, return_inverse=True)
        new = wanted[~np.isin(wanted, self.known, assume_unique=True)]
        if len(new):
            if len(self.known) > KEPT:
                self._forget()
                new = wanted
            member = (new & self.bits) > 0
            both = member[:, None] & member
            stack = np.where(both, self.gram[:, :, None], np.eye(len(self.gram))[:, :, None])
            inverse = np.where(both, inverse_last(stack), 0.0)
            known = np.concatenate([self.known, new])
            order = np.argsort(known)
            self.known = known[order]
            self.inverse = np.concatenate([self.inverse, inverse], axis=2)[:, :, order]
        place = np.searchsorted(self.known, wanted)
        return np.take(self.inverse, place[which], axis=2)


class _ActiveSet:
    """The search for one block of samples; cell types x samples throughout.

    Attributes
    ----------
    x, free
        Cell types and, last, what the sum leaves: the present point and the free set.
    kept, kept_free, reached
        The best fit so far and its value.
    entered, barred
        The type that entered since, and the types that entered to no avail.
    """

    def __init__(
        self,
        passive: _Passive,
        cross: Floats,
        limit: float | None,
        exact: bool,
        start: Floats | None,
    ) -> None:
        self.passive, self.gram, self.size_gram = passive, passive.gram, np.abs(passive.gram)
        self.cross, self.limit, self.exact = cross, limit, exact
        k, n = cross.shape
        self.k = k
        self.x = np.zeros((k + 1, n))
        self.x[:k] = passive.plain(cross) if start is None else start
        if limit is not None:
            self._make_feasible(limit)
        self.free = self.x > 0
        if limit is None:
            self.free[k] = True
        self.closed = np.zeros((k + 1, 1), dtype=bool)  # types that never enter
        self.closed[k] = exact
        length = np.sqrt(np.diag(self.gram))
        self.length = np.append(length, length.mean())[:, None]

    def _make_feasible(self, limit: float) -> None:
        k = self.k
        whole = sum_first(self.x[:k])
        if self.exact:
            self.x[:k, whole <= 0] = limit / k
            whole = np.where(whole <= 0, limit, whole)
        scaled = (whole > limit) | self.exact
        self.x[:k, scaled] *= limit / whole[scaled]
        self.x[k, ~scaled] = limit - whole[~scaled]

    def solve(self) -> Floats:
        """Work until no sample has a type left that improves its fit."""
        left = self._rounds()
        self.kept, self.kept_free = self.x.copy(), self.free.copy()
        self.reached = np.full(self.x.shape[1], np.inf)
        self.entered = np.full(self.x.shape[1], -1)
        self.barred = np.repeat(self.closed, self.x.shape[1], axis=1)
        while len(left):
            left = left[self._step(left)]
        return self.x[: self.k]

    def _rounds(self) -> Whole:
        """Let all types leave and enter at once, a few times; return the samples not solved."""
        left, free, cross = np.arange(self.x.shape[1]), self.free, self.cross
        for _ in range(ROUNDS):
            z, pressure = self._fit(cross, free)
            bad = free & (z <= 0)
            if self.limit is None:
                bad[self.k] = False
            whole_fit = ~bad.any(axis=0)
            enter = self._slope(cross, z, pressure, free) > 0
            solved = whole_fit & ~enter.any(axis=0)
            self.x[:, left[solved]] = np.where(free[:, solved], z[:, solved], 0.0)
            free = np.where(whole_fit, free | enter, free & ~bad)[:, ~solved]
            left, cross = left[~solved], cross[:, ~solved]
            if not len(left):
                break
        return left

    def _step(self, left: Whole) -> Bools:
        """Take one step with the samples `left`; say which of them go on."""
        cross = self.cross[:, left]
        at, free, entry = self.x[:, left], self.free[:, left], self.entered[left]
        z, pressure = self._fit(cross, free)
        bad = free & (z <= 0)
        if self.limit is None:
            bad[self.k] = False
        whole_fit = ~bad.any(axis=0)
        value = sum_first(z[: self.k] * (times(self.gram, z[: self.k]) - 2 * cross))
        better = whole_fit & (value < self.reached[left])

        # A step that brings nothing, by rounding alone: go back, and bar the type that entered.
        columns = np.arange(len(left))
        stuck = bad[entry, columns] & (at[entry, columns] == 0)
        back = (entry >= 0) & (stuck | whole_fit & ~better)
        here = left[back]
        self.barred[entry[back], here] = True
        self.x[:, here], self.free[:, here] = self.kept[:, here], self.kept_free[:, here]
        self.entered[here] = -1

        part = ~whole_fit & ~back
        self._go_towards(left[part], at[:, part], z[:, part], free[:, part], bad[:, part])

        # A fit without negative fractions: keep it, and let the type enter that improves it most.
        done = whole_fit & ~back
        here = left[done]
        self.x[:, here] = self.kept[:, here] = np.where(free[:, done], z[:, done], 0.0)
        self.kept_free[:, here] = free[:, done]
        self.barred[:, here] &= self.closed | ~(better[done] & (entry[done] >= 0))
        self.reached[here] = np.minimum(self.reached[here], value[done])
        slope = self._slope(cross[:, done], self.x[:, here], pressure[done], free[:, done])
        slope[self.barred[:, here]] = -np.inf
        best = (slope / self.length).argmax(axis=0)
        more = slope[best, np.arange(len(here))] > 0
        self.free[best[more], here[more]] = True
        self.entered[here[more]] = best[more]
        on = ~done
        on[done] = more
        return on

    def _go_towards(self, here: Whole, at: Floats, z: Floats, free: Bools, out: Bools) -> None:
        """Go towards a fit with negative fractions until the first one reaches zero."""
        gap = np.where(out, at - z, 1.0)
        ratio = np.where(out, at / np.where(gap > 0, gap, 1.0), np.inf)
        step = ratio.min(axis=0, initial=np.inf)
        stay = free & ~(out & (ratio <= step))
        self.x[:, here] = np.where(stay, np.maximum(0.0, at + step * (z - at)), 0.0)
        self.free[:, here] = stay

    def _slope(self, cross: Floats, x: Floats, pressure: Floats, free: Bools) -> Floats:
        """How fast the fit improves as each type enters; minus infinity for those that cannot."""
        k = self.k
        slope, size = np.zeros_like(x), np.zeros_like(x)
        slope[:k] = cross - times(self.gram, x[:k])
        size[:k] = np.abs(cross) + times(self.size_gram, np.abs(x[:k]))
        slope -= pressure
        size += np.abs(pressure)
        slope[free | self.closed | (slope <= TOLERANCE * size)] = -np.inf
        return slope

    def _fit(self, cross: Floats, free: Bools) -> tuple[Floats, Floats]:
        """Fit on the free types; return fractions, with what is left, and the sum's multiplier."""
        k, limit = self.k, self.limit
        inverse = self.passive(free[:k])
        z = np.zeros((k + 1, cross.shape[1]))
        z[:k] = times(inverse, cross)
        z[:k] += times(inverse, cross - times(self.gram, z[:k]))  # one step of refinement
        pressure = np.zeros(cross.shape[1])
        if limit is not None:
            bound = ~free[k]
            if bound.any():
                spread = sum_first(inverse[:, :, bound].transpose(1, 0, 2))
                pressure[bound] = (sum_first(z[:k, bound]) - limit) / sum_first(spread)
                z[:k, bound] -= pressure[bound] * spread
            z[k] = np.where(bound, 0.0, limit - sum_first(z[:k]))
        return z, pressure
