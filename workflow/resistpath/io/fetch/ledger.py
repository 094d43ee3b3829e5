"""What a cohort's raw folder holds and where it came from.

``fetch.json`` is the record for people and for later steps. ``.fetch.jsonl`` keeps the same facts
from the first finished file on, so that neither a killed run nor a deleted record (the workflow
removes a rule's outputs before it runs again) costs a second download.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from resistpath.errors import UserError
from resistpath.io.fetch.download import digests
from resistpath.io.fetch.record import RECORD
from resistpath.io.fetch.source import relative_inside
from resistpath.io.files import write_json, write_text

_JOURNAL = ".fetch.jsonl"


class Ledger:
    """Record of one raw folder, locked against a second fetch while open."""

    def __init__(self, raw: Path, source: str) -> None:
        self.raw, self.source = raw, source
        self._lock = threading.Lock()
        self._folder: int | None = None
        self._entries: dict[str, dict[str, Any]] = {}
        self._record: dict[str, Any] | None = None
        self._new: list[Path] = []

    def __enter__(self) -> Ledger:
        self._new = [p for p in (self.raw, self.raw.parent) if not p.exists()]
        self.raw.mkdir(parents=True, exist_ok=True)
        self._folder = os.open(self.raw, os.O_RDONLY)
        try:
            fcntl.flock(self._folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._folder)
            raise UserError(
                "another fetch works on this folder", where=str(self.raw), do="wait for it"
            ) from None
        except OSError:
            pass  # a file system without locks
        self._read()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._folder is not None:
            os.close(self._folder)
        for folder in self._new if error else ():
            with contextlib.suppress(OSError):  # it holds something worth keeping
                folder.rmdir()

    def _read(self) -> None:
        for name in (RECORD, _JOURNAL):
            try:
                text = (self.raw / name).read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError):
                continue
            for line in [text] if name == RECORD else text.splitlines():
                self._take(line)

    def _take(self, line: str) -> None:
        try:
            item = json.loads(line)
        except ValueError:
            return  # blank, or cut short when a run was killed
        if not isinstance(item, dict):
            return
        if isinstance(item.get("files"), list):
            self._record = item if item.get("source") == self.source else None
            for entry in item["files"]:
                self._keep(entry)
        else:
            self._keep(item)

    def _keep(self, entry: object) -> None:
        if isinstance(entry, dict) and isinstance(entry.get("file"), str) and "sha256" in entry:
            self._entries[entry["file"]] = entry

    def finished(self) -> dict[str, Any] | None:
        """Return the whole record if this source was fetched before and every file is intact."""
        record = self._record
        if record and all(self._intact(entry) for entry in record["files"]):
            return record
        return None

    def known(self, url: str | None, name: str | None) -> dict[str, Any] | None:
        """Return the entry of an intact file that came from `url`; None for one of our own."""
        if name is None:
            entry = next((e for e in self._entries.values() if e.get("url") == url), None)
        else:
            entry = self._entries.get(name)
        return entry if entry and entry.get("url") == url and self._intact(entry) else None

    def _intact(self, entry: Mapping[str, Any]) -> bool:
        try:
            path = self.raw / entry["file"]
            if path.stat().st_size != entry["bytes"]:
                return False
            return digests(path, "sha256")["sha256"] == entry["sha256"]
        except (OSError, KeyError, TypeError):
            return False

    def add(self, entry: dict[str, Any]) -> None:
        """Remember a finished file at once."""
        line = f"\n{json.dumps(entry, ensure_ascii=False)}\n"  # apart from a line cut short
        with self._lock, (self.raw / _JOURNAL).open("a", encoding="utf-8") as handle:
            handle.write(line)
            self._entries[entry["file"]] = entry

    def write(self, record: dict[str, Any]) -> int:
        """Write the record, when every file is there; returns how many old files it removed.

        Files an earlier fetch brought and this one does not name go: who reads the folder is to
        find what the record says, and nothing else.
        """
        removed = self._remove_all_but({entry["file"] for entry in record["files"]})
        write_text(self.raw / _JOURNAL, json.dumps(record, ensure_ascii=False) + "\n")
        path = self.raw / RECORD
        try:
            same = json.loads(path.read_text(encoding="utf-8")) == record
        except (OSError, ValueError):
            same = False
        if not same:  # else its date stays, and later steps need not run again
            write_json(path, record)
        return removed

    def _remove_all_but(self, keep: set[str]) -> int:
        removed = 0
        for name in self._entries.keys() - keep:
            if self._intact(self._entries[name]):
                path = relative_inside(self.raw, name)
                path.unlink()
                removed += 1
                with contextlib.suppress(OSError):  # other files are in the folder
                    path.parent.rmdir()
        return removed
