"""A frozen set of tumours of one disease, and where a sample stands in it.

`pack` is the reference itself, `place` where a value stands among its values, `fit` whether a
sample is like its tumours at all.
"""

from __future__ import annotations

from resistpath.reference.fit import fit_to_reference
from resistpath.reference.pack import (
    MINIMUM_SAMPLES,
    Reference,
    Statistics,
    build_reference,
    members,
    select_samples,
    shared_universe,
)
from resistpath.reference.place import (
    jeffreys_interval,
    midrank_counts,
    midrank_percentile,
    normal_scores,
)

__all__ = [
    "MINIMUM_SAMPLES",
    "Reference",
    "Statistics",
    "build_reference",
    "fit_to_reference",
    "jeffreys_interval",
    "members",
    "midrank_counts",
    "midrank_percentile",
    "normal_scores",
    "select_samples",
    "shared_universe",
]
