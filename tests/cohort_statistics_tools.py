"""Figures of R's own packages that cohort statistics are held to.

They stand in ``tests/qc/cohort_figures.tsv`` (versions in its last line, the calls in its third
column), made by ``tests/qc/cohort_figures.R`` from ``cohort_figures_input.tsv``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

QC = Path(__file__).parent / "qc"
TOLERANCE = 1e-6


def close(value: float, expected: float) -> None:
    assert value == pytest.approx(expected, abs=TOLERANCE, rel=TOLERANCE)
