"""A web address, or a file of this computer."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from resistpath.errors import UserError
from resistpath.io.fetch.collector import Collector, Outcome
from resistpath.io.fetch.download import Wanted, digests
from resistpath.io.fetch.source import Source, local_path, safe_name
from resistpath.io.files import need_file

_DATA = re.compile(
    r"\.(txt|tsv|csv|tab|gct|sf|results|xlsx?|h5ad|h5|parquet|zip|tar|tgz|gz|bz2|xz|zst)$",
    re.IGNORECASE,
)


def fetch_url(source: Source, collector: Collector) -> Outcome:
    """Fetch one file; its name comes from the user, the address, or else the server."""
    last = unquote(urlsplit(source.name).path).rpartition("/")[2]
    name = source.options.get("name") or (last if _DATA.search(last) else None)
    entry = collector.need(Wanted(source.name, safe_name(name) if name else None, source.checksum))
    unsafe = source.name.lower().startswith("http:") and source.checksum is None
    notes = ("The address is not protected (http) and no checksum was given.",) if unsafe else ()
    return Outcome(entry["file"], "auto", notes=notes)


def fetch_file(source: Source, collector: Collector) -> Outcome:
    """Copy one file of this computer into the raw folder."""
    path = need_file(Path(local_path(source.name)), "file")
    checksum = source.checksum
    if checksum:
        found = digests(path, checksum.algorithm)[checksum.algorithm]
        if found != checksum.digest:
            raise UserError(
                f"the file's {checksum.algorithm} is {found} and not {checksum.digest}",
                where=str(path),
                do="correct the checksum or the file",
            )
    entry = collector.copy(path, safe_name(path.name), source.name)
    return Outcome(entry["file"], "auto")
