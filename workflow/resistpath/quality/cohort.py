"""Checks that compare the samples of a cohort; every metric says so by the prefix ``cohort_``.

They mark samples for the cohort's own page and never decide whether a sample is assessed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from resistpath.expression import samples_by_genes
from resistpath.quality.gates import COLUMNS, Floats, Gates, Metric, by_sample, rows
from resistpath.quality.sex import Y_GENES

IDENTITY = (
    *("GSTM1", "ERAP2", "XRRA1", "THNSL2", "MICA", "RPS26", "CHI3L2", "WDR41", "CRYZ", "POMZP3"),
    *("PEX6", "PPIL3", "NUDT2", "GSTT2", "GSTT2B", "CLEC18B", "CCDC163", "PSMD5", "ZNF266"),
    *("IRF5", "CSTB", "PDXDC1", "GBP3", "ULK3", "ATP23", "ARL17A"),
)
"""Genes whose expression common germline variants set, in most tissues; XIST and Y are added."""
FEWEST_GENES = 15
FEWEST_SAMPLES = 8
VARIABLE = 5000
BLOCK, WHOLE = 512, 2048
"""Rows at a time, and the most samples that are compared at once."""


def cohort_quality(
    levels: pd.DataFrame,
    *,
    gates: Gates | None = None,
    patient: pd.Series | None = None,
    xist: pd.Series | None = None,
    slopes: pd.Series | None = None,
    group: pd.Series | None = None,
) -> pd.DataFrame:
    """Near-identical samples, patients mixed up, outliers, and two kinds of library.

    Parameters
    ----------
    levels
        Genes x samples, log2(TPM+1), current symbols.
    gates
        Thresholds; the defaults if not given.
    patient
        Patient of each sample; without it every sample is a patient.
    xist
        XIST in parts per million of the whole input, by sample.
    slopes
        Slope of expression on gene length by sample (`sample.length_slopes`), for the kinds of
        library.
    group
        Kind of sample, such as tumour and normal: patients' samples are compared within it only,
        because tissue outweighs the person.

    Returns
    -------
    DataFrame
        As `sample.sample_quality` returns; `passed` is always None. Empty for fewer than
        `FEWEST_SAMPLES` samples, except for near-identical ones, which two suffice for.
    """
    gates = gates or Gates()
    samples = levels.columns
    if len(samples) < 2:
        return pd.DataFrame(columns=list(COLUMNS))
    person = _person(samples, patient)
    profiles = _profiles(levels)
    unit = _standard(profiles)
    tables = [_twins(samples, profiles, unit, person, gates)]
    if len(samples) >= FEWEST_SAMPLES:
        tables.append(_outliers(samples, profiles, unit, gates))
        tables += _identity(levels, person, group, xist, gates)
        if slopes is not None:
            tables.append(_libraries(slopes.reindex(samples), gates))
    return by_sample(tables, samples)


def _person(samples: pd.Index, patient: pd.Series | None) -> pd.Series:
    """Patient of each sample; a sample without one is a person of its own."""
    own = pd.Series([f"\0{s}" for s in samples], index=samples, dtype=object)
    if patient is None:
        return own
    given = patient.reindex(samples)
    return given.where(given.notna() & (given.astype(str) != ""), own).astype(str)


def _profiles(levels: pd.DataFrame) -> Floats:
    """Samples x genes: the most variable expressed genes."""
    array = levels.to_numpy()
    mean, spread = np.empty(len(array)), np.empty(len(array))
    for start in range(0, len(array), BLOCK):  # in blocks of genes, to bound memory
        genes = slice(start, start + BLOCK)
        part = array[genes].astype(np.float64)
        mean[genes] = part.mean(axis=1)
        part -= mean[genes, None]
        spread[genes] = np.sqrt(np.square(part, out=part).mean(axis=1))
    expressed = np.flatnonzero(mean > 1)
    chosen = expressed if len(expressed) > 50 else np.arange(len(array))
    keep = np.sort(chosen[np.argsort(-spread[chosen], kind="stable")[:VARIABLE]])
    return np.ascontiguousarray(array[keep].T)


def _standard(profiles: Floats) -> Floats:
    """Rows with mean 0 and length 1, so that products are correlations."""
    centred = profiles - profiles.mean(axis=1, keepdims=True)
    size = np.sqrt(np.einsum("ij,ij->i", centred, centred))[:, None]
    centred /= np.where(size > 0, size, 1)
    return centred


def _nearest(unit: Floats, allowed: npt.NDArray[np.bool_] | None = None) -> tuple[Floats, Floats]:
    """For each sample the highest correlation with another, and which; in blocks of rows."""
    n = len(unit)
    size = n if n <= WHOLE else BLOCK  # numpy halves the work of a product with its own transpose
    best, which = np.full(n, np.nan), np.full(n, -1)
    for start in range(0, n, size):
        part = unit[start : start + size] @ unit.T
        part[np.arange(len(part)), np.arange(start, start + len(part))] = -np.inf
        if allowed is not None:
            part[~allowed[start : start + size]] = -np.inf
        which[start : start + size] = part.argmax(axis=1)
        best[start : start + size] = part.max(axis=1)
    best[~np.isfinite(best)] = np.nan
    return best, which


def _twins(
    samples: pd.Index, profiles: Floats, unit: Floats, person: pd.Series, gates: Gates
) -> pd.DataFrame:
    best, which = _nearest(unit)
    people = person.to_numpy()
    notes, states = [], []
    for i, (r, j) in enumerate(zip(best, which, strict=True)):
        same = people[i] == people[int(j)]
        exact = bool((profiles[i] == profiles[int(j)]).all())
        if exact or r >= gates.warn_cohort_twin:
            other = "of the same patient" if same else "of another patient"
            alike = "has the very same values as" if exact else "is all but identical to"
            notes.append(f"{alike} {samples[int(j)]} {other}: one library twice?")
            states.append("info" if same and not exact else "warn")
        else:
            notes.append(f"nearest: {samples[int(j)]}")
            states.append("pass")
    metric = Metric(
        "cohort_twin",
        "Correlation with the nearest sample",
        "r",
        warn=gates.warn_cohort_twin,
        high=True,
    )
    return rows(metric, samples, best, notes, states)


def _outliers(samples: pd.Index, profiles: Floats, unit: Floats, gates: Gates) -> pd.DataFrame:
    """Distance of a sample's correlation with the median profile from the cohort's usual one."""
    median = _median(profiles)
    middle = _standard(median[None, :])[0]
    r = np.arctanh(np.clip(unit @ middle, -0.999999, 0.999999))
    spread = 1.4826 * np.median(np.abs(r - np.median(r)))
    away = (np.median(r) - r) / max(spread, 0.02)
    metric = Metric(
        "cohort_outlier",
        "Distance from the cohort's median profile",
        "MAD",
        warn=gates.warn_cohort_outlier,
        high=True,
    )
    note = "unlike the rest of the cohort: another tissue, another library or a failed one"
    return rows(metric, samples, away, note)


def _median(profiles: Floats) -> Floats:
    """Median of each gene, as np.median takes it in three times the time and memory."""
    n, genes = profiles.shape
    middle = slice((n - 1) // 2, n // 2 + 1)
    return np.concatenate(
        [
            np.sort(np.ascontiguousarray(profiles[:, i : i + BLOCK].T), axis=1)[:, middle].mean(
                axis=1
            )
            for i in range(0, genes, BLOCK)
        ]
    )


def _identity(
    levels: pd.DataFrame,
    person: pd.Series,
    group: pd.Series | None,
    xist: pd.Series | None,
    gates: Gates,
) -> list[pd.DataFrame]:
    """Whether samples of one patient share the expression that germline variants set.

    Only for patients with two samples or more. The measure is the correlation over `IDENTITY`
    and the sex genes, each centred on the cohort's median and scaled.
    """
    kind = np.zeros(len(person)) if group is None else pd.factorize(group.reindex(person.index))[0]
    alike = kind[:, None] == kind[None, :]
    same = (person.to_numpy()[:, None] == person.to_numpy()[None, :]) & alike
    several = same.sum(axis=1) > 1
    genes = [g for g in (*IDENTITY, *Y_GENES) if g in levels.index]
    if not several.any() or len(genes) < FEWEST_GENES:
        return []
    level = samples_by_genes(levels.loc[genes])
    if xist is not None and xist.reindex(levels.columns).notna().all():
        extra = np.log2(xist.reindex(levels.columns).to_numpy(dtype=np.float64) + 1)
        level = np.column_stack([level, extra])
    spread = level.std(axis=0)
    level = level[:, spread > 0]
    scaled = np.clip((level - np.median(level, axis=0)) / level.std(axis=0), -2.5, 2.5)
    unit = _standard(scaled)
    own, _ = _nearest(unit, same)
    other, which = _nearest(unit, ~same & alike)
    notes, states = [], []
    for i, r in enumerate(own):
        if np.isnan(r):
            notes.append("")
            states.append("info")
        elif r < gates.warn_cohort_identity:
            note = f"unlike the other samples of {person.iloc[i]}: mixed up, or a poor library"
            if other[i] > 0.7:
                note += f"; nearest is {levels.columns[int(which[i])]} (r {other[i]:.2f})"
            notes.append(note)
            states.append("warn")
        elif other[i] > r + 0.2 and other[i] > 0.7:
            notes.append(
                f"nearer to {levels.columns[int(which[i])]} (r {other[i]:.2f}) of another patient"
                f" than to its own: mixed up?"
            )
            states.append("warn")
        else:
            notes.append("")
            states.append("pass")
    metric = Metric(
        "cohort_identity",
        "Agreement with the patient's other sample",
        "r",
        warn=gates.warn_cohort_identity,
    )
    return [rows(metric, levels.columns, own, notes, states)[several]]


def library_kinds(slopes: Floats, gap: float) -> Floats:
    """Split samples where the slopes of expression on length leave a gap.

    Returns
    -------
    array
        0 for the larger and 1 for the smaller part; all 0 without a gap, or where all that lies
        beyond it is one sample in twenty or a single one.
    """
    kinds = np.zeros(len(slopes))
    known = np.flatnonzero(np.isfinite(slopes))
    order = known[np.argsort(slopes[known], kind="stable")]
    steps = np.diff(slopes[order])
    if len(steps) and steps.max() >= gap:
        cut = int(steps.argmax()) + 1
        small = order[:cut] if cut <= len(order) - cut else order[cut:]
        if len(small) > max(1, 0.05 * len(order)):
            kinds[small] = 1
    return kinds


def _libraries(slopes: pd.Series, gates: Gates) -> pd.DataFrame:
    values = slopes.to_numpy(dtype=np.float64)
    kinds = library_kinds(values, gates.warn_cohort_library)
    metric = Metric("cohort_library", "Slope on gene length, beside the others", "log2 per log2")
    states = ["warn" if k else "pass" for k in kinds]
    n = int(kinds.sum())
    note = (
        f"one of {n} samples whose long genes read unlike those of the other {len(kinds) - n}:"
        " two kinds of library (poly-A, capture, total RNA) in one cohort"
    )
    return rows(metric, slopes.index, values, [note if k else "" for k in kinds], states)
