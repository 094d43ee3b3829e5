"""meta: associations of many cohorts pooled, patients that stand in two counted once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd

from resistpath.cohort import duplicates, leakage, meta, samples
from resistpath.cohort.multiplicity import benjamini_hochberg
from resistpath.errors import UserError
from resistpath.io.tables import read_table, write_table
from resistpath.steps import Progress, silent
from resistpath.steps.compare import COVARIATES, Measures, associate, read_measures, select

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

    Each cohort folder must hold the files of ``assess`` and ``compare``. Areas are computed again
    where patients are given up to another cohort; hazard ratios are those of ``compare``.
    """
    names = [f.resolve().name for f in folders]
    if len(set(names)) < len(names):
        raise UserError("two cohorts have one name", where="meta", do="give each folder once")
    read = {name: read_measures(folder) for name, folder in zip(names, folders, strict=True)}
    chosen = {name: select(m, timepoint, replicates) for name, m in read.items()}
    shared = _shared(read, chosen)
    outcomes = {
        name: samples.responders(samples.patient_sheet(chosen[name], m.sheet)[0])
        for name, m in read.items()
    }
    given_up = duplicates.count_once(shared, {name: len(y) for name, y in outcomes.items()})
    parts = []
    for name, folder in zip(names, folders, strict=True):
        again = [p for p in outcomes[name].index if p in given_up.get(name, {})]
        if again:
            table = associate(
                read[name], chosen[name], covariates=covariates, level=level, without=again
            )
        else:
            table = read_table(folder / "comparison" / "response.tsv")
        hazards = read_table(folder / "comparison" / "survival.tsv")
        for part in (_areas(table), _hazards(hazards)):
            part["cohort"], part["given_up"] = name, len(again)
            for column in STRATA:
                part[column] = _common(read[name].sheet, column)
            parts.append(part)
    cohorts = pd.concat([p for p in parts if len(p)] or parts, ignore_index=True)
    table, without = pooled(cohorts, estimator=estimator, level=level)
    write_table(out / "cohorts.tsv", cohorts)
    write_table(out / "shared.tsv", shared)
    write_table(out / "meta.tsv", table)
    write_table(out / "leave_one_out.tsv", without)
    people = sum(len(g) for g in given_up.values())
    say(f"{len(names)} cohorts; {people} patients stand in two and count once; {len(table)} rows")


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


def _hazards(table: pd.DataFrame) -> pd.DataFrame:
    """Hazard ratios of one cohort as logarithms."""
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
            "variance": ((logs["high"] - logs["low"]) / (2 * 1.959963984540054)) ** 2,
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
