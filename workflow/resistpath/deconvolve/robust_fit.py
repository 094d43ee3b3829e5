r"""Robust regression of all samples on one signature, by iteratively reweighted least squares.

As in ``MASS::rlm`` (Venables and Ripley 2002): with an intercept, started from least squares, scale
re-estimated in every step as the median of the absolute residuals divided by 0.6745, weights
:math:`w = \psi(u)/u` of the scaled residual *u*, and an end when the residuals move by at most
1e-4 of their length. As the end is a tolerance and not the fixed point, the steps are part of the
method. Each sample stops by itself; sums run in a fixed order (see `algebra`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from resistpath.deconvolve.algebra import Floats, Whole, factor_last, solve_last, sums_by_row, times

STEPS, ACCURACY = 1000, 1e-4
MORE_STEPS = 10
MAD = 0.6745


def huber(u: Floats) -> Floats:
    """Weights of Huber's estimator, k = 1.345."""
    size = np.abs(u)
    return np.minimum(1.0, 1.345 / np.where(size > 0, size, 1.0))


def hampel(u: Floats) -> Floats:
    """Weights of Hampel's estimator with corners at 1.5, 3.5 and 8, quanTIseq's choice."""
    a, b, c = 1.5, 3.5, 8.0
    size = np.minimum(np.abs(u) + 1e-50, c)
    psi = np.where(size <= a, size, np.where(size <= b, a, a * (c - size) / (c - b)))
    return np.asarray(psi / size)


def bisquare(u: Floats) -> Floats:
    """Weights of Tukey's biweight, c = 4.685."""
    return np.asarray((1.0 - np.minimum(1.0, np.abs(u / 4.685)) ** 2) ** 2)


WEIGHTS: dict[str, Callable[[Floats], Floats]] = {
    "huber": huber,
    "hampel": hampel,
    "bisquare": bisquare,
}


@dataclass(frozen=True)
class Fit:
    """Samples x cell types, samples, and genes x samples."""

    slopes: Floats
    intercept: Floats
    weights: Floats


def regress(signature: Floats, mixture: Floats, kind: str) -> Fit:
    """Regress each sample on the signature.

    Parameters
    ----------
    signature
        Genes x cell types.
    mixture
        Genes x samples.
    kind
        ``"huber"``, ``"hampel"`` or ``"bisquare"``.
    """
    design = np.hstack([np.ones((len(signature), 1)), signature])
    weights = np.ones_like(mixture)
    coefficients = _solve(design, mixture, weights)
    left = np.arange(mixture.shape[1])
    rest = mixture - times(design, coefficients)
    for _ in range(STEPS):
        scale = _median(np.abs(rest)) / MAD
        ready = scale == 0  # at least half of the genes are explained exactly
        left, rest, scale = left[~ready], rest[:, ~ready], scale[~ready]
        if not len(left):
            break
        w = WEIGHTS[kind](rest / scale)
        b = mixture[:, left]
        now = _solve(design, b, w)
        new = b - times(design, now)
        coefficients[:, left], weights[:, left] = now, w
        moved = _length(rest - new) / np.maximum(1e-20, _length(rest))
        on = np.sqrt(moved) > ACCURACY
        left, rest = left[on], new[:, on]
    return Fit(np.ascontiguousarray(coefficients[1:].T), coefficients[0], weights)


def without_groups(
    signature: Floats, mixture: Floats, fit: Fit, groups: Whole, kind: str
) -> list[Floats]:
    """Slopes without each group of genes, by a few more steps from the weights of the whole."""
    design = np.hstack([np.ones((len(signature), 1)), signature])
    out = []
    for group in range(int(groups.max()) + 1):
        keep = groups != group
        a, b, w = design[keep], mixture[keep], fit.weights[keep]
        x = _solve(a, b, w)
        for _ in range(MORE_STEPS):
            rest = b - times(a, x)
            size = np.abs(rest)
            scale = np.maximum(_median(size) / MAD, 1e-12 * size.max(axis=0))
            x = _solve(a, b, WEIGHTS[kind](rest / np.where(scale > 0, scale, 1.0)))
        out.append(np.ascontiguousarray(x[1:].T))
    return out


def _solve(design: Floats, mixture: Floats, weights: Floats) -> Floats:
    """Weighted least squares by normal equations, one step of refinement: columns x samples."""
    i, j = np.triu_indices(design.shape[1])
    w = np.ascontiguousarray(weights.T)
    right = sums_by_row(w * mixture.T, design).T.copy()
    gram = np.empty((len(right), *right.shape))
    gram[i, j] = gram[j, i] = sums_by_row(w, design[:, i] * design[:, j]).T
    factors = factor_last(gram)
    x = solve_last(factors, right)
    return x + solve_last(factors, right - times(gram, x))


def _median(values: Floats) -> Floats:
    """Median of each column."""
    ranked = np.sort(values, axis=0)
    n = len(ranked)
    return np.asarray((ranked[(n - 1) // 2] + ranked[n // 2]) / 2)


def _length(values: Floats) -> Floats:
    """Sum of squares of each column, in a fixed order."""
    out = np.zeros(values.shape[1])
    for row in values:
        out += row * row
    return out
