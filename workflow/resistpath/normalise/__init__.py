"""From reads or abundances to comparable numbers.

`to_tpm`, `to_cpm`, `to_rpkm` and `log2_plus_one` treat each sample alone. What needs a set of
samples (TMM, upper quartile, size factors, quantiles) is fitted on a reference by `fit_*`, which
returns a small record; the record's `factors` and `apply` then treat any sample alone.
`remove_batch` depends on the whole cohort and serves comparisons within it only.
"""

from __future__ import annotations

from resistpath.normalise.batch import remove_batch
from resistpath.normalise.fitted import (
    QuantileReference,
    SizeFactorReference,
    TmmReference,
    UpperQuartileReference,
    fit_quantiles,
    fit_size_factors,
    fit_tmm,
    fit_upper_quartile,
    getmm,
    log_cpm,
    tmm_factors,
)
from resistpath.normalise.single import log2_plus_one, normalise, to_cpm, to_rpkm, to_tpm

__all__ = [
    "QuantileReference",
    "SizeFactorReference",
    "TmmReference",
    "UpperQuartileReference",
    "fit_quantiles",
    "fit_size_factors",
    "fit_tmm",
    "fit_upper_quartile",
    "getmm",
    "log2_plus_one",
    "log_cpm",
    "normalise",
    "remove_batch",
    "tmm_factors",
    "to_cpm",
    "to_rpkm",
    "to_tpm",
]
