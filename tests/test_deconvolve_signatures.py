"""Methods on a signature the user brings: least squares, EPIC, nu-SVR.

EPIC's profiles may not be shipped, and no file beside the repository holds them: its outputs do
(``../shared/oracle``). So the fit is tested on made-up profiles against a re-derivation by brute
force, and the step from mRNA to cells against EPIC's own outputs. Parity on its own profiles runs
where the environment variable RESISTPATH_EPIC names a folder with the user's copy, ``TRef.rda`` and
``BRef.rda`` or their tables (see `resistpath.io.signature_matrices`).
"""

from __future__ import annotations

import importlib
import importlib.metadata
import itertools
import os
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from resistpath.deconvolve import epic
from resistpath.deconvolve.least_squares import Cells
from resistpath.deconvolve.profiles import Signature, content
from resistpath.deconvolve.result import Result
from resistpath.errors import UserError
from resistpath.io.resources import deconvolution_tables
from resistpath.io.signature_matrices import read_signature

package = importlib.import_module("resistpath.deconvolve")

SHARED = Path(__file__).resolve().parents[2] / "shared"
TABLES = deconvolution_tables()
TYPES = ["B cells", "CD8 T cells", "CD4 T cells", "Macrophages", "Fibroblasts"]
N_GENES = 300
METHODS = [
    ("least_squares", {}),
    ("least_squares", {"total": "one"}),
    ("least_squares", {"total": "free", "scale": "gene"}),
    ("least_squares", {"scale": "noise", "universe": "shared"}),
    ("epic", {}),
    ("epic", {"other_cells": False}),
    ("svr", {}),
]


def run(tpm: pd.DataFrame, method: str, **options: object) -> Result:
    return package.run(tpm, method, TABLES, **options)


@pytest.fixture(scope="module")
def signature() -> Signature:
    """Five types, 300 genes in TPM, of which 60 are markers; variability and mRNA per cell."""
    rng = np.random.default_rng(2)
    values = np.exp(rng.normal(3, 1.0, (N_GENES, 5)))
    for column in range(5):
        values[12 * column : 12 * column + 12, column] *= 40
    values *= 1e6 / values.sum(axis=0)
    genes = [f"G{i:03d}" for i in range(N_GENES)]
    profiles = pd.DataFrame(values, genes, TYPES)
    return Signature(
        profiles,
        name="made up",
        variability=profiles * rng.uniform(0.05, 0.6, (N_GENES, 1)) + 0.1,
        markers=tuple(genes[:60]),
        mrna=dict(zip(TYPES, (0.4, 0.4, 0.5, 1.4, 0.6), strict=True)) | {"otherCells": 0.4},
    )


@pytest.fixture(scope="module")
def tpm(signature: Signature) -> pd.DataFrame:
    """Noisy mixtures with other cells that express no marker; one gene holds the rest."""
    rng = np.random.default_rng(3)
    shares = rng.dirichlet([0.7] * 5 + [2.0], 11)
    values = signature.profiles.to_numpy() @ shares[:, :5].T
    other = np.exp(rng.normal(3, 1, N_GENES))
    other[:60] = 0
    values += np.outer(other / other.sum() * 1e6, shares[:, 5])
    values *= np.exp(rng.normal(0, 0.3, values.shape))
    frame = pd.DataFrame(values, signature.genes, [f"s{i}" for i in range(11)])
    frame.loc["ELSE"] = np.maximum(0, 1.5e6 - frame.sum())
    return frame


def brute(
    a: np.ndarray, b: np.ndarray, exact: bool = False, limit: float | None = 1.0
) -> np.ndarray:
    """Minimise |a x - b| over x >= 0, sum(x) <= limit by trying every set of free columns."""
    k = a.shape[1]
    best, at = np.inf, np.zeros(k)
    for size in range(k + 1):
        for free in itertools.combinations(range(k), size):
            for bound in (True,) if exact else (False, True):
                if (bound and not size) or (bound and limit is None):
                    continue
                part = a[:, free]
                gram, cross = part.T @ part, part.T @ b
                if bound:
                    border = np.ones((size, 1))
                    system = np.block([[gram, border], [border.T, np.zeros((1, 1))]])
                    x = np.linalg.solve(system, np.append(cross, limit))[:size]
                else:
                    x = np.linalg.solve(gram, cross) if size else np.zeros(0)
                total = x.sum()
                fits = (x >= 0).all() and (limit is None or total <= limit + 1e-12)
                value = ((part @ x - b) ** 2).sum()
                if fits and value < best:
                    best, at = value, np.zeros(k)
                    at[list(free)] = x
    return at


# --- least squares ------------------------------------------------------------------------------


@pytest.mark.parametrize("total", ["at_most_one", "one", "free"])
@pytest.mark.parametrize("scale", ["none", "noise", "gene"])
def test_least_squares_equals_brute_force(
    tpm: pd.DataFrame, signature: Signature, total: str, scale: str
) -> None:
    plain = Signature(signature.profiles.iloc[:60])
    result = run(tpm, "least_squares", signature=plain, total=total, scale=scale, interval=False)
    a = plain.profiles.to_numpy()
    size = a.max(axis=1) ** {"none": 0, "noise": 0.75, "gene": 1}[scale]
    for sample in tpm:
        b = tpm.loc[plain.genes, sample].to_numpy() * 1e6 / tpm[sample].sum()
        limit = None if total == "free" else 1.0
        x = brute(a / size[:, None], b / size, total == "one", limit)
        expected = x / x.sum() if total == "free" else x
        np.testing.assert_allclose(result.estimate.loc[sample, TYPES], expected, atol=1e-8)
    if total == "at_most_one":
        np.testing.assert_allclose(result.estimate.sum(axis=1), 1)
    assert ("Other" in result.estimate) == (total == "at_most_one")


def test_mrna_content_turns_shares_into_cells(tpm: pd.DataFrame, signature: Signature) -> None:
    options = {"signature": signature, "interval": False}
    shares = run(tpm, "least_squares", scale_mrna=False, **options).estimate
    cells = run(tpm, "least_squares", **options).estimate
    per_cell = pd.Series({t: signature.mrna[t] for t in TYPES})
    by_hand = shares[TYPES] / per_cell
    by_hand = by_hand.mul(shares[TYPES].sum(axis=1) / by_hand.sum(axis=1), axis=0)
    np.testing.assert_allclose(cells[TYPES], by_hand)
    np.testing.assert_allclose(cells["Other"], shares["Other"])


def test_without_a_signature_til10_is_taken() -> None:
    til10 = TABLES["til10"]
    values = til10.iloc[:, 3:].astype(float)
    frame = pd.DataFrame(
        {"s0": (values @ np.full(10, 0.05)).to_numpy()}, index=list(til10["symbol"])
    )
    frame.loc["ELSE"] = 1e6 - frame.sum()
    for method in ("least_squares", "svr"):
        result = run(frame, method, interval=False)
        assert "TIL10" in result.notes[""]
        assert list(result.estimate.columns[:10]) == list(values.columns)
    shares = run(frame, "least_squares", scale_mrna=False, interval=False).estimate
    np.testing.assert_allclose(shares.iloc[0, :10], 0.05)


def test_relative_profiles_make_relative_fractions(tpm: pd.DataFrame, signature: Signature) -> None:
    """Profiles in another unit: fractions do not change with that unit, and no Other is claimed."""
    arrays = Signature(signature.profiles.iloc[:60] * 0.003, unit="relative")
    result = run(tpm, "least_squares", signature=arrays, interval=False)
    again = Signature(signature.profiles.iloc[:60] * 7.0, unit="relative")
    other = run(tpm, "least_squares", signature=again, interval=False)
    np.testing.assert_allclose(result.estimate, other.estimate)
    np.testing.assert_allclose(result.estimate.sum(axis=1), 1)
    assert "relative to the cell types of the signature" in result.notes[""]


def test_shared_universe_cancels_what_only_one_side_measures(
    tpm: pd.DataFrame, signature: Signature
) -> None:
    doubled = pd.concat([tpm, pd.DataFrame(tpm.sum().to_frame("MORE").T)])
    base, more = (
        run(m, "least_squares", signature=signature, interval=False) for m in (tpm, doubled)
    )
    np.testing.assert_allclose(base.estimate, more.estimate)
    all_genes = [
        run(m, "least_squares", signature=signature, universe="all", interval=False).estimate
        for m in (tpm, doubled)
    ]
    assert (all_genes[1]["Other"] > all_genes[0]["Other"] + 0.1).all()


# --- EPIC ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("other_cells", [True, False])
@pytest.mark.parametrize("scale_mrna", [True, False])
def test_epic_equals_brute_force(
    tpm: pd.DataFrame, signature: Signature, other_cells: bool, scale_mrna: bool
) -> None:
    """Written out again: scaling to shared genes, weights, cap, constrained optimum, mRNA."""
    bulk = tpm.drop(index=["G280", "G290", "G005"])
    result = run(
        bulk,
        "epic",
        signature=signature,
        other_cells=other_cells,
        scale_mrna=scale_mrna,
        interval=False,
    )
    shared = [g for g in signature.genes if g in bulk.index]
    markers = [g for g in signature.markers if g in bulk.index]
    factor = 1e6 / signature.profiles.loc[shared].sum()
    a = (signature.profiles * factor).loc[markers].to_numpy()
    v = (signature.variability * factor).loc[markers].to_numpy()
    w = (a / (v + 1e-12)).sum(axis=1)
    w = np.minimum(w, 100 * np.median(w))
    scaled = bulk * (1e6 / bulk.loc[shared].sum())
    content_ = np.array([signature.mrna[t] if scale_mrna else 1.0 for t in [*TYPES, "otherCells"]])
    for sample in bulk:
        b = scaled.loc[markers, sample].to_numpy()
        root = np.sqrt(w)
        m = brute(a * root[:, None], b * root, exact=not other_cells)
        m = np.append(m, 1 - m.sum()) if other_cells else m
        cells = m / content_[: len(m)]
        np.testing.assert_allclose(result.estimate.loc[sample], cells / cells.sum(), atol=1e-6)
    columns = [*TYPES, "otherCells"] if other_cells else TYPES
    assert list(result.estimate.columns) == columns


def test_epic_caps_weights_at_a_hundred_medians(tpm: pd.DataFrame, signature: Signature) -> None:
    sure = signature.variability.copy()
    sure.loc["G000"] = 0.0
    capped = Signature(signature.profiles, variability=sure, markers=signature.markers)
    problem = importlib.import_module("resistpath.deconvolve.problem")
    posed = problem.pose(tpm, capped, "published", "epic", shared=True)
    weight = epic.weights(capped, posed)
    assert weight[0] == pytest.approx(100 * np.median(weight))
    assert np.isfinite(weight).all()


@pytest.mark.parametrize("data", ["hugo", "racle"])
@pytest.mark.parametrize("reference", ["TRef", "BRef"])
@pytest.mark.parametrize("variant", ["default", "noOther", "nomRNAscale"])
def test_epic_turns_mrna_into_cells_as_the_original(
    data: str, reference: str, variant: str
) -> None:
    """From the mRNA proportions EPIC 1.1.7 returned to the cell fractions it returned."""
    stem = SHARED / "oracle" / data / f"EPIC1.1.7__{reference}_{variant}"
    if not stem.with_name(f"{stem.name}_cellFractions.tsv").exists():
        pytest.skip(f"no {stem.name} in ../shared/oracle/{data}")
    mrna, expected = (
        pd.read_csv(stem.with_name(f"{stem.name}_{what}.tsv"), sep="\t", index_col=0)
        for what in ("mRNAProportions", "cellFractions")
    )
    other = variant != "noOther"
    types = [c for c in mrna.columns if c != epic.OTHER]
    frame = pd.DataFrame(1.0, ["A", "B"], types)
    known = Signature(frame, mrna=epic.MRNA_PER_CELL if variant != "nomRNAscale" else {})
    per_cell = np.array([content(known)[t] for t in types])
    rest = 1.0 if variant == "nomRNAscale" else epic.MRNA_PER_CELL[epic.OTHER]
    found = Cells(per_cell, other, rest).fractions(mrna[types].to_numpy())
    np.testing.assert_allclose(found, expected[mrna.columns], atol=1e-12)


def own_copy(reference: str) -> Signature:
    folder = os.environ.get("RESISTPATH_EPIC")
    if not folder:
        pytest.skip("EPIC's profiles may not be shipped: set RESISTPATH_EPIC to your own copy")
    path = Path(folder) / f"{reference}.rda"
    return read_signature(path if path.exists() else Path(folder) / reference)


@pytest.mark.parametrize("data", ["hugo", "racle"])
@pytest.mark.parametrize("reference", ["TRef", "BRef"])
def test_epic_equals_the_original_on_its_own_profiles(data: str, reference: str) -> None:
    """The exact optimum to 1e-6; EPIC's simplex search stops within 0.002 of it on these."""
    given = own_copy(reference)
    folder = SHARED / "oracle" / data
    if not folder.exists():
        pytest.skip(f"no ../shared/oracle/{data}")
    bulk = pd.read_csv(folder / "input.tsv.gz", sep="\t", index_col=0)
    found = run(bulk, "epic", signature=given, interval=False).estimate
    exact = f"QPexact__EPIC_{reference}_cellFractions.tsv"
    original = f"EPIC1.1.7__{reference}_default_cellFractions.tsv"
    for name, tolerance in ((exact, 1e-6), (original, 0.002)):
        expected = pd.read_csv(folder / name, sep="\t", index_col=0)
        np.testing.assert_allclose(found[expected.columns], expected, rtol=0, atol=tolerance)


def test_epic_without_profiles_says_why(tpm: pd.DataFrame) -> None:
    with pytest.raises(UserError, match=r"licence does not let them be shipped; give the tables"):
        run(tpm, "epic")


# --- nu-SVR -------------------------------------------------------------------------------------


def test_svr_equals_its_steps(tpm: pd.DataFrame, signature: Signature) -> None:
    from sklearn.svm import NuSVR

    markers = Signature(signature.profiles.iloc[:60])
    result = run(tpm, "svr", signature=markers, interval=False)
    x = markers.profiles.to_numpy()
    x = (x - x.mean()) / x.std(ddof=1)
    for sample in ("s0", "s7"):
        y = tpm.loc[markers.genes, sample].to_numpy()
        y = (y - y.mean()) / y.std(ddof=1)
        fits = []
        for nu in (0.25, 0.5, 0.75):
            w = np.maximum(0, NuSVR(kernel="linear", nu=nu, C=1).fit(x, y).coef_[0])
            w = w / w.sum()
            fits.append((((x @ w - y) ** 2).mean(), w))
        best = min(fits, key=lambda f: f[0])[1]
        np.testing.assert_allclose(result.estimate.loc[sample], best, atol=1e-9)


def test_svr_finds_the_mixture(signature: Signature) -> None:
    rng = np.random.default_rng(6)
    shares = rng.dirichlet([1.0] * 5, 8)
    values = signature.profiles.to_numpy() @ shares.T * np.exp(rng.normal(0, 0.1, (N_GENES, 8)))
    bulk = pd.DataFrame(values, signature.genes, [f"m{i}" for i in range(8)])
    found = run(bulk, "svr", signature=signature, interval=False).estimate
    assert np.abs(found.to_numpy() - shares).max() < 0.1


def test_scikit_learn_comes_with_scanpy() -> None:
    needed = importlib.metadata.requires("scanpy") or []
    assert any(re.match(r"scikit-learn\b", r) and "extra" not in r for r in needed)


# --- what all of them promise -------------------------------------------------------------------


@pytest.mark.parametrize(("method", "options"), METHODS)
def test_values_are_fractions_within_their_intervals(
    tpm: pd.DataFrame, signature: Signature, method: str, options: dict[str, object]
) -> None:
    result = run(tpm, method, signature=signature, **options)
    np.testing.assert_allclose(result.estimate.sum(axis=1), 1)
    assert result.estimate.min(axis=None) >= 0
    values = pd.concat([result.estimate, result.combined], axis=1)
    assert (result.low <= values + 1e-12).all(axis=None)
    assert (result.high >= values - 1e-12).all(axis=None)
    assert result.combined.columns.to_list() == ["t_cell"]
    together = result.estimate[["CD4 T cells", "CD8 T cells"]].sum(axis=1)
    np.testing.assert_allclose(result.combined["t_cell"], together)


@pytest.mark.parametrize(("method", "options"), METHODS)
def test_a_sample_does_not_depend_on_the_others(
    tpm: pd.DataFrame, signature: Signature, method: str, options: dict[str, object]
) -> None:
    together = run(tpm, method, signature=signature, **options)
    order = np.random.default_rng(1).permutation(len(tpm))
    mixed = tpm.iloc[order][["s7", "s2", "s0"]]
    for frame in (tpm[["s2"]], mixed):
        some = run(frame, method, signature=signature, **options)
        for part in ("estimate", "combined", "low", "high", "fit"):
            expected = getattr(together, part).loc[frame.columns]
            pd.testing.assert_frame_equal(
                getattr(some, part), expected, check_exact=True, check_names=False
            )


@pytest.mark.parametrize("method", ["least_squares", "epic", "svr"])
def test_known_names_find_renamed_genes(
    tpm: pd.DataFrame, signature: Signature, method: str
) -> None:
    table = pd.DataFrame({"gene": signature.genes, "symbol": signature.genes, "other_symbols": ""})
    table.loc[0, ["symbol", "other_symbols"]] = ["NEW", "G000"]
    named = Signature(signature.profiles, markers=signature.markers, symbols=table)
    renamed = tpm.rename(index={"G000": "NEW"})
    options = {"signature": named, "interval": False}
    expected = run(tpm, method, symbols="published", **options).estimate
    found = run(renamed, method, symbols="current", **options)
    pd.testing.assert_frame_equal(found.estimate, expected)
    lost = run(renamed, method, symbols="published", **options).genes.set_index("gene")
    assert lost.loc["G000", "fate"] == "missing"


def test_fit_says_how_well_and_how_stable(tpm: pd.DataFrame, signature: Signature) -> None:
    fit = run(tpm, "least_squares", signature=signature, scale="none").fit
    assert (fit["n_signature"] == 60).all()
    assert fit["correlation"].between(0.5, 1).all()
    assert fit["residual"].between(0, 0.8).all()
    assert fit["condition"].between(1, 20).all()
    alike = signature.profiles.iloc[:60].copy()
    alike["CD4 T cells"] = alike["CD8 T cells"] * 1.001 + 0.1
    assert run(tpm, "least_squares", signature=alike).fit["condition"].iloc[0] > 500


@pytest.mark.parametrize("method", ["least_squares", "epic", "svr"])
def test_signatures_that_cannot_be_used(
    tpm: pd.DataFrame, signature: Signature, method: str
) -> None:
    profiles = signature.profiles
    bad: list[tuple[object, str]] = [
        ("LM22.txt", "the signature is a str"),
        (np.log2(profiles) - 5, "negative values; give linear expression"),
        (profiles.astype(object).where(profiles > 100, "x"), "holds text"),
        (pd.concat([profiles, profiles.iloc[:1]]), "repeats genes: G000"),
        (profiles.set_axis(["a", "a", "b", "c", "d"], axis=1), "repeats cell types: a"),
        (profiles.assign(Mast=0.0), "no gene is expressed in Mast"),
        (pd.concat([profiles] * 13, axis=1).set_axis(range(65), axis=1), "at most 62"),
        (Signature(profiles, markers=("G000", "GX")), "lack the marker genes GX"),
        (Signature(profiles, variability=profiles.iloc[:9]), "the variability has missing"),
        (Signature(profiles, mrna={"B cells": 0.4}), "no mRNA per cell for CD8 T cells"),
        (Signature(profiles, unit="fpkm"), "unit is 'fpkm'"),
    ]
    for given, message in bad:
        if method == "epic" and "mRNA" in message:
            continue  # it has measured values for others
        options = {"scale_mrna": True} if method == "svr" else {}
        with pytest.raises(UserError, match=message):
            run(tpm, method, signature=given, **options)
    with pytest.raises(UserError, match=f"{method} found 0 of its 60 signature genes"):
        run(tpm.add_prefix("x", axis=0), method, signature=signature)
    with pytest.raises(UserError, match=f"{method} knows no symbols 'hgnc'"):
        run(tpm, method, signature=signature, symbols="hgnc")


def test_words_least_squares_does_not_know(tpm: pd.DataFrame, signature: Signature) -> None:
    for option in ("total", "scale", "universe"):
        with pytest.raises(UserError, match=f"least_squares knows no {option} 'x'"):
            run(tpm, "least_squares", signature=signature, **{option: "x"})
