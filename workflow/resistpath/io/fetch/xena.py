"""UCSC Xena: one dataset of one hub, from the hub's ``/download/`` folder."""

from __future__ import annotations

import re
from urllib.parse import quote

from resistpath.errors import UserError
from resistpath.io.fetch.collector import Collector, Outcome
from resistpath.io.fetch.download import Wanted
from resistpath.io.fetch.source import Source, safe_name

HUBS = {
    "tcga": "https://tcga.xenahubs.net",
    "gdc": "https://gdc.xenahubs.net",
    "toil": "https://toil.xenahubs.net",
    "pancanatlas": "https://pancanatlas.xenahubs.net",
    "icgc": "https://icgc.xenahubs.net",
    "pcawg": "https://pcawg.xenahubs.net",
    "public": "https://ucscpublic.xenahubs.net",
    "kidsfirst": "https://kidsfirst.xenahubs.net",
    "treehouse": "https://xena.treehouse.gi.ucsc.edu",
}


def fetch_xena(source: Source, collector: Collector) -> Outcome:
    """Fetch a dataset, compressed if the hub has it so."""
    hub, _, dataset = source.name.partition("_")
    base = collector.base(f"xena.{hub}", HUBS.get(hub, ""))
    dataset = dataset.removesuffix(".gz")
    if not base or not dataset or re.search(r"(^|/)\.{0,2}(/|$)", dataset):
        raise UserError(
            f"{source.name!r} is not a Xena dataset",
            where=source.text,
            do=f"write xena:HUB_DATASET with a hub of {', '.join(HUBS)},"
            " as xena:toil_TcgaTargetGtex_rsem_gene_tpm",
        )
    if hub == "gdc":  # its download folder is flat, its dataset names are not
        dataset = dataset.rpartition("/")[2]
    url = f"{base}/download/{quote(dataset)}"
    name = safe_name(dataset.replace("/", "__"))
    packed = Wanted(f"{url}.gz", f"{name}.gz", source.checksum, optional=True)
    entry = collector.get(packed) or collector.need(Wanted(url, name, source.checksum))
    return Outcome(entry["file"], "xena")
