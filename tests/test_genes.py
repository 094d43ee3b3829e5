"""Identifier harmonisation: what every kind of row becomes, and that nothing is lost."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resistpath.errors import UserError
from resistpath.genes import GENE_ID_KINDS, detect_gene_id, harmonise, harmonise_all

ACTIONS = {"kept", "renamed", "merged", "dropped"}


@pytest.fixture(scope="module")
def small() -> pd.DataFrame:
    """A hand-made table: order of rows is the order of the result."""
    rows = [
        # ensembl, symbol, previous, alias, entrez, biotype, length, ensembl_other, entrez_other
        ("ENSG00000000010", "BBB", "OLDB|RETIRED", "b-b", "10", "protein_coding", 1000, "", "11"),
        (
            "ENSG00000000020",
            "AAA1",
            "AAA",
            "SHARED",
            "20",
            "protein_coding",
            2000,
            "ENSG00000000021",
            "",
        ),
        ("ENSG00000000030", "C-C", "", "SHARED|BBB", "30", "protein_coding", 500, "", ""),
        ("ENSG00000000040", "LNC1", "OLDLNC", "", "40", "lncRNA", np.nan, "", ""),
        ("ENSG00000000050", "RETIRED2", "", "", "", "protein_coding", np.nan, "", ""),
        ("ENSG00000000060", "", "", "", "", "protein_coding_unnamed", np.nan, "", ""),
        ("ENSG00000000070", "C1orf7", "", "", "70", "protein_coding", 700, "", ""),
    ]
    columns = [
        "ensembl",
        "symbol",
        "previous",
        "alias",
        "entrez",
        "biotype",
        "length",
        "ensembl_other",
        "entrez_other",
    ]
    return pd.DataFrame(rows, columns=columns)


def matrix(ids: list[object], samples: int = 2) -> pd.DataFrame:
    """Row i holds i + 1 in the first sample, 10 times that in the next ..."""
    values = np.arange(1, len(ids) + 1)[:, None] * 10.0 ** np.arange(samples)
    return pd.DataFrame(values, index=ids, columns=[f"s{j}" for j in range(samples)])


def fate(table: pd.DataFrame, ids: list[object], kind: str = "symbol") -> pd.DataFrame:
    return harmonise(matrix(ids), table, gene_id=kind)[1]


# --- one row at a time -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "symbol", "action", "reason"),
    [
        ("BBB", "BBB", "kept", "approved symbol"),
        ("  BBB ", "BBB", "kept", "approved symbol"),
        ("AAA", "AAA1", "renamed", "previous symbol of AAA1"),
        ("b-b", "BBB", "renamed", "alias of BBB"),
        ("C.C", "C-C", "renamed", "symbol of C-C with dots for hyphens"),
        ("bbb", "BBB", "renamed", "symbol of BBB in other case"),
        ("oldb", "BBB", "renamed", "former symbol of BBB in other case"),
        ("C1ORF7", "C1orf7", "renamed", "symbol of C1orf7 in other case"),
        ("ENSG00000000020.3", "AAA1", "kept", "Ensembl id"),
        ("SHARED", None, "dropped", "ambiguous: alias of AAA1 and alias of C-C"),
        ("LNC1", None, "dropped", "not protein-coding (lncRNA)"),
        ("OLDLNC", None, "dropped", "not protein-coding (lncRNA)"),
        ("RETIRED2", None, "dropped", "protein-coding, but its length is not known"),
        ("NOSUCH", None, "dropped", "unknown identifier"),
        ("", None, "dropped", "no identifier"),
        (None, None, "dropped", "no identifier"),
        (np.nan, None, "dropped", "no identifier"),
        ("NA", None, "dropped", "no identifier"),
        ("?", None, "dropped", "no identifier"),
    ],
)
def test_symbol(
    small: pd.DataFrame, written: object, symbol: str | None, action: str, reason: str
) -> None:
    report = fate(small, [written, "C1orf7x", "C-C" if symbol != "C-C" else "BBB"])
    row = report.iloc[0]
    assert (row["action"], row["reason"]) == (action, reason)
    assert row["symbol"] == symbol if symbol else pd.isna(row["symbol"])


@pytest.mark.parametrize(
    "written",
    [
        *("1-Mar", "01-MAR", "2-Sep", "Mar-01", "Sep-2002", "1-Dec", "1. Mrz", "15-Sep-14"),
        *("2001-03-01", "2001-03-01 00:00:00", "3/1/2001", "01.03.2001", "March-01"),
    ],
)
def test_dates_are_named_as_such(small: pd.DataFrame, written: str) -> None:
    assert fate(small, [written, "BBB"])["reason"][0] == "looks like a date (spreadsheet damage)"


@pytest.mark.parametrize(
    ("written", "symbol", "action", "reason"),
    [
        ("ENSG00000000010", "BBB", "kept", "Ensembl id"),
        ("ENSG00000000010.18", "BBB", "kept", "Ensembl id"),
        ("ENSG00000000010.7_PAR_Y", "BBB", "kept", "Ensembl id (PAR_Y copy)"),
        ("ENSGR0000000010.7", "BBB", "kept", "Ensembl id (PAR_Y copy)"),
        ("ENSG00000000021.2", "AAA1", "renamed", "former or alternate Ensembl id of AAA1"),
        ("ENSG00000000040", None, "dropped", "not protein-coding (lncRNA)"),
        ("ENSG00000000060", None, "dropped", "protein-coding, but without an approved symbol"),
        (
            "ENSMUSG00000000010",
            None,
            "dropped",
            "Ensembl ids of mouse or rat: give human genes",
        ),
        ("BBB", None, "dropped", "unknown identifier"),
    ],
)
def test_ensembl(
    small: pd.DataFrame, written: str, symbol: str | None, action: str, reason: str
) -> None:
    row = fate(small, [written, "ENSG00000000030"], "ensembl").iloc[0]
    assert (row["action"], row["reason"]) == (action, reason)
    assert row["symbol"] == symbol if symbol else pd.isna(row["symbol"])


@pytest.mark.parametrize(
    ("kind", "written", "symbol", "action", "reason"),
    [
        ("entrez", 10, "BBB", "kept", "Entrez id"),
        ("entrez", "10.0", "BBB", "kept", "Entrez id"),
        ("entrez", 10.0, "BBB", "kept", "Entrez id"),
        ("entrez", "11", "BBB", "renamed", "former or alternate Entrez id of BBB"),
        ("entrez", "40", None, "dropped", "not protein-coding (lncRNA)"),
        ("entrez", "99", None, "dropped", "unknown identifier"),
        ("symbol|entrez", "OLDNAME|10", "BBB", "kept", "Entrez id"),
        ("symbol|entrez", "?|10", "BBB", "kept", "Entrez id"),
        (
            "symbol|entrez",
            "BBB|20",
            "AAA1",
            "kept",
            "Entrez id; the symbol beside it is that of BBB",
        ),
        ("symbol|entrez", "OLDB_10", "BBB", "kept", "Entrez id"),
        ("symbol|entrez", "BBB (10)", "BBB", "kept", "Entrez id"),
        (
            "symbol|entrez",
            "BBB_20",
            None,
            "dropped",
            "symbol and number do not name one gene",
        ),
        ("symbol|entrez", "BBB_99", None, "dropped", "symbol and number do not name one gene"),
        (
            "symbol|entrez",
            "AAA|99",
            "AAA1",
            "renamed",
            "previous symbol of AAA1, Entrez id unknown",
        ),
        ("symbol|entrez", "BBB|", "BBB", "kept", "approved symbol, Entrez id unknown"),
        ("symbol|entrez", "?|99", None, "dropped", "unknown identifier"),
        ("symbol|entrez", "?|?", None, "dropped", "no identifier"),
    ],
)
def test_entrez(
    small: pd.DataFrame, kind: str, written: object, symbol: str | None, action: str, reason: str
) -> None:
    row = fate(small, [written, {"entrez": "30"}.get(kind, "C-C|30")], kind).iloc[0]
    assert (row["action"], row["reason"]) == (action, reason)
    assert row["symbol"] == symbol if symbol else pd.isna(row["symbol"])


@pytest.mark.parametrize(
    ("written", "symbol", "action", "reason"),
    [
        ("ENSG00000000010.7|BBB", "BBB", "kept", "Ensembl id"),
        ("BBB|ENSG00000000010", "BBB", "kept", "Ensembl id"),
        ("ENSG00000000010_OLDB", "BBB", "kept", "Ensembl id"),
        ("ENSG00000000010.7_PAR_Y|BBB", "BBB", "kept", "Ensembl id (PAR_Y copy)"),
        (
            "ENSG00000000010|AAA1",
            "BBB",
            "kept",
            "Ensembl id; the symbol beside it is that of AAA1",
        ),
        (
            "ENSG00000009999|AAA",
            "AAA1",
            "renamed",
            "previous symbol of AAA1, Ensembl id unknown",
        ),
        ("ENSG00000000040|LNC1", None, "dropped", "not protein-coding (lncRNA)"),
        ("ENSG00000009999|NOSUCH", None, "dropped", "unknown identifier"),
    ],
)
def test_ensembl_beside_symbol(
    small: pd.DataFrame, written: str, symbol: str | None, action: str, reason: str
) -> None:
    row = fate(small, [written, "ENSG00000000030|C-C"], "ensembl|symbol").iloc[0]
    assert (row["action"], row["reason"]) == (action, reason)
    assert row["symbol"] == symbol if symbol else pd.isna(row["symbol"])


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("NM_000546.6", "RefSeq ids of transcripts: sum transcripts to genes first"),
        ("ENST00000269305.9", "Ensembl ids of transcripts: sum transcripts to genes first"),
        ("1007_s_at", "probes of a microarray: replace probes by gene symbols"),
        ("cg00000029", "methylation probes: give gene expression"),
    ],
)
def test_a_stray_row_of_another_kind_is_named(
    small: pd.DataFrame, written: str, reason: str
) -> None:
    row = fate(small, [written, "BBB", "AAA1"]).iloc[0]
    assert row["action"] == "dropped"
    assert row["reason"].startswith(reason)


def test_approved_symbol_wins_over_another_genes_alias(small: pd.DataFrame) -> None:
    # BBB is an alias of C-C, but the approved symbol of BBB.
    values, report, _ = harmonise(matrix(["BBB", "C-C"]), small)
    assert list(report["action"]) == ["kept", "kept"]
    assert values.loc["BBB", "s0"] == 1.0


# --- the whole matrix --------------------------------------------------------------------------


def test_rows_of_one_gene_are_summed_and_listed(small: pd.DataFrame) -> None:
    values, report, kind = harmonise(matrix(["OLDB", "AAA", "BBB", "b-b", "LNC1"]), small)
    assert kind == "symbol"
    assert values.index.tolist() == ["BBB", "AAA1"]  # the table's order
    assert values.index.name == "gene"
    assert values.loc["BBB"].tolist() == [1 + 3 + 4, 10 * (1 + 3 + 4)]
    assert values.loc["AAA1"].tolist() == [2, 20]
    merged = report[report["action"] == "merged"]
    assert merged["input_id"].tolist() == ["OLDB", "BBB", "b-b"]
    assert merged["symbol"].unique().tolist() == ["BBB"]
    assert merged["reason"].tolist() == [
        "previous symbol of BBB; summed with 2 other rows",
        "approved symbol; summed with 2 other rows",
        "alias of BBB; summed with 2 other rows",
    ]


@pytest.mark.parametrize(
    ("merge", "expected"), [("sum", 4.0), ("mean", 2.0), ("max", 3.0), ("max_mean", 3.0)]
)
def test_merge_rules(small: pd.DataFrame, merge: str, expected: float) -> None:
    values, report, _ = harmonise(matrix(["BBB", "AAA1", "BBB"]), small, merge=merge)
    assert values.loc["BBB", "s0"] == expected
    if merge != "max_mean":
        assert report["reason"][0].endswith("with 1 other row")


def test_highest_mean_probe(small: pd.DataFrame) -> None:
    values = pd.DataFrame(
        {"s0": [5.0, 1.0, 9.0, 2.0], "s1": [5.0, 1.0, 2.0, 2.0]},
        index=["BBB", "AAA1", "OLDB", "b-b"],
    )
    for frame in (values, values.iloc[::-1], values[["s1", "s0"]]):
        out, report, _ = harmonise(frame, small, merge="max_mean")
        assert out.loc["BBB", ["s0", "s1"]].tolist() == [9.0, 2.0]
        told = report.set_index("input_id")
        assert told["reason"].to_dict() == {
            "BBB": "approved symbol; another row of BBB has the higher mean",
            "AAA1": "approved symbol",
            "OLDB": "previous symbol of BBB; highest mean of 3 rows",
            "b-b": "alias of BBB; another row of BBB has the higher mean",
        }
        assert told["action"].to_dict() == {
            "BBB": "dropped",
            "AAA1": "kept",
            "OLDB": "renamed",
            "b-b": "dropped",
        }


def test_what_is_left_outside_the_matrix(small: pd.DataFrame) -> None:
    values = matrix(["AAA", "LNC1", "OLDLNC", "NOSUCH", "BBB", "RETIRED2"])
    whole = harmonise_all(values, small, also=("LNC1", "ABSENT"))
    matrix_, report, kind = harmonise(values, small)
    pd.testing.assert_frame_equal(whole.matrix, matrix_)
    pd.testing.assert_frame_equal(whole.report, report)
    assert whole.kind == kind
    assert whole.biotypes["s0"].to_dict() == {"lncRNA": 5.0, "protein_coding": 12.0, "unknown": 4.0}
    assert whole.others.index.tolist() == ["LNC1"]
    assert whole.others["s1"].tolist() == [50.0]
    assert harmonise_all(values, small).others.shape == (0, 2)


def test_par_y_copy_joins_its_gene(small: pd.DataFrame) -> None:
    ids: list[object] = ["ENSG00000000010.7", "ENSG00000000010.7_PAR_Y", "ENSG00000000030"]
    values, report, _ = harmonise(matrix(ids), small)
    assert values.loc["BBB", "s0"] == 3.0
    assert report["reason"][1] == "Ensembl id (PAR_Y copy); summed with 1 other row"


def test_rows_with_missing_values_are_dropped_and_counted(small: pd.DataFrame) -> None:
    values = matrix(["BBB", "OLDB", "AAA1", "LNC1"], samples=4)
    values.iloc[1, [0, 2, 3]] = np.nan
    values.iloc[2, 0] = np.nan
    values.iloc[3, 0] = np.nan
    out, report, _ = harmonise(values, small)
    assert report["reason"].tolist() == [
        "approved symbol",
        "missing values in 3 samples",
        "missing values in 1 sample",
        "not protein-coding (lncRNA)",
    ]
    assert report["action"].tolist() == ["kept", "dropped", "dropped", "dropped"]
    assert out.index.tolist() == ["BBB"]
    assert out.loc["BBB", "s0"] == 1.0


def test_input_is_left_alone(small: pd.DataFrame) -> None:
    values, table = matrix(["AAA", "BBB", "BBB"]), small.copy()
    before = values.copy()
    harmonise(values, small)
    pd.testing.assert_frame_equal(values, before)
    pd.testing.assert_frame_equal(small, table)


@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(1, 4))
def test_sums_outside_are_a_samples_own(seed: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    ids = rng.choice(["BBB", "AAA", "LNC1", "x", "y"], 40).tolist() + ["BBB", "AAA1", "C-C"] * 20
    values = pd.DataFrame(rng.lognormal(0, 5, (len(ids), 4)), index=ids, columns=list("abcd"))
    whole = harmonise_all(values, small_table(), also=("LNC1",))
    part = harmonise_all(
        values.sample(frac=1, random_state=seed).iloc[:, :n], small_table(), also=("LNC1",)
    )
    for name in ("biotypes", "matrix"):
        a, b = getattr(whole, name), getattr(part, name)
        pd.testing.assert_frame_equal(a[list("abcd")[:n]], b, check_exact=True)


IDS = ["BBB", "OLDB", "b-b", "bbb", "AAA", "AAA1", "C-C", "C.C", "LNC1", "SHARED", "1-Mar", ""]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    ids=st.lists(st.sampled_from(IDS), min_size=1, max_size=30),
    seed=st.integers(0, 2**31),
)
def test_order_of_rows_and_choice_of_samples_do_not_matter(ids: list[str], seed: int) -> None:
    rng = np.random.default_rng(seed)
    columns = [f"s{j}" for j in range(5)]
    values = pd.DataFrame(
        rng.lognormal(0, 8, (len(ids) + 1, 5)), index=[*ids, "C1orf7"], columns=columns
    )
    table = small_table()
    whole, report, _ = harmonise(values, table, gene_id="symbol")
    order = rng.permutation(len(values))
    moved, moved_report, _ = harmonise(values.iloc[order], table, gene_id="symbol")
    alone, _, _ = harmonise(values[["s3"]], table, gene_id="symbol")
    swapped, _, _ = harmonise(values[["s3", "s1"]], table, gene_id="symbol")
    pd.testing.assert_frame_equal(whole, moved, check_exact=True)
    assert alone["s3"].to_numpy().tobytes() == whole["s3"].to_numpy().tobytes()
    assert swapped["s1"].to_numpy().tobytes() == whole["s1"].to_numpy().tobytes()
    assert report["input_id"].tolist() == list(values.index)
    assert set(report["action"]) <= ACTIONS
    assert (report["symbol"].isna() == (report["action"] == "dropped")).all()
    assert set(report["symbol"].dropna()) == set(whole.index)
    assert (report["reason"] != "").all()
    pd.testing.assert_frame_equal(
        moved_report.reset_index(drop=True), report.iloc[order].reset_index(drop=True)
    )
    kept = values.to_numpy()[report["action"].ne("dropped").to_numpy()]
    np.testing.assert_allclose(whole.sum().to_numpy(), kept.sum(axis=0), rtol=1e-12)


def small_table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ensembl": ["ENSG00000000010", "ENSG00000000020", "ENSG00000000030", "", ""],
            "symbol": ["BBB", "AAA1", "C-C", "LNC1", "C1orf7"],
            "previous": ["OLDB", "AAA", "", "", ""],
            "alias": ["b-b", "SHARED", "SHARED", "", ""],
            "entrez": ["10", "20", "30", "40", "70"],
            "biotype": ["protein_coding"] * 3 + ["lncRNA", "protein_coding"],
            "length": [1000, 2000, 500, None, 700],
        }
    )


# --- which kind --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ids", "kind"),
    [
        (["BBB", "AAA", "x", "C-C"], "symbol"),
        (["bbb", "aaa", "c-c"], "symbol"),
        ([10, 20, 30, 99], "entrez"),
        (["10.0", "20.0"], "entrez"),
        (["ENSG00000000010.2", "ENSG00000000040"], "ensembl"),
        (["?|10", "AAA1|20", "C-C|99"], "symbol|entrez"),
        (["BBB_10", "AAA1_20", "C-C_30"], "symbol|entrez"),
        (["BBB (10)", "AAA1 (20)", "C-C (30)"], "symbol|entrez"),
        (["ENSG00000000010.2|BBB", "ENSG00000000020|AAA1"], "ensembl|symbol"),
        (["BBB|ENSG00000000010.2", "AAA1|ENSG00000000020"], "ensembl|symbol"),
        (["ENSG00000000010.2_BBB", "ENSG00000000020_AAA1"], "ensembl|symbol"),
        (["ENSG00000000010.2_PAR_Y", "ENSG00000000020.1_PAR_Y"], "ensembl"),
    ],
)
def test_kind(small: pd.DataFrame, ids: list[object], kind: str) -> None:
    found, evidence = detect_gene_id(pd.Index(ids), small)
    assert found == kind
    assert tuple(evidence) == GENE_ID_KINDS
    assert evidence[kind] > 0.5
    assert all(share == 0 for other, share in evidence.items() if other != kind)


@pytest.mark.parametrize(
    "ids",
    [
        ["BBB", "10", "ENSG00000000010", "AAA1|20"],
        ["BBB_20", "AAA1_30", "C-C_10"],
        ["x1", "x2", "x3"],
    ],
)
def test_unknown_kind_is_explained(small: pd.DataFrame, ids: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        detect_gene_id(pd.Index(ids), small)
    message = str(caught.value)
    assert message.startswith("gene_id: ")
    for part in (*(f"% as {kind}" for kind in GENE_ID_KINDS), *ids[:3]):
        assert part in message


FOREIGN = {
    "ENSMUSG0000000001{}": ("Ensembl ids of mouse or rat", "give human genes"),
    "ENSDARG0000000001{}": ("Ensembl ids of another species", "give human genes"),
    "ENST0000000001{}.2": ("Ensembl ids of transcripts", "sum transcripts to genes first"),
    "ENST0000000001{}.2|ENSG00000000010|BBB": ("Ensembl ids of transcripts", "tx2gene table"),
    "NM_00000{}.3": ("RefSeq ids of transcripts", "tx2gene table"),
    "NR_00000{}": ("RefSeq ids of transcripts", "tx2gene table"),
    "uc001aa{}.1": ("UCSC ids of transcripts", "tx2gene table"),
    "ENSP0000000001{}": ("ids of proteins", "give genes"),
    "20000{}_s_at": ("probes of a microarray", "platform's annotation"),
    "ILMN_165121{}": ("probes of a microarray", "platform's annotation"),
    "cg0000002{}": ("methylation probes", "give gene expression"),
    "hsa-miR-2{}-5p": ("micro-RNAs", "give gene expression"),
}


@pytest.mark.parametrize("form", FOREIGN)
@pytest.mark.parametrize("kind", ["auto", "symbol"])
def test_identifiers_of_another_kind_are_refused_with_a_hint(
    small: pd.DataFrame, form: str, kind: str
) -> None:
    letters = "abc" if "uc" in form else "123"
    ids: list[object] = ["BBB", *(form.format(c) for c in letters)]
    what, do = FOREIGN[form]
    with pytest.raises(UserError) as caught:
        harmonise(matrix(ids), small, gene_id=kind)
    message = str(caught.value)
    assert message.startswith(f"gene_id: the identifiers are {what}, for example ")
    assert do in message


def test_a_whole_mouse_matrix_is_refused(small: pd.DataFrame) -> None:
    """Most mouse genes have no human name at all, so that no kind explains them."""
    ids: list[object] = ["Bbb", "Aaa1", "Gm1234", "Gm5", "0610007P14Rik", "Zfp36", "Trp53", "BBB"]
    for kind in ("auto", "symbol"):
        with pytest.raises(UserError, match=r"look like those of a mouse, .* orthologues"):
            harmonise(matrix(ids), small, gene_id=kind)


def test_errors_for_the_user(small: pd.DataFrame) -> None:
    for arguments in ({"gene_id": "refseq"}, {"merge": "median"}):
        with pytest.raises(UserError, match="is not one of"):
            harmonise(matrix(["BBB"]), small, **arguments)
    with pytest.raises(UserError, match="no row is a known protein-coding gene"):
        harmonise(matrix(["LNC1", "x"]), small, gene_id="symbol")
    with pytest.raises(UserError, match="lacks biotype"):
        harmonise(matrix(["BBB"]), small.drop(columns="biotype"))
    with pytest.raises(UserError, match="repeats symbol BBB"):
        harmonise(matrix(["BBB"]), pd.concat([small, small.head(1)]))
    with pytest.raises(UserError, match="no gene identifiers"):
        detect_gene_id(pd.Index([]), small)
