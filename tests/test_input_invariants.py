"""What must not change a sample's harmonised TPM by one bit, however the file is written.

From values as read: unit, linear scale, current symbols, TPM. Bits are compared for each sample.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resistpath.genes import harmonise, lengths
from resistpath.identifiers import turn_table
from resistpath.io.resources import gene_table
from resistpath.normalise import log2_plus_one, to_tpm
from resistpath.units import detect_units

few = settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
SAMPLES = [f"s{i}" for i in range(5)]
seeds = st.integers(0, 2**31)


@pytest.fixture(scope="module")
def names():
    return turn_table(gene_table())


@pytest.fixture(scope="module")
def bases():
    return lengths(gene_table())


@pytest.fixture(scope="module")
def counts(bases):
    """Reads of 2,500 coding genes and 50 others in five samples."""
    rng = np.random.default_rng(8)
    other = ["MALAT1", "XIST", "H19", "no such gene", *(f"RNU6-{i}P" for i in range(1, 47))]
    genes = [*bases.sample(2500, random_state=1).index, *other]
    level = rng.lognormal(4, 2.2, (len(genes), 5)) * (rng.random((len(genes), 5)) > 0.1)
    return pd.DataFrame(rng.poisson(level).astype(float), index=genes, columns=SAMPLES)


@pytest.fixture(scope="module")
def run(names, bases):
    def harmonised(values, gene_id="auto"):
        units = detect_units(values)
        matrix, _, _ = harmonise(units.linear(values), names, gene_id)
        return log2_plus_one(to_tpm(matrix, units, bases))

    return harmonised


def same_bits(found, expected, samples=SAMPLES):
    assert found.index.tolist() == expected.index.tolist()
    for s in samples:
        assert found[s].to_numpy().tobytes() == expected[s].to_numpy().tobytes(), s


@pytest.fixture(scope="module")
def expected(run, counts):
    return run(counts)


@few
@given(seed=seeds, samples=st.permutations(SAMPLES), n=st.integers(1, 5))
def test_order_of_rows_and_columns_and_company(run, counts, expected, seed, samples, n):
    moved = counts.sample(frac=1, random_state=seed % 2**31)[samples[:n]]
    same_bits(run(moved), expected, samples[:n])


@few
@given(seed=seeds, share=st.floats(0.01, 0.3))
def test_a_gene_split_into_two_rows(run, counts, expected, seed, share):
    rng = np.random.default_rng(seed)
    some = rng.random(len(counts)) < share
    first = rng.binomial(counts[some].to_numpy().astype(int), 0.4)
    rest = counts[some].to_numpy() - first
    split = pd.concat(
        [
            counts[~some],
            pd.DataFrame(first.astype(float), counts.index[some], SAMPLES),
            pd.DataFrame(rest, counts.index[some], SAMPLES),
        ]
    )
    same_bits(run(split.sample(frac=1, random_state=seed % 2**31)), expected)


@few
@given(seed=seeds, share=st.floats(0.1, 1.0))
def test_previous_symbols_and_aliases(run, counts, expected, names, seed, share):
    rng = np.random.default_rng(seed)
    table = names.table
    former = pd.Series(names.former.index, index=table["symbol"].to_numpy()[names.former])
    former = former[~former.index.duplicated()]
    older = [former[g] if g in former.index and rng.random() < share else g for g in counts.index]
    assert pd.Index(older).difference(counts.index).size > 20
    same_bits(run(counts.set_axis(older)), expected)


@pytest.mark.parametrize("kind", ["ensembl", "entrez", "symbol|entrez", "ensembl|symbol"])
def test_other_identifiers_of_the_same_genes(run, counts, expected, names, kind):
    table = names.table.set_index("symbol")
    coding = counts[counts.index.isin(table.index[table["coding"] & (table["entrez"] != "")])]
    row = table.loc[coding.index]
    ids = {
        "ensembl": row["ensembl"] + ".7",
        "entrez": row["entrez"],
        "symbol|entrez": coding.index + "|" + row["entrez"],
        "ensembl|symbol": row["ensembl"] + ".12|" + coding.index,
    }[kind]
    written = pd.concat([coding.set_axis(ids.to_numpy()), coding.iloc[:0]])
    same_bits(run(written), run(coding))
    same_bits(run(written, kind), run(coding))


@few
@given(power=st.integers(1, 6), seed=seeds)
def test_scaling_of_counts(run, counts, expected, power, seed):
    """Powers of two scale without rounding; any other factor moves the last bits only."""
    same_bits(run(counts * 2.0**power), expected)
    factor = np.random.default_rng(seed).integers(3, 50)
    np.testing.assert_allclose(run(counts * factor), expected, rtol=1e-13, atol=1e-13)


@few
@given(
    name=st.text(min_size=1, max_size=30).filter(lambda s: s.strip() and "\0" not in s),
    level=st.integers(0, 10**7),
    seed=seeds,
)
def test_an_irrelevant_row(run, counts, expected, names, name, level, seed):
    """A row that is no coding gene leaves every value of the others alone."""
    if not pd.Series([name.strip(), name.strip().upper()]).isin(names.symbol.index).any():
        name = f"not a gene: {name}"
    else:
        name = "MALAT1"
    extra = pd.DataFrame(float(level), index=[name], columns=SAMPLES)
    at = np.random.default_rng(seed).integers(0, len(counts))
    wider = pd.concat([counts.iloc[:at], extra, counts.iloc[at:]])
    same_bits(run(wider), expected)


@few
@given(seed=seeds, log=st.sampled_from(["log2", "ln", "log10"]))
def test_a_logarithm_loses_only_rounding(run, counts, expected, seed, log):
    """Undoing a logarithm cannot give the same bits; order and company still do."""
    logged = {"log2": np.log2, "ln": np.log, "log10": np.log10}[log](counts + 1)
    whole = run(logged)
    np.testing.assert_allclose(whole, expected, rtol=1e-9, atol=1e-9)
    moved = run(logged.sample(frac=1, random_state=seed % 2**31)[["s3", "s0"]])
    same_bits(moved, whole, ["s3", "s0"])


def test_dots_blanks_and_case(run, counts, expected, names):
    taken = names.former.index.union(names.ambiguous.index)  # emb is an alias of XPO1

    def written(gene):
        if "-" in gene:
            return f" {gene.replace('-', '.')} "
        return gene if gene.lower() in taken else gene.lower()

    same_bits(run(counts.set_axis([written(g) for g in counts.index])), expected)
