"""What the sites share: getting files into the raw folder, each once, each on record."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from resistpath.errors import UserError
from resistpath.io.fetch.client import Client, Refused, Stopped, utc_now
from resistpath.io.fetch.download import Download, Wanted, digests
from resistpath.io.fetch.ledger import Ledger
from resistpath.io.fetch.meter import Meter, in_words
from resistpath.io.files import replacing, write_text


@dataclass(frozen=True)
class Outcome:
    """What a source has come to.

    Parameters
    ----------
    expression
        File below the raw folder that holds the expression values; ``.`` if it is the folder.
    format
        A format of `resistpath.io.readers`, or ``auto`` where its content will tell.
    annotation
        Files that describe the samples.
    notes
        What the user should know, one sentence each.
    """

    expression: str
    format: str
    annotation: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


class Collector:
    """Fetches files of one source into one raw folder."""

    def __init__(
        self, client: Client, ledger: Ledger, meter: Meter, mirrors: Mapping[str, str]
    ) -> None:
        self.client, self.ledger, self.meter, self.mirrors = client, ledger, meter, mirrors
        self.raw = ledger.raw
        self.files: dict[str, dict[str, Any]] = {}
        self._bytes = 0
        self._lock = threading.Lock()

    def base(self, site: str, default: str) -> str:
        """Return the base address of a site: its mirror, if one is set."""
        return self.mirrors.get(site, default).rstrip("/")

    def get(self, wanted: Wanted) -> dict[str, Any] | None:
        """Return the record of one file; None if it is optional and the site has none."""
        return self.get_all([wanted])[0]

    def need(self, wanted: Wanted) -> dict[str, Any]:
        """Return the record of one file that must be there."""
        entry = self.get(wanted)
        if entry is None:
            raise UserError("there is no such file", where=wanted.url)
        return entry

    def get_all(self, files: Sequence[Wanted]) -> list[dict[str, Any] | None]:
        """Fetch several files, a few at a time; records in the order asked for."""
        sizes = [w.size for w in files]
        total = None if None in sizes else sum(s for s in sizes if s is not None)
        self._check_total(len(files), total)
        self.meter.expect(len(files), total)
        if len(files) == 1:
            return [self._one(files[0])]
        with ThreadPoolExecutor(self.client.policy.connections) as pool:
            tasks = [pool.submit(self._worker, wanted) for wanted in files]
            try:
                wait(tasks, return_when=FIRST_EXCEPTION)
            except BaseException:  # Ctrl-C: the workers stop at their next block
                self.client.stop.set()
                raise
        for task in tasks:
            if isinstance(task.exception(), Exception) and not isinstance(
                task.exception(), Stopped
            ):
                task.result()
        return [task.result() for task in tasks]

    def _worker(self, wanted: Wanted) -> dict[str, Any] | None:
        try:
            return self._one(wanted)
        except BaseException:
            self.client.stop.set()
            raise

    def _check_total(self, n_files: int, total: int | None) -> None:
        most = self.client.policy.max_bytes
        if total is not None and total > most:
            raise UserError(
                f"{n_files:,} files of {in_words(total)} together are more than the"
                f" {in_words(most)} allowed",
                where=self.ledger.source,
                do="raise fetch.max_gb (--max-gb) if that is wanted",
            )

    def _one(self, wanted: Wanted) -> dict[str, Any] | None:
        self.client.check_stop()
        entry = self._at_hand(wanted)
        if entry is None:
            try:
                entry = self._download(wanted)
            except Refused:
                if wanted.optional:
                    return None
                raise
        self.meter.file_done()
        self._keep(entry)
        return entry

    def _keep(self, entry: dict[str, Any]) -> None:
        with self._lock:
            self.files[entry["file"]] = entry
            self._bytes += entry["bytes"]

    def _at_hand(self, wanted: Wanted) -> dict[str, Any] | None:
        """Return the record of a file that need not be fetched again."""
        entry = self.ledger.known(wanted.url, wanted.name)
        checksum = wanted.checksum
        if entry and checksum:
            found = digests(self.raw / entry["file"], checksum.algorithm)[checksum.algorithm]
            entry = entry if found == checksum.digest else None
        elif entry is None and checksum and wanted.name and (self.raw / wanted.name).is_file():
            found = digests(self.raw / wanted.name, checksum.algorithm)[checksum.algorithm]
            if found == checksum.digest:
                how = f"{checksum.algorithm} {checksum.by}"
                entry = self._entry(wanted.name, wanted.url, how)
                self.ledger.add(entry)
        if entry:
            self.meter.announce(entry["bytes"])
            self.meter.count(entry["bytes"], arrived=False)
        return entry

    def _download(self, wanted: Wanted) -> dict[str, Any]:
        budget = self.client.policy.max_bytes - self._bytes
        done = Download(wanted, self.raw, self.client, budget, self.meter).run()
        name = done.path.relative_to(self.raw).as_posix()
        entry = self._entry(name, wanted.url, done.verified, done.sha256)
        if done.final_url != wanted.url.partition("?")[0]:
            entry["redirected_to"] = done.final_url
        self.ledger.add(entry)
        return entry

    def _entry(self, name: str, url: str | None, how: str, sha256: str = "") -> dict[str, Any]:
        path = self.raw / name
        return {
            "file": name,
            "url": url,
            "bytes": path.stat().st_size,
            "sha256": sha256 or digests(path, "sha256")["sha256"],
            "verified": how,
            "date": utc_now(),
        }

    def write(self, name: str, text: str, how: str) -> str:
        """Write a small file of our own, such as a manifest; an unchanged one keeps its date."""
        path = self.raw / name
        entry = self.ledger.known(None, name)
        if entry is None or path.read_text(encoding="utf-8") != text:
            write_text(path, text)
            entry = self._entry(name, None, how)
            self.ledger.add(entry)
        self._keep(entry)
        return name

    def copy(self, path: Path, name: str, url: str) -> dict[str, Any]:
        """Copy a file of this computer; as atomic as a download, and no less checked."""
        entry = self.ledger.known(url, name)
        if entry is None or entry["sha256"] != digests(path, "sha256")["sha256"]:
            self._check_total(1, path.stat().st_size)
            with replacing(self.raw / name) as part:
                shutil.copyfile(path, part)
            entry = self._entry(name, url, "copied on this computer")
            self.ledger.add(entry)
        self._keep(entry)
        return entry
