"""The two loops of GSVA: smoothing over samples, and the walk down the ranks (see `kernels`)."""

from __future__ import annotations

import numpy as np


def smooth(values, kernel, table, counts, resolution, out):  # type: ignore[no-untyped-def]
    """Place of each value among its gene's values: 0 empirical, 1 Gaussian, 2 Poisson.

    `table` holds the normal distribution at steps of ``1 / resolution``, `counts` the Poisson
    one; the smoothed places come as logits.
    """
    n = values.shape[1]
    for g in range(values.shape[0]):
        if kernel == 0:
            for j in range(n):
                number = 0
                for k in range(n):
                    if values[g, k] <= values[g, j]:
                        number += 1
                out[g, j] = number / n
            continue
        width = 1.0
        if kernel == 1:
            middle, square = 0.0, 0.0
            for k in range(n):
                middle += values[g, k]
            middle /= n
            for k in range(n):
                square += (values[g, k] - middle) ** 2
            width = np.sqrt(square / (n - 1)) / 4.0
            if width == 0.0:
                width = 0.001
        for j in range(n):
            left = 0.0
            for k in range(n):
                if kernel == 2:
                    left += counts[np.int64(values[g, j]), np.int64(values[g, k])]
                    continue
                v = (values[g, j] - values[g, k]) / width
                at = np.int64(min(abs(v) * resolution, 1e9))
                below = table[at] if at < len(table) else 1.0
                left += below if v >= 0 else 1.0 - below
            left /= n
            out[g, j] = -np.log((1.0 - left) / left)


def gsva_walk(position, genes, bounds, tau, max_diff, abs_ranking, score):  # type: ignore[no-untyped-def]
    """Extremes of GSVA's walk; they can only lie just before and just after a set's gene."""
    total = position.shape[1]
    for i in range(position.shape[0]):
        for s in range(len(bounds) - 1):
            first, last = bounds[s], bounds[s + 1]
            n = last - first
            if n == 0 or n == total:
                continue
            places = np.empty(n, dtype=np.int64)
            for k in range(n):
                places[k] = -position[i, genes[first + k]]
            places.sort()
            sum_steps = 0.0
            for k in range(n):
                sum_steps += abs(-places[k] - total / 2) ** tau
            walked, highest, lowest = 0.0, 0.0, 0.0
            for k in range(n):
                p = -places[k]
                fallen = (total - p - k) / (total - n)
                lowest = min(lowest, walked / sum_steps - fallen)
                walked += abs(p - total / 2) ** tau
                highest = max(highest, walked / sum_steps - fallen)
            if max_diff:
                score[i, s] = highest - lowest if abs_ranking else highest + lowest
            else:
                score[i, s] = highest if highest > -lowest else lowest
