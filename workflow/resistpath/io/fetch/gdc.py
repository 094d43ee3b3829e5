"""Genomic Data Commons: the open STAR gene counts of a project, one file per aliquot.

``POST /files`` lists them with MD5 sums; ``GET /data/UUID`` delivers each. What is written has the
form of a GDC download: ``UUID/NAME``, ``MANIFEST.txt`` and a sample sheet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from resistpath.errors import UserError
from resistpath.io.fetch.collector import Collector, Outcome
from resistpath.io.fetch.download import Wanted
from resistpath.io.fetch.source import Checksum, Source, safe_name

BASE = "https://api.gdc.cancer.gov"
PAGE = 1000
_FIELDS = (
    "file_id,file_name,md5sum,file_size,state,data_category,data_type,cases.submitter_id,"
    "cases.project.project_id,cases.samples.submitter_id,cases.samples.sample_type,"
    "cases.samples.tissue_type,cases.samples.tumor_descriptor,cases.samples.specimen_type,"
    "cases.samples.preservation_method"
)
# Columns of the portal's sample sheet (Sample Type is the older one) and the sample's field.
_SAMPLE_COLUMNS = {
    "Sample ID": "submitter_id",
    "Sample Type": "sample_type",
    "Tissue Type": "tissue_type",
    "Tumor Descriptor": "tumor_descriptor",
    "Specimen Type": "specimen_type",
    "Preservation Method": "preservation_method",
}
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def fetch_gdc(source: Source, collector: Collector) -> Outcome:
    """Fetch all open STAR counts of a project, each checked against its MD5 sum."""
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", source.name):
        raise UserError(f"{source.name!r} is not a GDC project", where=source.text)
    base = collector.base("gdc", BASE)
    hits = _hits(source, base, collector)
    collector.meter.say(f"{source.name}: {len(hits):,} files of STAR counts")
    collector.get_all([_wanted(hit, base) for hit in hits])
    manifest = ["id\tfilename\tmd5\tsize\tstate"]
    manifest += [
        f"{h['file_id']}\t{_path(h)}\t{h['md5sum']}\t{h['file_size']}\t{_cell(h.get('state'))}"
        for h in hits
    ]
    how = "written from the site's answer"
    collector.write("MANIFEST.txt", "\n".join(manifest) + "\n", how)
    sheet = collector.write("gdc_sample_sheet.tsv", _sample_sheet(hits), how)
    return Outcome(".", "gdc", (sheet,))


def query(source: Source) -> dict[str, Any]:
    """Return the filter for the open STAR counts of a project."""
    fields = {
        "cases.project.project_id": [source.name],
        "files.data_type": ["Gene Expression Quantification"],
        "files.analysis.workflow_type": ["STAR - Counts"],
        "files.access": ["open"],
    }
    for key, value in source.options.items():
        fields[f"cases.samples.{key}"] = [word.strip() for word in value.split(",")]
    content = [
        {"op": "in", "content": {"field": field, "value": value}} for field, value in fields.items()
    ]
    return {"op": "and", "content": content}


def _hits(source: Source, base: str, collector: Collector) -> list[dict[str, Any]]:
    """Return every matching file, by UUID, page by page."""
    hits: dict[str, dict[str, Any]] = {}
    seen, total = 0, 1
    while seen < total:
        question = {
            "filters": query(source),
            "fields": _FIELDS,
            "format": "JSON",
            "sort": "file_id:asc",
            "size": PAGE,
            "from": seen,
        }
        answer = collector.client.json(f"{base}/files", question)
        try:
            page, total = answer["data"]["hits"], int(answer["data"]["pagination"]["total"])
            hits |= {_checked(hit)["file_id"]: hit for hit in page}
        except (KeyError, TypeError, ValueError) as error:
            raise UserError(
                "the GDC's answer is not understood", where=f"{base}/files", do="try again later"
            ) from error
        if not page:
            break
        seen += len(page)
    if not hits:
        raise UserError(
            f"the GDC has no open STAR counts for {source.name}",
            where=source.text,
            do="check the project's name (as TCGA-SKCM) and what follows #",
        )
    if len(hits) != total:
        raise UserError(
            f"the GDC lists {total:,} files and shows {len(hits):,}",
            where=f"{base}/files",
            do="try again later",
        )
    return [hits[key] for key in sorted(hits)]


def _checked(hit: dict[str, Any]) -> dict[str, Any]:
    """Return a hit whose parts are what they must be; they become paths."""
    if not (
        _UUID.fullmatch(hit["file_id"])
        and re.fullmatch(r"[0-9a-f]{32}", hit["md5sum"])
        and isinstance(hit["file_size"], int)
        and isinstance(hit["file_name"], str)
    ):
        raise ValueError
    return hit


def _path(hit: dict[str, Any]) -> str:
    return f"{hit['file_id']}/{safe_name(hit['file_name'])}"


def _wanted(hit: dict[str, Any], base: str) -> Wanted:
    checksum = Checksum("md5", hit["md5sum"], "published by the GDC")
    return Wanted(f"{base}/data/{hit['file_id']}", _path(hit), checksum, hit["file_size"])


def _cell(value: object) -> str:
    return re.sub(r"\s+", " ", "" if value is None else str(value)).strip()


def _joined(values: Iterable[object]) -> str:
    """Join the values of several samples as the portal does."""
    return ", ".join(_cell(value) for value in values)


def _sample_sheet(hits: list[dict[str, Any]]) -> str:
    header = ["File ID", "File Name", "Data Category", "Data Type", "Project ID", "Case ID"]
    lines = ["\t".join([*header, *_SAMPLE_COLUMNS])]
    for hit in hits:
        pairs = [(c, s) for c in hit.get("cases") or [] for s in c.get("samples") or []]
        cells = [
            hit["file_id"],
            safe_name(hit["file_name"]),
            _cell(hit.get("data_category")),
            _cell(hit.get("data_type")),
            _joined((c.get("project") or {}).get("project_id") for c, _ in pairs[:1]),
            _joined(c.get("submitter_id") for c, _ in pairs),
            *(_joined(s.get(key) for _, s in pairs) for key in _SAMPLE_COLUMNS.values()),
        ]
        lines.append("\t".join(cells))
    return "\n".join(lines) + "\n"
