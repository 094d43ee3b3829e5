"""Embedding and curves that the cohort page draws."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from resistpath.cohort import roc
from resistpath.cohort.embedding import embed
from resistpath.io.tables import read_table


def test_shares_are_clopper_pearsons():
    """Expected: scipy 1.17 binomtest(k, n).proportion_ci at level sqrt(0.95), 1e-9."""
    from scipy.stats import binomtest

    for n in (1, 2, 10, 33):
        ours = roc.shares(n, 0.95)
        for k in range(n + 1):
            theirs = binomtest(k, n).proportion_ci(np.sqrt(0.95), method="exact")
            assert ours[k] == pytest.approx([theirs.low, theirs.high], abs=1e-9)


def test_the_area_of_a_curve_is_that_of_scikit_learn():
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(3)
    for _ in range(20):
        values = rng.integers(0, 6, 25).astype(float)
        positive = rng.random(25) < 0.4
        positive[:2] = True, False
        curve = roc.steps(values, positive)
        assert roc.area(curve) == pytest.approx(roc_auc_score(positive, values), abs=1e-12)


@pytest.mark.parametrize("order", ["reversed", "shuffled"])
def test_the_embedding_does_not_depend_on_the_order_of_samples(demo_values, order):
    values = demo_values.iloc[:, :20]
    names = list(values.columns)[::-1]
    if order == "shuffled":
        names = list(np.random.default_rng(1).permutation(names))
    one, facts = embed(values)
    two, again = embed(values[names])
    assert facts == again
    pd.testing.assert_frame_equal(
        one.set_index("sample"), two.set_index("sample").loc[one["sample"]], check_exact=True
    )
    assert list(two["sample"]) == names
    assert 0 < facts["pc2"] < facts["pc1"] < 1


def test_the_embedding_has_the_variance_of_its_components(demo_values):
    """Against a singular value decomposition by numpy of the same genes."""
    table, facts = embed(demo_values)
    assert facts["genes"] == 2000
    spread = table[["pc1", "pc2"]].var(ddof=1)
    assert spread["pc1"] / spread["pc2"] == pytest.approx(facts["pc1"] / facts["pc2"], rel=1e-4)
    assert table[["pc1", "pc2"]].mean().abs().max() < 1e-3


def test_below_ten_samples_nothing_is_embedded(finished, tmp_path, demo_values):
    from resistpath.steps.embed import write_embedding

    with pytest.raises(ValueError, match="at least 10"):
        embed(demo_values.iloc[:, :9])
    shutil.copy(finished / "quality.tsv", tmp_path)
    shutil.copy(finished / "prepared.h5ad", tmp_path)
    write_embedding(tmp_path, wanted=False)
    assert not len(read_table(tmp_path / "comparison" / "embedding.tsv"))
    facts = json.loads((tmp_path / "comparison" / "embedding.json").read_text())
    assert facts == {"absent": "switched off (report.embedding)"}
