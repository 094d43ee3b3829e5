"""ROC curve of one readout as a string of steps, and a band for its points.

The band is that of Hilgers [1]_: at each threshold the two shares, of responders and of
non-responders above it, have exact binomial intervals at level √(1−α), so that together they hold
the true point with probability 1−α or more. It assumes no shape, keeps its width at small n and
where the groups separate fully, and is pointwise: the whole curve lies in it less often.

References
----------
.. [1] Hilgers 1991, Methods Inf Med 30:96, PMID 1857253
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def steps(values: npt.ArrayLike, positive: npt.ArrayLike) -> str:
    """Order of the groups from the highest value down; missing values are left out.

    ``u`` is one with the outcome (the curve goes up), ``r`` one without (it goes right); tied
    values stand in parentheses and are one step.

    >>> steps([3.0, 2.0, 2.0, 1.0, float("nan")], [True, True, False, False, True])
    'u(ur)r'
    """
    x = np.asarray(values, dtype=np.float64)
    y = np.asarray(positive, dtype=np.bool_)
    seen = np.isfinite(x)
    x, y = x[seen], y[seen]
    out = []
    for value in np.unique(x)[::-1]:
        up = int((y & (x == value)).sum())
        right = int((~y & (x == value)).sum())
        mark = "u" * up + "r" * right
        out.append(f"({mark})" if len(mark) > 1 else mark)
    return "".join(out)


def area(curve: str) -> float:
    """Area under a curve of `steps`; NaN if a group is empty.

    >>> area("u(ur)r")
    0.875
    """
    up = right = twice = 0
    tie: tuple[int, int] | None = None
    for mark in curve:
        if mark == "(":
            tie = (up, right)
        elif mark == ")" and tie is not None:
            twice += (right - tie[1]) * (tie[0] + up)
            tie = None
        elif mark == "u":
            up += 1
        else:
            right += 1
            twice += 0 if tie else 2 * up
    return twice / (2 * up * right) if up and right else float("nan")


def shares(n: int, level: float) -> npt.NDArray[np.float64]:
    """Exact interval of each share 0/n to n/n, of which two together hold at `level`.

    Returns
    -------
    numpy.ndarray
        (n + 1) x 2, low and high (Clopper and Pearson 1934, at level √`level`).

    Examples
    --------
    >>> shares(2, 0.95).round(2).tolist()
    [[0.0, 0.89], [0.01, 0.99], [0.11, 1.0]]
    """
    from scipy.special import betaincinv

    tail = (1 - np.sqrt(level)) / 2
    k = np.arange(n + 1)
    low, high = np.zeros(n + 1), np.ones(n + 1)
    low[1:] = betaincinv(k[1:], n - k[1:] + 1, tail)
    high[:-1] = betaincinv(k[:-1] + 1, n - k[:-1], 1 - tail)
    return np.column_stack([low, high])
