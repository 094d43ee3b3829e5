"""Readouts of the samples and of the reference, scored on the genes they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from resistpath.mechanisms.catalogue import Catalogue, Readout
from resistpath.mechanisms.position import (
    Line,
    Position,
    ReadoutValues,
    nowhere,
    raw_position,
    residual_position,
)
from resistpath.mechanisms.verdict import Thresholds
from resistpath.methods import GeneSet
from resistpath.reference import Reference, members, shared_universe
from resistpath.score import METHODS
from resistpath.score.data import ScoreData
from resistpath.score.run import scores_without


@dataclass(frozen=True)
class CellTables:
    """Cell fractions and scores of samples: samples x ``method:cell_type``.

    Attributes
    ----------
    values
        Fractions or scores.
    half
        Half-widths of their intervals.
    below_limit
        True where a value lies below the method's limit of detection.
    """

    values: pd.DataFrame
    half: pd.DataFrame
    below_limit: pd.DataFrame


@dataclass(frozen=True)
class Measured:
    """One readout: its values, its place in the reference, and why it cannot be used.

    Attributes
    ----------
    raw, residual
        Positions of the samples, oriented so that high means more of the mechanism.
    reference_z
        Oriented normal scores of the reference samples by view.
    reasons
        Per sample: empty if the readout can be used.
    slope
        Of the readout on the T-cell-inflamed score in the reference; 0 without a residual.
    """

    readout: Readout
    scores: np.ndarray
    coverage: float
    n_genes: int
    raw: Position
    residual: Position
    reference_z: Mapping[str, np.ndarray]
    reasons: list[str]
    slope: float = 0.0

    def position(self, view: str) -> Position:
        """Oriented position in the view ``"raw"`` or ``"residual"``."""
        return (self.raw if view == "raw" else self.residual).oriented(self.readout.sign)

    @property
    def usable(self) -> np.ndarray:
        """True for samples in which the readout can be used."""
        return np.array([not reason for reason in self.reasons])


def reference_cells(reference: Reference) -> CellTables:
    """Cell tables of a reference; its own intervals and limits are not used."""
    table = reference.fractions
    unknown = pd.DataFrame(np.nan, index=table.index, columns=table.columns)
    return CellTables(table, unknown, unknown.notna())


@dataclass(frozen=True)
class Values:
    """One readout in a group of samples, with the share and number of its genes measured."""

    values: ReadoutValues
    coverage: float
    n_genes: int


def readout_values(
    data: ScoreData,
    readouts: Sequence[Readout],
    gene_sets: Mapping[str, GeneSet],
    cells: CellTables,
) -> dict[str, Values]:
    """Measure readouts in all samples, those of one method together."""
    out = {r.readout: _fraction(data, r, cells) for r in readouts if r.method == "fraction"}
    for method in dict.fromkeys(r.method for r in readouts if r.method != "fraction"):
        names = [r.readout for r in readouts if r.method == method]
        sets = data.index(gene_sets[name] for name in names)
        scores, without = scores_without(data, sets, METHODS[method])
        for i, name in enumerate(names):
            n_genes = int(sets.measured[i])
            # Copies, so that a readout's sums run as they would if it were scored alone.
            left = None
            if without is not None and n_genes > 1:
                left = np.ascontiguousarray(without[:, sets.columns(i)])
            values = ReadoutValues(np.ascontiguousarray(scores[:, i]), left)
            out[name] = Values(values, float(sets.coverage[i]), n_genes)
    return out


def _fraction(data: ScoreData, readout: Readout, cells: CellTables) -> Values:
    if readout.up not in cells.values.columns:
        return Values(ReadoutValues(np.full(len(data.samples), np.nan)), 0.0, 0)
    values = cells.values[readout.up].reindex(data.samples).to_numpy(dtype=float)
    half = cells.half[readout.up].reindex(data.samples).to_numpy(dtype=float)
    return Values(ReadoutValues(values, half=half), 1.0, 0)


def reference_scores(
    values: pd.DataFrame, reference: Reference, catalogue: Catalogue
) -> pd.DataFrame:
    """Readouts of the reference samples on the genes shared with `values`.

    Returns
    -------
    pandas.DataFrame
        Reference samples x readouts.
    """
    data = ScoreData(reference.values.loc[shared_universe(values, reference)])
    sets = {s.name: s for s in catalogue.gene_sets()}
    found = readout_values(data, catalogue.readouts, sets, reference_cells(reference))
    return pd.DataFrame(
        {r.readout: found[r.readout].values.scores for r in catalogue.readouts},
        index=data.samples,
    )


class Universe:
    """Samples and reference on their shared genes, ranked once."""

    def __init__(
        self,
        values: pd.DataFrame,
        cells: CellTables,
        reference: Reference,
        catalogue: Catalogue,
        thresholds: Thresholds,
    ) -> None:
        genes = shared_universe(values, reference)
        self.data = ScoreData(values.loc[genes])
        self.ref_data = ScoreData(reference.values.loc[genes])
        self.cells, self.ref_cells = cells, reference_cells(reference)
        self.reference, self.catalogue, self.thresholds = reference, catalogue, thresholds
        self.members = members(values, reference)
        self.gene_sets = {s.name: s for s in catalogue.gene_sets()}
        # Fewer than three reference samples have no spread to stand in.
        self.large_enough = reference.n >= max(thresholds.min_reference, 3)
        readouts = catalogue.readouts
        self.own = readout_values(self.data, readouts, self.gene_sets, self.cells)
        self.ref = readout_values(self.ref_data, readouts, self.gene_sets, self.ref_cells)
        axis = next(r for r in readouts if r.readout == catalogue.inflammation)
        self.axis_mechanism = axis.mechanism
        self.axis = self._values(axis)

    def _values(self, r: Readout) -> tuple[ReadoutValues, ReadoutValues, float, int]:
        own = self.own[r.readout]
        return own.values, self.ref[r.readout].values, own.coverage, own.n_genes

    def _varies(self, ref: ReadoutValues, coverage: float) -> bool:
        return (
            self.large_enough
            and coverage >= self.thresholds.min_coverage
            and bool(np.isfinite(ref.scores).all())
            and float(np.ptp(ref.scores)) > 0
        )

    def measure(self, r: Readout) -> Measured:
        """Score a readout and place it, as measured and given T-cell inflammation."""
        own, ref, coverage, n_genes = self._values(r)
        axis_own, axis_ref, axis_coverage, _ = self.axis
        level = self.thresholds.level
        raw = residual = nowhere(len(self.data.samples), self.reference.n)
        reference_z, slope = {}, 0.0
        if self._varies(ref, coverage):
            raw = raw_position(own, ref, level, self.members)
            reference_z["raw"] = raw_position(ref, ref, level).oriented(r.sign).z
            # The T-cell-inflamed mechanism has no residual given itself.
            if r.mechanism != self.axis_mechanism and self._varies(axis_ref, axis_coverage):
                residual = residual_position(own, ref, axis_own, axis_ref, level, self.members)
                slope = float(Line.fit(axis_ref.scores, ref.scores).slope)
                placed = residual_position(ref, ref, axis_ref, axis_ref, level)
                reference_z["residual"] = placed.oriented(r.sign).z
        reasons = self._reasons(r, coverage, raw)
        return Measured(
            r, own.scores, coverage, n_genes, raw, residual, reference_z, reasons, slope
        )

    def _reasons(self, r: Readout, coverage: float, raw: Position) -> list[str]:
        least = self.thresholds.min_coverage
        if r.method == "fraction" and coverage == 0:
            return ["its deconvolution method was not run, or lacked its genes"] * len(raw.z)
        if coverage < least:
            return [f"{coverage:.0%} of its genes measured, at least {least:.0%} needed"] * len(
                raw.z
            )
        if not self.large_enough:
            return [self.too_small] * len(raw.z)
        below = np.zeros(len(raw.z), dtype=bool)
        if r.up in self.cells.below_limit.columns:
            column = self.cells.below_limit[r.up].reindex(self.data.samples)
            below = column.to_numpy(dtype=bool)
        return [
            "below the method's limit of detection"
            if low
            else "does not vary in the reference"
            if np.isnan(z)
            else ""
            for low, z in zip(below, raw.z, strict=True)
        ]

    @property
    def too_small(self) -> str:
        """Why no verdict is given against a small reference."""
        least = self.thresholds.min_reference
        return f"the reference has {self.reference.n} samples, at least {least} needed"
