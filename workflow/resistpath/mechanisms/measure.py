"""Readouts of the samples and of the reference, scored on the genes they share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from resistpath.mechanisms.catalogue import Catalogue, Readout
from resistpath.mechanisms.line import Line
from resistpath.mechanisms.position import (
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

BLOCK = 512
"""Samples measured at a time."""


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


def plain_cells(table: pd.DataFrame) -> CellTables:
    """Cell tables without intervals and limits, as a reference's are used."""
    unknown = pd.DataFrame(np.nan, index=table.index, columns=table.columns)
    return CellTables(table, unknown, unknown.notna())


@dataclass(frozen=True)
class Values:
    """One readout in a group of samples, with the share and number of its genes measured."""

    values: ReadoutValues
    coverage: float
    n_genes: int

    @classmethod
    def joined(cls, blocks: Sequence[Values]) -> Values:
        """The same readout over the samples of several blocks."""
        values = ReadoutValues.joined([b.values for b in blocks])
        return cls(values, blocks[0].coverage, blocks[0].n_genes)


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


def measure_all(
    values: pd.DataFrame, genes: pd.Index, catalogue: Catalogue, cells: CellTables
) -> dict[str, Values]:
    """Measure every readout of the catalogue on these genes, some samples at a time.

    The matrix is never copied whole; samples do not depend on their block.
    """
    matrix, rows = values.to_numpy(), values.index.get_indexer(genes)
    sets = {s.name: s for s in catalogue.gene_sets()}
    parts = []
    for start in range(0, values.shape[1], BLOCK):
        place = slice(start, start + BLOCK)
        block = np.ascontiguousarray(matrix[rows, place].T)
        data = ScoreData.from_rows(block, genes, values.columns[place])
        parts.append(readout_values(data, catalogue.readouts, sets, cells))
    return {r.readout: Values.joined([p[r.readout] for p in parts]) for r in catalogue.readouts}


def _fraction(data: ScoreData, readout: Readout, cells: CellTables) -> Values:
    if readout.up not in cells.values.columns:
        return Values(ReadoutValues(np.full(len(data.samples), np.nan)), 0.0, 0)
    values = cells.values[readout.up].reindex(data.samples).to_numpy(dtype=float)
    half = cells.half[readout.up].reindex(data.samples).to_numpy(dtype=float)
    return Values(ReadoutValues(values, half=half), 1.0, 0)


def plain_scores(
    values: pd.DataFrame,
    fractions: pd.DataFrame,
    catalogue: Catalogue,
    genes: pd.Index | None = None,
) -> pd.DataFrame:
    """Samples x readouts of the catalogue, as they are, scored on these genes or on all.

    Parameters
    ----------
    values
        Genes x samples, log2(TPM+1).
    fractions
        Samples x ``method:cell_type``.
    """
    genes = values.index if genes is None else genes
    found = measure_all(values, genes, catalogue, plain_cells(fractions))
    return pd.DataFrame(
        {r.readout: found[r.readout].values.scores for r in catalogue.readouts},
        index=values.columns,
    )


def reference_scores(
    values: pd.DataFrame, reference: Reference, catalogue: Catalogue
) -> pd.DataFrame:
    """Readouts of the reference samples on the genes shared with `values`."""
    genes = shared_universe(values, reference)
    return plain_scores(reference.values, reference.fractions, catalogue, genes)


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
        self.samples, self.cells = values.columns, cells
        self.reference, self.catalogue, self.thresholds = reference, catalogue, thresholds
        self.members = members(values, reference)
        # Fewer than three reference samples have no spread to stand in.
        self.large_enough = reference.n >= max(thresholds.min_reference, 3)
        self.own = measure_all(values, genes, catalogue, cells)
        cells_there = plain_cells(reference.fractions)
        self.ref = measure_all(reference.values, genes, catalogue, cells_there)
        axis = next(r for r in catalogue.readouts if r.readout == catalogue.inflammation)
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
        raw = residual = nowhere(len(self.samples), self.reference.n)
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
            column = self.cells.below_limit[r.up].reindex(self.samples)
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
