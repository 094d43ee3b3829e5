"""Every registered method keeps the same promises; a new one cannot arrive untested."""

from __future__ import annotations

import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from resistpath import METHODS, GeneSet, UserError, deconvolve, score
from resistpath.io.resources import deconvolution_tables

SETS = {
    "many": ["CD8A", "GZMA", "GZMB", "PRF1", "CXCL9", "IDO1", "STAT1", "HLA-DRA", "IFNG"],
    "one": ["PTEN"],
    "partly": ["CD8A", "GZMA", "not a gene"],
    "none": ["not a gene", "nor this"],
}
EVERY = [(step, name) for step, methods in METHODS.items() for name in methods]


def sets_for(method):
    """The sets in the form the method takes: pairs are each gene with the next one."""
    if METHODS["score"][method].takes != "pairs":
        return SETS
    return {n: GeneSet(n, pairs=tuple(pairwise([*g, "CD8A"]))) for n, g in SETS.items()}


def run(step, method, log2_tpm):
    if step == "score":
        return score(log2_tpm, sets_for(method), method)
    options = {}
    if method == "epic":  # has no matrix of its own
        til10 = deconvolution_tables()["til10"]
        options["signature"] = til10.iloc[:, 3:].astype(float).set_axis(list(til10["symbol"]))
    return deconvolve(np.exp2(log2_tpm.astype(float)) - 1, method, **options)


@pytest.fixture(scope="module")
def values(demo_values):
    return demo_values.iloc[:, :12]


class Results(dict):
    """What each method makes of the values, computed when first asked for."""

    def __init__(self, values):
        super().__init__()
        self.values_given = values

    def __missing__(self, key):
        self[key] = run(*key, self.values_given)
        return self[key]


@pytest.fixture(scope="module")
def results(values):
    return Results(values)


@pytest.mark.parametrize(("step", "method"), EVERY)
def test_samples_are_rows_in_the_order_given(step, method, values, results):
    assert list(results[step, method].index) == list(values.columns)
    if step == "score":
        assert list(results[step, method].columns) == list(SETS)


@pytest.mark.parametrize(("step", "method"), EVERY)
def test_values_lie_in_the_stated_range(step, method, results):
    low, high = METHODS[step][method].range
    array = results[step, method].to_numpy()
    known = array[~np.isnan(array)]
    assert known.size
    assert np.isfinite(known).all()
    assert known.min() >= low - 1e-9
    assert known.max() <= high + 1e-9


@pytest.mark.parametrize(("step", "method"), EVERY)
def test_one_sample_alone_gives_the_same_bytes(step, method, values, results):
    together = results[step, method]
    if step == "score" and METHODS[step][method].cohort_dependent:
        with pytest.raises(UserError, match="compares samples with each other"):
            run(step, method, values.iloc[:, :1])
        return
    for sample in values.columns[[0, 5]]:
        alone = run(step, method, values[[sample]])
        same = alone.equals(together.loc[[sample]])
        assert same or METHODS[step][method].cohort_dependent


@pytest.mark.parametrize(("step", "method"), EVERY)
def test_samples_and_genes_may_come_in_any_order(step, method, values, results):
    mixed = values.sample(frac=1, random_state=3).sample(frac=1, axis=1, random_state=4)
    pd.testing.assert_frame_equal(
        run(step, method, mixed).loc[values.columns],
        results[step, method],
        check_exact=True,
        check_names=False,
    )


@pytest.mark.parametrize(("step", "method"), EVERY)
def test_input_is_not_changed(step, method, values):
    before = values.copy()
    run(step, method, values)
    pd.testing.assert_frame_equal(values, before, check_exact=True)


@pytest.mark.parametrize("method", METHODS["score"])
def test_a_set_without_genes_is_missing_and_one_partly_measured_is_not(method, results):
    table = results["score", method]
    assert table["none"].isna().all()
    assert table["partly"].notna().all()


@pytest.mark.parametrize(("step", "method"), EVERY)
def test_records_are_complete(step, method):
    record = METHODS[step][method]
    assert record.name == method
    assert record.step == step
    assert record.description
    assert record.licence
    assert record.reference == "-" or re.fullmatch(r"10\.\d{4,}/\S+", record.reference)
    assert (record.kind == "fraction") == (record.range == (0.0, 1.0))


@pytest.mark.parametrize("method", METHODS["deconvolve"])
def test_fractions_with_the_rest_sum_to_one(method, results):
    if METHODS["deconvolve"][method].kind == "fraction":
        np.testing.assert_allclose(results["deconvolve", method].sum(axis=1), 1, atol=1e-9)
