"""The compiled loops: ranks, blocks, threads, memory, caches."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy.stats import rankdata

from resistpath import GeneSet, UserError, score
from resistpath.score import METHODS, score_long
from resistpath.score.data import ScoreData
from resistpath.score.run import details_of

SINGLE = [name for name, m in METHODS.items() if not m.cohort_dependent]
PACKAGE = sys.modules["resistpath"].__path__[0]


def frame(values):
    return pd.DataFrame(
        values.T,
        index=[f"G{i:05d}" for i in range(values.shape[1])],
        columns=[f"S{i:03d}" for i in range(values.shape[0])],
    )


def block_of(values):
    data = ScoreData(frame(values))
    return data.block(slice(0, len(data.samples)))


FLOATS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-45, 3.4e38]),
)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_ranks_equal_those_of_scipy(kind, data):
    shape = (data.draw(st.integers(1, 3)), data.draw(st.integers(1, 40)))
    values = data.draw(arrays.arrays(np.float32, shape, elements=FLOATS)).astype(kind)
    block = block_of(values)
    assert block.values.dtype == kind
    np.testing.assert_array_equal(block.doubled_ranks, 2 * rankdata(values, axis=1))
    np.testing.assert_array_equal(block.lowest_ranks, rankdata(values, "min", axis=1))


def test_file_positions_put_the_first_of_ties_topmost():
    block = block_of(np.array([[1.0, 2.0, 1.0, 0.0, 2.0]]))
    assert block.file_positions.tolist() == [[3, 5, 2, 1, 4]]


def test_large_universes_have_wider_ranks():
    values = np.random.default_rng(0).normal(size=(2, 40_000)).astype(np.float32)
    block = block_of(values)
    assert block.doubled_ranks.dtype == np.int32
    np.testing.assert_array_equal(block.doubled_ranks, 2 * rankdata(values, axis=1))


def test_whole_numbers_are_read_as_numbers():
    counts = pd.DataFrame({"S1": [3, 0, 5, 7], "S2": [1, 2, 3, 4]}, index=list("ABCD"))
    pd.testing.assert_frame_equal(
        score(counts, {"s": ["A", "C"]}), score(counts.astype(float), {"s": ["A", "C"]})
    )


@pytest.fixture(scope="module")
def cohort():
    """500 samples x 400 genes with ties, float32, and sets of every shape."""
    rng = np.random.default_rng(11)
    values = np.maximum(rng.gamma(1.2, 2.0, (500, 400)) - 0.7, 0).round(2).astype(np.float32)
    values = frame(values)
    genes = values.index.to_numpy()
    sets = [
        GeneSet("one", (genes[7],)),
        GeneSet("two", tuple(genes[[3, 90]]), tuple(genes[[200, 17, 5]])),
        GeneSet("many", tuple(rng.choice(genes, 60, replace=False))),
        GeneSet("gone", ("nowhere",)),
    ]
    return values, sets


def in_form(method, sets):
    if METHODS[method].takes != "pairs":
        return sets
    return [GeneSet(s.name, pairs=tuple(pairwise([*s.genes, "G00001"]))) for s in sets]


def detail(values, sets, method, **how):
    data = ScoreData(values)
    bins = pd.Series(np.arange(400) % 5, index=[f"G{i:05d}" for i in range(400)])
    index = {method: data.index(in_form(method, sets))}
    found = details_of(data, index, {method: METHODS[method]}, data.background(bins), **how)
    return found[method]


FIELDS = ("score", "variance", "df", "null_z")


@pytest.mark.parametrize("method", SINGLE)
@pytest.mark.parametrize("how", [{"block_size": 1}, {"block_size": 7, "threads": 3}])
def test_blocks_and_threads_change_no_bit(method, how, cohort):
    values, sets = cohort
    once = detail(values, sets, method)
    again = detail(values, sets, method, **how)
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(once, name), getattr(again, name))


@pytest.mark.parametrize("how", [{"threads": 0}, {"block_size": -1}])
def test_no_threads_or_blocks_are_refused(cohort, how):
    values, sets = cohort
    with pytest.raises(UserError, match="must be 1 or more"):
        score(values, sets, **how)


@pytest.mark.parametrize("method", SINGLE)
def test_alone_and_among_500_are_the_same_bits(method, cohort):
    values, sets = cohort
    together = detail(values, sets, method)
    for i in (0, 250, 499):
        alone = detail(values.iloc[:, [i]], sets, method)
        for name in FIELDS:
            np.testing.assert_array_equal(getattr(together, name)[[i]], getattr(alone, name))


@pytest.mark.parametrize("method", SINGLE)
@settings(deadline=None, max_examples=10)
@given(seed=st.integers(0, 2**32 - 1))
def test_shuffling_rows_and_genes_of_sets_changes_no_bit(method, cohort, seed):
    values, sets = cohort
    values = values.iloc[:, :3]
    rng = np.random.default_rng(seed)
    mixed = [
        GeneSet(s.name, tuple(rng.permutation(s.up)), tuple(rng.permutation(s.down))) for s in sets
    ]
    if METHODS[method].takes == "pairs":
        mixed = sets
    once = detail(values, sets, method)
    again = detail(values.iloc[rng.permutation(len(values))], mixed, method)
    for name in FIELDS:
        np.testing.assert_array_equal(getattr(once, name), getattr(again, name))


@pytest.mark.parametrize("method", SINGLE)
def test_detail_and_plain_scores_are_the_same_bits(method, cohort):
    values, sets = cohort
    values = values.iloc[:, :5]
    plain = score(values, in_form(method, sets), method)
    np.testing.assert_array_equal(plain.to_numpy(), detail(values, sets, method).score)


@pytest.mark.parametrize("method", ["ssgsea", "singscore", "mean", "rank_z", "weighted"])
def test_layout_and_precision_of_the_matrix_change_nothing(method, cohort):
    values, sets = cohort
    values = values.iloc[:, :40]
    rows_first = pd.DataFrame(
        np.ascontiguousarray(values.to_numpy()), index=values.index, columns=values.columns
    )
    double = values.astype(np.float64)
    once = score(values, sets, method)
    for other in (rows_first, double):
        pd.testing.assert_frame_equal(once, score(other, sets, method), check_exact=True)


def test_float32_is_not_copied():
    values = frame(np.zeros((40, 300), dtype=np.float32))
    data = ScoreData(values)
    block = data.block(slice(0, 32))
    assert np.shares_memory(block.values, values.to_numpy())


def test_a_matrix_on_disk_is_read_block_by_block(tmp_path, cohort):
    values, sets = cohort
    on_disk = np.memmap(tmp_path / "x", np.float32, "w+", shape=values.T.shape)
    on_disk[:] = values.T
    data = ScoreData.from_rows(on_disk, values.index, values.columns)
    assert np.shares_memory(data.block(slice(3, 9)).values, on_disk)
    once, again = (score_long(d, {"ssgsea": sets}) for d in (data, ScoreData(values)))
    pd.testing.assert_frame_equal(once, again, check_exact=True)


def test_sets_and_samples_come_in_the_order_given(cohort):
    values, sets = cohort
    table = score_long(ScoreData(values.iloc[:, :3]), {"mean": sets, "rank_z": sets[:2]})
    keys = table[["method", "readout", "sample"]].itertuples(index=False, name=None)
    samples = list(values.columns[:3])
    assert list(keys) == [
        (m, s.name, x)
        for m, some in (("mean", sets), ("rank_z", sets[:2]))
        for s in some
        for x in samples
    ]


CODE = """
import numpy as np, pandas as pd
from resistpath.score import score
from resistpath.score.kernels import compiled
from resistpath.score.ranking import rank_float32
score(pd.DataFrame({"S": np.arange(9, dtype=np.float32)}, index=list("ABCDEFGHI")), {"s": ["A"]})
stats = compiled(rank_float32).stats
print(sum(stats.cache_hits.values()), sum(stats.cache_misses.values()), stats.cache_path)
"""


def test_a_fresh_process_finds_the_machine_code_of_a_read_only_package(tmp_path):
    site = tmp_path / "site"
    shutil.copytree(
        PACKAGE, site / "resistpath", ignore=shutil.ignore_patterns("__pycache__", "*.nb?")
    )
    # A file where the folder of the cache would be: unlike a mode, it also stops a superuser.
    (site / "resistpath" / "score" / "__pycache__").write_text("")
    env = {k: v for k, v in os.environ.items() if k != "NUMBA_CACHE_DIR"}
    env |= {"PYTHONPATH": str(site), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    env |= {"HOME": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    said = []
    for _ in range(2):
        done = subprocess.run(  # noqa: S603
            [sys.executable, "-c", CODE], capture_output=True, text=True, check=False, env=env
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout.split())
    assert said[0][:2] == ["0", "1"]
    assert said[1][:2] == ["1", "0"]
    assert said[1][2].startswith(str(tmp_path / "cache"))
