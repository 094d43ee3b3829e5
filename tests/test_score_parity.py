"""Scores against the outputs of the original tools.

The tools' outputs are in `oracle/` of the shared folder, 17 digits, by R 4.2.2 and Python 3.11.7;
its README per data set has the calls. Tolerances are relative to the range of the tool's output,
1e-9 unless a test says why not.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import resistpath
from resistpath import GeneSet, UserError, score
from resistpath.io.networks import read_network
from resistpath.io.resources import score_table
from resistpath.score.ips import immunophenoscore

STABLE = ("RBM45", "BRAP", "CIAO1", "TARDBP", "HNRNPK")
"""The five carcinoma genes of singscore's ``getStableGenes(5)``."""


def read_gmt(path):
    lines = [line.rstrip("\n").split("\t") for line in path.read_text().splitlines()]
    return {fields[0]: fields[2:] for fields in lines}


class Original:
    """Input and sets of one data set, and what the tools made of them."""

    def __init__(self, folder, name):
        self.folder, self.name = folder / name, name
        x = pd.read_csv(self.folder / "input.tsv.gz", sep="\t", index_col=0)
        self.values = x if name == "toy" else np.log2(x + 1)
        sets = "toy.gmt" if name == "toy" else "sets56.gmt"
        self.sets = read_gmt(folder / "sets" / sets)

    def output(self, name):
        path = self.folder / f"{name}.tsv"
        if not path.exists():
            pytest.skip(f"no output {name} for {self.name}")
        return pd.read_csv(path, sep="\t", index_col=0).T


@pytest.fixture(scope="module", params=["toy", "hugo"])
def original(request, shared):
    return Original(shared / "oracle", request.param)


@pytest.fixture(scope="module")
def hugo(shared):
    return Original(shared / "oracle", "hugo")


@pytest.fixture(scope="module")
def toy(shared):
    return Original(shared / "oracle", "toy")


@pytest.fixture(scope="module")
def progeny(shared):
    return read_network(shared / "oracle" / "sets" / "progeny_human_top100.tsv")


def assert_equals(ours, expected, tolerance=1e-9):
    spread = expected.max().max() - expected.min().min()
    difference = (ours.loc[expected.index, expected.columns] - expected).abs()
    assert difference.max().max() < tolerance * spread


VERSIONS = ("1.46.0", "1.53.31")
GSVA = {
    "gaussian_mxdiff": {},
    "gaussian_nomxdiff": {"max_diff": False},
    "gaussian_absranking": {"abs_ranking": True},
    "kcdfnone": {"kcdf": "none"},
}


def without_repeats(version, table):
    """GSVA 1.46 counts a gene listed twice twice; from 1.53 on, and here, it counts once."""
    return table.drop(columns="DUP", errors="ignore") if version == "1.46.0" else table


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("variant", GSVA)
def test_gsva_in_the_order_of_the_file_equals_gsva(original, version, variant):
    expected = without_repeats(version, original.output(f"GSVA{version}__gsva_{variant}"))
    # Sums over samples run by name here, in the order of the file there: give names in order.
    values = original.values.copy()
    values.columns = [f"S{i:04d}" for i in range(values.shape[1])]
    ours = score(values, original.sets, "gsva", ties="row", **GSVA[variant])
    ours.index = original.values.columns
    assert_equals(ours, expected)


def test_gsva_by_name_is_close_to_gsva_on_real_data(hugo):
    """The last digit of a sum decides between equal densities, and between table entries."""
    expected = hugo.output("GSVA1.53.31__gsva_gaussian_mxdiff")
    difference = (score(hugo.values, hugo.sets, "gsva").loc[expected.index] - expected).abs()
    assert difference.max().max() < 2e-2
    assert difference.median().median() < 2e-5


def test_gsva_chooses_the_gaussian_kernel_where_told(toy):
    """GSVA 1.53's automatic choice on the toy is the Gaussian kernel."""
    expected = toy.output("GSVA1.53.31__gsva_kcdfauto")
    assert_equals(score(toy.values, toy.sets, "gsva", ties="row"), expected)


def test_poisson_kernel_is_its_formula():
    """No output of the original was at hand: the smoothed places by their definition."""
    from scipy.stats import poisson

    from resistpath.score.data import ScoreData
    from resistpath.score.gsva import KERNELS, _densities

    counts = pd.DataFrame(
        np.random.default_rng(3).poisson(4, (6, 5)), index=list("ABCDEF"), columns=list("vwxyz")
    )
    counts.loc["F"] = [3000, 2900, 3100, 10, 2950]
    for rows in (counts.iloc[:5], counts):
        places, density = _densities(ScoreData(rows), np.arange(len(rows)), KERNELS["poisson"])
        for gene, found in zip(rows.index[places], density.T, strict=True):
            x = rows.loc[gene].to_numpy()
            left = poisson.cdf(x[:, None], x[None, :] + 0.5).mean(axis=1)
            np.testing.assert_allclose(found, -np.log((1 - left) / left), rtol=1e-9)
    with pytest.raises(UserError, match="takes whole counts"):
        score(counts + 0.5, {"s": ["A"]}, "gsva", kcdf="poisson")


@pytest.mark.parametrize("version", VERSIONS)
def test_zscore_equals_gsva(original, version):
    expected = without_repeats(version, original.output(f"GSVA{version}__zscore"))
    assert_equals(score(original.values, original.sets, "zscore"), expected)


@pytest.mark.parametrize("version", VERSIONS)
def test_plage_equals_gsva_up_to_the_sign(original, version):
    expected = without_repeats(version, original.output(f"GSVA{version}__plage"))
    # GSVA reads one gene's row as a column and returns 1 for every sample.
    single = [c for c in expected if (expected[c] == 1).all()]
    assert single == (["ONE", "CONST"] if original.name == "toy" else [])
    expected = expected.drop(columns=single)
    ours = score(original.values, original.sets, "plage").loc[expected.index, expected.columns]
    assert_equals(ours * np.sign((ours * expected).sum()), expected)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("up_centered", {}),
        ("up_uncentered", {"centre": False}),
        ("unknowndir", {"known_direction": False}),
    ],
)
def test_singscore_equals_singscore(original, name, options):
    expected = original.output(f"singscore1.29.1__{name}")
    assert_equals(score(original.values, original.sets, "singscore", **options), expected)


def test_singscore_among_stable_genes_equals_singscore(hugo):
    expected = hugo.output("singscore1.29.1__stable5_up_centered")
    assert_equals(score(hugo.values, hugo.sets, "singscore", stable_genes=STABLE), expected)


def test_dispersion_equals_singscore(original):
    expected = original.output("singscore1.29.1__up_dispersion_mad")
    assert_equals(score(original.values, original.sets, "singscore_dispersion"), expected)


def test_dispersion_by_quartiles_is_r_type_7(toy):
    ranks = toy.values.rank(method="min").loc[toy.sets["A"]]
    expected = ranks.quantile(0.75) - ranks.quantile(0.25)
    ours = score(toy.values, {"A": toy.sets["A"]}, "singscore_dispersion", kind="iqr")["A"]
    np.testing.assert_allclose(ours, expected, rtol=1e-12)


def test_aucell_equals_aucell(hugo):
    """AUCell 1.25.2, aucMaxRank 5 %. It breaks ties at random; none lie among the top here."""
    assert_equals(
        score(hugo.values, hugo.sets, "aucell"), hugo.output("AUCell1.25.2__auc_top5pct_seed42")
    )


def test_ulm_and_mlm_equal_decoupler(hugo, progeny):
    for name, method, sets in (
        ("decoupleR2.4.0__progeny100_ulm", "ulm", progeny),
        ("decoupleR2.4.0__progeny100_mlm", "mlm", progeny),
        ("decoupleR2.4.0__sets56_ulm", "ulm", hugo.sets),
    ):
        assert_equals(score(hugo.values, sets, method), hugo.output(name))


def test_python_decoupler_drops_genes_that_are_zero_everywhere(hugo, progeny):
    """decoupler 2.2.0 with its default ``empty=True`` fits fewer genes than decoupleR."""
    expected = hugo.output("decoupler_py2.2.0__ulm_progeny100")
    assert not np.allclose(score(hugo.values, progeny, "ulm").loc[expected.index], expected)
    kept = hugo.values[(hugo.values != 0).any(axis=1)]
    for name in ("ulm", "mlm"):
        output = hugo.output(f"decoupler_py2.2.0__{name}_progeny100")
        ours = score(kept, progeny, name).loc[output.index, output.columns]
        # It keeps expression in float32.
        np.testing.assert_allclose(ours, output, rtol=1e-4, atol=1e-4)


def test_weighted_sum_equals_progeny(hugo, progeny):
    for name in (
        "progeny1.20.0__top100_unscaled",
        "decoupleR2.4.0__progeny100_times100_seed42_wsum",
    ):
        assert_equals(score(hugo.values, progeny, "weighted"), hugo.output(name))


def scaled(table):
    return (table - table.mean()) / table.std()


def test_scaled_progeny_is_the_cohort_z_of_the_sum(hugo, progeny):
    """PROGENy's ``scale=TRUE`` is a z value over the cohort: not offered for single samples."""
    expected = hugo.output("progeny1.20.0__top100_scaled")
    assert_equals(scaled(score(hugo.values, progeny, "weighted")), expected)


@pytest.fixture(scope="module")
def ips_table():
    return score_table("immunophenoscore")


def ips(values, table):
    return immunophenoscore(values, table).pivot(index="sample", columns="readout", values="score")


@pytest.mark.parametrize(
    ("name", "variant"),
    [("hugo", "log2"), ("hugo", "linear_input"), ("ips_example", "example")],
)
def test_immunophenoscore_equals_the_original(shared, ips_table, name, variant):
    """IPS.R of icbi-lab/Immunophenogram@ac95e6f, which knows genes by their names of 2016."""
    folder = shared / "oracle" / name
    x = pd.read_csv(folder / "input.tsv.gz", sep="\t", index_col=0)
    x = np.log2(x + 1) if variant == "log2" else x
    expected = pd.read_csv(folder / f"IPS_original__{variant}.tsv", sep="\t", index_col=0)
    ours = ips(x, ips_table.assign(gene=ips_table["published"]))
    np.testing.assert_allclose(ours.loc[expected.index, expected.columns], expected, rtol=1e-9)


def partial_matches(table, names):
    """R finds a row by the beginning of its name if only one row begins so."""
    rows = table.assign(gene=table["published"])
    for i, gene in rows["gene"].items():
        longer = [n for n in names if n.startswith(gene)]
        if gene not in names and len(longer) == 1:
            rows.loc[i, "gene"] = longer[0]
    return rows


@pytest.mark.parametrize("variant", ["log2", "linear_input"])
def test_immunophenoscore_differs_where_the_original_takes_another_gene(shared, ips_table, variant):
    folder = shared / "oracle" / "racle"
    x = pd.read_csv(folder / "input.tsv.gz", sep="\t", index_col=0)
    x = np.log2(x + 1) if variant == "log2" else x
    expected = pd.read_csv(folder / f"IPS_original__{variant}.tsv", sep="\t", index_col=0)
    plain = ips(x, ips_table.assign(gene=ips_table["published"]))
    assert not np.allclose(plain.loc[expected.index, "EC"], expected["EC"], rtol=1e-6)
    matched = ips(x, partial_matches(ips_table, set(x.index)))
    np.testing.assert_allclose(matched.loc[expected.index, expected.columns], expected, rtol=1e-9)


def test_immunophenoscore_by_current_symbols_finds_every_gene(hugo, ips_table):
    table = immunophenoscore(hugo.values, ips_table)
    assert (table["coverage"] == 1).all()
    pd.testing.assert_frame_equal(table, resistpath.immunophenoscore(hugo.values))
    lost = immunophenoscore(hugo.values.drop("ICOS"), ips_table).set_index(["readout", "sample"])
    # A marker without its gene: the class and the whole are unknown, not another gene's.
    for readout, missing in {"CP": True, "AZ": True, "IPS": True, "MHC": False}.items():
        assert lost.loc[readout, "score"].isna().all() == missing


def test_impres_counts_fifteen_pairs(hugo):
    from resistpath.io.resources import pair_sets

    (impres,) = pair_sets()
    assert len(impres.pairs) == 15
    assert len({g for pair in impres.pairs for g in pair}) == 15
    ours = score(hugo.values, [impres], "pairs")["IMPRES"]
    by_hand = sum((hugo.values.loc[a] > hugo.values.loc[b]).astype(int) for a, b in impres.pairs)
    pd.testing.assert_series_equal(ours.astype(int), by_hand, check_names=False)


def test_weighted_profile_subtracts_its_housekeeping_genes(hugo):
    from resistpath.io.resources import weighted_sets

    ((gep, keepers),) = weighted_sets()
    assert (len(gep.up), len(keepers)) == (18, 11)
    assert gep.weights["CD276"] < 0
    x = hugo.values
    by_hand = sum(w * (x.loc[g] - x.loc[list(keepers)].mean()) for g, w in gep.weights.items())
    ours = score(x, [gep], "weighted", housekeeping=keepers)["GEP18_WEIGHTED"]
    np.testing.assert_allclose(ours, by_hand, rtol=1e-9)
    with pytest.raises(UserError, match="housekeeping genes are not measured: TBP"):
        score(x.drop("TBP"), [gep], "weighted", housekeeping=keepers)


@pytest.mark.parametrize("method", ["ssgsea", "gsva"])
def test_gseapy_backend_equals_gseapy(hugo, method):
    """gseapy 1.3.1; its input was in the order of the file, so ties are broken otherwise."""
    name = {"ssgsea": "gseapy1.3.1__ssgsea_ES", "gsva": "gseapy1.3.1__gsva"}[method]
    expected = hugo.output(name)
    ours = score(hugo.values, hugo.sets, method, backend="gseapy").loc[expected.index]
    spread = expected.max().max() - expected.min().min()
    difference = (ours[expected.columns] - expected).abs() / spread
    assert difference.median().median() < 0.01
    assert difference.max().max() < 0.15


def test_gseapy_backend_agrees_where_nothing_ties(small):
    sets = {"a": [f"G{i:02d}" for i in range(0, 40, 5)], "b": [f"G{i:02d}" for i in range(9)]}
    ours, theirs = (score(small, sets, backend=b) for b in ("resistpath", "gseapy"))
    np.testing.assert_allclose(ours, theirs, rtol=1e-9)
    ours, theirs = (
        score(small, sets, "gsva", kcdf="none", backend=b) for b in ("resistpath", "gseapy")
    )
    assert ours.corrwith(theirs).min() > 0.8


def test_gseapy_prerank_needs_a_seed_and_gives_one_number_per_sample(small):
    sets = {"a": [f"G{i:02d}" for i in range(0, 40, 5)], "none": ["X"]}
    options = {"backend": "gseapy", "permutations": 50}
    once = score(small, sets, "prerank", seed=1, **options)
    pd.testing.assert_frame_equal(once, score(small, sets, "prerank", seed=1, **options))
    assert once["a"].notna().all()
    assert once["none"].isna().all()
    with pytest.raises(UserError, match="gseapy does not score by singscore"):
        score(small, sets, "singscore", backend="gseapy")
    with pytest.raises(UserError, match="no down genes"):
        score(small, [GeneSet("s", ("G01",), ("G02",))], backend="gseapy")
