"""meta: associations of many cohorts pooled, patients that stand in two counted once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from resistpath.cohort import duplicates, leakage, meta, samples
from resistpath.cohort.multiplicity import benjamini_hochberg
from resistpath.errors import UserError
from resistpath.io.tables import read_table, write_table
from resistpath.steps import Progress, silent
from resistpath.steps.compare import (
    COVARIATES,
    Measures,
    associate,
    follow_up,
    read_measures,
    select,
    survive,
)

FEWEST = 3
"""Patients the smaller group of a cohort needs to be pooled."""
STRATA = ("cancer_type", "treatment")
HEAD = ("stratum", "value", "measure", "kind", "name", "view")
COLUMNS = (
    *HEAD,
    *("k", "n", "n_events", "estimate", "low", "high", "p", "q", "predict_low", "predict_high"),
    *("tau2", "i2", "cochran_q", "cochran_p", "cohorts", "left_out"),
)


def pool(
    folders: Sequence[Path],
    out: Path,
    *,
    timepoint: str = "pre",
    covariates: Sequence[str] = COVARIATES,
    replicates: samples.Rule = "mean",
    level: float = 0.95,
    estimator: meta.Estimator = "reml",
    say: Progress = silent,
) -> None:
    """Write ``meta.tsv``, ``leave_one_out.tsv``, ``cohorts.tsv`` and ``shared.tsv`` to `out`.

    Each cohort folder must hold the files of ``assess`` and ``compare``. Areas and hazard ratios
    are computed again where patients are given up to another cohort: for areas to the one with more
    known responses, for hazard ratios to the one with more known follow-up.
    """
    names = [f.resolve().name for f in folders]
    if len(set(names)) < len(names):
        raise UserError("two cohorts have one name", where="meta", do="give each folder once")
    read = {name: read_measures(folder) for name, folder in zip(names, folders, strict=True)}
    chosen = {name: select(m, timepoint, replicates) for name, m in read.items()}
    shared = _shared(read, chosen)
    sheets = {name: samples.patient_sheet(chosen[name], m.sheet)[0] for name, m in read.items()}
    unanswered = _given_up(shared, {n: samples.responders(s).index for n, s in sheets.items()})
    unfollowed = _given_up(shared, {n: follow_up(s)[0].index for n, s in sheets.items()})
    parts = []
    for name, folder in zip(names, folders, strict=True):
        again, lost = unanswered[name], unfollowed[name]
        table = read_table(folder / "comparison" / "response.tsv")
        hazards = read_table(folder / "comparison" / "survival.tsv")
        if again:
            table = associate(
                read[name], chosen[name], covariates=covariates, level=level, without=again
            )
        if lost:
            hazards = survive(
                read[name], chosen[name], covariates=covariates, level=level, without=lost
            )
        for part, left in ((_areas(table), again), (_hazards(hazards, level), lost)):
            part["cohort"], part["given_up"] = name, len(left)
            for column in STRATA:
                part[column] = _common(read[name].sheet, column)
            parts.append(part)
    cohorts = pd.concat([p for p in parts if len(p)] or parts, ignore_index=True)
    table, without = pooled(cohorts, estimator=estimator, level=level)
    write_table(out / "cohorts.tsv", cohorts)
    write_table(out / "shared.tsv", shared)
    write_table(out / "meta.tsv", table)
    write_table(out / "leave_one_out.tsv", without)
    people = sum(len({*unanswered[name], *unfollowed[name]}) for name in names)
    say(f"{len(names)} cohorts; {people} patients stand in two and count once; {len(table)} rows")


def _given_up(shared: pd.DataFrame, known: Mapping[str, pd.Index]) -> dict[str, list[str]]:
    """Patients each cohort gives up to another that knows the same of them, and knows more."""
    both = [
        row.patient_a in known[str(row.cohort_a)] and row.patient_b in known[str(row.cohort_b)]
        for row in shared.itertuples(index=False)
    ]
    sizes = {name: len(patients) for name, patients in known.items()}
    found = duplicates.count_once(shared[np.array(both, dtype=bool)], sizes)
    return {name: sorted(found.get(name, {})) for name in known}


def _shared(read: dict[str, Measures], chosen: dict[str, samples.Selection]) -> pd.DataFrame:
    """Patients in two cohorts, by the samples that would be used."""
    used = {name: [s for g in c.groups.values() for s in g] for name, c in chosen.items()}
    return duplicates.shared_patients(
        {name: m.expression[used[name]] for name, m in read.items()},
        {name: samples.patients_of(m.sheet.loc[used[name]]) for name, m in read.items()},
    )


def _common(sheet: pd.DataFrame, column: str) -> str:
    """The one value all samples of a cohort have; ``several`` if they differ, empty if unknown."""
    values = list(sheet[column].dropna().unique()) if column in sheet else []
    return str(values[0]) if len(values) == 1 else "several" if values else ""


def _areas(table: pd.DataFrame) -> pd.DataFrame:
    """Areas of one cohort on the logit scale; too small groups and grave leakage are left out."""
    if table.empty:
        return pd.DataFrame()
    m = table["n_responders"].to_numpy(dtype=np.float64)
    n = table["n"].to_numpy(dtype=np.float64) - m
    effect, variance = meta.logit_area(table["auc"], table["se"], m, n)
    use = table["leakage"].fillna("")
    small = np.minimum(m, n) < FEWEST
    return pd.DataFrame(
        {
            "measure": "auc",
            "kind": table["kind"],
            "name": table["name"],
            "view": table["view"],
            "n": table["n"],
            "n_events": table["n_responders"],
            "estimate": table["auc"],
            "low": table["low"],
            "high": table["high"],
            "effect": effect,
            "variance": variance,
            "leakage": use,
            "left_out": np.where(
                small,
                f"fewer than {FEWEST} in a group",
                np.where(use.isin(leakage.GRAVE), use, ""),
            ),
        }
    )


def _hazards(table: pd.DataFrame, level: float) -> pd.DataFrame:
    """Hazard ratios of one cohort as logarithms; their intervals hold at `level`."""
    from scipy.special import ndtri

    table = table[table["hazard_ratio"].notna()] if len(table) else table
    if table.empty:
        return pd.DataFrame()
    logs = {c: np.log(table[c].to_numpy(dtype=np.float64)) for c in ("low", "high")}
    return pd.DataFrame(
        {
            "measure": "hazard_ratio",
            "kind": table["kind"],
            "name": table["name"],
            "view": table["view"],
            "n": table["n"],
            "n_events": table["n_events"],
            "estimate": table["hazard_ratio"],
            "low": table["low"],
            "high": table["high"],
            "effect": np.log(table["hazard_ratio"].to_numpy(dtype=np.float64)),
            "variance": ((logs["high"] - logs["low"]) / (2 * ndtri(0.5 + level / 2))) ** 2,
            "leakage": "",
            "left_out": "",
        }
    )


def pooled(
    cohorts: pd.DataFrame, *, estimator: meta.Estimator = "reml", level: float = 0.95
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pool each readout over all cohorts and within each disease and treatment.

    Parameters
    ----------
    cohorts
        One row per cohort, measure, kind, name and view: effect and variance on the scale that is
        pooled, estimate, n, n_events, left_out (reason, or empty), cancer_type, treatment.

    Returns
    -------
    tuple
        Columns as `COLUMNS` (estimate and ends on the natural scale; q over one measure of one
        stratum); and the pooled estimates of all cohorts without each one.
    """
    if cohorts.empty:
        return pd.DataFrame(columns=list(COLUMNS)), pd.DataFrame(columns=[*HEAD, "without"])
    strata = [("all", "all", cohorts)]
    for column in STRATA:
        groups = cohorts[cohorts[column] != ""].groupby(column)
        strata += [(column, str(v), part) for v, part in groups if len(set(part["cohort"])) > 1]
    rows, without = [], []
    for stratum, value, part in strata:
        for key, group in part.groupby(["measure", "kind", "name", "view"], sort=False):
            kept = group[
                (group["left_out"] == "")
                & np.isfinite(group["effect"])
                & np.isfinite(group["variance"])
                & (group["variance"] > 0)
            ]
            if len(kept) < 2:
                continue
            head = dict(zip(HEAD, (stratum, value, *key), strict=True))
            dropped = group[~group.index.isin(kept.index)]
            rows.append(head | _row(kept, dropped, str(key[0]), estimator, level))
            if stratum == "all" and len(kept) > 2:
                left = meta.leave_one_out(
                    list(kept["cohort"]),
                    kept["effect"],
                    kept["variance"],
                    estimator=estimator,
                    level=level,
                )
                for end in ("effect", "low", "high"):
                    left[end] = _natural(left[end].to_numpy(), str(key[0]))
                left = left.rename(columns={"effect": "estimate"})
                for name, entry in head.items():
                    left[name] = str(entry)
                without.append(left[[*HEAD, "without", "k", "estimate", "low", "high", "p"]])
    table = pd.DataFrame(rows, columns=[c for c in COLUMNS if c != "q"])
    table["q"] = np.nan
    for _, index in table.groupby(["stratum", "value", "measure"]).groups.items():
        table.loc[index, "q"] = benjamini_hochberg(table.loc[index, "p"])
    left_out = pd.concat(without, ignore_index=True) if without else pd.DataFrame(columns=[*HEAD])
    return table[list(COLUMNS)], left_out


def _row(
    kept: pd.DataFrame,
    dropped: pd.DataFrame,
    measure: str,
    estimator: meta.Estimator,
    level: float,
) -> dict[str, object]:
    got = asdict(meta.pool(kept["effect"], kept["variance"], estimator=estimator, level=level))
    ends = {
        name: float(_natural(np.array([got[source]]), measure)[0])
        for name, source in (
            *(("estimate", "effect"), ("low", "low"), ("high", "high")),
            *(("predict_low", "predict_low"), ("predict_high", "predict_high")),
        )
    }
    reasons = [f"{c} ({r})" for c, r in zip(dropped["cohort"], dropped["left_out"], strict=True)]
    return {
        "k": got["k"],
        "n": int(kept["n"].sum()),
        "n_events": int(kept["n_events"].sum()),
        **ends,
        "p": got["p"],
        "tau2": got["tau2"],
        "i2": got["i2"],
        "cochran_q": got["q"],
        "cochran_p": got["q_p"],
        "cohorts": ", ".join(kept["cohort"]),
        "left_out": ", ".join(reasons),
    }


def _natural(values: np.ndarray, measure: str) -> np.ndarray:
    from scipy.special import expit

    return np.asarray(expit(values) if measure == "auc" else np.exp(values), dtype=np.float64)
