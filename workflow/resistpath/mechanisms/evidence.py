"""From readouts to mechanisms: where each stands, how surely, and what may be said."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import special

from resistpath.mechanisms.catalogue import Catalogue, Mechanism
from resistpath.mechanisms.measure import CellTables, Measured, Universe
from resistpath.mechanisms.records import Readout
from resistpath.mechanisms.rows import is_missing
from resistpath.mechanisms.standing import Overruling, Standings
from resistpath.mechanisms.verdict import (
    INCONCLUSIVE,
    NOT_ASSESSABLE,
    Thresholds,
    interval_reason,
    reading,
    verdict,
)
from resistpath.reference import Reference, fit_to_reference

VIEWS = ("raw", "residual")
MECHANISM_COLUMNS = (
    "sample",
    "mechanism",
    "axis",
    "verdict",
    "percentile",
    "low",
    "high",
    "residual_verdict",
    "residual_percentile",
    "residual_low",
    "residual_high",
    "reading",
    "n_readouts",
    "concordance",
    "reference",
    "reference_n",
    "reason",
)


def assess(
    values: pd.DataFrame,
    cells: CellTables,
    obs: pd.DataFrame,
    failed: Mapping[str, str],
    reference: Reference,
    catalogue: Catalogue,
    thresholds: Thresholds,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Place every sample in the reference and give each mechanism its verdict.

    Samples and reference are scored anew on the genes they share. A sample's rows depend on
    that sample, the reference and the catalogue alone.

    Parameters
    ----------
    values
        Genes x samples, log2(TPM+1).
    cells
        Deconvolution of the same samples.
    obs
        Sample sheet by sample; ``timepoint`` decides where a direction holds, ``cancer_type``
        (the disease of the reference if missing) which mechanisms may be read at all.
    failed
        Samples that fail a quality gate, with the reason.

    Returns
    -------
    tuple of pandas.DataFrame
        Mechanisms and readouts, long, as in ``mechanisms.tsv`` and ``readouts.tsv``.
    """
    found = examine(values, cells, obs, failed, reference, catalogue, thresholds)
    return found.mechanisms, found.readouts


@dataclass(frozen=True)
class Assessment:
    """Samples placed in a reference.

    Attributes
    ----------
    mechanisms, readouts
        As in ``mechanisms.tsv`` and ``readouts.tsv``.
    standings
        The same places by item and view, for rules and comparisons in time.
    fit
        How each sample fits the reference, as `fit_to_reference` returns it.
    """

    mechanisms: pd.DataFrame
    readouts: pd.DataFrame
    standings: Standings
    fit: pd.DataFrame


def examine(
    values: pd.DataFrame,
    cells: CellTables,
    obs: pd.DataFrame,
    failed: Mapping[str, str],
    reference: Reference,
    catalogue: Catalogue,
    thresholds: Thresholds,
) -> Assessment:
    """Do what `assess` does, and keep the places for what is asked of several together."""
    universe = Universe(values, cells, reference, catalogue, thresholds)
    measured = [universe.measure(r) for r in catalogue.readouts]
    fit = fit_to_reference(values, reference)
    overruled = _overruled(fit, failed, universe)
    readouts = [_readout_rows(m, values.columns, reference) for m in measured]
    mechanisms = [
        _mechanism_rows(
            entry,
            [m for m in measured if m.readout.mechanism == entry.mechanism],
            values.columns,
            obs,
            overruled,
            thresholds,
            reference.cancer_type,
        ).assign(reference=reference.name, reference_n=reference.n)[list(MECHANISM_COLUMNS)]
        for entry in catalogue.mechanisms
    ]
    table = _by_sample(mechanisms, values.columns)
    standings = Standings(values.columns, measured, table, overruled)
    return Assessment(table, _by_sample(readouts, values.columns), standings, fit)


def _by_sample(frames: Sequence[pd.DataFrame], samples: pd.Index) -> pd.DataFrame:
    table = pd.concat(frames, ignore_index=True)
    place = samples.get_indexer(pd.Index(table["sample"]))
    return table.iloc[np.argsort(place, kind="stable")].reset_index(drop=True)


def _overruled(
    fits: pd.DataFrame, failed: Mapping[str, str], universe: Universe
) -> dict[str, Overruling]:
    """Samples whose verdicts the quality gate, the reference's size or its fit decides."""
    out: dict[str, Overruling] = {}
    if universe.large_enough:
        for sample, fit in fits.iterrows():
            if not fit["fits"]:
                out[str(sample)] = Overruling(
                    INCONCLUSIVE,
                    f"sample fits the reference poorly (correlation {fit['correlation']:.2f},"
                    f" typical from {fit['lowest_typical']:.2f})",
                )
    else:
        for sample in fits.index:
            out[str(sample)] = Overruling(NOT_ASSESSABLE, universe.too_small)
    for sample, reason in failed.items():
        out[sample] = Overruling(NOT_ASSESSABLE, f"sample fails quality: {reason}")
    return out


def _readout_rows(m: Measured, samples: pd.Index, reference: Reference) -> pd.DataFrame:
    r = m.readout
    return pd.DataFrame(
        {
            "sample": samples,
            "mechanism": r.mechanism,
            "readout": r.readout,
            "name": r.name,
            "method": r.method,
            "sign": r.sign,
            "weight": r.weight,
            "score": m.scores,
            "coverage": m.coverage,
            "n_genes": m.n_genes,
            "percentile": m.raw.percentile,
            "percentile_low": m.raw.low,
            "percentile_high": m.raw.high,
            "residual_percentile": m.residual.percentile,
            "residual_low": m.residual.low,
            "residual_high": m.residual.high,
            "reference": reference.name,
            "reference_n": reference.n,
            "assessable": m.usable,
            "reason": m.reasons,
        }
    )


@dataclass(frozen=True)
class Composite:
    """Readouts of one mechanism joined: one value per sample, NaN where none could be had."""

    percentile: np.ndarray
    low: np.ndarray
    high: np.ndarray
    concordance: np.ndarray


def combine(members: Sequence[Measured], view: str, use: np.ndarray) -> Composite:
    r"""Join the readouts of a mechanism in one view.

    With oriented normal scores :math:`z_i`, weights :math:`w_i` (summing to 1) and the
    readouts' correlation :math:`\rho` in the reference, the composite is
    :math:`Z = \sum_i w_i z_i / \sigma`, :math:`\sigma^2 = \sum_{ij} w_i w_j \rho_{ij}`, again
    a normal score. :math:`\sigma` is not taken below that of independent readouts, so that
    readouts which oppose each other do not look extreme. Distances to the interval's ends join
    source by source with the correlation their errors have: :math:`\rho` for the reference's
    tumours, the share of common genes for the readouts' genes (`shared_genes`), plus or minus
    one for the genes of the T-cell-inflamed score.

    Parameters
    ----------
    use
        Readouts x samples: True where a readout counts.

    Returns
    -------
    Composite
        Percentiles with intervals, and the weight of the readouts on the composite's side of
        the reference median.
    """
    positions = [m.position(view) for m in members]
    out = {name: np.full(use.shape[1], np.nan) for name in Composite.__dataclass_fields__}
    genes, sides = shared_genes([m.readout for m in members]), _sides(members)
    for pattern in np.unique(use, axis=1).T:
        rows = np.flatnonzero((use == pattern[:, None]).all(axis=0))
        picked = [i for i, used in enumerate(pattern) if used]
        if not picked:
            continue
        weight = np.array([members[i].readout.weight for i in picked], dtype=np.float64)
        weight = weight / weight.sum()
        z = [positions[i].z[rows] for i in picked]
        rho = np.atleast_2d(np.corrcoef([members[i].reference_z[view] for i in picked]))
        sigma = max(float(np.sqrt(weight @ rho @ weight)), 1 / np.sqrt(len(picked)))
        centre = _sum(w * x for w, x in zip(weight, z, strict=True))
        grid = np.ix_(picked, picked)
        errors = {"genes": genes[grid], "inflammation": sides[grid], "reference": rho}
        own = [(w, positions[i].parts) for w, i in zip(weight, picked, strict=True)]
        down, up = (
            np.sqrt(
                _sum(
                    _square([w * parts[source][end][rows] for w, parts in own], r)
                    for source, r in errors.items()
                )
            )
            for end in (0, 1)
        )
        out["percentile"][rows] = 100 * special.ndtr(centre / sigma)
        out["low"][rows] = 100 * special.ndtr((centre - down) / sigma)
        out["high"][rows] = 100 * special.ndtr((centre + up) / sigma)
        out["concordance"][rows] = _sum(
            w * (np.sign(x) == np.sign(centre)) for w, x in zip(weight, z, strict=True)
        )
    return Composite(**out)


def shared_genes(readouts: Sequence[Readout]) -> np.ndarray:
    r"""Correlation that drawing other genes gives the errors of readouts, oriented.

    With :math:`a_g = \pm 1/n` for the n genes of a readout's side (minus for down genes and for
    readouts that count inverted), :math:`a \cdot b / (|a| |b|)`: for two plain sets the shared
    genes over the geometric mean of their sizes. Readouts without genes share nothing.
    """
    vectors = []
    for r in readouts:
        up = {g: r.sign / len(r.genes_up) for g in r.genes_up}
        down = {g: -r.sign / len(r.genes_down) for g in r.genes_down}
        vectors.append(up | down)
    norms = [np.sqrt(sum(x * x for x in v.values())) for v in vectors]
    out = np.eye(len(readouts))
    for i, a in enumerate(vectors):
        for j, b in enumerate(vectors[:i]):
            if a and b:
                dot = sum(x * b[g] for g, x in a.items() if g in b)
                out[i, j] = out[j, i] = dot / (norms[i] * norms[j])
    return out


def _sides(members: Sequence[Measured]) -> np.ndarray:
    """Plus one where an error of the T-cell-inflamed score moves two residuals the same way."""
    side = np.array([np.sign(m.readout.sign * m.slope) for m in members])
    side = np.where(side == 0, 1.0, side)
    return np.outer(side, side)


def _sum(terms: Iterable[np.ndarray]) -> np.ndarray:
    """Add arrays one after the other, so that a sample's sum never depends on the others."""
    return np.asarray(sum(terms))


def _square(distances: list[np.ndarray], rho: np.ndarray) -> np.ndarray:
    square = _sum(
        rho[i, j] * a * b for i, a in enumerate(distances) for j, b in enumerate(distances)
    )
    return np.maximum(square, 0.0)


def _mechanism_rows(
    entry: Mechanism,
    members: Sequence[Measured],
    samples: pd.Index,
    obs: pd.DataFrame,
    overruled: Mapping[str, Overruling],
    thresholds: Thresholds,
    disease: str,
) -> pd.DataFrame:
    usable = np.array([m.usable for m in members])
    n_readouts = usable.sum(axis=0)
    # Half of a mechanism's readouts must be there, whichever view is read.
    usable = usable & (2 * n_readouts >= len(members))
    views = {
        view: combine(
            members, view, usable & np.array([~np.isnan(m.position(view).z) for m in members])
        )
        for view in VIEWS
    }
    timepoints = obs["timepoint"] if "timepoint" in obs else pd.Series(None, obs.index, object)
    diseases = obs["cancer_type"] if "cancer_type" in obs else pd.Series(None, obs.index, object)
    rows = []
    for i, sample in enumerate(samples):
        row: dict[str, object] = {
            "sample": sample,
            "mechanism": entry.mechanism,
            "axis": entry.axis,
        }
        words = {}
        for view, joined in views.items():
            low, high = float(joined.low[i]), float(joined.high[i])
            words[view] = verdict(low, high, thresholds)
            prefix = "" if view == "raw" else "residual_"
            row |= {
                f"{prefix}percentile": float(joined.percentile[i]),
                f"{prefix}low": low,
                f"{prefix}high": high,
            }
        row |= {"n_readouts": n_readouts[i], "concordance": views["raw"].concordance[i]}
        reason = _reason(
            entry, views[entry.read], words[entry.read], i, members, int(n_readouts[i]), thresholds
        )
        over = overruled.get(str(sample))
        own = diseases.get(sample)
        elsewhere = entry.unreadable_in(disease if is_missing(own) else own)
        if elsewhere is not None and (over is None or over.word != NOT_ASSESSABLE):
            over = Overruling(NOT_ASSESSABLE, elsewhere)
        if over is not None:
            if over.word == NOT_ASSESSABLE or words[entry.read] != NOT_ASSESSABLE:
                reason = over.reason
            for view, word in words.items():
                words[view] = NOT_ASSESSABLE if NOT_ASSESSABLE in (word, over.word) else over.word
            if over.word == NOT_ASSESSABLE:
                row |= dict.fromkeys(
                    [k for k in row if k.endswith(("percentile", "low", "high"))], np.nan
                )
                row["concordance"] = np.nan
        row |= {
            "verdict": words["raw"],
            "residual_verdict": words["residual"],
            "reading": reading(entry, words[entry.read], timepoints.get(sample)),
            "reason": reason,
        }
        rows.append(row)
    return pd.DataFrame(rows)


def _reason(
    entry: Mechanism,
    joined: Composite,
    word: str,
    i: int,
    members: Sequence[Measured],
    n_readouts: int,
    thresholds: Thresholds,
) -> str:
    if 2 * n_readouts < len(members):
        first = next(m.reasons[i] for m in members if m.reasons[i])
        return f"{n_readouts} of {len(members)} readouts could be had: {first}"
    return interval_reason(
        entry.read,
        word,
        float(joined.low[i]),
        float(joined.high[i]),
        float(joined.concordance[i]),
        n_readouts,
        thresholds,
    )
