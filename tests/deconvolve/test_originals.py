"""Deconvolution: parity with the originals, exactness, N-of-1, and what is said of the values.

Outputs of the original programs and the inputs they were given lie in ``../shared/oracle``, outside
the repository; tests that need them are skipped without them.
"""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from deconvolve_tools import (
    CONTENT,
    SHARED,
    TABLES,
    TYPES,
    cohort,
    mixtures,
    oracle,
    package,
    run,
)

from resistpath.deconvolve import quantiseq, robust_fit, rows
from resistpath.deconvolve.result import Result

LSEI_OPTIONS = [
    {"tumour": tumour, "scale_mrna": scale, "remove_genes": remove}
    for tumour in (True, False)
    for scale in (True, False)
    for remove in ("default", "none")
]


# --- the originals ------------------------------------------------------------------------------


def quantiseqr_cases() -> list[tuple[str, str, dict[str, object]]]:
    cases: list[tuple[str, str, dict[str, object]]] = []
    for tumour, mrna in itertools.product((True, False), repeat=2):
        options = {"tumour": tumour, "scale_mrna": mrna}
        stem = f"quantiseqr1.11.0__tumor{str(tumour).upper()}_mRNA{str(mrna).upper()}"
        cases += [(data, f"{stem}_arraysFALSE.tsv", options) for data in ("hugo", "racle")]
        for remove in ("default", "none"):
            name = f"{stem}_rm{remove}.tsv"
            cases.append(("quantiseq_test", name, {**options, "remove_genes": remove}))
    for data in ("hugo", "racle"):
        stem = "quantiseqr1.11.0__tumorTRUE_mRNATRUE"
        cases.append((data, f"{stem}_rmnone.tsv", {"remove_genes": "none"}))
        for kind in ("huber", "hampel", "bisquare"):
            cases.append((data, f"{stem}_{kind}.tsv", {"robust": kind}))
        # The authors' program with its gene mapping switched off.
        docker = "quanTIseqDocker039eb16__tumorTRUE_mRNATRUE_nomapping.tsv"
        cases.append((data, docker, {"symbols": "published"}))
    cases.append(("quantiseq_test", "docker_shipped__cell_fractions.tsv", {"tumour": False}))
    return cases


@pytest.mark.parametrize(("data", "name", "options"), quantiseqr_cases())
def test_quantiseq_equals_the_original(data: str, name: str, options: dict[str, object]) -> None:
    """Robust fits agree to 1e-13; constrained ones to 5e-8.

    The rest is the original's: limSolve stops at a tolerance of 1.5e-8. Its solutions leave
    gradients of 1e-8 of A'b, ours 1e-16 (see `test_solution_is_exact`).
    """
    expected = oracle(f"{data}/{name}")
    values = package.deconvolve(oracle(f"{data}/input.tsv.gz"), "quantiseq", TABLES, **options)
    assert list(values.columns) == list(expected.columns)
    assert list(values.index) == list(expected.index)
    difference = np.abs(values.to_numpy() - expected.to_numpy()).max()
    assert difference < (1e-12 if "robust" in options else 1e-7)


# quantiseqr 1.11.0 (595ad14), R 4.2.2: run_quantiseq(x, "TIL10", is_arraydata = TRUE,
# is_tumordata = FALSE, scale_mRNA = TRUE, method = ...) on the nine samples of Finotello's
# GSE107572 (19,423 genes): the row of pbmc_4, in the order of TYPES and "Other".
ARRAYS = {
    "lsei": """0.047004306 0 0 0.133072922 0 0.077837719 0.103737241 0.303637551 0.021097110
        0.063598954 0.250014196""",
    "huber": """0.079409498 0 0.002827961 0.154783764 0.005057795 0.132267225 0.241012976
        0.300215621 0.006468354 0.077956807""",
    "hampel": """0.083218054 0 0.002674232 0.190784733 0.011444688 0.138819162 0.230288920
        0.295286158 0.004361858 0.043122195""",
    "bisquare": """0.079592128 0 0.001919397 0.192806766 0.012559607 0.139085614 0.244427060
        0.288400837 0.009902132 0.031306460""",
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_equal_the_original(kind: str) -> None:
    path = SHARED / "data" / "finotello_gse107572_pbmc" / "matrix.tsv.gz"
    if not path.exists():
        pytest.skip("no ../shared/data/finotello_gse107572_pbmc")
    matrix = pd.read_csv(path, sep="\t", index_col=0)
    options = {"array": True, "tumour": False, "robust": kind}
    values = package.deconvolve(matrix, "quantiseq", TABLES, **options).loc["pbmc_4"]
    expected = np.array(ARRAYS[kind].split(), dtype=float)
    np.testing.assert_allclose(values, expected, rtol=0, atol=2e-7)


def test_current_symbols_find_renamed_genes() -> None:
    """Hugo's matrix carries four TIL10 genes under newer names, so fractions move a little."""
    matrix = oracle("hugo/input.tsv.gz")
    published = package.run(matrix, "quantiseq", TABLES, symbols="published")
    current = package.run(matrix, "quantiseq", TABLES, symbols="current")
    genes = current.genes.set_index("gene")
    renamed = genes[genes["used"] & (genes["row"] != genes.index)]["row"].to_dict()
    assert renamed == {
        "AKAP2": "PALM2AKAP2",
        "FAM160B1": "FHIP2A",
        "FAM46C": "TENT5C",
        "GUCY1A3": "GUCY1A1",
    }
    assert genes.index[genes["fate"] == "missing"].to_list() == ["AATBC"]
    assert (current.fit["n_genes"] - published.fit["n_genes"] == 4).all()
    moved = np.abs(current.estimate.to_numpy() - published.estimate.to_numpy()).max()
    assert 0.001 < moved < 0.02


@pytest.mark.parametrize("data", ["hugo", "racle"])
@pytest.mark.parametrize("scale", ["log2", "linear"])
def test_mcpcounter_equals_the_original(data: str, scale: str) -> None:
    """Equal with the list as printed; repaired, only the endothelial score moves (by CAVIN2)."""
    expected = oracle(f"{data}/MCPcounter1.2.0__{scale}.tsv").T
    matrix = oracle(f"{data}/input.tsv.gz")
    log = scale == "log2"
    printed = package.deconvolve(matrix, "mcpcounter", TABLES, log=log, symbols="published")
    np.testing.assert_allclose(printed[expected.columns], expected, rtol=1e-13, atol=1e-13)
    repaired = package.deconvolve(matrix, "mcpcounter", TABLES, log=log)
    rest = [c for c in expected.columns if c != "Endothelial cells"]
    np.testing.assert_allclose(repaired[rest], expected[rest], rtol=1e-13, atol=1e-13)
    cavin2 = matrix.loc["CAVIN2"]
    n = (
        package.run(matrix, "mcpcounter", TABLES)
        .genes["used"]
        .to_numpy()[(TABLES["mcpcounter"]["population"] == "Endothelial cells").to_numpy()]
        .sum()
    )
    by_hand = (
        expected["Endothelial cells"] * (n - 1) + (np.log2(cavin2 + 1) if log else cavin2)
    ) / n
    np.testing.assert_allclose(repaired["Endothelial cells"], by_hand, rtol=1e-12)


def test_racle_flow_cytometry() -> None:
    """Pearson 0.855 and error 0.114 over B, NK, CD4 (Tregs included) and CD8 T cells."""
    truth = oracle("racle/truth_facs.tsv").reset_index()
    truth = truth.pivot_table(index="sample", columns="cell_type", values="true_fraction")
    result = package.run(oracle("racle/input.tsv.gz"), "quantiseq", TABLES)
    estimate = pd.DataFrame(
        {
            "B cell": result.estimate["B.cells"],
            "NK cell": result.estimate["NK.cells"],
            "T cell CD4+": result.combined["t_cd4"],
            "T cell CD8+": result.estimate["T.cells.CD8"],
        }
    ).loc[truth.index, truth.columns]
    x, y = estimate.to_numpy().ravel(), truth.to_numpy().ravel()
    assert np.corrcoef(x, y)[0, 1] == pytest.approx(0.855, abs=0.01)
    assert np.sqrt(np.mean((x - y) ** 2)) == pytest.approx(0.114, abs=0.005)


def test_quantile_normalisation_equals_preprocesscore() -> None:
    """Equal but in 0.1 % of cells: rounding of log2 makes or breaks ties differently in R."""
    counts = oracle("riaz_normalisation/input.tsv.gz")
    expected = oracle(
        "riaz_normalisation/preprocessCore__normalize.quantiles_log2tpm1.every20th_gene.tsv.gz"
    )
    length = oracle("riaz_normalisation/gene_info.tsv")["length"].to_numpy()
    rate = counts.to_numpy() / length[:, None]
    values = rows.quantile_normalise(np.log2(rate / rate.sum(axis=0) * 1e6 + 1))
    difference = np.abs(values[::20] - expected.to_numpy())
    assert (difference > 1e-9).mean() < 0.002
    assert difference.max() < 0.002


# --- known mixtures -----------------------------------------------------------------------------


@pytest.mark.parametrize("options", LSEI_OPTIONS)
def test_known_mixtures_are_recovered(fractions: np.ndarray, options: dict[str, object]) -> None:
    values = run(mixtures(fractions), **options).estimate
    expected = np.column_stack([fractions, 1 - fractions.sum(axis=1)])
    if not options["scale_mrna"]:
        shares = fractions * CONTENT / (fractions @ CONTENT)[:, None]
        expected[:, :10] = shares * fractions.sum(axis=1, keepdims=True)
        if (expected[:, TYPES.index("Tregs")] < 0.02).any():
            few = expected[:, TYPES.index("Tregs")] < 0.02
            values, expected = values[~few], expected[~few]
    np.testing.assert_allclose(values, expected, atol=1e-11)


@pytest.mark.parametrize("kind", sorted(robust_fit.WEIGHTS))
def test_robust_fits_forgive_wild_genes(fractions: np.ndarray, kind: str) -> None:
    clean = mixtures(fractions, noise=0.01)
    wild = clean.copy()
    wild.iloc[[30, 60, 90]] *= 30
    expected = fractions / fractions.sum(axis=1, keepdims=True)
    off = {
        name: np.abs(run(wild, robust=name).estimate[TYPES].to_numpy() - expected).max()
        for name in (kind, "lsei")
    }
    assert np.abs(run(clean, robust=kind).estimate.to_numpy() - expected).max() < 0.03
    assert off[kind] < 0.05 < off["lsei"]


def test_few_tregs_rule_by_hand() -> None:
    """r = 0.01, r' = 0.05: Tregs 0.03, CD4 less (0.05 + 0.03) / 2 = 0.04, at least 0."""
    # columns: CD4, Tregs
    values = np.array([[0.10, 0.01], [0.03, 0.01], [0.10, 0.02], [0.0, 0.0]])
    without_cd4 = np.array([0.05, 0.05, 0.05, 0.0])
    quantiseq._few_tregs(values, without_cd4, 0, 1)
    np.testing.assert_allclose(values, [[0.06, 0.03], [0.0, 0.03], [0.10, 0.02], [0.0, 0.0]])


def test_sample_without_immune_cells_is_other() -> None:
    frame = mixtures(np.outer([0.0, 0.05], np.ones(10)))
    values = run(frame).estimate
    assert values.loc["s0"].to_dict() == {**dict.fromkeys(TYPES, 0.0), "Other": 1.0}
    high = run(frame).high.loc["s0", TYPES]
    assert (high == 0).all()  # not a trace of any signature gene


@pytest.mark.parametrize("options", [*LSEI_OPTIONS, *({"robust": k} for k in robust_fit.WEIGHTS)])
def test_fractions_are_fractions(tpm: pd.DataFrame, options: dict[str, object]) -> None:
    result = run(tpm, **options)
    values = result.estimate.to_numpy()
    assert values.min() >= 0
    assert values.max() <= 1
    np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-14)
    everything = pd.concat([result.estimate, result.combined], axis=1)
    assert (result.low <= everything + 1e-15).all(axis=None)
    assert (result.high >= everything - 1e-15).all(axis=None)
    assert result.low.min(axis=None) >= 0
    assert result.high.max(axis=None) <= 1


# --- N-of-1 -------------------------------------------------------------------------------------

EVERY_WAY = [
    ("quantiseq", {}),
    ("quantiseq", {"scale_mrna": False, "tumour": False, "remove_genes": "none"}),
    ("quantiseq", {"symbols": "current"}),
    ("quantiseq", {"symbols": "quantiseqr"}),
    *(("quantiseq", {"robust": kind}) for kind in robust_fit.WEIGHTS),
    ("mcpcounter", {}),
    ("mcpcounter", {"log": False}),
]


def parts(result: Result) -> dict[str, pd.DataFrame]:
    return {name: getattr(result, name) for name in ("estimate", "combined", "low", "high", "fit")}


@pytest.mark.parametrize(("method", "options"), EVERY_WAY)
def test_a_sample_does_not_depend_on_the_others(
    tpm: pd.DataFrame, method: str, options: dict[str, object]
) -> None:
    matrix = cohort(tpm)
    together = parts(run(matrix, method, **options))
    shuffled = list(np.random.default_rng(0).permutation(matrix.columns))
    ways = [["s0"], ["s7"], shuffled, shuffled[:5], shuffled[5:]]
    for names, layout in zip(ways, "CFCFC", strict=True):
        values = np.array(matrix[names].to_numpy(), order=layout)
        frame = pd.DataFrame(values, matrix.index, names)
        for part, some in parts(run(frame, method, **options)).items():
            assert list(some.index) == names
            expected = together[part].loc[names]
            pd.testing.assert_frame_equal(some, expected, check_exact=True, check_names=False)


@pytest.mark.parametrize(("method", "options"), EVERY_WAY)
def test_the_order_of_genes_changes_no_bit(
    tpm: pd.DataFrame, method: str, options: dict[str, object]
) -> None:
    matrix = cohort(tpm)
    expected = parts(run(matrix, method, **options))
    order = np.random.default_rng(1).permutation(len(matrix))
    for part, frame in parts(run(matrix.iloc[order], method, **options)).items():
        pd.testing.assert_frame_equal(frame, expected[part], check_exact=True)


@pytest.mark.parametrize("options", [o for m, o in EVERY_WAY if m == "quantiseq"])
def test_depth_changes_nothing(tpm: pd.DataFrame, options: dict[str, object]) -> None:
    factors = np.exp(np.random.default_rng(3).normal(0, 1, tpm.shape[1]))
    before, after = (run(cohort(m), **options) for m in (tpm, tpm))
    scaled = run(cohort(tpm) * factors, **options)
    np.testing.assert_allclose(scaled.estimate, before.estimate, atol=1e-12)
    np.testing.assert_allclose(scaled.low, after.low, atol=1e-10)


def test_arrays_are_marked_as_depending_on_the_cohort(tpm: pd.DataFrame) -> None:
    together = run(tpm, array=True)
    assert "depends on the cohort" in together.notes[""]
    alone = run(tpm[["s0"]], array=True)
    assert np.abs(alone.estimate.loc["s0"] - together.estimate.loc["s0"]).max() > 1e-6
    assert (run(tpm).fit["n_signature"] == 170 - 32).all()
    assert (together.fit["n_signature"] == 170 - 17).all()  # noisy genes stay in
    # One sample alone has nothing to be normalised with.
    plain = run(tpm[["s0"]], remove_genes="none")
    pd.testing.assert_frame_equal(alone.estimate, plain.estimate)


def test_quantile_normalisation_by_hand() -> None:
    values = np.array([[5.0, 4.0, 3.0], [2.0, 1.0, 4.0], [3.0, 4.0, 6.0], [4.0, 2.0, 8.0]])
    a, b, c, d = (2 + 1 + 3) / 3, (3 + 2 + 4) / 3, (4 + 4 + 6) / 3, (5 + 4 + 8) / 3
    expected = [[d, (c + d) / 2, a], [a, a, b], [b, (c + d) / 2, c], [c, b, d]]
    np.testing.assert_allclose(rows.quantile_normalise(values), expected)
