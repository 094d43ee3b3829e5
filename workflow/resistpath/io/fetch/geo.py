"""Gene Expression Omnibus: series matrices and one supplementary table of a series.

Layout: ``/geo/series/GSEnnn/GSE.../matrix/`` and ``/suppl/``, each an index page of links. The
counts NCBI computes itself come from ``/geo/download/`` on another host.
"""

from __future__ import annotations

import gzip
import re
import zlib
from pathlib import Path
from urllib.parse import quote, unquote, urlencode

from resistpath.errors import UserError, some
from resistpath.io.fetch.client import Refused
from resistpath.io.fetch.collector import Collector, Outcome
from resistpath.io.fetch.download import Wanted
from resistpath.io.fetch.source import Source, safe_name

BASE = "https://ftp.ncbi.nlm.nih.gov"
NCBI_BASE = "https://www.ncbi.nlm.nih.gov"
_LINK = re.compile(r"<a\s+[^>]*href=[\"']([^\"']+)[\"']", re.IGNORECASE)
_TABLE = re.compile(
    r"\.(txt|tsv|csv|tab|gct|xlsx?|h5ad|parquet)(\.(gz|bz2|xz|zst))?$", re.IGNORECASE
)
_MATRIX = "_series_matrix.txt.gz"


def listed(page: str) -> dict[str, str]:
    """Return the files an index page links to: safe name to link as written.

    Only links to the page's own folder count; parents, sub-folders, other sites and sort orders
    do not.

    Examples
    --------
    >>> listed('<a href="/geo/x/">Parent</a> <a href="GSE1_x.txt.gz">x</a> <a href="?C=N">n</a>')
    {'GSE1_x.txt.gz': 'GSE1_x.txt.gz'}
    """
    files = {}
    for link in _LINK.findall(page):
        text = unquote(link)
        if not re.search(r"[/\\?:#]|^\.", text):
            files[safe_name(text)] = quote(text)
    return files


def series_folder(accession: str) -> str:
    """Return the path of a series.

    Examples
    --------
    >>> series_folder("GSE91061"), series_folder("GSE78")
    ('/geo/series/GSE91nnn/GSE91061', '/geo/series/GSEnnn/GSE78')
    """
    return f"/geo/series/GSE{accession[3:-3]}nnn/{accession}"


def fetch_geo(source: Source, collector: Collector) -> Outcome:
    """Fetch the series matrices and the one table that holds the expression values."""
    accession = source.name.upper()
    if not re.fullmatch(r"GSE\d+", accession):
        raise UserError(f"{source.name!r} is not a GEO series", where=source.text, do="write GSE…")
    folder = collector.base("geo", BASE) + series_folder(accession)
    try:
        matrices = _list(collector, f"{folder}/matrix/")
    except Refused as error:
        raise UserError(
            f"GEO shows no series {accession}",
            where=f"{folder}/matrix/",
            do="check the accession; a private or superseded series has no files",
        ) from error
    wanted = source.options.get("file")
    entries = collector.get_all(
        [
            Wanted(f"{folder}/matrix/{link}", name, source.checksum if name == wanted else None)
            for name, link in matrices.items()
            if name.endswith(_MATRIX)
        ]
    )
    annotation = tuple(e["file"] for e in entries if e)
    if wanted in annotation:
        return Outcome(str(wanted), "geo_series_matrix", annotation)
    if wanted and wanted.endswith("_NCBI.tsv.gz"):
        return _ncbi_counts(source, accession, wanted, annotation, collector)
    try:
        supplement = _list(collector, f"{folder}/suppl/")
    except Refused:
        supplement = {}  # GEO forbids looking into a folder it does not have
    chosen = _choose(source, accession, annotation, supplement, collector.raw)
    if chosen in annotation:
        return Outcome(chosen, "geo_series_matrix", annotation)
    url = f"{folder}/suppl/{supplement[chosen]}"
    collector.need(Wanted(url, chosen, source.checksum))
    others = [n for n in supplement if n not in (chosen, "filelist.txt")]
    note = (f"Supplementary files not fetched: {some(others, 20)}.",) if others else ()
    return Outcome(chosen, "auto", annotation, note)


def _list(collector: Collector, url: str) -> dict[str, str]:
    return listed(collector.client.read_all(url, limit=1 << 24).decode("utf-8", "replace"))


def _choose(
    source: Source, accession: str, matrices: tuple[str, ...], supplement: dict[str, str], raw: Path
) -> str:
    """Name the only file that can hold the values; more than one is for the user to decide."""
    wanted = source.options.get("file")
    if wanted in supplement:
        return str(wanted)
    tables = [n for n in supplement if _TABLE.search(n) and n != "filelist.txt"]
    candidates = [n for n in matrices if has_values(raw / n)] + tables
    if len(candidates) == 1 and not wanted:
        return candidates[0]
    everything = list(dict.fromkeys([*candidates, *supplement]))
    counts = f"{accession}_raw_counts_GRCh38.p13_NCBI.tsv.gz"
    if wanted:
        what = f"{accession} has no file {wanted!r}; it has {some(everything, 40) or 'none'}"
    elif candidates:
        what = f"several files may hold the expression values: {some(candidates, 40)}"
    else:
        what = (
            "neither the series matrix nor a supplementary table holds expression values"
            f" (supplementary files: {some(everything, 40) or 'none'})"
        )
    example = candidates[0] if candidates else counts
    raise UserError(
        what,
        where=source.text,
        do=f"name one under `expression` in the cohort sheet: geo:{accession}#file={example}"
        + ("" if example == counts else f" (or NCBI's own counts, #file={counts})"),
    )


def has_values(path: Path) -> bool:
    """Whether a series matrix holds a table with at least one row."""
    try:
        with gzip.open(path, "rb") as handle:
            after = -1
            while line := handle.readline(1 << 26):
                if after >= 0:
                    after += 1
                if line.startswith(b"!series_matrix_table_begin"):
                    after = 0
                elif after == 2:
                    return not line.startswith(b"!series_matrix_table_end")
    except (OSError, EOFError, zlib.error) as error:
        raise UserError(
            f"the file is damaged ({error})", where=str(path), do="remove it and fetch again"
        ) from error
    return False


def _ncbi_counts(
    source: Source,
    accession: str,
    name: str,
    annotation: tuple[str, ...],
    collector: Collector,
) -> Outcome:
    if not re.fullmatch(rf"{accession}_[A-Za-z0-9_.]+_NCBI\.tsv\.gz", name):
        raise UserError(f"{name!r} is not a file of {accession}", where=source.text)
    query = urlencode({"type": "rnaseq_counts", "acc": accession, "format": "file", "file": name})
    url = f"{collector.base('ncbi', NCBI_BASE)}/geo/download/?{query}"
    collector.need(Wanted(url, name, source.checksum))
    note = "Counted by NCBI, not by the authors: one row per Entrez gene, one column per GSM."
    return Outcome(name, "auto", annotation, (note,))
