r"""Robust regression of all samples on one signature, by iteratively reweighted least squares.

As in ``MASS::rlm`` (Venables and Ripley 2002): with an intercept, started from least squares, scale
re-estimated in every step as the median of the absolute residuals divided by 0.6745, weights
:math:`w = \psi(u)/u` of the scaled residual *u*, and an end when the residuals move by at most
1e-4 of their length. As the end is a tolerance and not the fixed point, the steps are part of the
method. Each sample stops by itself; sums run in a fixed order (see `solver`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from resistpath.deconvolve import solver
from resistpath.deconvolve.solver import Floats

STEPS, ACCURACY = 1000, 1e-4
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
    products = _products(design)
    n = mixture.shape[1]
    weights = np.ones_like(mixture)
    coefficients = _solve(design, products, mixture, weights)
    left = np.arange(n)
    rest = mixture - solver.apply(design, coefficients).T
    for _ in range(STEPS):
        scale = _median(np.abs(rest)) / MAD
        ready = scale == 0  # at least half of the genes are explained exactly
        left, rest, scale = left[~ready], rest[:, ~ready], scale[~ready]
        if not len(left):
            break
        w = WEIGHTS[kind](rest / scale)
        b = mixture[:, left]
        now = _solve(design, products, b, w)
        new = b - solver.apply(design, now).T
        coefficients[left], weights[:, left] = now, w
        moved = _length(rest - new) / np.maximum(1e-20, _length(rest))
        on = np.sqrt(moved) > ACCURACY
        left, rest = left[on], new[:, on]
    return Fit(coefficients[:, 1:], coefficients[:, 0], weights)


def without_groups(
    signature: Floats, mixture: Floats, fit: Fit, groups: npt.NDArray[np.intp]
) -> list[Floats]:
    """Slopes without each group of genes, by one weighted fit with the weights of the whole."""
    design = np.hstack([np.ones((len(signature), 1)), signature])
    products = _products(design)
    out = []
    for group in range(int(groups.max()) + 1):
        keep = (groups != group)[:, None]
        out.append(_solve(design, products, mixture, fit.weights * keep)[:, 1:])
    return out


def _products(design: Floats) -> Floats:
    """Products of all pairs of columns, upper triangle: genes x pairs."""
    i, j = np.triu_indices(design.shape[1])
    return np.asarray(design[:, i] * design[:, j])


def _solve(design: Floats, products: Floats, mixture: Floats, weights: Floats) -> Floats:
    """Weighted least squares by normal equations, one step of refinement."""
    n_genes, n_columns = design.shape
    n = mixture.shape[1]
    upper = np.zeros((products.shape[1], n))
    cross = np.zeros((n_columns, n))
    weighted = weights * mixture
    for gene in range(n_genes):
        upper += products[gene][:, None] * weights[gene]
        cross += design[gene][:, None] * weighted[gene]
    i, j = np.triu_indices(n_columns)
    gram = np.empty((n, n_columns, n_columns))
    gram[:, i, j] = gram[:, j, i] = upper.T
    inverse = solver.invert(gram)
    right = np.ascontiguousarray(cross.T)
    x = solver.apply(inverse, right)
    return x + solver.apply(inverse, right - solver.apply(gram, x))


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
