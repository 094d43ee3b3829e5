"""Association of readouts and mechanisms with response in one cohort, raw and residual."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from resistpath.cohort.adjusted import odds_ratios
from resistpath.cohort.auc import areas, paired_test
from resistpath.cohort.effect import cliffs_delta, hedges_g
from resistpath.cohort.multiplicity import benjamini_hochberg
from resistpath.cohort.permutation import permutation_p, smallest_p
from resistpath.cohort.power import minimum_detectable

FEW = 10
"""A group smaller than this is said in every row."""
ALPHA = 0.05
POWER = 0.8

COLUMNS = (
    *("kind", "name", "view", "n", "n_responders", "n_missing", "auc", "se", "low", "high"),
    "interval",
    *("p_perm", "p_method", "q", "hedges_g", "g_low", "g_high", "cliffs_delta"),
    *("odds_ratio", "or_low", "or_high", "or_p", "adjusted_for", "or_note"),
    *("difference", "difference_p", "min_detectable_auc", "note"),
)


def response_table(
    raw: pd.DataFrame,
    residual: pd.DataFrame,
    positive: pd.Series[bool],
    sheet: pd.DataFrame,
    *,
    covariates: Sequence[str] = (),
    inflammation: pd.Series[float] | None = None,
    kind: str = "readout",
    level: float = 0.95,
) -> pd.DataFrame:
    """Associate each column with response, as it is and given T-cell inflammation.

    Parameters
    ----------
    raw, residual
        Patients x readouts (or mechanisms); `residual` may lack columns.
    positive
        Whether each patient responded, known ones only.
    sheet
        One row per patient.
    covariates
        Columns of `sheet` to adjust for in the logistic model.
    inflammation
        T-cell-inflamed score. The raw view's odds ratio is adjusted for it too; the residual
        already is.
    kind
        Written to the column of that name.
    level
        Coverage of the intervals.

    Returns
    -------
    DataFrame
        Two rows (views) per column with a residual, else one. n, n_responders, n_missing; auc
        (0.5 none, above: higher in responders) with DeLong's interval; p_perm and how;
        q (empty here: `with_q` sets it over a cohort's whole table); hedges_g with interval,
        cliffs_delta; odds_ratio per standard deviation with interval and p, adjusted_for;
        difference (AUC residual − raw) and DeLong's p of it; min_detectable_auc, the area that
        these numbers of patients find with 80 % power at p < 0.05; note.
    """
    patients = [p for p in sorted(raw.index) if p in positive.index]
    y = positive.reindex(patients).to_numpy(dtype=np.bool_)
    both = [c for c in raw.columns if c in residual.columns and residual[c].notna().any()]
    difference = paired_test(
        raw.loc[patients, both], residual.reindex(patients)[both], y, level=level
    )
    views = []
    for view, values in (
        ("raw", raw.loc[patients]),
        ("residual", residual.reindex(patients)[both]),
    ):
        adjust = inflammation if view == "raw" else None
        part = _view(values, y, sheet, list(covariates), adjust, level)
        part.insert(0, "kind", kind)
        part.insert(1, "name", part.index.astype(str))
        part.insert(2, "view", view)
        part["difference"] = difference["difference"].reindex(part.index)
        part["difference_p"] = difference["p"].reindex(part.index)
        views.append(part)
    table = pd.concat([v for v in views if len(v)] or views, ignore_index=True)
    table["q"] = np.nan
    return table[list(COLUMNS)]


def with_q(table: pd.DataFrame) -> pd.DataFrame:
    """Benjamini-Hochberg over all rows of one cohort: readouts, mechanisms and both views."""
    return table.assign(q=benjamini_hochberg(table["p_perm"]))


def _view(
    values: pd.DataFrame,
    y: np.ndarray,
    sheet: pd.DataFrame,
    covariates: list[str],
    inflammation: pd.Series[float] | None,
    level: float,
) -> pd.DataFrame:
    area = areas(values, y, level=level)
    p = permutation_p(values, y)
    g = hedges_g(values, y, level=level)
    outcome = pd.Series(y, index=values.index)
    odds = odds_ratios(
        values, outcome, sheet, covariates, inflammation=inflammation, level=level
    ).reindex(values.columns.astype(str))
    table = pd.DataFrame(
        {
            "n": area["n"],
            "n_responders": area["n_positive"],
            "n_missing": area["n_missing"],
            "auc": area["auc"],
            "se": area["se"],
            "low": area["low"],
            "high": area["high"],
            "interval": area["interval"],
            "p_perm": p["p"],
            "p_method": p["method"],
            "hedges_g": g["g"],
            "g_low": g["low"],
            "g_high": g["high"],
            "cliffs_delta": cliffs_delta(values, y, level=level)["delta"],
        },
        index=values.columns,
    )
    for column, source in (
        *(("odds_ratio", "odds_ratio"), ("or_low", "low"), ("or_high", "high"), ("or_p", "p")),
        *(("adjusted_for", "adjusted_for"), ("or_note", "note")),
    ):
        table[column] = odds[source].to_numpy()
    sizes = {
        (m, n): minimum_detectable(m, n - m, power_of=POWER, alpha=ALPHA)
        for m, n in set(zip(area["n_positive"], area["n"], strict=True))
    }
    pairs = list(zip(area["n_positive"], area["n"], strict=True))
    table["min_detectable_auc"] = [sizes[pair] for pair in pairs]
    table["note"] = [
        "; ".join(filter(None, [str(first), _small(int(m), int(n - m))]))
        for first, (m, n) in zip(area["note"], pairs, strict=True)
    ]
    return table


def _small(m: int, n: int) -> str:
    if min(m, n) == 0:
        return ""
    if smallest_p(m, n) > ALPHA:
        return f"{m} against {n}: no result can reach p < {ALPHA:g}"
    return f"{m} against {n}: few" if min(m, n) < FEW else ""
