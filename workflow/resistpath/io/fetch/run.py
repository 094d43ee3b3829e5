"""From a source to files and their record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from resistpath.errors import UserError
from resistpath.io.fetch.cbioportal import fetch_cbioportal
from resistpath.io.fetch.client import Client, Policy
from resistpath.io.fetch.collector import Collector, Outcome
from resistpath.io.fetch.gdc import fetch_gdc
from resistpath.io.fetch.geo import fetch_geo
from resistpath.io.fetch.ledger import Ledger
from resistpath.io.fetch.meter import Meter, in_words
from resistpath.io.fetch.plain import fetch_file, fetch_url
from resistpath.io.fetch.record import RAW
from resistpath.io.fetch.recount3 import fetch_recount3
from resistpath.io.fetch.source import Source, parse_source
from resistpath.io.fetch.xena import fetch_xena
from resistpath.provenance import VERSION

_SITES: dict[str, Callable[[Source, Collector], Outcome]] = {
    "url": fetch_url,
    "file": fetch_file,
    "geo": fetch_geo,
    "gdc": fetch_gdc,
    "recount3": fetch_recount3,
    "xena": fetch_xena,
    "cbioportal": fetch_cbioportal,
}


def fetch_source(
    folder: Path,
    text: str,
    *,
    mirrors: Mapping[str, str],
    policy: Policy,
    meter: Meter,
) -> dict[str, Any]:
    """Bring what `text` names into ``folder/raw`` and return the content of ``fetch.json``.

    A source that is there already, every file intact, is not asked for again.
    """
    source = parse_source(text)
    raw = Path(folder) / RAW
    try:
        record = _bring(source, raw, mirrors, policy, meter)
    except OSError as error:  # those of the network are dealt with where they arise
        raise UserError(
            f"the file system refuses ({error.strerror or error})",
            where=str(error.filename or raw),
            do="check the folder, its permissions and free space",
        ) from error
    for note in record["notes"]:
        meter.say(note)
    n = len(record["files"])
    meter.say(f"{n:,} file{'s' if n != 1 else ''}, {in_words(record['bytes'])}, in {raw}")
    return record


def _bring(
    source: Source, raw: Path, mirrors: Mapping[str, str], policy: Policy, meter: Meter
) -> dict[str, Any]:
    client = Client(policy, meter.say)
    with Ledger(raw, source.text) as ledger:
        record = ledger.finished()
        if record:
            meter.say(f"{source.text} is there already; every file is intact")
        else:
            collector = Collector(client, ledger, meter, mirrors)
            try:
                outcome = _SITES[source.site](source, collector)
            finally:
                meter.close()
            record = _record(source, outcome, collector)
        removed = ledger.write(record)
    if removed:
        meter.say(f"removed {removed:,} files of an earlier fetch that this one does not name")
    return record


def _record(source: Source, outcome: Outcome, collector: Collector) -> dict[str, Any]:
    files = [collector.files[name] for name in sorted(collector.files)]
    return {
        "source": source.text,
        "version": VERSION,
        "date": max(entry["date"] for entry in files),
        "expression": outcome.expression,
        "format": outcome.format,
        "annotation": list(outcome.annotation),
        "notes": list(outcome.notes),
        "bytes": sum(entry["bytes"] for entry in files),
        "files": files,
    }
