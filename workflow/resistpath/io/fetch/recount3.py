"""recount3: gene sums of one study, with the metadata that turns coverage into counts."""

from __future__ import annotations

import re

from resistpath.errors import UserError
from resistpath.io.fetch.collector import Collector, Outcome
from resistpath.io.fetch.download import Wanted
from resistpath.io.fetch.source import Source

BASE = "https://recount-opendata.s3.amazonaws.com/recount3/release"
ANNOTATIONS = ("G026", "G029", "R109", "F006", "ERCC", "SIRV")
_TCGA = re.compile(
    "ACC|BLCA|BRCA|CESC|CHOL|COAD|DLBC|ESCA|GBM|HNSC|KICH|KIRC|KIRP|LAML|LGG|LIHC|LUAD|LUSC|MESO"
    "|OV|PAAD|PCPG|PRAD|READ|SARC|SKCM|STAD|TGCT|THCA|THYM|UCEC|UCS|UVM"
)


def study(source: Source) -> tuple[str, str]:
    """Return data source and project.

    Examples
    --------
    >>> study(Source("", "recount3", "SRP070710")), study(Source("", "recount3", "SKCM"))
    (('sra', 'SRP070710'), ('tcga', 'SKCM'))
    >>> study(Source("", "recount3", "gtex/SKIN"))
    ('gtex', 'SKIN')
    """
    where, _, project = source.name.rpartition("/")
    if not where and re.fullmatch(r"[SED]RP\d+", project):
        where = "sra"
    elif not where and _TCGA.fullmatch(project):
        where = "tcga"
    if where not in ("sra", "tcga", "gtex") or not re.fullmatch(r"[A-Z0-9_]{2,}", project):
        raise UserError(
            f"{source.name!r} is not a recount3 study",
            where=source.text,
            do="write recount3:SRP070710, recount3:tcga/SKCM or recount3:gtex/SKIN",
        )
    return where, project


def fetch_recount3(source: Source, collector: Collector) -> Outcome:
    """Fetch gene sums and metadata of a study."""
    where, project = study(source)
    annotation = source.options.get("annotation", "G026")
    if annotation not in ANNOTATIONS:
        raise UserError(
            f"recount3 has no annotation {annotation!r}",
            where=source.text,
            do=f"choose from {', '.join(ANNOTATIONS)}",
        )
    base = collector.base("recount3", BASE)

    def file(kind: str, tag: str, end: str, optional: bool = False) -> Wanted:
        name = f"{where}.{tag}.{project}.{end}.gz"
        url = f"{base}/human/data_sources/{where}/{kind}/{project[-2:]}/{project}/{name}"
        return Wanted(url, name, source.checksum if kind == "gene_sums" else None, None, optional)

    needed = (where, "recount_project", "recount_qc")
    entries = collector.get_all(
        [
            file("gene_sums", "gene_sums", annotation),
            *(file("metadata", tag, "MD") for tag in needed),
            *(file("metadata", tag, "MD", True) for tag in ("recount_seq_qc", "recount_pred")),
        ]
    )
    names = [entry["file"] for entry in entries if entry]
    note = "Gene sums are coverage, not counts: recount_qc turns them into counts."
    return Outcome(names[0], "recount3", tuple(names[1:]), (note,))
