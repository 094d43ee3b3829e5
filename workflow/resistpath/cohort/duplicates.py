"""Patients that stand in two cohorts, found by their expression profiles and by their names.

Public cohorts overlap: the same biopsies are quantified twice, published twice, or pooled into a
compendium. Pooling them as if they were new patients makes intervals too narrow.

Profiles are compared over the genes both cohorts measure. Each gene becomes normal scores of its
ranks within its own cohort, and the `AXES` strongest axes of both cohorts together are taken out:
what pairs two samples is then what is particular to one tumour, not what all liver metastases, or
all inflamed tumours, share. A pair is a candidate when each is the other's best match and stands
clear of the second best. One pair alone is accepted from `MATCH` on. From `WEAK_MATCH` on it is
accepted where the two cohorts have `SEVERAL` candidates, which chance does not give; so a panel,
or another biopsy of the same people, is recognised too.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.cohort.auc import Floats

MATCH, MARGIN = 0.7, 0.25
WEAK_MATCH, WEAK_MARGIN, SEVERAL = 0.45, 0.2, 3
AXES = 4
"""Axes taken out; one per ten samples in cohorts too small for four."""
FEWEST_GENES = 200
FEWEST_SAMPLES = 5
MOST_GENES = 4000
"""The genes that vary most in both cohorts carry the comparison."""

COLUMNS = (
    *("cohort_a", "sample_a", "patient_a", "cohort_b", "sample_b", "patient_b"),
    *("correlation", "runner_up", "n_genes", "same_name", "found_by"),
)


def match_profiles(
    a: pd.DataFrame,
    b: pd.DataFrame,
    patients_a: pd.Series[str] | None = None,
    patients_b: pd.Series[str] | None = None,
) -> pd.DataFrame:
    """Pairs of samples of two cohorts that look like one tumour.

    Parameters
    ----------
    a, b
        Genes x samples on a log scale, the same kind of gene identifier.
    patients_a, patients_b
        Patient of each sample; a second sample of the matched patient is no rival.

    Returns
    -------
    DataFrame
        sample_a, sample_b, correlation (Pearson of the profiles), runner_up (the best other pair
        either takes part in), n_genes. Empty when fewer than 200 genes are shared or a cohort has
        fewer than five samples: then nothing can be said from profiles.
    """
    columns = ["sample_a", "sample_b", "correlation", "runner_up", "n_genes"]
    genes = a.index.intersection(b.index).sort_values()
    if len(genes) < FEWEST_GENES or min(a.shape[1], b.shape[1]) < FEWEST_SAMPLES:
        return pd.DataFrame(columns=columns)
    x, y = _values(a, genes), _values(b, genes)
    spread = np.minimum(_rank_of_spread(x), _rank_of_spread(y))
    keep = np.sort(np.argsort(-spread, kind="stable")[:MOST_GENES])
    keep = keep[(np.ptp(x[keep], axis=1) > 0) & (np.ptp(y[keep], axis=1) > 0)]
    if len(keep) < FEWEST_GENES:
        return pd.DataFrame(columns=columns)
    r = _correlations(x[keep], y[keep])
    owner_a, owner_b = _owners(a, patients_a), _owners(b, patients_b)
    best_b, best_a = r.argmax(axis=1), r.argmax(axis=0)
    rows: list[list[object]] = []
    for i, j in enumerate(best_b):
        if best_a[j] != i:
            continue
        others = np.concatenate([r[i, owner_b != owner_b[j]], r[owner_a != owner_a[i], j]])
        runner_up = float(others.max(initial=-1.0))
        if r[i, j] >= WEAK_MATCH and r[i, j] - runner_up >= WEAK_MARGIN:
            rows.append([a.columns[i], b.columns[j], float(r[i, j]), runner_up, len(keep)])
    table = pd.DataFrame(rows, columns=columns)
    if len(table) >= SEVERAL:
        return table
    clear = table["correlation"] - table["runner_up"] >= MARGIN
    return table[clear & (table["correlation"] >= MATCH)].reset_index(drop=True)


def _owners(table: pd.DataFrame, patients: pd.Series[str] | None) -> npt.NDArray[np.object_]:
    names = table.columns if patients is None else patients.reindex(table.columns)
    return np.asarray(names, dtype=object)


def _values(table: pd.DataFrame, genes: pd.Index) -> Floats:
    values: Floats = table.loc[genes].to_numpy(dtype=np.float64)
    return np.where(np.isfinite(values), values, np.nanmedian(values, axis=1, keepdims=True))


def _rank_of_spread(x: Floats) -> Floats:
    from scipy.stats import rankdata

    return np.asarray(rankdata(x.std(axis=1)), dtype=np.float64)


def _correlations(x: Floats, y: Floats) -> Floats:
    """Correlation of every sample of x with every sample of y, without the shared axes."""
    a, b = _normal_scores(x), _normal_scores(y)
    axes = min(AXES, (x.shape[1] + y.shape[1]) // 10)
    if axes:
        both = np.concatenate([a / np.sqrt(a.shape[1]), b / np.sqrt(b.shape[1])], axis=1)
        _, vectors = np.linalg.eigh(both.T @ both)
        strongest = np.linalg.qr(both @ vectors[:, -axes:])[0]
        a, b = a - strongest @ (strongest.T @ a), b - strongest @ (strongest.T @ b)
    return np.asarray(_unit(a).T @ _unit(b), dtype=np.float64)


def _normal_scores(x: Floats) -> Floats:
    """Normal scores of each gene's ranks over the samples; each sample centred."""
    from scipy.special import ndtri
    from scipy.stats import rankdata

    z = ndtri((rankdata(x, axis=1) - 0.5) / x.shape[1])
    z = z / z.std(axis=1, keepdims=True)
    return np.asarray(z - z.mean(axis=0), dtype=np.float64)


def _unit(z: Floats) -> Floats:
    length = np.sqrt((z**2).sum(axis=0))
    return np.asarray(z / np.where(length > 0, length, 1.0), dtype=np.float64)


def telling(name: str) -> bool:
    """Whether a patient name is unlikely to be used for two people (``Pt1`` is, a barcode not).

    >>> telling("Pt1"), telling("TCGA-OR-A5J1")
    (False, True)
    """
    text = str(name)
    return len(text) >= 8 and any(c.isdigit() for c in text)


def shared_patients(
    cohorts: Mapping[str, pd.DataFrame], patients: Mapping[str, pd.Series[str]]
) -> pd.DataFrame:
    """Patients that stand in more than one cohort.

    Parameters
    ----------
    cohorts
        Name to genes x samples on a log scale.
    patients
        Name to the patient of each sample.

    Returns
    -------
    DataFrame
        One row per pair of patients: cohorts, samples, patients, correlation, runner_up, n_genes,
        same_name, found_by (``profile``, ``name`` or ``profile and name``). Equal names count by
        themselves only if they are telling (`telling`); else they need the profile.
    """
    rows: list[pd.DataFrame] = []
    for one, two in combinations(sorted(cohorts), 2):
        found = match_profiles(cohorts[one], cohorts[two], patients[one], patients[two])
        found = found.assign(
            cohort_a=one,
            cohort_b=two,
            patient_a=found["sample_a"].map(patients[one]),
            patient_b=found["sample_b"].map(patients[two]),
        )
        found["same_name"] = found["patient_a"] == found["patient_b"]
        found["found_by"] = np.where(found["same_name"], "profile and name", "profile")
        found = found.sort_values("correlation", ascending=False, kind="stable")
        found = found.drop_duplicates(["patient_a", "patient_b"])
        known = set(found.loc[found["same_name"], "patient_a"])
        rows += [found, _by_name(one, two, patients, known)]
    filled = [r[list(COLUMNS)] for r in rows if len(r)]
    if not filled:
        return pd.DataFrame(columns=list(COLUMNS))
    table = pd.concat(filled, ignore_index=True)
    return table.sort_values(["cohort_a", "cohort_b", "patient_a"], ignore_index=True)


def _by_name(
    one: str, two: str, patients: Mapping[str, pd.Series[str]], known: set[str]
) -> pd.DataFrame:
    first = {p: s for s, p in sorted(patients[one].items(), reverse=True)}
    second = {p: s for s, p in sorted(patients[two].items(), reverse=True)}
    names = sorted(p for p in first if p in second and telling(p) and p not in known)
    return pd.DataFrame(
        {
            "cohort_a": one,
            "sample_a": [first[p] for p in names],
            "patient_a": names,
            "cohort_b": two,
            "sample_b": [second[p] for p in names],
            "patient_b": names,
            "correlation": np.nan,
            "runner_up": np.nan,
            "n_genes": 0,
            "same_name": True,
            "found_by": "name",
        }
    )


def count_once(shared: pd.DataFrame, sizes: Mapping[str, int]) -> dict[str, dict[str, str]]:
    """Patients to leave out of each cohort so that everyone counts once.

    Of two cohorts the larger keeps the patient (by `sizes`, patients with an outcome; ties: first
    by name).

    Returns
    -------
    dict
        Cohort to patient to reason.
    """
    out: dict[str, dict[str, str]] = {}
    ordered = sorted(sizes, key=lambda c: (-sizes[c], c))
    place = {c: i for i, c in enumerate(ordered)}
    for row in shared.itertuples(index=False):
        ends = [(row.cohort_a, row.patient_a), (row.cohort_b, row.patient_b)]
        (keeper, kept), (giver, given) = sorted(ends, key=lambda end: place[str(end[0])])
        if str(kept) not in out.get(str(keeper), {}):
            out.setdefault(str(giver), {})[str(given)] = f"is {kept!s} of {keeper!s}"
    return out
