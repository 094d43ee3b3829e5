"""GEO, GDC, recount3, Xena and cBioPortal by their own layout of paths."""

from __future__ import annotations

import gzip
import hashlib
import json

import pytest
from fetch_tools import BODY, HTML, File, sha

from resistpath.io.fetch.record import expression_path

# GEO ----------------------------------------------------------------------------------------

SERIES = "/geo/series/GSE12nnn/GSE12345"


def index(folder, *names):
    """An index page as GEO serves it, with its absolute parent link and its footer."""
    links = "".join(f'<a href="{n}">{n}</a>   2024-01-01 00:00  3.1K\n' for n in names)
    page = (
        f"<html><head><title>Index of {folder}</title></head>\n<body><pre>Name <hr>"
        f'<a href="{folder.rpartition("/")[0]}/">Parent Directory</a>  -\n{links}<hr></pre>\n'
        '<a href="https://www.hhs.gov/policy/index.html">Disclosure</a></body></html>'
    )
    return File(page.encode(), {"Content-Type": "text/html"})


def series_matrix(rows=b""):
    text = b'!Series_title\t"x"\n!Sample_title\t"a"\t"b"\n!series_matrix_table_begin\n'
    text += b'"ID_REF"\t"GSM1"\t"GSM2"\n' + rows + b"!series_matrix_table_end\n"
    return gzip.compress(text, mtime=0)


@pytest.fixture
def geo(site):
    def put(*supplement, matrices=("GSE12345_series_matrix.txt.gz",), rows=b""):
        site.files[f"{SERIES}/matrix/"] = index(f"{SERIES}/matrix", *matrices)
        for name in matrices:
            site.files[f"{SERIES}/matrix/{name}"] = File(series_matrix(rows))
        if supplement:
            site.files[f"{SERIES}/suppl/"] = index(f"{SERIES}/suppl", *supplement)
        for name in supplement:
            body = gzip.compress(name.encode() + BODY, mtime=0) if name.endswith(".gz") else BODY
            site.files[f"{SERIES}/suppl/{name}"] = File(body)

    return put


def test_geo_takes_the_only_table(run, site, geo):
    geo("GSE12345_counts.csv.gz", "GSE12345_RAW.tar", "filelist.txt")
    message = run.fails("geo:GSE12345#file=x.txt", match="has no file 'x.txt'; it has GSE12345_c")
    assert "#file=GSE12345_counts.csv.gz" in message
    record = run("geo:gse12345")
    assert record["expression"] == "GSE12345_counts.csv.gz"
    assert record["annotation"] == ["GSE12345_series_matrix.txt.gz"]
    assert record["format"] == "auto"
    assert record["notes"] == ["Supplementary files not fetched: GSE12345_RAW.tar."]
    assert site.asked(f"{SERIES}/suppl/GSE12345_RAW.tar") == []
    assert expression_path(run.folder).name == "GSE12345_counts.csv.gz"


def test_geo_does_not_guess_among_tables(run, site, geo):
    geo("GSE12345_counts.csv.gz", "GSE12345_fpkm.txt.gz")
    message = run.fails("geo:GSE12345", match="several files may hold the expression values")
    assert "GSE12345_counts.csv.gz, GSE12345_fpkm.txt.gz" in message
    assert "`expression` in the cohort sheet: geo:GSE12345#file=GSE12345_counts.csv.gz" in message
    asked = len(site.asked(f"{SERIES}/matrix/GSE12345_series_matrix.txt.gz"))
    record = run("geo:GSE12345#file=GSE12345_fpkm.txt.gz")
    assert record["expression"] == "GSE12345_fpkm.txt.gz"
    assert len(site.asked(f"{SERIES}/matrix/GSE12345_series_matrix.txt.gz")) == asked


def test_geo_reads_arrays_from_the_series_matrix(run, site, geo):
    geo(rows=b'"1007_s_at"\t1.5\t2.5\n')
    site.files[f"{SERIES}/suppl/"] = File(b"", answers=[(403, {})] * 9)  # GEO's word for none
    record = run("geo:GSE12345")
    assert record["format"] == "geo_series_matrix"
    assert record["expression"] == "GSE12345_series_matrix.txt.gz"


def test_geo_does_not_guess_among_platforms(run, geo):
    names = ("GSE12345-GPL1_series_matrix.txt.gz", "GSE12345-GPL2_series_matrix.txt.gz")
    geo(matrices=names, rows=b'"x"\t1\t2\n')
    run.fails("geo:GSE12345", match=f"several files .* {names[0]}, {names[1]}")
    assert run(f"geo:GSE12345#file={names[1]}")["expression"] == names[1]


def test_geo_without_values_points_to_the_counts_of_ncbi(run, site, geo):
    geo("GSE12345_RAW.tar")
    message = run.fails("geo:GSE12345", match="neither the series matrix nor a supplementary")
    counts = "GSE12345_raw_counts_GRCh38.p13_NCBI.tsv.gz"
    assert f"geo:GSE12345#file={counts}" in message
    path = f"/geo/download/?type=rnaseq_counts&acc=GSE12345&format=file&file={counts}"
    site.files[path] = File(gzip.compress(BODY))
    assert run(f"geo:GSE12345#file={counts}")["expression"] == counts
    site.files[path] = File(HTML)
    (run.folder / "raw" / counts).unlink()
    run.fails(f"geo:GSE12345#file={counts}", match="web page")


def test_geo_listings_cannot_lead_out_of_the_folder(run, site, geo):
    geo("../../x.txt", "%2e%2e%2fy.txt", "..%5cz.txt", "GSE12345_a.txt", "sub/", "?C=N;O=D")
    assert run("geo:GSE12345")["expression"] == "GSE12345_a.txt"
    assert not list(run.folder.parent.glob("*.txt"))


def test_geo_says_when_there_is_no_such_series(run):
    assert "GEO shows no series GSE99999" in run.fails("geo:GSE99999", match="accession")


def test_geo_says_when_a_matrix_is_damaged(run, site, geo):
    geo()
    name = f"{SERIES}/matrix/GSE12345_series_matrix.txt.gz"
    site.files[name] = File(series_matrix(b'"x"\t1\t2\n' * 9)[:-20])
    run.fails("geo:GSE12345", match="damaged")


# GDC ----------------------------------------------------------------------------------------


def uuid(i):
    return f"{i:08x}-0000-4000-8000-000000000000"


def hit(i, body, **other):
    sample = {"submitter_id": f"TCGA-XX-{i:04d}-01A", "sample_type": "Primary Tumor"}
    return {
        "file_id": uuid(i),
        "file_name": f"{i}.rna_seq.augmented_star_gene_counts.tsv",
        "md5sum": hashlib.md5(body, usedforsecurity=False).hexdigest(),
        "file_size": len(body),
        "state": "released",
        "data_category": "Transcriptome Profiling",
        "data_type": "Gene Expression Quantification",
        "cases": [
            {
                "submitter_id": f"TCGA-XX-{i:04d}",
                "project": {"project_id": "TCGA-XX"},
                "samples": [sample],
            }
        ],
        **other,
    }


@pytest.fixture
def gdc(site):
    """The GDC with twelve files, listed by pages of five."""
    bodies = [b"gene_id\tunstranded\n" + b"ENSG%d\t%d\n" % (i, i) * 500 for i in range(12)]
    hits = [hit(i, body) for i, body in enumerate(bodies)]

    def files(question):
        site.questions.append(question)
        start, size = question["from"], min(question["size"], 5)
        page = {"hits": hits[start : start + size], "pagination": {"total": len(hits)}}
        return json.dumps({"data": page, "warnings": {}}).encode()

    site.questions = []
    site.files["/files"] = files
    for i, body in enumerate(bodies):
        site.files[f"/data/{uuid(i)}"] = File(
            body, {"Content-Disposition": f"attachment; filename={hits[i]['file_name']}"}
        )
    site.hits = hits
    return bodies


def test_gdc_brings_a_project_in_the_form_of_a_gdc_download(run, site, gdc):
    record = run("gdc:TCGA-XX")
    raw = run.folder / "raw"
    assert expression_path(run.folder) == raw
    rows = [line.split("\t") for line in run.raw("MANIFEST.txt").decode().splitlines()]
    assert rows[0] == ["id", "filename", "md5", "size", "state"]
    assert len(rows) == 13
    for (_, name, md5, size, _), body in zip(rows[1:], gdc, strict=True):
        assert (raw / name).read_bytes() == body
        assert (hashlib.md5(body).hexdigest(), str(len(body))) == (md5, size)  # noqa: S324
    sheet = [line.split("\t") for line in run.raw("gdc_sample_sheet.tsv").decode().splitlines()]
    assert sheet[0][:8] == [
        *("File ID", "File Name", "Data Category", "Data Type"),
        *("Project ID", "Case ID", "Sample ID", "Sample Type"),
    ]
    assert sheet[4][4:8] == ["TCGA-XX", "TCGA-XX-0003", "TCGA-XX-0003-01A", "Primary Tumor"]
    assert {len(row) for row in sheet} == {12}
    verified = {e["verified"] for e in record["files"] if e["url"]}
    assert verified == {"md5 published by the GDC"}
    asked = {str(c["content"]) for c in site.questions[0]["filters"]["content"]}
    assert "{'field': 'files.access', 'value': ['open']}" in asked
    assert [q["from"] for q in site.questions] == [0, 5, 10]


def test_gdc_again_and_elsewhere_gives_the_same_but_for_dates(run, site, gdc, tmp_path):
    first, n = run("gdc:TCGA-XX"), len(site.log)
    run("gdc:TCGA-XX")
    (run.folder / "raw" / "fetch.json").unlink()
    run("gdc:TCGA-XX")
    assert len(site.log) == n
    second = run("gdc:TCGA-XX", folder=tmp_path / "again", connections=1)
    for record in (first, second):
        record.pop("date")
        for entry in record["files"]:
            entry.pop("date")
    assert first == second


def test_gdc_goes_on_where_it_was_stopped(run, site, gdc):
    good = site.files[f"/data/{uuid(7)}"]
    site.files[f"/data/{uuid(7)}"] = File(b"x" * len(good.body), {})
    message = run.fails("gdc:TCGA-XX", match="published by the GDC", connections=1)
    assert uuid(7) in message
    assert not (run.folder / "raw" / "fetch.json").exists()
    with (run.folder / "raw" / ".fetch.jsonl").open("a") as journal:
        journal.write('{"file": "cut sho')
    site.files[f"/data/{uuid(7)}"], site.files[f"/data/{uuid(8)}"] = good, File(b"x", {})
    run.fails("gdc:TCGA-XX", match=uuid(8), connections=1)
    site.files[f"/data/{uuid(8)}"] = File(gdc[8])
    journal = run.raw(".fetch.jsonl").splitlines()
    assert [json.loads(x)["url"] for x in journal if uuid(7) in x.decode()]
    run("gdc:TCGA-XX", connections=1)
    asked = [len(site.asked(f"/data/{uuid(i)}")) for i in (3, 7, 8)]
    assert asked == [1, 2, 2]


def test_gdc_samples_can_be_chosen(run, site, gdc):
    run("gdc:TCGA-XX#sample_type=Primary Tumor,Metastatic")
    last = site.questions[0]["filters"]["content"][-1]["content"]
    expected = {"field": "cases.samples.sample_type", "value": ["Primary Tumor", "Metastatic"]}
    assert last == expected


def test_another_source_replaces_the_files_of_the_last(run, site, gdc):
    run("gdc:TCGA-XX")
    (run.folder / "raw" / "mine.txt").write_text("not fetched")
    (run.folder / "raw" / uuid(3) / "mine.txt").write_text("not fetched")
    del site.hits[3:6]
    run("gdc:TCGA-XX#tissue_type=Tumor")
    assert "removed 3 files" in " ".join(run.said)
    left = {name.partition("/")[0] for name in run.names()}
    assert uuid(2) in left
    assert uuid(4) not in left
    assert {"mine.txt", f"{uuid(3)}/mine.txt"} <= run.names()
    assert not (run.folder / "raw" / uuid(4)).exists()


def test_a_record_cannot_have_files_elsewhere_removed(run, site, tmp_path):
    mine = tmp_path / "mine.txt"
    mine.write_bytes(BODY)
    site.files["/m.tsv"] = File(BODY)
    raw = run.folder / "raw"
    raw.mkdir(parents=True)
    entry = {"file": "../../mine.txt", "url": "x", "bytes": len(BODY), "sha256": sha(BODY)}
    (raw / ".fetch.jsonl").write_text(json.dumps(entry))
    run.fails(f"{site.base}/m.tsv", match="leads out of the folder")
    assert mine.exists()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda hits: hits.clear(), "no open STAR counts for TCGA-XX"),
        (lambda hits: hits[1].update(file_id="../../up"), "answer is not understood"),
        (lambda hits: hits[1].update(md5sum="none"), "answer is not understood"),
        (lambda hits: hits[1].pop("file_name"), "answer is not understood"),
        (lambda hits: hits.append(hits[0]), "lists 13 files and shows 12"),
    ],
)
def test_gdc_answers_are_checked(run, site, gdc, change, match):
    change(site.hits)
    run.fails("gdc:TCGA-XX", match=match)
    assert not run.folder.exists()


def test_gdc_size_is_known_before_anything_is_downloaded(run, site, gdc):
    run.fails("gdc:TCGA-XX", match="12 files of .* more than the 1.0 kB allowed", max_bytes=1000)
    assert not any(path.startswith("/data/") for _, path, _ in site.log)


def test_gdc_names_and_cells_are_data(run, site, gdc):
    site.hits[0]["file_name"] = "../../../up.tsv"
    site.hits[0]["cases"][0]["submitter_id"] = "a\tb\nc"
    run("gdc:TCGA-XX")
    assert (run.folder / "raw" / uuid(0) / "up.tsv").is_file()
    sheet = run.raw("gdc_sample_sheet.tsv").decode().splitlines()
    assert sheet[1].split("\t")[5] == "a b c"


def test_gdc_that_does_not_answer_json(run, site):
    site.files["/files"] = File(HTML)
    run.fails("gdc:TCGA-XX", match="the answer is not JSON")


# recount3, Xena, cBioPortal -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "where", "project", "shard"),
    [
        ("SRP070710", "sra", "SRP070710", "10"),
        ("SKCM", "tcga", "SKCM", "CM"),
        ("gtex/SKIN", "gtex", "SKIN", "IN"),
    ],
)
def test_recount3_brings_sums_and_metadata(run, site, name, where, project, shard):
    home = f"/human/data_sources/{where}"
    sums = f"{where}.gene_sums.{project}.G026.gz"
    site.files[f"{home}/gene_sums/{shard}/{project}/{sums}"] = File(gzip.compress(BODY))
    tags = [where, "recount_project", "recount_qc", "recount_seq_qc"]
    tables = [f"{where}.{tag}.{project}.MD.gz" for tag in tags]
    for table in tables:
        site.files[f"{home}/metadata/{shard}/{project}/{table}"] = File(gzip.compress(b"x\n"))
    record = run(f"recount3:{name}")
    assert record["expression"] == sums
    assert record["annotation"] == tables
    site.files.pop(f"{home}/metadata/{shard}/{project}/{tables[2]}")
    run.fails(f"recount3:{name}#annotation=G029", match="HTTP 404")


def test_xena_takes_the_compressed_file_or_the_plain_one(run, site, tmp_path):
    site.files["/download/TCGA.SKCM.sampleMap/HiSeqV2.gz"] = File(gzip.compress(BODY))
    site.files["/download/EB%2B%2BAdjust.xena"] = File(BODY)
    record = run("xena:tcga_TCGA.SKCM.sampleMap/HiSeqV2")
    assert record["expression"] == "TCGA.SKCM.sampleMap__HiSeqV2.gz"
    assert record["format"] == "xena"
    record = run("xena:toil_EB++Adjust.xena", folder=tmp_path / "other")
    assert record["expression"] == "EB++Adjust.xena"
    site.files["/download/TCGA-UVM.star_tpm.tsv.gz"] = File(gzip.compress(BODY))
    for dataset in ("TCGA-UVM.star_tpm.tsv", "TCGA-UVM/Xena_Matrices/TCGA-UVM.star_tpm.tsv.gz"):
        record = run(f"xena:gdc_{dataset}", folder=tmp_path / "gdc")
        assert record["expression"] == "TCGA-UVM.star_tpm.tsv.gz"
    run.fails("xena:toil_none", match="HTTP 404")


def test_cbioportal_verifies_by_the_repositorys_pointer(run, site):
    study = "/public/skcm_x"
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"
    pointer = pointer.format(sha(BODY), len(BODY)).encode()
    site.files[f"{study}/data_mrna_seq_tpm.txt"] = File(pointer)
    site.files[f"{study}/data_clinical_sample.txt"] = File(b"#x\nPATIENT_ID\n")
    site.files[f"/media{study}/data_mrna_seq_tpm.txt"] = File(BODY)
    record = run("cbioportal:skcm_x")
    assert record["expression"] == "data_mrna_seq_tpm.txt"
    assert record["annotation"] == ["data_clinical_sample.txt"]
    by_name = {e["file"]: e["verified"] for e in record["files"]}
    assert by_name["data_mrna_seq_tpm.txt"] == "sha256 published in the datahub"
    site.files[f"{study}/data_mrna_seq_fpkm.txt"] = File(pointer)
    (run.folder / "raw" / "data_mrna_seq_tpm.txt").unlink()
    run.fails("cbioportal:skcm_x", match="several files .* data_mrna_seq_tpm.txt, data_mrna_seq_f")
    run.fails("cbioportal:none", match="the study has no mRNA table")
