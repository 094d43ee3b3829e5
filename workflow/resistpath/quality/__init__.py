"""Quality control: what a sample's own values say, what a cohort shows, and the gates.

`figures` measures each sample alone, and `sample` judges it and can fail it. `cohort` and
`confounding` compare samples; their metrics are called ``cohort_...``, only mark, and stay on the
cohort's page.
"""

from __future__ import annotations

from resistpath.quality.cohort import cohort_quality, library_kinds
from resistpath.quality.confounding import cohort_confounding
from resistpath.quality.evidence import unit_rows
from resistpath.quality.figures import SampleFigures, length_slopes
from resistpath.quality.gates import COHORT, COLUMNS, STATUSES, Gates, by_sample, failed_gates
from resistpath.quality.genelist import truncation
from resistpath.quality.sample import judge_samples, sample_quality

__all__ = [
    "COHORT",
    "COLUMNS",
    "STATUSES",
    "Gates",
    "SampleFigures",
    "by_sample",
    "cohort_confounding",
    "cohort_quality",
    "failed_gates",
    "judge_samples",
    "length_slopes",
    "library_kinds",
    "sample_quality",
    "truncation",
    "unit_rows",
]
