"""One file: resumed where it broke off, checked, then moved into place.

While it is on its way a file is ``NAME.part``, with what the server said of it in
``NAME.part.json``. A later run goes on from there if the server confirms, by ETag or date, that
the file is still the same; otherwise it starts again.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import shutil
from dataclasses import dataclass
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from resistpath.errors import UserError
from resistpath.io.fetch.client import BY_HAND, Answer, Client, Temporary, shown
from resistpath.io.fetch.meter import Meter
from resistpath.io.fetch.source import Checksum, safe_name
from resistpath.io.files import write_json

# First bytes by the end of a name: a page or a message in place of data is caught by them.
_MAGIC = {
    (".gz", ".tgz"): b"\x1f\x8b",
    (".bz2",): b"BZh",
    (".xz",): b"\xfd7zXZ\x00",
    (".zst",): b"\x28\xb5\x2f\xfd",
    (".zip", ".xlsx"): b"PK",
    (".h5", ".h5ad"): b"\x89HDF",
    (".parquet",): b"PAR1",
}
_HTML = re.compile(
    rb"\s*(?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]*>\s*)?<(?:!doctype\s+html|html|head|body)"
)
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


@dataclass(frozen=True)
class Wanted:
    """A file to download.

    Parameters
    ----------
    url
        Address.
    name
        Path below the folder, parts joined by ``/``; None if the server is to name it.
    checksum
        What its digest must be, if anybody says.
    size
        Its published size in bytes.
    optional
        Whether the site may do without it.
    """

    url: str
    name: str | None
    checksum: Checksum | None = None
    size: int | None = None
    optional: bool = False

    @property
    def working_name(self) -> str:
        """Name of the file while its own is not known."""
        return self.name or f"download-{hashlib.sha256(self.url.encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class Transfer:
    """A finished download."""

    path: Path
    size: int
    sha256: str
    verified: str
    final_url: str


def digests(path: Path, *algorithms: str) -> dict[str, str]:
    """Digest a file by several algorithms in one reading."""
    made = {a: hashlib.new(a, usedforsecurity=False) for a in algorithms}
    with path.open("rb") as handle:
        while block := handle.read(1 << 20):
            for digest in made.values():
                digest.update(block)
    return {a: digest.hexdigest() for a, digest in made.items()}


def check_content(name: str, head: bytes, where: str) -> None:
    """Refuse a web page, or bytes that are not what the end of the name promises."""
    if _HTML.match(head[:512].lower()):
        raise UserError(
            "the server sent a web page instead of data",
            where=where,
            do=f"open the address in a browser to see what it says, or {BY_HAND}",
        )
    for ends, magic in _MAGIC.items():
        if name.lower().endswith(ends) and not head.startswith(magic[: len(head)] or magic):
            raise UserError(
                f"the file is named {name} but does not begin like one",
                where=where,
                do="check the address",
            )


def _validator(headers: Message) -> str | None:
    """Return what to send as If-Range: a strong ETag, or a date old enough to tell versions."""
    tag: str | None = headers.get("ETag")
    if tag and re.fullmatch(r'"[\x21\x23-\x7e]*"', tag):
        return tag
    changed, sent = headers.get("Last-Modified", ""), headers.get("Date", "")
    try:
        age = (parsedate_to_datetime(sent) - parsedate_to_datetime(changed)).total_seconds()
    except (TypeError, ValueError):
        return None
    return changed if age >= 60 else None


class Part:
    """The unfinished file and what is known of it."""

    def __init__(self, path: Path, url: str) -> None:
        self.path, self.url = path, url
        self.notes_path = path.with_name(path.name + ".json")
        self.validator: str | None = None
        self.total: int | None = None

    def resume_at(self, trusted: bool) -> int:
        """Return the offset to go on from; 0 if nothing usable is there.

        `trusted` says that a checksum will be compared in the end, so that a server without
        validators may be asked for the rest too.
        """
        self.validator = self.total = None
        try:
            notes = json.loads(self.notes_path.read_text(encoding="utf-8"))
            size = self.path.stat().st_size
        except (OSError, ValueError):
            return 0
        if not isinstance(notes, dict) or notes.get("url") != self.url:
            return 0
        validator, total = notes.get("validator"), notes.get("total")
        if not isinstance(validator, str) and not trusted:
            return 0
        self.validator = validator if isinstance(validator, str) else None
        self.total = total if isinstance(total, int) else None
        # Of a complete file the last byte is asked for again: that confirms the version.
        return size if self.total is None else min(size, max(self.total - 1, 0))

    def begin(self, answer: Answer) -> None:
        """Start from nothing with what this answer says."""
        self.discard()
        self.validator, self.total = _validator(answer.headers), answer.length()
        write_json(
            self.notes_path, {"url": self.url, "validator": self.validator, "total": self.total}
        )

    def discard(self) -> None:
        """Remove the file and the notes."""
        self.notes_path.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


class Download:
    """The download of one file into a folder.

    Parameters
    ----------
    wanted, folder
        What, and where to.
    client
        For the requests.
    budget
        Most bytes the file may have.
    meter
        Told of the file's size and of each block.
    """

    def __init__(
        self,
        wanted: Wanted,
        folder: Path,
        client: Client,
        budget: int,
        meter: Meter,
    ) -> None:
        self.wanted, self.folder, self.client = wanted, folder, client
        self.budget, self.meter = budget, meter
        target = folder / wanted.working_name
        target.parent.mkdir(parents=True, exist_ok=True)
        self.part = Part(target.with_name(target.name + ".part"), wanted.url)
        self.where = shown(wanted.url)
        self.size = 0
        self.resumed = self.announced = False

    def run(self) -> Transfer:
        """Download, check and move into place."""
        for last in (False, True):
            final_url, name = self.client.retrying(
                self._attempt, self.wanted.url, lambda: self.size
            )
            found = self._digests()
            wrong = self._wrong_digest(found)
            if not wrong:
                break
            self.part.discard()
            if last or not self.resumed:
                raise UserError(wrong, where=self.where, do="try again, or ask the site")
        if self.size == 0:
            raise UserError("the file is empty", where=self.where, do="check the address")
        with self.part.path.open("rb") as handle:
            check_content(name, handle.read(512), self.where)
        path = self.folder / name
        os.replace(self.part.path, path)
        self.part.notes_path.unlink(missing_ok=True)
        return Transfer(path, self.size, found["sha256"], self._how(), final_url)

    def _attempt(self) -> tuple[str, str]:
        """Make one request and store what it brings; returns the final address and the name."""
        offset = self.part.resume_at(self.wanted.checksum is not None)
        headers = {}
        if offset:
            headers["Range"] = f"bytes={offset}-"
            if self.part.validator:
                headers["If-Range"] = self.part.validator
        with self.client.open(self.wanted.url, headers) as answer:
            if answer.status == 206 and offset and self._continues(answer, offset):
                self._note(offset - self.size, arrived=False)
                self.resumed = True
            elif answer.status == 200:
                self._note(-self.size, arrived=False)
                self._check_encoding(answer)
                self.part.begin(answer)
                offset = 0
            else:
                self.part.discard()
                self._note(-self.size, arrived=False)
                raise Temporary("the server does not continue where the last download ended")
            self._check_room()
            self._store(answer, offset)
            name = self.wanted.name or _server_name(answer)
            return answer.url.partition("?")[0], name

    def _continues(self, answer: Answer, offset: int) -> bool:
        match = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
        if not match or int(match[1]) != offset:
            return False
        total, validator = int(match[3]), _validator(answer.headers)
        if self.part.total not in (None, total):
            return False
        self.part.total = total
        return not (self.part.validator and validator and validator != self.part.validator)

    def _check_encoding(self, answer: Answer) -> None:
        encoding = answer.headers.get("Content-Encoding", "identity").lower()
        if encoding == "identity" or self.wanted.working_name.lower().endswith((".gz", ".tgz")):
            return
        raise UserError(
            f"the server insists on sending the file with {encoding} compression",
            where=self.where,
            do=BY_HAND,
        )

    def _check_room(self) -> None:
        total = self.part.total if self.part.total is not None else self.wanted.size or 0
        self._check_budget(total)
        if total and not self.announced:
            self.announced = True
            self.meter.announce(total)
        free = shutil.disk_usage(self.folder).free
        if total - self.size > free:
            raise UserError(
                f"{total - self.size:,} bytes are to come and {free:,} are free",
                where=str(self.folder),
                do="make room; the same command then goes on",
            )

    def _check_budget(self, size: int) -> None:
        if size > self.budget:
            raise UserError(
                f"the download is larger than allowed ({size:,} bytes, {self.budget:,} left)",
                where=self.where,
                do="raise fetch.max_gb (--max-gb) if that is wanted",
            )

    def _store(self, answer: Answer, offset: int) -> None:
        head = offset == 0
        with self._writing("r+b" if offset else "wb") as handle:
            handle.truncate(offset)
            handle.seek(offset)
            while block := answer.read():
                if head:
                    check_content(self.wanted.name or "", block, self.where)
                    head = False
                try:
                    handle.write(block)
                    handle.flush()
                except OSError as error:
                    raise self._disk(error) from error
                self._note(len(block))
                self._check_budget(self.size)
                self.client.check_stop()
        total = self.part.total
        if total is not None and self.size != total:
            raise Temporary(f"the connection ended after {self.size:,} of {total:,} bytes")
        if self.wanted.size not in (None, self.size) and not self.wanted.checksum:
            raise UserError(
                f"{self.size:,} bytes arrived and the site lists {self.wanted.size:,}",
                where=self.where,
                do="try again later",
            )

    def _writing(self, mode: str) -> Any:
        try:
            return self.part.path.open(mode)
        except OSError as error:
            raise self._disk(error) from error

    def _disk(self, error: OSError) -> UserError:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        return UserError(
            f"the file cannot be written ({error.strerror})",
            where=str(self.part.path),
            do="make room; the same command then goes on" if full else "check the folder",
        )

    def _note(self, change: int, *, arrived: bool = True) -> None:
        self.size += change
        self.meter.count(change, arrived)

    def _digests(self) -> dict[str, str]:
        checksum = self.wanted.checksum
        return digests(self.part.path, *{"sha256", checksum.algorithm if checksum else "sha256"})

    def _wrong_digest(self, found: dict[str, str]) -> str:
        checksum = self.wanted.checksum
        if checksum is None or found[checksum.algorithm] == checksum.digest:
            return ""
        return (
            f"the file's {checksum.algorithm} is {found[checksum.algorithm]}"
            f" and not {checksum.digest}, as {checksum.by}"
        )

    def _how(self) -> str:
        if checksum := self.wanted.checksum:
            return f"{checksum.algorithm} {checksum.by}"
        if self.part.total is not None or self.wanted.size is not None:
            return "length"
        return "not verified: the server gave neither length nor checksum"


def _server_name(answer: Answer) -> str:
    given = answer.headers.get_filename()
    return safe_name(given or unquote(urlsplit(answer.url).path))
