"""Many tests at once: Benjamini and Hochberg's q."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def benjamini_hochberg(p: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Smallest false discovery rate at which each test is found.

    q₍ᵢ₎ = min over j ≥ i of p₍ⱼ₎ m / j, at most 1, m the number of p that are not missing
    (Benjamini and Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x). Missing p stay missing
    and do not count.

    >>> benjamini_hochberg([0.01, 0.04, 0.03, float("nan")]).tolist()
    [0.03, 0.04, 0.04, nan]
    """
    p = np.asarray(p, dtype=np.float64)
    present = np.isfinite(p)
    out = np.full(p.shape, np.nan)
    values = p[present]
    if not len(values):
        return out
    if (values < 0).any() or (values > 1).any():
        raise ValueError("a p value lies outside 0 to 1")
    order = np.argsort(values)[::-1]
    m = len(values)
    scaled = values[order] * (m / np.arange(m, 0, -1))
    q = np.empty(m)
    q[order] = np.minimum(np.minimum.accumulate(scaled), 1.0)
    out[present] = q
    return out
