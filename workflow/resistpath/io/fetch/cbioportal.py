"""cBioPortal: the mRNA table and the clinical tables of a study in the public datahub.

The datahub is a git repository with large files beside it. A large file's place in the repository
holds a pointer of three lines with its SHA-256, so that the download can be verified.
"""

from __future__ import annotations

import re

from resistpath.errors import UserError, some
from resistpath.io.fetch.client import Refused
from resistpath.io.fetch.collector import Collector, Outcome
from resistpath.io.fetch.download import Wanted
from resistpath.io.fetch.source import Checksum, Source

BASE = "https://raw.githubusercontent.com/cBioPortal/datahub/master"
LARGE = "https://media.githubusercontent.com/media/cBioPortal/datahub/master"
TABLES = tuple(
    f"data_mrna_seq_{kind}.txt"
    for kind in ("v2_rsem", "rsem", "tpm", "fpkm", "rpkm", "read_counts")
)
CLINICAL = ("data_clinical_sample.txt", "data_clinical_patient.txt")
_POINTER = re.compile(
    rb"version https://git-lfs\.github\.com/spec/v1\n(?:ext-.*\n)*"
    rb"oid sha256:([0-9a-f]{64})\nsize (\d+)\n?"
)


def fetch_cbioportal(source: Source, collector: Collector) -> Outcome:
    """Fetch the only mRNA table of a study, or the one the user names."""
    if not re.fullmatch(r"[A-Za-z0-9_]+", source.name):
        raise UserError(f"{source.name!r} is not a cBioPortal study", where=source.text)
    named = source.options.get("file")
    if named and not re.fullmatch(r"[A-Za-z0-9_]+\.txt", named):
        raise UserError(f"{named!r} is not a file of a study", where=source.text)
    found = [w for name in ([named] if named else TABLES) if (w := _look(source, name, collector))]
    if len(found) != 1:
        names = [str(w.name) for w in found]
        raise UserError(
            f"several files may hold the expression values: {some(names)}"
            if names
            else f"the study has no {named or 'mRNA table known here, such as ' + TABLES[0]}",
            where=source.text,
            do=f"write cbioportal:{source.name}#file="
            + (names[0] if names else "NAME, or check the study's name"),
        )
    entry = collector.need(found[0])
    tables = [w for name in CLINICAL if (w := _look(source, name, collector))]
    entries = collector.get_all(tables) if tables else []
    return Outcome(entry["file"], "cbioportal", tuple(e["file"] for e in entries if e))


def _look(source: Source, name: str, collector: Collector) -> Wanted | None:
    """Return how to fetch a file of the study, or None if the study has no such file."""
    path = f"public/{source.name}/{name}"
    url = f"{collector.base('cbioportal', BASE)}/{path}"
    try:
        match = _POINTER.fullmatch(collector.client.peek(url))
    except Refused:
        return None
    if match is None:  # a small file, kept in the repository itself
        return Wanted(url, name)
    checksum = Checksum("sha256", match[1].decode(), "published in the datahub")
    large = f"{collector.base('cbioportal_lfs', LARGE)}/{path}"
    return Wanted(large, name, checksum, int(match[2]))
