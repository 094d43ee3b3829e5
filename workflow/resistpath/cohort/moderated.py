"""Moderated t statistics: many genes, few samples, each gene's variance drawn to a common one.

Residual variances s² with d degrees of freedom are taken as s² ~ s₀² F(d, d₀); s₀² and d₀ come from
the mean and variance of log s² over all genes. The variance a gene is tested with is the average
(d₀ s₀² + d s²) / (d₀ + d), the degrees of freedom d₀ + d [1]_. No trend with expression and no
robust prior: limma's ``eBayes`` with its defaults.

References
----------
.. [1] Smyth 2004, Stat Appl Genet Mol Biol 3:3, doi:10.2202/1544-6115.1027
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from resistpath.cohort.auc import Floats

SMALLEST_VARIANCE = 1e-5
"""Share of the median variance below which a variance is raised to it, as its logarithm is used."""

BLOCK = 2000
"""Genes of a large cohort that are taken at a time."""


@dataclass(frozen=True)
class Prior:
    """The common variance and the degrees of freedom it counts for.

    Attributes
    ----------
    variance
        s₀², in the square of the values' unit.
    df
        d₀ ≥ 0; infinite if the variances differ no more than sampling makes them.
    """

    variance: float
    df: float


def inverse_trigamma(y: float) -> float:
    """Return x > 0 with ψ'(x) = y, by Newton's method on 1/ψ' (Smyth 2004, appendix).

    >>> round(inverse_trigamma(1.6449340668), 6)
    1.0
    """
    from scipy.special import polygamma

    if y > 1e7:
        return float(1 / np.sqrt(y))
    if y < 1e-6:
        return 1 / y
    x = 0.5 + 1 / y
    for _ in range(50):
        now = float(polygamma(1, x))
        step = now * (1 - now / y) / float(polygamma(2, x))
        x += step
        if -step / x < 1e-12:
            break
    return x


def fit_prior(variances: Floats, df: int) -> Prior:
    """Fit s₀² and d₀ to residual variances, each with `df` degrees of freedom.

    Parameters
    ----------
    variances
        One per gene, two or more, ≥ 0.
    df
        Residual degrees of freedom, > 0.
    """
    from scipy.special import digamma, polygamma

    middle = float(np.median(variances))
    raised = np.maximum(variances, SMALLEST_VARIANCE * (middle if middle > 0 else 1.0))
    e = np.log(raised) - digamma(df / 2) + np.log(df / 2)
    spread = float(e.var(ddof=1)) - float(polygamma(1, df / 2))
    if spread <= 0:
        return Prior(float(raised.mean()), float("inf"))
    prior = 2 * inverse_trigamma(spread)
    return Prior(float(np.exp(e.mean() + digamma(prior / 2) - np.log(prior / 2))), prior)


def blocks(genes: int) -> Iterator[slice]:
    """Parts of a matrix that are small enough to be held in float64."""
    for start in range(0, genes, BLOCK):
        yield slice(start, min(start + BLOCK, genes))


def moderated_t(
    values: pd.DataFrame, design: pd.DataFrame, column: str, *, level: float = 0.95
) -> tuple[pd.DataFrame, Prior]:
    """Test one coefficient of a linear model in every gene.

    Parameters
    ----------
    values
        Samples x genes on a log scale, no missing values; two genes or more.
    design
        Samples x columns of the model, the intercept among them; of full rank.
    column
        Column whose coefficient is tested.
    level
        Coverage of the interval.

    Returns
    -------
    table, prior
        One row per gene: mean, estimate, se (moderated), low, high, statistic (moderated t), p
        (two-sided, at most as many degrees of freedom as all genes have together).
    """
    from scipy.stats import t as student
    from threadpoolctl import threadpool_limits

    x = design.to_numpy(dtype=np.float64)
    genes, df = values.shape[1], len(x) - x.shape[1]
    if df < 1 or genes < 2:
        raise ValueError("no residual degrees of freedom, or fewer than two genes")
    at = list(design.columns).index(column)
    mean, estimate, variances = np.empty(genes), np.empty(genes), np.empty(genes)
    with threadpool_limits(limits=1):  # more threads would add in another order
        q, r = np.linalg.qr(x)
        inverse = np.linalg.inv(r)
        for part in blocks(genes):
            y = values.iloc[:, part].loc[design.index].to_numpy(dtype=np.float64)
            projected = q.T @ y
            mean[part] = y.mean(axis=0)
            estimate[part] = inverse[at] @ projected
            variances[part] = ((y - q @ projected) ** 2).sum(axis=0) / df
    unscaled = float(np.sqrt((inverse[at] ** 2).sum()))
    prior = fit_prior(variances, df)
    if np.isinf(prior.df):
        posterior = np.full_like(variances, prior.variance)
    else:
        posterior = (df * variances + prior.df * prior.variance) / (df + prior.df)
    total = min(df + prior.df, float(df * y.shape[1]))
    se = unscaled * np.sqrt(posterior)
    half = float(student.ppf(0.5 + level / 2, total)) * se
    table = pd.DataFrame(
        {
            "mean": mean,
            "estimate": estimate,
            "se": se,
            "low": estimate - half,
            "high": estimate + half,
            "statistic": estimate / se,
            "p": 2 * student.sf(np.abs(estimate / se), total),
        },
        index=values.columns,
    )
    return table, prior


def standard_residuals(values: pd.DataFrame, design: pd.DataFrame) -> pd.DataFrame:
    """What the model leaves of each gene, with a mean square of one over its degrees of freedom.

    Samples x genes, as `values`; a gene without residual spread is zero.
    """
    from threadpoolctl import threadpool_limits

    x = design.to_numpy(dtype=np.float64)
    y = values.loc[design.index].to_numpy(dtype=np.float64)
    with threadpool_limits(limits=1):  # more threads would add in another order
        q, _ = np.linalg.qr(x)
        rest = y - q @ (q.T @ y)
    size = np.sqrt((rest**2).sum(axis=0) / (len(x) - x.shape[1]))
    flat = size <= 1e-8 * np.maximum(np.abs(y).max(axis=0), 1.0)
    rest = np.where(flat, 0.0, rest / np.where(flat, 1.0, size))
    return pd.DataFrame(rest, index=design.index, columns=values.columns)
