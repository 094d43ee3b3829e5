"""Gene sets of a user: read, looked up, checked, and joined to the catalogue."""

from __future__ import annotations

import gzip
import json

import jsonschema
import pandas as pd
import pytest

from resistpath.cli import main
from resistpath.errors import UserError
from resistpath.io.gene_sets import known_genes, read_user_sets
from resistpath.io.resources import catalogue, gene_names
from resistpath.io.tables import read_table
from resistpath.steps.signatures import check

BOOK = catalogue()
# Ayers 2017: the expanded immune signature, which IOBR ships as the T-cell-inflamed profile.
EXPANDED = (
    "CD3D IDO1 CIITA CD3E CCL5 GZMK CD2 HLA-DRA CXCL13 IL2RG NKG7 HLA-E CXCR6 LAG3 TAGAP CXCL10"
    " STAT1 GZMB"
)
# What public copies hold, and what each name is today; None where it must not be guessed.
TRAPS = {
    "CTGF": "CCN2",
    "FAM101B": "RFLNB",
    "C10orf54": "VSIR",
    "TMEM173": "STING1",
    "MB21D1": "CGAS",
    "LMP2": "PSMB9",
    "LMP7": "PSMB8",
    "CYR61": "CCN1",
    "SHFM1": "SEM1",
    "MRE11A": "MRE11",
    "H2AFX": "H2AX",
    "PDL2": "PDCD1LG2",
    "TIGIT'": "TIGIT",
    "3-Mar": "MARCHF3",
    "6-Mar": "MARCHF6",
    "TABBP": None,
    "TN-C": None,
    "NP": None,
    "AK3L1": None,
    "C": None,
    "1-Dec": None,
    "MIR21": None,
}


def written(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def gmt(folder, **sets):
    lines = [f"{name}\tdescription\t{genes.replace(' ', chr(9))}\n" for name, genes in sets.items()]
    return written(folder, "mine.gmt", "".join(lines))


def reports(path):
    return {r.name: r for r in check(path)[0]}


# ------------------------------------------------------------------ the lists that are wrong


@pytest.mark.parametrize("name", TRAPS)
def test_names_of_public_copies_become_todays_genes_or_are_left_out(tmp_path, name):
    report = reports(gmt(tmp_path, mine=f"{name} TP53"))["mine"]
    wanted = TRAPS[name]
    assert report.used == ((wanted, "TP53") if wanted else ("TP53",))
    assert report.count("renamed", "spreadsheet date", "current") == (2 if wanted else 1)


def test_expanded_immune_list_is_not_taken_for_the_inflamed_profile(tmp_path):
    profile = " ".join(BOOK.signature("GEP18_UNWEIGHTED").genes)
    found = reports(gmt(tmp_path, wrong=EXPANDED, right=profile, part=EXPANDED[:60]))
    assert any("expanded immune" in w for w in found["wrong"].warnings)
    assert not found["right"].warnings
    assert not any("expanded immune" in w for w in found["part"].warnings)
    shared = next(o for o in found["wrong"].overlaps if o.readout == "GEP18_UNWEIGHTED")
    assert shared.shared == 7


def test_misspelt_names_bring_a_suggestion(tmp_path):
    report = reports(gmt(tmp_path, mine="TABBP TN-C B2M TAP1 TAP2"))["mine"]
    assert "TABBP is unknown; TAPBP meant?" in report.warnings
    assert "TN-C is unknown; TNC meant?" in report.warnings
    assert [m.published for m in report.members if m.status == "unknown"] == ["TABBP", "TN-C"]


def test_a_gene_that_was_taken_apart_letter_by_letter_is_seen(tmp_path):
    report = reports(gmt(tmp_path, mine="P T E N"))["mine"]
    assert "write PTEN as one name" in report.warnings[0]
    assert not reports(gmt(tmp_path, mine="PTEN"))["mine"].warnings


def test_a_list_as_a_program_prints_it_is_read(tmp_path):
    path = written(tmp_path, "x.tsv", "set\tgenes\nmine\t['PTEN', 'TP53']\n")
    report = reports(path)["mine"]
    assert report.used == ("PTEN", "TP53")
    assert "written as a program's list" in report.notes[0]


def test_spreadsheet_dates_are_said(tmp_path):
    report = reports(gmt(tmp_path, mine="3-Mar 1-Mar TP53 KRAS MYC EGFR"))["mine"]
    said = " ".join(report.warnings)
    assert "3-Mar read as MARCHF3" in said
    assert "restore them by hand" in said
    assert report.count("damaged date") == 1


def test_repeats_count_once_and_say_why(tmp_path):
    report = reports(gmt(tmp_path, mine="CTGF CCN2 TP53 TP53"))["mine"]
    assert report.used == ("CCN2", "TP53")
    assert [m.why for m in report.members if m.status == "repeated"] == [
        "is CCN2, as CTGF is",
        "listed twice",
    ]


# ------------------------------------------------------------------ overlaps


def test_overlaps_are_largest_first_and_name_the_cluster(tmp_path):
    twelve = " ".join(BOOK.signature("TEFF_MARIATHASAN8").genes)
    report = reports(gmt(tmp_path, mine=twelve, again=twelve))["mine"]
    first = {o.readout: o for o in report.overlaps if o.share == 1}
    assert first["TEFF_MARIATHASAN8"].cluster == "t_cells"
    assert first["TEFF_MARIATHASAN8"].shared == 8
    assert first["again"].mechanism is None
    assert [o.share for o in report.overlaps] == sorted(o.share for o in report.overlaps)[::-1]
    assert not reports(gmt(tmp_path, mine="TP53"))["mine"].overlaps


# ------------------------------------------------------------------ forms of files


def test_wide_long_and_weighted_tables_say_the_same(tmp_path):
    wide = 'Set,Genes,Genes Down\nP,"TGFBI, SERPINE1, CDH1",CDH2\n'
    long = "set\tgene\trole\nP\tTGFBI\tup\nP\tSERPINE1\tup\nP\tCDH1\tup\nP\tCDH2\tdown\n"
    weighted = "source;target;weight\nP;TGFBI;3\nP;SERPINE1;2\nP;CDH1;1\nP;CDH2;-1.5\n"
    direction = long.replace("role", "direction")
    found = [
        read_user_sets(written(tmp_path, name, text)).sets[0]
        for name, text in (
            ("w.csv", wide),
            ("l.tsv", long),
            ("n.csv", weighted),
            ("d.tsv", direction),
        )
    ]
    assert {(s.name, s.up, s.down) for s in found} == {
        ("P", ("TGFBI", "SERPINE1", "CDH1"), ("CDH2",))
    }
    assert found[2].notes == ("only the signs of the weights are used, not their sizes",)


def test_gzip_comments_and_byte_order_marks_are_understood(tmp_path):
    path = tmp_path / "x.gmt.gz"
    path.write_bytes(gzip.compress("\ufeff# mine\nA\tnote\tTP53\tPTEN\n\n".encode()))
    entry = read_user_sets(path).sets[0]
    assert (entry.name, entry.up, entry.fields, entry.line) == (
        "A",
        ("TP53", "PTEN"),
        {"note": "note"},
        2,
    )


def test_ids_of_ensembl_and_entrez_are_understood(tmp_path):
    report = reports(gmt(tmp_path, mine="ENSG00000141510.18 PTEN"))["mine"]
    assert report.used == ("TP53", "PTEN")
    table = gene_names()
    assert list(known_genes(["7157", "5728"], table)["symbol"]) == ["TP53", "PTEN"]
    # One number among names is a spreadsheet's day, not an Entrez id.
    assert (
        known_genes(["44441", "TP53", "PTEN", "KRAS", "MYC"], table).loc["44441", "symbol"]
        == "SEPTIN2"
    )


UNUSABLE = {
    "empty": (b"", "empty"),
    "no set": (b"# nothing\n", "no gene sets"),
    "excel": (b"PK\x03\x04 abc", "not a text file"),
    "latin": ("set\tgenes\nü\tTP53\n".encode("latin-1"), "not UTF-8"),
    "one column": (b"TP53\nPTEN\n", "no tab, comma or semicolon"),
    "other columns": (b"a\tb\n1\t2\n", "no columns 'set' and 'genes'"),
    "header only": (b"set\tgenes\n", "no gene sets"),
    "genes and gene": (b"set\tgenes\tgene\nA\tB\tC\n", "keep one"),
    "column twice": (b"set\tgenes\tGenes\nA\tB\tC\n", "occur twice: genes"),
    "no name": (b"set\tgenes\n\tTP53\n", "'set' is empty in line 2"),
    "bare commas": (b"set,genes\nA,TP53,PTEN\n", "line 2: 3 fields, but the header has 2"),
    "open quote": (b'set,genes\nA,"TP53\nB,PTEN\n', "quotation mark is not closed"),
    "weight of zero": (b"source,target,weight\nA,TP53,0\n", "weight is '0'"),
    "unknown role": (b"set,gene,role\nA,TP53,both\n", "role is 'both'"),
    "role against weight": (b"set,gene,role,weight\nA,TP53,up,-1\n", "role is 'up' and weight"),
    "two methods": (b"set,gene,method\nA,TP53,mean\nA,PTEN,gene\n", "one value per set"),
}


@pytest.mark.parametrize("kind", UNUSABLE)
def test_files_that_cannot_be_used_end_in_one_sentence(tmp_path, capsys, kind):
    content, message = UNUSABLE[kind]
    path = tmp_path / "x.tsv"
    path.write_bytes(content)
    assert main(["signatures", "check", str(path)]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err
    assert said.err.count("\n") == 1


def test_a_damaged_gmt_line_is_named(tmp_path):
    with pytest.raises(UserError, match=r"mine\.gmt, line 2: this line of a GMT"):
        read_user_sets(written(tmp_path, "mine.gmt", "A\tx\tTP53\nB TP53 PTEN\n"))


# ------------------------------------------------------------------ the report of a check


def test_check_prints_a_table_and_json(tmp_path, capsys):
    path = gmt(tmp_path, ok="CA9 VEGFA SLC2A1 NDRG1 ADM", CYT_ROONEY2="GZMA PRF1", none="")
    assert main(["signatures", "check", str(path)]) == 0
    text = capsys.readouterr().out
    assert "1 of 3 sets can join the catalogue" in text
    assert text.count("CANNOT JOIN") == 2
    assert "the name 'CYT_ROONEY2' is taken by the catalogue" in text
    assert "the set has no genes" in text
    assert main(["signatures", "check", str(path), "--json"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert [s["usable"] for s in record["sets"]] == [True, False, False]
    assert record["n_usable"] == 1
    assert record["sets"][0]["overlaps"][0]["cluster"] == "hypoxia_glycolysis"


def test_a_direction_that_contradicts_the_mechanism_is_said(tmp_path):
    head = "set\tgenes\tmechanism\tdirection\tsign\n"
    genes = "CA9 VEGFA SLC2A1 NDRG1 ADM"
    path = written(
        tmp_path,
        "x.tsv",
        head
        + f"a\t{genes}\thypoxia\tsensitivity\t1\n"
        + f"b\t{genes}\thypoxia\tsensitivity\t-1\n"
        + f"c\t{genes}\thypoxia\t\t1\n",
    )
    found = reports(path)
    assert "it is read as high = resistance" in found["a"].warnings[0]
    assert not found["b"].warnings
    assert "no stated direction" in found["c"].warnings[0]


def test_two_halves_are_recognised(tmp_path):
    found = reports(gmt(tmp_path, X_UP="TP53 PTEN", X_DN="KRAS MYC", Y_UP="EGFR MET"))
    assert "two halves" in found["X_UP"].notes[0]
    assert not found["Y_UP"].notes


# ------------------------------------------------------------------ joining

HEAD = "set\tgenes\tgenes_down\tmechanism\tmechanism_name\taxis\tresistance_direction\tmethod\n"
LXR = (
    HEAD
    + "LXR programme\tABCA1 ABCG1 SREBF1 MYLIP NR1H3\tLDLR\tlxr\tLXR and cholesterol"
    + "\ttumour-extrinsic\thigh\t\n"
    + "APOE level\tAPOE\t\tlxr\t\t\t\t\n"
    + "My hypoxia\tCA9 VEGFA SLC2A1 CTGF ADM\t\thypoxia\t\t\t\t\n"
    + "Loose\tTP53 PTEN\t\t\t\t\t\t\n"
)


@pytest.fixture(scope="module")
def lxr(tmp_path_factory):
    return written(tmp_path_factory.mktemp("sets"), "lxr.tsv", LXR)


@pytest.fixture(scope="module")
def joined(lxr):
    return catalogue(lxr)


def test_shipped_records_stay_as_they_are(joined):
    assert joined.readouts[: len(BOOK.readouts)] == BOOK.readouts
    assert joined.signatures[: len(BOOK.signatures)] == BOOK.signatures
    assert joined.mechanisms[: len(BOOK.mechanisms)] == BOOK.mechanisms
    assert catalogue() is BOOK


def test_a_mechanism_is_added_by_a_table(joined):
    entry = joined.mechanism("lxr")
    assert entry.name == "LXR and cholesterol (user's own)"
    assert (entry.axis, entry.resistance_direction, entry.read) == (
        "tumour-extrinsic",
        "high",
        "residual",
    )
    assert (entry.page, entry.evidence_grade, entry.cluster) == ("more", "C", None)
    methods = {r.readout: r.method for r in joined.readouts_of("lxr")}
    assert methods == {"LXR_programme": "singscore", "APOE_level": "gene"}
    assert joined.readout("LXR_programme").genes_down == ("LDLR",)


def test_user_sets_are_marked_as_such(joined):
    mine = joined.signatures[len(BOOK.signatures) :]
    assert [s.signature for s in mine] == ["LXR_programme", "APOE_level", "My_hypoxia", "Loose"]
    for entry in mine:
        assert entry.tier == "user"
        assert "user's own" in entry.name
        assert "Not verified" in entry.caveats
        assert entry.read_from.startswith("lxr.tsv, sha256 ")
        assert "user's own" in joined.readout(entry.signature).name
    assert dict(joined.signature("My_hypoxia").renamed) == {"CTGF": "CCN2"}
    assert joined.readout("Loose").mechanism is None


def test_clusters_grow_with_the_users_genes_and_never_shrink(tmp_path):
    treg = " ".join(BOOK.signature("TREG_ZHANG9").genes)
    text = (
        HEAD
        + f"A\t{treg}\t\tmine\tMine\thost\thigh\t\nB\tTP53 PTEN KRAS MYC EGFR\t\thypoxia\t\t\t\t\n"
    )
    book = catalogue(written(tmp_path, "x.tsv", text))
    assert {m.mechanism for m in book.cluster_of("treg")} == {"mine"}
    assert book.mechanism("treg").cluster == book.mechanism("mine").cluster
    # A set without shared genes under hypoxia lowers its mean overlap, but splits nothing.
    assert {m.mechanism for m in book.cluster_of("hypoxia")} == {"glycolysis_lactate"}
    for entry in BOOK.mechanisms:
        old = {m.mechanism for m in BOOK.cluster_of(entry.mechanism)}
        assert old <= {m.mechanism for m in book.cluster_of(entry.mechanism)}


REFUSED = {
    "unknown column": ("set\tgenes\tmehtod\nA\tTP53\tmean\n", "unknown columns mehtod"),
    "taken name": ("set\tgenes\nCYT_ROONEY2\tTP53\n", "is taken by the catalogue"),
    "name twice": ("set\tgenes\nA b\tTP53\nA-b\tPTEN\n", "is taken by the set in line 2"),
    "nameless": ("set\tgenes\n--\tTP53\n", "no name"),
    "no genes": ("set\tgenes\nA\t\n", "no genes"),
    "unknown genes": ("set\tgenes\nA\tXYZ1 XYZ2\n", "none of its 2 genes is known"),
    "both sides": ("set\tgenes\tgenes_down\nA\tCTGF\tCCN2\n", "both up and down: CCN2"),
    "unknown method": ("set\tgenes\tmethod\nA\tTP53\tgsea\n", "'gsea'.*ssgsea"),
    "too few": ("set\tgenes\tmethod\nA\tTP53 PTEN\tssgsea\n", "2 genes are too few for 'ssgsea'"),
    "down by mean": ("set\tgenes\tgenes_down\tmethod\nA\tTP53\tPTEN\tmean\n", "'mean' cannot do"),
    "gene of two": ("set\tgenes\tmethod\nA\tTP53 PTEN\tgene\n", "given 2 genes"),
    "ratio of one side": ("set\tgenes\tmethod\nA\tTP53 PTEN\tratio\n", "no genes that lower"),
    "sign": ("set\tgenes\tsign\nA\tTP53\t2\n", "sign is 2"),
    "weight": ("set\tgenes\treadout_weight\nA\tTP53\t0\n", "weight is 0"),
    "direction": ("set\tgenes\tstated_direction\nA\tTP53\tup\n", "'up'.*high = resistance"),
    "bare mechanism": (
        HEAD + "A\tTP53\t\tmine\t\t\t\t\n",
        "its axis, resistance_direction not given",
    ),
    "host mechanism": (
        HEAD + "A\tTP53\t\thost_microbiome\t\thost\thigh\t\n",
        "cannot be seen in tumour RNA",
    ),
    "unknown axis": (HEAD + "A\tTP53\t\tmine\t\touter\thigh\t\n", "'outer'.*tumour-intrinsic"),
    "known mechanism described": (
        HEAD + "A\tTP53\t\thypoxia\t\thost\t\t\n",
        "mechanism 'hypoxia' is the catalogue's",
    ),
    "described twice": (
        HEAD + "A\tTP53\t\tm\t\thost\thigh\t\nB\tPTEN\t\tm\t\thost\tlow\t\n",
        "resistance_direction 'high' above and 'low' here",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_joining_refuses(tmp_path, kind):
    text, message = REFUSED[kind]
    path = written(tmp_path, "x.tsv", text)
    with pytest.raises(UserError, match=message) as caught:
        catalogue(path)
    assert str(path) in caught.value.where
    # The check says the same of the set or the column, and does not end in an error.
    found, unknown = check(path)
    assert unknown or any(r.problems for r in found)


# ------------------------------------------------------------------ the whole way


@pytest.fixture(scope="module")
def cohort(tmp_path_factory, repository, lxr):
    """Thirty demo tumours through all verbs, with the user's table."""
    folder = tmp_path_factory.mktemp("own")
    demo = repository / "resources" / "demo"
    x = pd.read_csv(demo / "expression.tsv.gz", sep="\t", index_col=0).iloc[:, :30]
    x.to_csv(folder / "x.tsv", sep="\t")
    out, own = folder / "mine", ["--signatures", lxr]
    pack = ["--reference", out / "reference.npz"]
    for words in (
        ["prepare", out, "--expression", folder / "x.tsv"],
        ["score", out, *own],
        ["deconvolve", out],
        ["reference", "build", out, "--name", "thirty"],
        ["assess", out, *pack, *own],
        ["report", out, *pack, *own],
    ):
        assert main([str(w) for w in words]) == 0
    return out


def test_a_biologist_adds_a_mechanism_without_python(cohort):
    scores = read_table(cohort / "scores.wide.tsv")
    assert {"LXR_programme", "APOE_level", "My_hypoxia", "Loose"} <= set(scores.columns)
    mechanisms = read_table(cohort / "mechanisms.tsv").set_index("mechanism")
    mine = mechanisms.loc["lxr"]
    assert len(mine) == 30
    assert (mine["n_readouts"] == 2).all()
    assert set(mine["verdict"]) <= {"high", "typical", "low", "inconclusive"}
    page = next((cohort / "reports").glob("*.json"))
    record = json.loads(page.read_text())
    entry = next(m for m in record["further_mechanisms"] if m["mechanism"] == "lxr")
    assert entry["name"] == "LXR and cholesterol (user's own)"
    assert {r["readout"] for r in entry["readouts"]} == {"LXR_programme", "APOE_level"}
    assert "LXR and cholesterol (user&#39;s own)" in page.with_suffix(".html").read_text()
    loose = next(r for r in record["context_readouts"] if r["readout"] == "Loose")
    assert [s["tier"] for s in loose["signatures"]] == ["user"]
    facts = json.loads((cohort / "manifest.json").read_text())
    assert "lxr.tsv" in json.dumps(facts)


def test_pages_with_own_sets_keep_the_schema(cohort, repository):
    package = repository / "workflow" / "resistpath" / "report"
    schema = json.loads((package / "sample-report.schema.json").read_text())
    for page in (cohort / "reports").glob("*.json"):
        jsonschema.validate(json.loads(page.read_text()), schema)


def test_the_workflow_hands_the_table_to_its_steps(tmp_path, repository, lxr, capfd):
    demo = repository / "resources" / "demo"
    expression, samples = demo / "expression.tsv.gz", demo / "samples.tsv"
    sheet = written(
        tmp_path, "c.tsv", f"cohort\texpression\tsamples\nmine\t{expression}\t{samples}\n"
    )
    settings = written(tmp_path, "config.yaml", f"cohorts: c.tsv\nsignatures: {lxr}\n")
    words = ["run", sheet, "--configfile", settings, "--results", tmp_path / "r", "--cores", "1"]
    more = ["--", "--dry-run", "--printshellcmds", "--directory", tmp_path]
    assert main([str(w) for w in (*words, *more)]) == 0
    said = "".join(capfd.readouterr())
    for verb in ("score", "assess", "differential", "report"):
        (command,) = [
            line for line in said.splitlines() if f"resistpath {verb} " in line and "tee" in line
        ]
        assert f"--signatures {lxr}" in command
    inputs = [line for line in said.splitlines() if line.strip().startswith("input: ")]
    assert sum(str(lxr) in line for line in inputs) == 4


def test_a_run_without_the_table_says_that_it_is_missing(cohort, capsys):
    pack = str(cohort / "reference.npz")
    assert main(["report", str(cohort), "--reference", pack]) == 2
    assert "lxr" in capsys.readouterr().err
