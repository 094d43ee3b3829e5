"""Logistic regression that survives small cohorts: Firth's penalty, separation found and said.

Maximum likelihood has no finite answer when the covariates separate the outcomes, which is
common at n = 20. Firth's penalty (Jeffreys' prior) always has one and takes away the first-order
bias of small samples [1]_; intervals and p come from the penalised profile likelihood, because
Wald's fail under separation [2]_. Separation is decided exactly by a linear programme [3]_.

References
----------
.. [1] Firth 1993, Biometrika 80:27, doi:10.1093/biomet/80.1.27
.. [2] Heinze and Schemper 2002, Stat Med 21:2409, doi:10.1002/sim.1047
.. [3] Konis 2007, thesis, University of Oxford, chapter 4
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from resistpath.cohort.auc import Bools, Floats

STEPS = 100
LARGEST_STEP = 5.0
TOLERANCE = 1e-10
BALANCE_STEPS = 8
"""Newton steps after which the linear programme decides on separation."""


@dataclass(frozen=True)
class Fit:
    """Coefficients, covariance (inverse Fisher information), (penalised) log likelihood."""

    beta: Floats
    covariance: Floats
    loglik: float
    converged: bool


@dataclass(frozen=True)
class Coefficient:
    """One coefficient on the log-odds scale with its interval and p."""

    value: float
    se: float
    low: float
    high: float
    p: float
    converged: bool


def _terms(x: Floats, y: Floats, beta: Floats, firth: bool) -> tuple[float, Floats, Floats]:
    """Log likelihood, score and Fisher information at `beta`."""
    from scipy.special import expit

    eta = x @ beta
    pi = expit(eta)
    loglik = float((y * eta - np.maximum(eta, 0) - np.log1p(np.exp(-np.abs(eta)))).sum())
    weight = pi * (1 - pi)
    root = x * np.sqrt(weight)[:, None]
    information = root.T @ root
    residual = y - pi
    if firth:
        sign, logdet = np.linalg.slogdet(information)
        loglik += 0.5 * float(logdet) if sign > 0 else -np.inf
        leverage = ((root @ _inverse(information)) * root).sum(axis=1)
        residual = residual + leverage * (0.5 - pi)
    return loglik, x.T @ residual, information


def _inverse(information: Floats) -> Floats:
    """Inverse of a Fisher information; its pseudo-inverse where it has run flat."""
    try:
        return np.asarray(np.linalg.inv(information), dtype=np.float64)
    except np.linalg.LinAlgError:
        return np.asarray(np.linalg.pinv(information), dtype=np.float64)


def fit(
    x: Floats,
    y: Bools,
    *,
    firth: bool = True,
    fixed: dict[int, float] | None = None,
    start: Floats | None = None,
) -> Fit:
    """Maximise the (penalised) likelihood by Newton steps with halving.

    Parameters
    ----------
    x
        Samples x columns, an intercept among them if one is wanted; full column rank.
    y
        Outcomes.
    firth
        Add half the log determinant of the information.
    fixed
        Columns held at a value, for profile likelihoods. The penalty keeps all columns.
    start
        Where to begin; zero by default.
    """
    target = y.astype(np.float64)
    beta = np.zeros(x.shape[1]) if start is None else start.copy()
    for column, value in (fixed or {}).items():
        beta[column] = value
    free = np.array([c for c in range(x.shape[1]) if c not in (fixed or {})], dtype=np.int64)
    loglik, score, information = _terms(x, target, beta, firth)
    converged = len(free) == 0
    for _ in range(STEPS):
        if converged:
            break
        step = _inverse(information[np.ix_(free, free)]) @ score[free]
        step *= min(1.0, LARGEST_STEP / max(float(np.abs(step).max()), 1e-300))
        for _ in range(40):
            trial = beta.copy()
            trial[free] += step
            new = _terms(x, target, trial, firth)
            if new[0] >= loglik - 1e-12:
                break
            step = step / 2
        else:
            break  # no step uphill is left, and the score is not yet zero
        converged = bool(np.abs(trial - beta).max() < TOLERANCE)
        beta, (loglik, score, information) = trial, new
    return Fit(beta, _inverse(information), loglik, converged)


def separated(x: Floats, y: Bools) -> bool:
    """Whether some combination of the columns puts the outcomes on two sides of a plane.

    Complete and quasi-complete separation: a b with sᵢ xᵢ·b ≥ 0 for all samples (s = ±1) and
    above 0 for at least one exists. Weights wᵢ > 0 with Σ wᵢ sᵢ xᵢ = 0 rule that out (Stiemke's
    lemma), and the residuals of a fit are such weights as a rule; else one linear programme
    decides.
    """
    from scipy.optimize import linprog

    scale = np.abs(x).max(axis=0)
    signed = np.where(y, 1.0, -1.0)[:, None] * (x / np.where(scale > 0, scale, 1.0))
    if _balanced(signed):
        return False
    answer = linprog(
        -signed.sum(axis=0), A_ub=-signed, b_ub=np.zeros(len(x)), bounds=(-1, 1), method="highs"
    )
    return bool(answer.status == 0 and -answer.fun > 1e-7)


def _balanced(signed: Floats) -> bool:
    """Whether positive weights of the rows that add up to zero are found in a few steps.

    They are those of a logistic fit: 1 / (1 + exp(rᵢ·b)) for each row r. What a fit leaves of
    their sum is taken away by least squares, so the weights that are tested balance exactly but
    for rounding; they must stay clear of zero.
    """
    beta = np.zeros(signed.shape[1])
    for _ in range(BALANCE_STEPS):
        weight = 1 / (1 + np.exp(np.clip(signed @ beta, -30, 30)))
        rest = signed.T @ weight
        exact = weight - signed @ np.linalg.lstsq(signed.T @ signed, rest, rcond=None)[0]
        if exact.min() > 1e-3 and np.abs(signed.T @ exact).max() < 1e-9:
            return True
        information = (signed * (weight * (1 - weight))[:, None]).T @ signed
        beta = beta + np.linalg.lstsq(information, rest, rcond=None)[0]
    return False


def profile(
    x: Floats, y: Bools, column: int, *, level: float = 0.95, firth: bool = True
) -> Coefficient:
    """One coefficient with its profile-likelihood interval and likelihood-ratio p."""
    from scipy.optimize import brentq
    from scipy.stats import chi2

    full = fit(x, y, firth=firth)
    value, se = float(full.beta[column]), float(np.sqrt(full.covariance[column, column]))
    ratio = 2 * (full.loglik - fit(x, y, firth=firth, fixed={column: 0.0}).loglik)
    p = float(chi2.sf(max(ratio, 0.0), 1))
    drop = float(chi2.ppf(level, 1)) / 2

    # Where the other coefficients go as this one moves, to first order. Never the last answer: a
    # start that depends on the path lets the root finder see two values at one place.
    along = full.covariance[:, column] / full.covariance[column, column]

    def short(at: float) -> float:
        start = full.beta + along * (at - value)
        held = fit(x, y, firth=firth, fixed={column: at}, start=start)
        if not held.converged:
            again = fit(x, y, firth=firth, fixed={column: at})
            held = max(held, again, key=lambda f: f.loglik)
        return full.loglik - held.loglik - drop

    ends = []
    for direction in (-1.0, 1.0):
        inside, width = value, 2 * se
        while (gap := short(value + direction * width)) < 0 and width < 60 * max(se, 1.0):
            inside, width = value + direction * width, 1.6 * width
        far = value + direction * width
        ends.append(
            float(brentq(short, inside, far, xtol=1e-7)) if gap >= 0 else direction * np.inf
        )
    return Coefficient(value, se, ends[0], ends[1], p, full.converged)


Penalty = Literal["firth", "none"]
