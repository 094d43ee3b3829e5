"""fetch: a public accession or address becomes files in the cohort's raw folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TextIO

from resistpath.errors import UserError
from resistpath.io.fetch.client import Policy
from resistpath.io.fetch.meter import Meter
from resistpath.io.fetch.run import fetch_source
from resistpath.steps import Progress, silent


def fetch(
    folder: Path,
    source: str,
    *,
    mirrors: Mapping[str, str] | None = None,
    timeout: float = 60.0,
    tries: int = 5,
    connections: int = 4,
    max_gb: float = 20.0,
    say: Progress = silent,
    live: TextIO | None = None,
) -> dict[str, Any]:
    """Bring `source` into ``folder/raw``; write and return ``raw/fetch.json``.

    Parameters
    ----------
    mirrors
        Base addresses to use in place of the sites' own, by site.
    timeout
        Longest silence of a server, seconds.
    tries
        Attempts without progress before giving up.
    connections
        Files downloaded at the same time.
    max_gb
        Most that may be downloaded, in 10^9 bytes.
    live
        Terminal for a live progress line.
    """
    for name, value in (
        ("timeout", timeout),
        ("tries", tries),
        ("connections", connections),
        ("max_gb", max_gb),
    ):
        if not value > 0:
            raise UserError(f"{name} must be above zero", where=f"fetch.{name}")
    policy = Policy(
        timeout=timeout, tries=tries, connections=connections, max_bytes=round(max_gb * 1e9)
    )
    meter = Meter(say, live)
    return fetch_source(folder, source, mirrors=mirrors or {}, policy=policy, meter=meter)
