"""Verdicts: words, directions, universes and the single-sample promise, on the demo cohort."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from resistpath.api import linear_tpm
from resistpath.deconvolve import deconvolve_long
from resistpath.io.resources import catalogue, deconvolution_tables
from resistpath.mechanisms.evidence import assess, combine, shared_genes
from resistpath.mechanisms.measure import CellTables, Measured, Universe, reference_scores
from resistpath.mechanisms.position import ReadoutValues, nowhere, raw_position
from resistpath.mechanisms.verdict import Thresholds, reading, verdict
from resistpath.reference import build_reference
from resistpath.steps.deconvolve import wide_cells

T = Thresholds()


@pytest.fixture(scope="module")
def cells(demo_values):
    tpm = linear_tpm(demo_values)
    return wide_cells(deconvolve_long(tpm, "quantiseq", deconvolution_tables(), symbols="current"))


@pytest.fixture(scope="module")
def reference(demo_values, demo_obs, cells):
    return build_reference("demo", "endometrial", demo_values, cells.values, demo_obs, {})


@pytest.fixture(scope="module")
def assessed(demo_values, demo_obs, cells, reference):
    return assess(demo_values, cells, demo_obs, {}, reference, catalogue(), T)


def part(cells: CellTables, samples) -> CellTables:
    return CellTables(*(t.loc[samples] for t in (cells.values, cells.half, cells.below_limit)))


@pytest.mark.parametrize(
    ("low", "high", "word"),
    [
        (75, 99, "high"),
        (74.9, 99, "inconclusive"),
        (1, 25, "low"),
        (1, 25.1, "inconclusive"),
        (25, 75, "typical"),
        (20, 70, "typical"),
        (20, 70.1, "inconclusive"),
        (51, 76, "inconclusive"),
        (np.nan, np.nan, "not assessable"),
    ],
)
def test_verdicts_at_their_borders(low, high, word):
    assert verdict(low, high, T) == word


def test_readings_follow_direction_and_time_point():
    book = catalogue()
    mhc, chronic, exhaustion, treg = (
        book.mechanism(m)
        for m in (
            "mhc1_antigen_presentation",
            "chronic_type1_ifn",
            "t_exhaustion_dysfunction",
            "treg",
        )
    )
    assert reading(mhc, "low", "pre") == "consistent with resistance"
    assert reading(mhc, "high", "pre") == "not seen"
    assert reading(treg, "high", None) == "consistent with resistance"
    assert reading(treg, "inconclusive", None) == "cannot say"
    assert reading(treg, "not assessable", None) == "cannot say"
    assert reading(chronic, "high", "progression") == "consistent with resistance"
    assert reading(chronic, "high", "pre") == "context only"
    assert reading(chronic, "high", None) == "context only"
    for word in ("high", "low", "typical"):
        assert reading(exhaustion, word, "progression") == "context only"


def test_a_sample_is_assessed_the_same_in_any_company(
    demo_values, demo_obs, cells, reference, assessed
):
    together = [t.set_index("sample") for t in assessed]
    groups = [[s] for s in demo_values.columns[:3]] + [list(demo_values.columns[40:30:-1])]
    for samples in groups:
        alone = assess(
            demo_values[samples],
            part(cells, samples),
            demo_obs.loc[samples],
            {},
            reference,
            catalogue(),
            T,
        )
        for whole, few in zip(together, alone, strict=True):
            pd.testing.assert_frame_equal(
                whole.loc[samples], few.set_index("sample"), check_exact=True
            )


def test_a_member_of_the_reference_is_placed_among_the_others(
    demo_values, demo_obs, cells, reference, assessed
):
    """As if the reference had been built without it; its name alone does not make it a member."""
    member = demo_values.columns[7]
    rest = [s for s in reference.values.columns if s != member]
    without = replace(
        reference, values=reference.values[rest], fractions=reference.fractions.loc[rest]
    )
    one = part(cells, [member])
    alone = assess(demo_values[[member]], one, demo_obs.loc[[member]], {}, without, catalogue(), T)
    _, readouts = (t[t["sample"] == member].reset_index(drop=True) for t in assessed)
    for column in ("percentile", "residual_percentile"):
        np.testing.assert_allclose(readouts[column], alone[1][column], rtol=1e-12, atol=0)
    nudged = demo_values[[member]] + np.float32(0.001)
    stranger = assess(nudged, one, demo_obs.loc[[member]], {}, reference, catalogue(), T)[1]
    gene = stranger["method"] == "gene"
    n = reference.n
    # Nudged by less than the distance to its neighbours it has itself, just below, in the count.
    expected = 100 * ((readouts["percentile"] / 100) * (n - 1) + 1) / n
    np.testing.assert_allclose(stranger["percentile"][gene], expected[gene], rtol=1e-9)


@pytest.mark.parametrize("shorter", ["sample", "reference"])
def test_percentiles_are_read_on_the_shared_universe(
    demo_values, demo_obs, cells, reference, shorter
):
    """Where one side has fewer genes, both are scored on the genes they share.

    Dropping genes at random must hardly move a percentile. Scored on the wrong universe, each
    on all of its own genes, ranks shift and percentiles run off.
    """
    samples = list(demo_values.columns[:8])
    kept = demo_values.index[np.random.default_rng(1).random(len(demo_values)) < 0.6]
    own, ref = demo_values[samples], reference
    if shorter == "sample":
        own = own.loc[kept]
    else:
        ref = replace(ref, values=ref.values.loc[kept])
    book, keep, few = catalogue(), replace(T, min_coverage=0.2), part(cells, samples)
    full, _ = assess(demo_values[samples], few, demo_obs, {}, reference, book, keep)
    less, _ = assess(own, few, demo_obs, {}, ref, book, keep)
    both = full.merge(less, on=["sample", "mechanism"], suffixes=("", "_less"))
    assert (both["percentile"] - both["percentile_less"]).abs().median() < 6
    universe = Universe(own, few, ref, book, keep)
    scores = reference_scores(own, ref, book)
    for readout in (r for r in book.readouts if r.method == "ssgsea"):
        # The samples are among the reference's: on one universe both sides score the same.
        np.testing.assert_allclose(
            universe.measure(readout).scores, scores.loc[samples, readout.readout], rtol=1e-9
        )


def test_swapping_a_column_is_noticed(demo_values, demo_obs, cells, reference):
    pair, rest = list(demo_values.columns[:2]), demo_values.columns[2:]
    a, b = pair
    others = replace(
        reference, values=reference.values[rest], fractions=reference.fractions.loc[rest]
    )
    few = part(cells, pair)

    def percentiles(values):
        rows, _ = assess(values, few, demo_obs.loc[pair], {}, others, catalogue(), T)
        return rows.set_index(["sample", "mechanism"])["percentile"]

    right = percentiles(demo_values[pair])
    wrong = percentiles(demo_values[pair].rename(columns={a: b, b: a}))
    genes_only = [m for m in right.loc[a].index if m != "treg"]
    np.testing.assert_array_equal(wrong.loc[b].loc[genes_only], right.loc[a].loc[genes_only])
    assert (wrong.loc[a] != right.loc[a]).sum() > 10


def test_a_failed_sample_is_not_assessable(demo_values, demo_obs, cells, reference):
    bad = demo_values.columns[0]
    mechanisms, _ = assess(
        demo_values.iloc[:, :2], cells, demo_obs, {bad: "too few reads"}, reference, catalogue(), T
    )
    rows = mechanisms[mechanisms["sample"] == bad]
    assert set(rows["verdict"]) == set(rows["residual_verdict"]) == {"not assessable"}
    assert rows[["percentile", "low", "high", "residual_percentile"]].isna().all().all()
    assert set(rows["reason"]) == {"sample fails quality: too few reads"}
    assert "consistent with resistance" not in set(rows["reading"])


def test_a_small_reference_gives_no_verdict(demo_values, demo_obs, cells):
    few = list(demo_values.columns[:12])
    small = build_reference(
        "few", "x", demo_values[few], cells.values.loc[few], demo_obs.loc[few], {}
    )
    mechanisms, readouts = assess(demo_values, cells, demo_obs, {}, small, catalogue(), T)
    assert set(mechanisms["verdict"]) == {"not assessable"}
    assert set(mechanisms["reason"]) == {"the reference has 12 samples, at least 20 needed"}
    assert not readouts["assessable"].any()


def test_a_poor_fit_makes_every_verdict_inconclusive(demo_values, demo_obs, cells, reference):
    name = demo_values.columns[0]
    rng = np.random.default_rng(0)
    shuffled = demo_values[[name]].copy()
    shuffled[name] = rng.permutation(shuffled[name].to_numpy())
    mechanisms, _ = assess(shuffled, cells, demo_obs, {}, reference, catalogue(), T)
    bound = mechanisms["mechanism"].isin(
        [m.mechanism for m in catalogue().mechanisms if m.diseases]
    )
    mechanisms = mechanisms[~bound]
    assert set(mechanisms["verdict"]) == {"inconclusive"}
    assert mechanisms["reason"].str.contains("fits the reference poorly").all()


def test_missing_genes_are_not_assessable_rather_than_zero(demo_values, demo_obs, cells, reference):
    book = catalogue()
    gone = {g for r in book.readouts_of("hypoxia") for g in (*r.genes_up, *r.genes_down)}
    less = demo_values.drop(index=[g for g in gone if g in demo_values.index])
    mechanisms, readouts = assess(less, cells, demo_obs, {}, reference, book, T)
    rows = mechanisms[mechanisms["mechanism"] == "hypoxia"]
    assert set(rows["verdict"]) == {"not assessable"}
    assert rows["reason"].str.startswith("0 of 2 readouts could be had: 0% of its genes").all()
    assert (readouts[readouts["mechanism"] == "hypoxia"]["coverage"] == 0).all()


def test_values_below_the_limit_of_detection_are_not_read(assessed, cells):
    _, readouts = assessed
    rows = readouts[readouts["method"] == "fraction"].set_index("sample")
    below = cells.below_limit["quantiseq:treg"]
    assert below.any()
    assert not rows.loc[below[below].index, "assessable"].any()
    assert set(rows.loc[below[below].index, "reason"]) == {"below the method's limit of detection"}


def test_mechanisms_of_other_diseases_are_not_read(
    demo_values, demo_obs, cells, reference, assessed
):
    bound = {m.mechanism for m in catalogue().mechanisms if m.diseases}
    mechanisms, readouts = assessed
    rows = mechanisms[mechanisms["mechanism"].isin(bound)]
    assert set(rows["verdict"]) == set(rows["residual_verdict"]) == {"not assessable"}
    assert set(rows["reading"]) == {"cannot say"}
    assert rows[["percentile", "low", "high", "residual_percentile"]].isna().all(axis=None)
    assert "read in melanoma only; this sample is endometrial carcinoma" in set(rows["reason"])
    assert readouts[readouts["readout"] == "AXL_MITF_TIROSH"]["percentile"].notna().all()
    # What the sheet says of a sample counts before the disease of the reference.
    some = list(demo_values.columns[:3])
    disease = pd.Series([None, "SKCM", "NSCLC"], index=some)
    values, few = demo_values[some], part(cells, some)
    obs = demo_obs.loc[some].assign(cancer_type=disease)
    melanoma, _ = assess(
        values, few, obs, {}, replace(reference, cancer_type="melanoma"), catalogue(), T
    )
    verdicts = melanoma.set_index(["mechanism", "sample"])["percentile"]
    assert verdicts["dedifferentiation_plasticity"].notna().tolist() == [True, True, False]
    assert verdicts["nrf2_keap1"].notna().tolist() == [False, False, True]
    assert verdicts["stk11_lkb1_loss"].isna().all()


def test_mechanism_percentiles_are_spread_evenly_over_the_reference(assessed):
    bound = {m.mechanism for m in catalogue().mechanisms if m.diseases}
    mechanisms, _ = assessed
    mechanisms = mechanisms[~mechanisms["mechanism"].isin(bound)]
    for _, rows in mechanisms.groupby("mechanism"):
        quartiles = np.percentile(rows["percentile"], [25, 50, 75])
        np.testing.assert_allclose(quartiles, [25, 50, 75], atol=9)


def test_intervals_hold_their_percentile(assessed):
    for table, names in zip(
        assessed,
        (("percentile", "low", "high"), ("percentile", "percentile_low", "percentile_high")),
        strict=True,
    ):
        p, low, high = (table[n].dropna() for n in names)
        assert ((low <= p) & (p <= high)).all()
        assert low.min() >= 0
        assert high.max() <= 100


def test_the_inflammation_axis_has_no_residual(assessed):
    mechanisms, _ = assessed
    rows = mechanisms[mechanisms["mechanism"] == "ifng_signalling"]
    assert rows["residual_percentile"].isna().all()
    assert rows["percentile"].notna().all()


def placed(scores, half, ref):
    return raw_position(ReadoutValues(scores, half=half), ReadoutValues(ref), 0.9)


def made_up(z, sign=1, weight=1.0, reference_z=None, name="r"):
    """A readout whose samples stand at the given normal scores."""
    book = catalogue()
    entry = replace(book.readouts[0], readout=name, sign=sign, weight=weight)
    n = 200
    ref = np.linspace(-2.5, 2.5, n)
    position = placed(np.asarray(z, dtype=float), np.zeros(len(z)), ref)
    empty = nowhere(len(z), n)
    return Measured(
        entry,
        np.asarray(z),
        1.0,
        5,
        position,
        empty,
        {"raw": ref if reference_z is None else reference_z},
        [""] * len(z),
    )


def test_composite_of_equal_readouts_is_the_readout():
    one, two = made_up([0.3, 1.5]), made_up([0.3, 1.5], name="s")
    use = np.ones((2, 2), dtype=bool)
    alone = combine([one], "raw", use[:1])
    both = combine([one, two], "raw", use)
    np.testing.assert_allclose(alone.percentile, both.percentile, rtol=1e-9)
    np.testing.assert_allclose(alone.low, both.low, rtol=1e-9)


def test_independent_agreement_is_more_extreme_and_sharper():
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=(2, 200))
    one = made_up([1.5], reference_z=first)
    two = made_up([1.5], reference_z=second, name="s")
    alone = combine([one], "raw", np.ones((1, 1), dtype=bool))
    both = combine([one, two], "raw", np.ones((2, 1), dtype=bool))
    assert both.percentile[0] > alone.percentile[0]


def test_errors_of_sets_go_together_as_far_as_they_share_genes():
    entry = catalogue().readout("HALLMARK_HYPOXIA")

    def readout(up, down=(), sign=1):
        return replace(entry, genes_up=tuple(up), genes_down=tuple(down), sign=sign)

    share = shared_genes([readout("ABCD"), readout("CDEFGHIJK"), readout("XYZ"), readout("")])
    np.testing.assert_allclose(share[0], [1, 2 / np.sqrt(4 * 9), 0, 0])
    np.testing.assert_allclose(share, share.T)
    turned = shared_genes([readout("ABCD"), readout("CDEFGHIJK", sign=-1), readout("XY", "AB")])
    assert turned[0, 1] == pytest.approx(-share[0, 1])
    assert turned[0, 2] == pytest.approx(-2 * 0.25 * 0.5 / (0.5 * 1.0))


def test_the_gene_part_of_disjoint_sets_averages_out_and_that_of_equal_sets_does_not():
    """Two readouts that rank alike, with 0.4 of gene sampling each."""
    half, ref = np.array([0.4]), np.linspace(-2.5, 2.5, 2001)
    width = {}
    for name, genes in (("disjoint", "EFGH"), ("equal", "ABCD")):
        members = []
        for own in ("ABCD", genes):
            m = made_up([0.0], reference_z=ref)
            entry = replace(m.readout, genes_up=tuple(own), genes_down=(), sign=1)
            members.append(replace(m, readout=entry, raw=placed(np.zeros(1), half, ref)))
        joined = combine(members, "raw", np.ones((2, 1), dtype=bool))
        width[name] = joined.high[0] - joined.low[0]
    alone = combine(members[:1], "raw", np.ones((1, 1), dtype=bool))
    assert width["equal"] == pytest.approx(alone.high[0] - alone.low[0], rel=1e-9)
    assert 0.68 < width["disjoint"] / width["equal"] < 0.78


def test_a_flipped_sign_flips_the_composite():
    up = combine([made_up([1.2])], "raw", np.ones((1, 1), dtype=bool))
    down = combine([made_up([1.2], sign=-1)], "raw", np.ones((1, 1), dtype=bool))
    assert up.percentile[0] == pytest.approx(100 - down.percentile[0], abs=1e-9)


def test_opposed_readouts_disagree_and_stay_in_the_middle():
    members = [made_up([2.0]), made_up([-2.0], name="s")]
    joined = combine(members, "raw", np.ones((2, 1), dtype=bool))
    assert joined.percentile[0] == pytest.approx(50, abs=1)
    assert joined.concordance[0] <= 0.5
