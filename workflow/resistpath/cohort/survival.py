"""Survival: Cox per standard deviation with a proportionality check; Kaplan-Meier with numbers."""

from __future__ import annotations

import warnings

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.cohort import design

FEWEST_EVENTS = 5
FEW_EVENTS = 10
"""Events per parameter below which the row says that there are few."""
PROPORTIONALITY_P = 0.05

COLUMNS = (
    *("n", "n_events", "hazard_ratio", "low", "high", "p", "concordance"),
    *("proportionality_p", "adjusted_for", "note"),
)


def cox(
    scores: pd.DataFrame,
    time: pd.Series[float],
    event: pd.Series[bool],
    sheet: pd.DataFrame | None = None,
    covariates: list[str] | None = None,
    *,
    level: float = 0.95,
) -> pd.DataFrame:
    """Cox regression of survival on each readout, per standard deviation (lifelines, Efron ties).

    Parameters
    ----------
    scores
        Samples x readouts, one sample per patient.
    time
        Follow-up of each sample, > 0, in any one unit. Samples without, or with zero or less, are
        left out.
    event
        Whether the event was seen; missing values are left out.
    sheet, covariates
        Columns of the sheet to adjust for, as in `design.build`.
    level
        Coverage of Wald's interval.

    Returns
    -------
    DataFrame
        One row per readout: n, n_events, hazard_ratio (above 1: shorter survival when high), low,
        high, p (Wald), concordance (of the whole model, 0.5 to 1), proportionality_p (scaled
        Schoenfeld residuals of the readout against the rank of time, Grambsch and Therneau 1994),
        adjusted_for, note. Not fitted, and said, below five events.
    """
    scores = scores.sort_index()
    clock = pd.to_numeric(time.reindex(scores.index), errors="coerce")
    seen = pd.to_numeric(event.reindex(scores.index).astype("object"), errors="coerce")
    usable = scores.index[((clock > 0) & np.isfinite(clock) & seen.notna()).to_numpy()]
    base = design.build(
        sheet if sheet is not None else pd.DataFrame(index=scores.index),
        list(covariates or []),
        needed=usable,
    )
    rows = {str(name): _one(scores[name], clock, seen, base, level) for name in scores.columns}
    return pd.DataFrame.from_dict(rows, orient="index", columns=list(COLUMNS))


def _one(
    readout: pd.Series[float],
    clock: pd.Series[float],
    seen: pd.Series[float],
    base: design.Design,
    level: float,
) -> list[object]:
    z = readout.reindex(base.complete).astype(float)
    used = base.complete[np.isfinite(z.to_numpy())]
    z, others = z.loc[used], base.columns.loc[used]
    others = design.varying(others)
    events = int(seen.loc[used].sum())
    adjusted = ", ".join(base.kept) or "nothing"
    nan = float("nan")
    head: list[object] = [len(used), events]
    if events < FEWEST_EVENTS:
        return [*head, *([nan] * 6), adjusted, f"not fitted: {events} events"]
    if z.nunique() < 2:
        return [*head, *([nan] * 6), adjusted, "not fitted: all values are equal"]
    table = pd.concat([((z - z.mean()) / z.std()).rename("readout"), others], axis=1)
    table["time"], table["event"] = clock.loc[used], seen.loc[used].astype(int)
    numbers, notes = _fit(table, level)
    parameters = 1 + others.shape[1]
    if events < FEW_EVENTS * parameters:
        notes.append(f"{parameters} parameters on {events} events")
    if numbers[-1] < PROPORTIONALITY_P:
        notes.append("the hazard ratio changes with time; read it as an average over follow-up")
    return [*head, *numbers, adjusted, "; ".join(notes)]


def _fit(table: pd.DataFrame, level: float) -> tuple[list[float], list[str]]:
    """Hazard ratio, low, high, p, concordance, proportionality p; and what lifelines warned of."""
    from lifelines import CoxPHFitter
    from lifelines.exceptions import ConvergenceError, ConvergenceWarning
    from lifelines.statistics import proportional_hazard_test
    from scipy.special import ndtri

    model = CoxPHFitter(alpha=1 - level)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model.fit(table, duration_col="time", event_col="event")
    except ConvergenceError:
        return [float("nan")] * 6, ["not fitted: no convergence"]
    unsure = any(issubclass(w.category, ConvergenceWarning) for w in caught)
    notes = ["the fit may not have converged: a covariate nearly orders the events"] * unsure
    beta, se = float(model.params_["readout"]), float(model.standard_errors_["readout"])
    half = float(ndtri(0.5 + level / 2)) * se
    check = proportional_hazard_test(model, table, time_transform="rank")
    proportional = float(check.summary.loc["readout", "p"])
    ends = [float(np.exp(np.clip(v, -700, 700))) for v in (beta, beta - half, beta + half)]
    p = float(model.summary.loc["readout", "p"])
    return [*ends, p, float(model.concordance_index_), proportional], notes


def kaplan_meier(
    time: npt.ArrayLike,
    event: npt.ArrayLike,
    group: npt.ArrayLike,
    *,
    ticks: int = 5,
    level: float = 0.95,
) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Kaplan-Meier curves of groups, numbers at risk, and the log-rank p.

    Parameters
    ----------
    time, event
        Follow-up, and whether the event was seen; no missing values.
    group
        Group of each sample, for example above or below the cohort's median.
    ticks
        Number of equal steps of time at which the number at risk is counted.
    level
        Coverage of the band (log-log transform of Greenwood's variance).

    Returns
    -------
    tuple
        Curves (group, time, survival, low, high, at_risk, events, censored), numbers at risk
        (group, time, at_risk), and the log-rank p (NaN with one group).
    """
    from lifelines import KaplanMeierFitter
    from lifelines.statistics import multivariate_logrank_test

    table = pd.DataFrame(
        {"time": np.asarray(time, float), "event": np.asarray(event, bool), "group": group}
    )
    curves, risk = [], []
    steps = np.linspace(0, float(table["time"].max()), ticks + 1)
    for name, part in table.groupby("group", sort=True):
        fitted = KaplanMeierFitter(alpha=1 - level).fit(part["time"], part["event"])
        band = fitted.confidence_interval_survival_function_
        counts = fitted.event_table
        curves.append(
            pd.DataFrame(
                {
                    "group": name,
                    "time": fitted.survival_function_.index,
                    "survival": fitted.survival_function_.iloc[:, 0].to_numpy(),
                    "low": band.iloc[:, 0].to_numpy(),
                    "high": band.iloc[:, 1].to_numpy(),
                    "at_risk": counts["at_risk"].to_numpy(),
                    "events": counts["observed"].to_numpy(),
                    "censored": counts["censored"].to_numpy(),
                }
            )
        )
        left = [int((part["time"] >= step).sum()) for step in steps]
        risk.append(pd.DataFrame({"group": name, "time": steps, "at_risk": left}))
    p = float("nan")
    if len(curves) > 1:
        p = float(multivariate_logrank_test(table["time"], table["group"], table["event"]).p_value)
    return pd.concat(curves, ignore_index=True), pd.concat(risk, ignore_index=True), p
