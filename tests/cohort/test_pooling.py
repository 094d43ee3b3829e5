"""Pooling over cohorts against metafor."""

from __future__ import annotations

import numpy as np
import pytest
from cohort_statistics_tools import close

from resistpath.cohort import (
    meta,
)

EFFECTS = [0.42, 1.31, -0.25, 0.88, 0.05, 0.61, 1.92]
VARIANCES = [0.21, 0.35, 0.09, 0.12, 0.40, 0.06, 0.55]


@pytest.mark.parametrize("estimator", ["dl", "reml"])
@pytest.mark.parametrize("test", ["z", "adhoc"])
def test_pooling_as_metafor(estimator, test, figures):
    got = meta.pool(EFFECTS, VARIANCES, estimator=estimator, hartung_knapp=test == "adhoc")
    pairs = {
        "beta": got.effect,
        "se": got.se,
        "ci.lb": got.low,
        "ci.ub": got.high,
        "pval": got.p,
        "tau2": got.tau2,
        "I2": got.i2,
        "QE": got.q,
        "QEp": got.q_p,
    }
    if test == "adhoc":
        pairs |= {"pi.lb": got.predict_low, "pi.ub": got.predict_high}
    for name, value in pairs.items():
        close(value, figures[f"meta_{estimator.upper()}_{test}_{name}"])


def test_leave_one_out_as_metafor(figures):
    table = meta.leave_one_out(list("abcdefg"), EFFECTS, VARIANCES, estimator="dl")
    for i, value in enumerate(table["effect"], start=1):
        close(value, figures[f"without_{i}"])


@pytest.mark.parametrize("estimator", ["dl", "reml"])
def test_equal_effects_have_no_heterogeneity(estimator):
    got = meta.pool([0.5, 0.52, 0.49], [0.2, 0.1, 0.3], estimator=estimator)
    assert got.tau2 == 0
    assert got.i2 == 0
    one = meta.pool([0.5], [0.2], estimator=estimator)
    assert (one.k, one.effect, one.se) == pytest.approx((1, 0.5, np.sqrt(0.2)))
    assert np.isnan(one.predict_low)


def test_pooling_refuses_what_it_cannot_weigh():
    with pytest.raises(ValueError, match="positive"):
        meta.pool([0.5, 0.1], [0.2, 0.0])
    with pytest.raises(ValueError, match="at least one"):
        meta.pool([], [])


def test_separated_cohort_counts_for_little():
    effects, variances = meta.logit_area(
        [1.0, 0.62, 0.58], [0.0, 0.05, 0.06], [4, 40, 45], [5, 80, 60]
    )
    assert np.isfinite(effects).all()
    share = (1 / variances) / (1 / variances).sum()
    assert share[0] < 0.05
    assert effects[0] > effects[1]
