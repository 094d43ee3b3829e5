"""Deconvolution: parity with the originals, exactness, N-of-1, and what is said of the values.

Outputs of the original programs and the inputs they were given lie in ``../shared/oracle``, outside
the repository; tests that need them are skipped without them.
"""

from __future__ import annotations

import functools
import gzip
import importlib
import importlib.util
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from resistpath.deconvolve import celltypes, intervals, quantiseq, robust_fit, rows
from resistpath.deconvolve.result import Result
from resistpath.errors import UserError
from resistpath.io.resources import deconvolution_tables

package = importlib.import_module("resistpath.deconvolve")  # not the function of that name

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"
TABLES = deconvolution_tables()
TIL10 = TABLES["til10"]
TYPES = list(TIL10.columns[3:])
PROFILES = TIL10[TYPES].to_numpy(dtype=float)
CONTENT = TABLES["til10_scaling"].set_index("cell_type")["mrna"].astype(float)[TYPES].to_numpy()
LSEI_OPTIONS = [
    {"tumour": tumour, "scale_mrna": scale, "remove_genes": remove}
    for tumour in (True, False)
    for scale in (True, False)
    for remove in ("default", "none")
]


@functools.cache
def oracle(name: str) -> pd.DataFrame:
    path = SHARED / "oracle" / name
    if not path.exists():
        pytest.skip(f"no ../shared/oracle/{name}")
    return pd.read_csv(path, sep="\t", index_col=0)


def mixtures(fractions: np.ndarray, noise: float = 0.0, seed: int = 1) -> pd.DataFrame:
    """TPM of mixtures with known cell fractions; one more gene holds the rest of the million."""
    shares = fractions * CONTENT
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-300)
    shares *= fractions.sum(axis=1, keepdims=True)
    values = shares @ PROFILES.T
    values *= np.exp(np.random.default_rng(seed).normal(0, noise, values.shape))
    frame = pd.DataFrame(values.T, TIL10["gene"], [f"s{i}" for i in range(len(fractions))])
    frame.loc["FILLER"] = 1e6 - frame.sum()
    return frame


@pytest.fixture(scope="module")
def fractions() -> np.ndarray:
    drawn = np.random.default_rng(7).dirichlet([1.0] * 10 + [5.0], size=12)[:, :10]
    drawn[:, TYPES.index("Tregs")] = np.maximum(drawn[:, TYPES.index("Tregs")], 0.03)
    return drawn


@pytest.fixture(scope="module")
def tpm(fractions: np.ndarray) -> pd.DataFrame:
    """Noisy mixtures; the noise makes constraints bind."""
    return mixtures(fractions, noise=0.6)


def run(tpm: pd.DataFrame, method: str = "quantiseq", **options: object) -> Result:
    if method == "quantiseq":
        options.setdefault("symbols", "published")
    return package.run(tpm, method, TABLES, **options)


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


def cohort(tpm: pd.DataFrame) -> pd.DataFrame:
    """The mixtures with MCP-counter's markers, a withdrawn symbol and two names of one gene."""
    rng = np.random.default_rng(4)
    markers = [g for g in TABLES["mcpcounter"]["symbol"] if g not in tpm.index]
    more = [*markers, "AARSL", "AARS2", "A12M1", "A12M2", "NOT_A_GENE"]
    extra = pd.DataFrame(np.exp(rng.normal(1, 2, (len(more), tpm.shape[1]))), more, tpm.columns)
    return pd.concat([tpm, extra])


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


# --- intervals ----------------------------------------------------------------------------------


def spikes(noise: float, seed: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """Mixtures with one cell type spiked in at 0 to 30 %, ten times each; fractions; which type.

    The other nine types share 5 to 40 % of the rest (Dirichlet 0.5), a tumour without signature
    genes has what is left. Every gene of every sample is multiplied by log-normal noise.
    """
    rng = np.random.default_rng(seed)
    rows, spiked = [], []
    for column, level, _ in itertools.product(
        range(10), (0, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3), range(10)
    ):
        others = rng.dirichlet([0.5] * 9) * rng.uniform(0.05, 0.4) * (1 - level)
        rows.append(np.insert(others, column, level))
        spiked.append(column)
    truth = np.array(rows)
    return mixtures(truth, noise=noise, seed=seed + 1), truth, np.array(spiked)


@pytest.mark.parametrize("noise", [0.2, 0.3, 0.5])
@pytest.mark.parametrize("method", ["quantiseq", "least_squares"])
def test_intervals_cover_the_truth_of_simulated_spikes(method: str, noise: float) -> None:
    """Nominal 90 %: 85 to 95 % over all cell types, and over the type spiked in, where there."""
    tpm, truth, spiked = spikes(noise, seed=11)
    result = run(tpm, method, symbols="published")
    covered = (result.low[TYPES].to_numpy() <= truth) & (truth <= result.high[TYPES].to_numpy())
    assert 0.85 <= covered.mean() <= 0.95
    own = np.arange(len(spiked)), spiked
    assert 0.85 <= covered[own][truth[own] > 0].mean() <= 0.95


def test_robust_intervals_cover_the_truth_of_simulated_spikes() -> None:
    tpm, truth, spiked = spikes(0.3, seed=11)
    result = run(tpm, robust="huber")
    truth = truth / truth.sum(axis=1, keepdims=True)
    covered = (result.low[TYPES].to_numpy() <= truth) & (truth <= result.high[TYPES].to_numpy())
    assert 0.85 <= covered.mean() <= 0.95
    own = np.arange(len(spiked)), spiked
    assert 0.85 <= covered[own][truth[own] > 0].mean() <= 0.95


def test_a_spike_below_the_limit_is_not_detectable() -> None:
    """CD8 T cells at 0 to 30 %, limit 2 %: an estimate below it is called so."""
    truth = np.full((6, 10), 0.02)
    truth[:, TYPES.index("T.cells.CD8")] = [0, 0.005, 0.015, 0.025, 0.1, 0.3]
    table = package.deconvolve_long(mixtures(truth), "quantiseq", TABLES, symbols="published")
    cd8 = table[table["cell_type"] == "t_cd8"]
    assert cd8["limit"].eq(0.02).all()
    assert cd8["detectable"].to_list() == ["below limit"] * 3 + ["yes"] * 3
    quiet = table[table["cell_type"] == "myeloid_dc"]  # limit 100 %: never
    assert quiet["detectable"].eq("below limit").all()


def test_noise_widens_intervals() -> None:
    truth = np.random.default_rng(1).dirichlet([0.5] * 10 + [4.0], size=60)[:, :10]
    width = [
        (result.high - result.low).mean(axis=None)
        for result in (run(mixtures(truth, noise=n, seed=12)) for n in (0.4, 0.8))
    ]
    assert width[1] > 1.5 * width[0]


def test_interval_is_a_delete_a_group_jackknife(tpm: pd.DataFrame) -> None:
    """Worked again by leaving groups out of the table, one run of the whole method each."""
    options = {"tumour": False, "remove_genes": "none", "symbols": "published"}
    whole = package.run(tpm, "quantiseq", TABLES, **options)
    changes = []
    for group in range(20):
        keep = np.arange(len(TIL10)) % 20 != group
        less = {**TABLES, "til10": TIL10[keep].reset_index(drop=True)}
        values = package.run(tpm, "quantiseq", less, **options, interval=False).estimate
        changes.append(values.to_numpy() - whole.estimate.to_numpy())
    squares = sum(c**2 for c in changes)
    fourths = sum(c**4 for c in changes)
    freedom = np.divide(3 * squares**2, fourths, out=np.zeros_like(squares), where=fourths > 0) - 1
    assert freedom.min() < 5
    assert freedom.max() > 10
    t = stats.t.ppf(0.95, np.clip(freedom, 1, 19))
    half = t * np.sqrt(19 / 20 * squares)
    columns = whole.estimate.columns
    np.testing.assert_allclose(whole.low[columns], np.clip(whole.estimate - half, 0, 1), atol=1e-9)
    clear = (whole.low[columns] > 0).to_numpy()
    assert clear.sum() > 10
    np.testing.assert_allclose(
        whole.high[columns].to_numpy()[clear],
        np.clip(whole.estimate + half, 0, 1).to_numpy()[clear],
        atol=1e-9,
    )


def test_a_fraction_at_zero_still_has_an_upper_end(tpm: pd.DataFrame) -> None:
    result = run(tpm)
    at_zero = result.estimate[TYPES] == 0
    assert at_zero.to_numpy().sum() > 5
    assert (result.high[TYPES].to_numpy()[at_zero.to_numpy()] > 0).all()


def test_groups_follow_the_published_table() -> None:
    groups = intervals.groups_of(np.array([0, 1, 20, 25, 160]))
    assert groups.tolist() == [0, 1, 0, 2, 0]


def test_no_interval_unless_asked(tpm: pd.DataFrame) -> None:
    for method in ("quantiseq", "mcpcounter"):
        result = run(cohort(tpm), method, interval=False)
        assert result.low.isna().all(axis=None)
        pd.testing.assert_frame_equal(result.estimate, run(cohort(tpm), method).estimate)


# --- symbols and genes --------------------------------------------------------------------------


def test_symbols_of_2017_by_hand() -> None:
    table = pd.DataFrame(
        {
            "symbol": ["NEW", "OLD", "KEPT", "GONE", "FORMER"],
            "becomes": ["", "NEW", "", "entry withdrawn", "KEPT"],
        }
    )
    names, changed = rows.as_of_2017(["OLD", "KEPT", "GONE", "FORMER", "1-Mar"], table)
    assert names == ["NEW", "KEPT", "entry withdrawn", "", ""]
    assert changed.set_index("row")["fate"].to_dict() == {
        "OLD": "renamed",
        "GONE": "withdrawn symbol: counted in the sum only",
        "FORMER": "dropped: previous symbol of KEPT, which is there too",
        "1-Mar": "dropped: unknown",
    }


def test_dropped_rows_leave_the_sum_and_doubled_ones_count_by_their_median() -> None:
    frame = pd.DataFrame(
        {"a": [1.0, 2.0, 4.0, 8.0, 16.0], "b": [3.0, 1.0, 5.0, 0.0, 7.0]}, index=list("pqrst")
    )
    table = rows.Rows(frame, ["X", "Y", "X", "", "X"])
    assert table.sums().tolist() == [4.0 + 2.0, 5.0 + 1.0]
    assert table.label("X") == "p|r|t"
    even = rows.Rows(frame, ["X", "X", "Y", "Y", ""])
    assert even.value("X").tolist() == [1.5, 2.0]


def test_unknown_rows_change_nothing_in_quantiseqr_mode(tpm: pd.DataFrame) -> None:
    base = tpm.rename(index={"FILLER": "GAPDH"})
    more = pd.concat([base, pd.DataFrame(5000.0, ["LINC-NEW", "TENT5C"], base.columns)])
    one, two = (run(m, symbols="quantiseqr") for m in (base, more))
    pd.testing.assert_frame_equal(one.estimate, two.estimate, check_exact=True)
    assert two.dropped["row"].to_list() == ["LINC-NEW", "TENT5C"]
    diluted = run(more).estimate["Other"] - one.estimate["Other"]  # the sum counts them there
    assert diluted.min() > -1e-12
    assert diluted.max() > 0.005


def test_missing_genes_are_counted_and_named(tpm: pd.DataFrame) -> None:
    result = run(tpm.drop(index=["CD8A", "FOXP3"]))
    assert (result.fit["n_genes"] == 136).all()
    assert (result.fit["n_signature"] == 138).all()
    assert result.fit["coverage"].iloc[0] == 136 / 138
    missing = result.genes[result.genes["fate"] == "missing"]["gene"]
    assert set(missing) == {"CD8A", "FOXP3"}
    fates = result.genes["fate"].value_counts()
    assert fates["left out: noisy in RNA-seq"] == 17
    assert fates["left out: expressed by tumours"] == 15  # two of 17 are noisy too
    own = run(tpm, remove_genes=["CD8A"]).genes.set_index("gene")["fate"]
    assert own["CD8A"] == "left out: asked for"
    assert own["CD36"] == "left out: expressed by tumours"


def test_fit_says_how_well_the_signature_explains(fractions: np.ndarray) -> None:
    exact, noisy = run(mixtures(fractions)).fit, run(mixtures(fractions, noise=1.0)).fit
    assert (exact["correlation"] > 1 - 1e-9).all()
    assert (exact["residual"] < 1e-9).all()
    assert (noisy["correlation"] < 0.99).all()
    assert noisy["residual"].between(0.05, 1).all()


def test_mcpcounter_by_hand() -> None:
    """Repaired: "C" is CAVIN2 (Entrez 8436), and a row called C is no marker."""
    table = TABLES["mcpcounter"]
    row = table[table["entrez"] == "8436"].iloc[0]
    assert (row["gene"], row["symbol"], row["population"]) == ("C", "CAVIN2", "Endothelial cells")
    assert not (table["symbol"] == "C").any()
    endothelial = table[table["population"] == "Endothelial cells"]["symbol"].to_list()
    assert len(endothelial) == 33
    matrix = pd.DataFrame({"x": 3.0, "y": 0.0}, index=table["symbol"])
    matrix.loc["BIG"] = 100.0
    matrix.loc["CAVIN2"] = [63.0, 7.0]
    matrix.loc["C"] = 99.0
    scores = run(matrix, "mcpcounter").estimate
    assert scores.loc["x", "Endothelial cells"] == pytest.approx((32 * 2 + 6) / 33)
    assert scores.loc["y", "Endothelial cells"] == pytest.approx(3 / 33)
    assert scores.loc["x", "CD8 T cells"] == 2.0
    # Under its former symbol it is found as well; as printed, C is C.
    former = run(matrix.rename(index={"CAVIN2": "SDPR", "C": "Z"}), "mcpcounter").estimate
    pd.testing.assert_frame_equal(former, scores)
    printed = run(matrix, "mcpcounter", symbols="published", log=False).estimate
    assert printed.loc["x", "Endothelial cells"] == pytest.approx((32 * 3 + 99) / 33)


def test_mcpcounter_interval_and_absent_markers() -> None:
    table = TABLES["mcpcounter"]
    neutrophil = table[table["population"] == "Neutrophils"]["symbol"].to_list()
    matrix = pd.DataFrame({"x": 3.0}, index=table["symbol"])
    matrix.loc["BIG"] = 100.0
    matrix.loc[neutrophil[:3], "x"] = [1.0, 3.0, 7.0]
    result = run(matrix.drop(index=[*neutrophil[3:], "CD8B"]), "mcpcounter")
    assert result.estimate.loc["x", "Neutrophils"] == pytest.approx(2.0)
    # values 1, 2, 3: standard error 1 / sqrt(3), t of 2 degrees of freedom 2.91998558
    assert result.high.loc["x", "Neutrophils"] == pytest.approx(2 + 2.91998558 / 3**0.5)
    assert result.notes["Neutrophils"] == "3 of 15 markers measured"
    assert np.isnan(result.estimate.loc["x", "CD8 T cells"])
    assert result.notes["CD8 T cells"] == "0 of 1 markers measured"
    assert np.isnan(run(matrix, "mcpcounter").low.loc["x", "CD8 T cells"])  # of one marker: none


# --- what is said of the values -----------------------------------------------------------------


def test_long_table(tpm: pd.DataFrame) -> None:
    result = run(tpm)
    table = package.deconvolve_long(tpm, "quantiseq", TABLES, symbols="published")
    columns = "sample, method, cell_type, label, value, kind, low, high, detectable, limit, note"
    assert ", ".join(table.columns) == columns
    assert table["sample"].drop_duplicates().to_list() == list(tpm.columns)
    assert len(table) == tpm.shape[1] * (11 + 4)
    one = table[table["sample"] == "s3"].set_index("cell_type")
    assert one["value"]["treg"] == result.estimate.loc["s3", "Tregs"]
    assert one["low"]["t_cd8"] == result.low.loc["s3", "T.cells.CD8"]
    assert one["value"]["t_cd4"] == one["value"]["t_cd4_conventional"] + one["value"]["treg"]
    assert one["value"]["t_cell"] == pytest.approx(one["value"][["t_cd4", "t_cd8"]].sum())
    assert one["value"]["macrophage"] == one["value"][["macrophage_m1", "macrophage_m2"]].sum()
    lineage = ["macrophage_m1", "macrophage_m2", "monocyte", "myeloid_dc"]
    assert one["value"]["monocytic_lineage"] == pytest.approx(one["value"][lineage].sum())
    assert one["limit"]["treg"] == 0.06
    assert one["limit"]["macrophage"] == 0.12
    assert one["detectable"][["macrophage_m1", "macrophage_m2", "other"]].eq("unknown").all()
    limited = table[table["limit"].notna()]
    assert (limited["detectable"].eq("yes") == (limited["value"] >= limited["limit"])).all()
    assert set(limited["detectable"]) == {"yes", "below limit"}
    assert "M1" in one["note"]["macrophage_m1"]
    assert one["note"]["macrophage"].startswith("sum of: Macrophages, M1-like; ")
    assert table["kind"].eq("fraction").all()


def test_long_table_of_scores(tpm: pd.DataFrame) -> None:
    matrix = cohort(tpm)
    matrix.loc["CD8B"] = 0.0
    table = package.deconvolve_long(matrix, "mcpcounter", TABLES)
    assert table["kind"].eq("score").all()
    by_type = table.groupby("cell_type")["detectable"].unique().str[0].to_dict()
    assert by_type.pop("t_cd8") == "below limit"  # no signal at all
    assert set(by_type.values()) == {"unknown"}
    limits = table.drop_duplicates("cell_type").set_index("cell_type")["limit"]
    assert limits["t_cd8"] == pytest.approx(0.002)
    assert np.isnan(limits["t_cell"])


def test_one_vocabulary() -> None:
    for cell in celltypes.CELL_TYPES.values():
        seen = [cell.id]
        while celltypes.CELL_TYPES[seen[-1]].parent:
            seen.append(celltypes.CELL_TYPES[seen[-1]].parent)
            assert seen.count(seen[-1]) == 1
    for method, names in celltypes.NAMES.items():
        assert method in package.METHODS
        assert set(names.values()) <= set(celltypes.CELL_TYPES)
        assert len(set(names.values())) == len(names)
        for key, members in celltypes.COMBINED.get(method, {}).items():
            assert key in celltypes.CELL_TYPES
            assert key not in names.values()
            assert set(members) <= set(names)
    assert {key for _, key in celltypes.REMARKS} <= set(celltypes.CELL_TYPES)
    assert [*celltypes.NAMES["quantiseq"]] == [*TYPES, "Other"]
    assert set(celltypes.NAMES["mcpcounter"]) == set(TABLES["mcpcounter"]["population"])
    assert celltypes.of("quantiseq", "Tregs").id == celltypes.of("mcpcounter", "treg").id


def test_limits_agree_with_a_second_reading() -> None:
    ours = celltypes.limits(TABLES["limits_of_detection"])
    second = pd.read_csv(ROOT / "tests" / "qc" / "deconvolution_limits.tsv", sep="\t", comment="#")
    for row in second.itertuples():
        assert ours[row.method, row.cell_type] == row.percent_of_cells / 100
    assert {key for _, key in ours} <= set(celltypes.CELL_TYPES)
    assert {method for method, _ in ours} <= set(package.METHODS)
    assert all(0 < limit <= 1 for limit in ours.values())


# --- what is refused ----------------------------------------------------------------------------


def refused(
    message: str, matrix: pd.DataFrame, method: str = "quantiseq", **options: object
) -> None:
    with pytest.raises(UserError, match=message) as caught:
        package.deconvolve(matrix, method, TABLES, **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("method", ["quantiseq", "mcpcounter"])
def test_matrices_that_are_not_tpm(tpm: pd.DataFrame, method: str) -> None:
    matrix = cohort(tpm)
    logged = matrix.copy()
    logged["s3"] = np.log2(logged["s3"] + 1)
    refused(r"no value of 50 or more in 1 of 12 samples, so they look logged: s3", logged, method)
    refused(r"negative values in 12 of 12 samples", matrix - 1e3, method)
    refused(r"nothing but zeros in s2", matrix.assign(s2=0.0), method)
    refused(r"missing or infinite", matrix.assign(s2=np.nan), method)
    refused(r"holds text", matrix.astype({"s1": object}), method)
    refused(r"repeats gene names", pd.concat([matrix, matrix.iloc[:1]]), method)
    refused(r"is empty", matrix.iloc[:, :0], method)
    ensembl = matrix.set_axis([f"ENSG{i:011d}" for i in range(len(matrix))])
    refused(rf"{method} found 0 of its \d+ signature genes", ensembl, method)
    half = matrix.drop(index=[*TIL10["gene"][::2], *TIL10["gene"][1::8]])
    half = half.drop(index=TABLES["mcpcounter"]["symbol"][::2], errors="ignore")
    half = half.drop(index=TABLES["mcpcounter"]["symbol"][1::8], errors="ignore")
    refused(r"found \d+ of its", half, method)


def test_words_nobody_knows(tpm: pd.DataFrame) -> None:
    refused(r"no deconvolution method 'cibersort'; use one of quantiseq", tpm, "cibersort")
    refused(r"no option tumor; its options are tumour,", tpm, tumor=True)
    refused(r"knows no symbols 'hgnc'", tpm, symbols="hgnc")
    refused(r"knows no robust 'mm'", tpm, robust="mm")
    refused(r"remove_genes is 'all'", tpm, remove_genes="all")
    refused(r"not in the signature: CD8X", tpm, remove_genes=["CD8A", "CD8X"])
    refused(r"knows no symbols 'x'", tpm, "mcpcounter", symbols="x")
    with pytest.raises(UserError, match="table 'til10_scaling' was not given"):
        package.deconvolve(tpm, "quantiseq", {"til10": TIL10})
    with pytest.raises(UserError, match="'til10' lacks columns: symbol, other_symbols"):
        package.deconvolve(tpm, "quantiseq", {"til10": TIL10[["gene", *TYPES]]})


# --- the tables ---------------------------------------------------------------------------------


def test_tables_are_whole() -> None:
    assert PROFILES.shape == (170, 10)
    assert (PROFILES >= 0).all()
    assert TIL10["gene"].is_unique
    assert TIL10["symbol"].is_unique
    removed = TABLES["til10_removed"]
    assert removed["list"].value_counts().to_dict() == {"noisy": 17, "tumour": 17}
    assert set(removed["gene"]) <= set(TIL10["gene"])
    assert removed["gene"].nunique() == 32
    hgnc = TABLES["hgnc_2017"]
    assert hgnc["symbol"].is_unique
    assert hgnc["symbol"].is_monotonic_increasing
    own = set(hgnc["symbol"][hgnc["becomes"] == ""])
    assert len(own) == 40938
    assert set(hgnc["becomes"]) - own == {"", "entry withdrawn"}
    assert set(TIL10["gene"]) <= own  # the signature is written in symbols of that time
    markers = TABLES["mcpcounter"]
    assert len(markers) == 111
    assert markers["symbol"].is_unique
    assert markers["population"].nunique() == 10


def test_tables_equal_a_second_copy_of_their_sources() -> None:
    folder = SHARED / "reference" / "signature_matrices"
    if not folder.exists():
        pytest.skip("no ../shared/reference/signature_matrices")
    til10 = pd.read_csv(folder / "quantiseq_TIL10_signature.tsv", sep="\t")
    assert til10["ID"].to_list() == TIL10["gene"].to_list()
    np.testing.assert_allclose(til10[TYPES].to_numpy(), PROFILES, rtol=1e-14)
    scaling = pd.read_csv(folder / "quantiseq_TIL10_mRNA_scaling.tsv", sep="\t", index_col=0)
    np.testing.assert_array_equal(scaling["mrna_scaling"][TYPES], CONTENT)
    drop = pd.read_csv(folder / "quantiseq_TIL10_genes_to_drop.tsv", sep="\t")
    assert drop["gene"].to_list() == TABLES["til10_removed"]["gene"].to_list()
    markers = pd.read_csv(folder / "mcpcounter_markers.tsv", sep="\t", dtype=str)
    assert markers["HUGO symbols"].to_list() == TABLES["mcpcounter"]["gene"].to_list()
    assert markers["current_symbol"].to_list() == TABLES["mcpcounter"]["symbol"].to_list()
    assert markers["Cell population"].to_list() == TABLES["mcpcounter"]["population"].to_list()
    assert markers["ENTREZID"].to_list() == TABLES["mcpcounter"]["entrez"].to_list()


def test_hgnc_table_is_built_by_its_rules(tmp_path: Path) -> None:
    """One previous symbol leads on, one of two does not; a later gene wins; own symbols stay."""
    script = ROOT / "resources" / "build" / "deconvolution.py"
    spec = importlib.util.spec_from_file_location("build_deconvolution", script)
    assert spec is not None
    assert spec.loader is not None
    build = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(build)
    lines = [
        "HGNCID\tStatus\tApprovedSymbol\tApprovedName\tPreviousSymbols\tAliasSymbol",
        "1\tApproved\tA1\tname\tOLD1\tX",
        '2\tApproved\tB1\t"a, quoted"\tOLD2|OLD3\tY',
        "3\tEntry Withdrawn\tC1\tentry withdrawn\t\t",
        "4\tApproved\tC1\tagain\t\t",
        "5\tApproved\tD1\tname\tOLD1\t",
        "6\tApproved\tE1\tname\tA1\t",
    ]
    source = tmp_path / "hgnc.txt.gz"
    source.write_bytes(gzip.compress("\n".join(lines).encode()))
    build.hgnc(source, tmp_path)
    first = (tmp_path / "hgnc_2017-04-18.tsv.gz").read_bytes()
    table = [line.split("\t") for line in gzip.decompress(first).decode().splitlines()[1:]]
    assert table == [
        ["A1", ""],
        ["B1", ""],
        ["C1", "entry withdrawn"],
        ["D1", ""],
        ["E1", ""],
        ["OLD1", "D1"],
    ]
    build.hgnc(source, tmp_path)
    assert (tmp_path / "hgnc_2017-04-18.tsv.gz").read_bytes() == first
