"""Loops over samples and genes, compiled by numba on first use and cached on disk.

Each is plain Python, so that it can be read and run without a compiler; `compiled` turns it
into machine code. Every sum runs over one sample in a fixed order of genes: neither the number
of samples in a block nor the number of threads can change a bit.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np


@cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Machine code of a kernel, from the cache beside this file or in the user's cache folder.

    numba itself chooses the folder: ``NUMBA_CACHE_DIR``, this file's ``__pycache__`` or, where
    the package is read-only, the user's cache. Where none can be written, it compiles anew.
    """
    import numba

    try:
        return numba.njit(function, cache=True, nogil=True, error_model="numpy")
    except RuntimeError as error:
        if "no locator available" not in str(error):
            raise
        return numba.njit(function, nogil=True, error_model="numpy")


def segment_means(x, floor, shift, genes, weights, bounds, square, mean, spread):  # type: ignore[no-untyped-def]
    """Mean of ``w (v - shift)`` over each segment, and its sum of squared deviations.

    v is x, or `floor` where x lies below it. Sums run in four strands, every fourth gene in
    each, which are added at the end: additions then need not wait for each other.
    """
    for i in range(x.shape[0]):
        for s in range(len(bounds) - 1):
            first, last = bounds[s], bounds[s + 1]
            even = first + (last - first) // 4 * 4
            a, b, c, d = 0.0, 0.0, 0.0, 0.0
            for k in range(first, even, 4):
                a += weights[k] * (max(np.float64(x[i, genes[k]]), floor) - shift[i])
                b += weights[k + 1] * (max(np.float64(x[i, genes[k + 1]]), floor) - shift[i])
                c += weights[k + 2] * (max(np.float64(x[i, genes[k + 2]]), floor) - shift[i])
                d += weights[k + 3] * (max(np.float64(x[i, genes[k + 3]]), floor) - shift[i])
            for k in range(even, last):
                a += weights[k] * (max(np.float64(x[i, genes[k]]), floor) - shift[i])
            average = ((a + b) + (c + d)) / (last - first) if last > first else np.nan
            mean[i, s] = average
            if square:
                total = 0.0
                for k in range(first, last):
                    v = max(np.float64(x[i, genes[k]]), floor)
                    away = weights[k] * (v - shift[i]) - average
                    total += away * away
                spread[i, s] = total


def sums_of_squares(x, out):  # type: ignore[no-untyped-def]
    """Sum of squares of each row of whole numbers; exact."""
    for i in range(x.shape[0]):
        total = np.int64(0)
        for k in range(x.shape[1]):
            total += np.int64(x[i, k]) * np.int64(x[i, k])
        out[i] = total


def segment_means_without(x, floor, shift, genes, weights, bounds, out):  # type: ignore[no-untyped-def]
    """Means of the segments without each of their genes; NaN where it was the only one."""
    for i in range(x.shape[0]):
        for s in range(len(bounds) - 1):
            first, last = bounds[s], bounds[s + 1]
            total = 0.0
            for k in range(first, last):
                v = max(np.float64(x[i, genes[k]]), floor)
                out[i, k] = weights[k] * (v - shift[i])
                total += out[i, k]
            for k in range(first, last):
                out[i, k] = (total - out[i, k]) / (last - first - 1) if last - first > 1 else np.nan


def random_sums(x, floor, shift, order, bins, counts, profile, moments):  # type: ignore[no-untyped-def]
    """Mean, variance and third moment of weighted sums over random genes of the same bins.

    `profile` is segments x bins x 3 (`Background.profile`), `moments` samples x segments x 3.
    """
    n_bins = len(counts)
    middle = np.empty(n_bins)
    square = np.empty(n_bins)
    cube = np.empty(n_bins)
    for i in range(x.shape[0]):
        middle[:] = 0.0
        square[:] = 0.0
        cube[:] = 0.0
        for k in range(len(order)):
            v = max(np.float64(x[i, order[k]]), floor)
            middle[bins[k]] += v - shift[i]
        for b in range(n_bins):
            middle[b] /= counts[b]
        for k in range(len(order)):
            v = max(np.float64(x[i, order[k]]), floor)
            away = v - shift[i] - middle[bins[k]]
            square[bins[k]] += away * away
            cube[bins[k]] += away * away * away
        for b in range(n_bins):
            n = counts[b]
            square[b] = square[b] / (n - 1) if n > 1 else 0.0
            cube[b] = cube[b] * n / ((n - 1) * (n - 2)) if n > 2 else 0.0
        for s in range(profile.shape[0]):
            one, two, three = 0.0, 0.0, 0.0
            for b in range(n_bins):
                one += profile[s, b, 0] * middle[b]
                two += profile[s, b, 1] * square[b]
                three += profile[s, b, 2] * cube[b]
            moments[i, s, 0] = one
            moments[i, s, 1] = two
            moments[i, s, 2] = three


def ssgsea_sums(ranks, places, weight, genes, bounds, detail, score, variance):  # type: ignore[no-untyped-def]
    """Score by the closed form and, if `detail`, the jackknife variance over genes.

    `ranks` look up `weight`; `places` are twice the place from the bottom.
    """
    total = ranks.shape[1]
    full = total * (total + 1) / 2
    for i in range(ranks.shape[0]):
        for s in range(len(bounds) - 1):
            first, last = bounds[s], bounds[s + 1]
            n = last - first
            score[i, s] = np.nan
            variance[i, s] = np.nan
            if n == 0 or n == total:
                continue
            a, b, c = 0.0, 0.0, 0.0
            for k in range(first, last):
                w = weight[np.int64(ranks[i, genes[k]])]
                q = 0.5 * places[i, genes[k]]
                a += w * q
                b += w
                c += q
            own = a / b - (full - c) / (total - n)
            score[i, s] = own
            if not detail or n < 2:
                continue
            one, two = 0.0, 0.0
            for k in range(first, last):
                w = weight[np.int64(ranks[i, genes[k]])]
                q = 0.5 * places[i, genes[k]]
                d = (a - w * q) / (b - w) - (full - (c - q)) / (total - n + 1) - own
                one += d
                two += d * d
            variance[i, s] = (n - 1) / n * max(two - one * one / n, 0.0)


def ssgsea_without(ranks, places, weight, genes, bounds, out):  # type: ignore[no-untyped-def]
    """Scores without each gene of the set, by the closed form."""
    total = ranks.shape[1]
    full = total * (total + 1) / 2
    for i in range(ranks.shape[0]):
        for s in range(len(bounds) - 1):
            first, last = bounds[s], bounds[s + 1]
            n = last - first
            a, b, c = 0.0, 0.0, 0.0
            for k in range(first, last):
                w = weight[np.int64(ranks[i, genes[k]])]
                q = 0.5 * places[i, genes[k]]
                a += w * q
                b += w
                c += q
            for k in range(first, last):
                if n < 2 or n == total:
                    out[i, k] = np.nan
                    continue
                w = weight[np.int64(ranks[i, genes[k]])]
                q = 0.5 * places[i, genes[k]]
                out[i, k] = (a - w * q) / (b - w) - (full - (c - q)) / (total - n + 1)


def ssgsea_null(ranks, places, weight, bins, counts, profile, sizes, moments):  # type: ignore[no-untyped-def]
    """Mean, variance and third moment of the score over random sets of the same bins.

    By the delta method in a = sum of w q, b = sum of w, c = sum of q: a gene moves the score
    by ``(w q - (a/b) w) / b + q / (N - n)`` around the expected sums.
    """
    total = ranks.shape[1]
    full = total * (total + 1) / 2
    n_bins = len(counts)
    m = np.empty((n_bins, 3))
    v = np.empty((n_bins, 16))
    for i in range(ranks.shape[0]):
        m[:] = 0.0
        v[:] = 0.0
        for g in range(total):
            w = weight[np.int64(ranks[i, g])]
            q = 0.5 * places[i, g]
            b = bins[g]
            m[b, 0] += w * q
            m[b, 1] += w
            m[b, 2] += q
        for b in range(n_bins):
            for t in range(3):
                m[b, t] /= counts[b]
        for g in range(total):
            w = weight[np.int64(ranks[i, g])]
            q = 0.5 * places[i, g]
            b = bins[g]
            x = w * q - m[b, 0]
            y = w - m[b, 1]
            z = q - m[b, 2]
            v[b, 0] += x * x
            v[b, 1] += y * y
            v[b, 2] += z * z
            v[b, 3] += x * y
            v[b, 4] += x * z
            v[b, 5] += y * z
            v[b, 6] += x * x * x
            v[b, 7] += y * y * y
            v[b, 8] += z * z * z
            v[b, 9] += x * x * y
            v[b, 10] += x * x * z
            v[b, 11] += y * y * x
            v[b, 12] += y * y * z
            v[b, 13] += z * z * x
            v[b, 14] += z * z * y
            v[b, 15] += x * y * z
        for b in range(n_bins):
            n = counts[b]
            for t in range(6):
                v[b, t] = v[b, t] / (n - 1) if n > 1 else 0.0
            for t in range(6, 16):
                v[b, t] = v[b, t] * n / ((n - 1) * (n - 2)) if n > 2 else 0.0
        for s in range(profile.shape[0]):
            a, w, c, aw, ww = 0.0, 0.0, 0.0, 0.0, 0.0
            for b in range(n_bins):
                a += profile[s, b, 0] * m[b, 0]
                w += profile[s, b, 0] * m[b, 1]
                c += profile[s, b, 0] * m[b, 2]
                ww += profile[s, b, 1] * v[b, 1]
                aw += profile[s, b, 1] * v[b, 3]
            out = 1.0 / (total - sizes[s]) if total > sizes[s] else np.nan
            moments[i, s, 0] = a / w - aw / (w * w) + a * ww / (w * w * w) - (full - c) * out
            x = 1.0 / w
            y = -a / (w * w)
            z = out
            two, three = 0.0, 0.0
            for b in range(n_bins):
                two += profile[s, b, 1] * (
                    x * x * v[b, 0]
                    + y * y * v[b, 1]
                    + z * z * v[b, 2]
                    + 2.0 * (x * y * v[b, 3] + x * z * v[b, 4] + y * z * v[b, 5])
                )
                three += profile[s, b, 2] * (
                    x * x * x * v[b, 6]
                    + y * y * y * v[b, 7]
                    + z * z * z * v[b, 8]
                    + 3.0 * (x * x * y * v[b, 9] + x * x * z * v[b, 10] + y * y * x * v[b, 11])
                    + 3.0 * (y * y * z * v[b, 12] + z * z * x * v[b, 13] + z * z * y * v[b, 14])
                    + 6.0 * x * y * z * v[b, 15]
                )
            moments[i, s, 1] = two
            moments[i, s, 2] = three


def regress_each(x, order, genes, weights, bounds, detail, score, variance):  # type: ignore[no-untyped-def]
    """T value of the slope of each sample on each set's weights, all other genes weighing 0.

    With r the correlation of expression and weights over all N genes, t = r sqrt((N-2)/(1-r^2)).
    If `detail`, the jackknife variance of t over the set's genes, each losing its weight.
    """
    total = x.shape[1]
    for i in range(x.shape[0]):
        middle = 0.0
        for k in range(total):
            middle += np.float64(x[i, order[k]])
        middle /= total
        square = 0.0
        for k in range(total):
            away = np.float64(x[i, order[k]]) - middle
            square += away * away
        for s in range(len(bounds) - 1):
            first, last = bounds[s], bounds[s + 1]
            w1, w2, wx = 0.0, 0.0, 0.0
            for k in range(first, last):
                w1 += weights[k]
                w2 += weights[k] * weights[k]
                wx += weights[k] * (np.float64(x[i, genes[k]]) - middle)
            r = wx / np.sqrt(square * (w2 - w1 * w1 / total))
            own = r * np.sqrt((total - 2) / ((1.0 - r) * (1.0 + r)))
            if last == first or not np.isfinite(own):
                own = np.nan
            score[i, s] = own
            variance[i, s] = np.nan
            n = last - first
            if not detail or n < 2 or np.isnan(own):
                continue
            one, two = 0.0, 0.0
            for k in range(first, last):
                w = weights[k]
                v1 = w1 - w
                r = wx - w * (np.float64(x[i, genes[k]]) - middle)
                r /= np.sqrt(square * (w2 - w * w - v1 * v1 / total))
                d = r * np.sqrt((total - 2) / ((1.0 - r) * (1.0 + r))) - own
                one += d
                two += d * d
            variance[i, s] = (n - 1) / n * max(two - one * one / n, 0.0)


def regress_together(x, order, design, solver, leverage, score):  # type: ignore[no-untyped-def]
    """T values of the coefficients of each sample on all columns of `design` at once.

    `design` and `solver` (its pseudo-inverse, transposed) hold genes ordered by name x columns;
    the first column is the intercept. `leverage` is the diagonal of the inverse cross product.
    """
    total, columns = design.shape
    beta = np.empty(columns)
    for i in range(x.shape[0]):
        beta[:] = 0.0
        for k in range(total):
            v = np.float64(x[i, order[k]])
            for c in range(columns):
                beta[c] += solver[k, c] * v
        rest = 0.0
        for k in range(total):
            fitted = 0.0
            for c in range(columns):
                fitted += design[k, c] * beta[c]
            away = np.float64(x[i, order[k]]) - fitted
            rest += away * away
        rest /= total - columns
        for c in range(1, columns):
            score[i, c - 1] = beta[c] / np.sqrt(rest * leverage[c])


def segment_spreads(ranks, genes, bounds, quartiles, spread):  # type: ignore[no-untyped-def]
    """Median absolute deviation times 1.4826, or interquartile range, of each segment."""
    for i in range(ranks.shape[0]):
        for s in range(len(bounds) - 1):
            first, last = bounds[s], bounds[s + 1]
            n = last - first
            spread[i, s] = np.nan
            if n == 0:
                continue
            x = np.empty(n)
            for k in range(n):
                x[k] = ranks[i, genes[first + k]]
            x.sort()
            if quartiles:
                at = 0.25 * (n - 1)
                low = np.int64(at)
                high = min(low + 1, n - 1)
                lower = x[low] + (at - low) * (x[high] - x[low])
                at = 0.75 * (n - 1)
                low = np.int64(at)
                high = min(low + 1, n - 1)
                spread[i, s] = x[low] + (at - low) * (x[high] - x[low]) - lower
                continue
            middle = 0.5 * (x[(n - 1) // 2] + x[n // 2])
            for k in range(n):
                x[k] = abs(x[k] - middle)
            x.sort()
            spread[i, s] = 1.4826 * (0.5 * (x[(n - 1) // 2] + x[n // 2]))


def row_moments(x, order, mean, sd):  # type: ignore[no-untyped-def]
    """Mean and standard deviation (n - 1) of each row, summed in the order of names."""
    total = x.shape[1]
    for i in range(x.shape[0]):
        middle, square = 0.0, 0.0
        for k in range(total):
            middle += np.float64(x[i, order[k]])
        middle /= total
        for k in range(total):
            away = np.float64(x[i, order[k]]) - middle
            square += away * away
        mean[i] = middle
        sd[i] = np.sqrt(square / (total - 1)) if total > 1 else np.nan
