"""A server on the loopback that fails as servers do, and a fetch against it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from resistpath.errors import UserError
from resistpath.io.fetch.client import Policy
from resistpath.io.fetch.meter import Meter
from resistpath.io.fetch.run import fetch_source

BODY = b"gene\ta\tb\n" + b"".join(b"GENE%05d\t%d\t%d\n" % (i, i, i * 7) for i in range(20_000))
OTHER = BODY.replace(b"GENE", b"ENEG")
HTML = b"<!DOCTYPE html>\n<html><body>Service down</body></html>"


@dataclass
class File:
    """A file of the server, with the faults it shows on successive requests.

    `cuts` are lengths after which the connection ends early; `answers` are other answers given
    first, as (status, headers).
    """

    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"ETag": '"v1"'})
    ranges: bool = True
    cuts: list[int] = field(default_factory=list)
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    framing: str = "length"  # or chunked, or none
    before: Callable[[], object] = lambda: None


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.question = json.loads(self.rfile.read(length))
        self.do_GET()

    def do_GET(self):
        self.server.log.append((self.command, self.path, dict(self.headers)))
        found = self.server.files.get(self.path, self.server.files.get(urlsplit(self.path).path))
        if callable(found):
            found = File(found(self.question), {})
        if found is None:
            return self.answer(404, {}, b"")
        found.before()
        if found.answers:
            status, headers = found.answers.pop(0)
            return self.answer(status, headers, b"")
        self.serve(found)

    def serve(self, file):
        offset, status, headers = 0, 200, dict(file.headers)
        wanted = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        condition = self.headers.get("If-Range")
        fresh = condition in (None, file.headers.get("ETag"), file.headers.get("Last-Modified"))
        if file.ranges and wanted and fresh:
            offset, status = int(wanted[1]), 206
            headers["Content-Range"] = f"bytes {offset}-{len(file.body) - 1}/{len(file.body)}"
        self.answer(status, headers, file.body[offset:], file)

    def answer(self, status, headers, body, file=None):
        self.send_response(status)
        for name, value in {"Connection": "close", **headers}.items():
            self.send_header(name, value)
        framing = file.framing if file else "length"
        if framing == "length":
            self.send_header("Content-Length", str(len(body)))
        elif framing == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        cut = file.cuts.pop(0) if file and file.cuts else None
        self.close_connection = True
        try:
            if framing == "chunked":
                sent = body[:cut]
                self.wfile.write(b"%x\r\n%s\r\n" % (len(sent), sent))
                if cut is None:
                    self.wfile.write(b"0\r\n\r\n")
            else:
                self.wfile.write(body[:cut])
        except (BrokenPipeError, ConnectionResetError):
            pass


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, object] = {}
        self.log: list[tuple[str, str, dict[str, str]]] = []
        self.base = f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, *_):
        """Clients that hang up are part of the tests."""

    def asked(self, path):
        return [headers for _, where, headers in self.log if where == path]


@dataclass
class Run:
    folder: object
    mirrors: dict[str, str]
    said: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def __call__(self, source, folder=None, live=None, **policy):
        patience = Policy(**{"timeout": 5, "sleep": self.waits.append} | policy)
        meter = Meter(self.said.append, live)
        folder = folder or self.folder
        return fetch_source(folder, source, mirrors=self.mirrors, policy=patience, meter=meter)

    def fails(self, source, *, match, **policy):
        with pytest.raises(UserError, match=match) as error:
            self(source, **policy)
        message = str(error.value)
        assert "\n" not in message
        assert "Traceback" not in message
        return message

    def raw(self, name):
        return (self.folder / "raw" / name).read_bytes()

    def names(self):
        root = self.folder / "raw"
        return {p.relative_to(root).as_posix() for p in root.rglob("*") if p.is_file()}


SITES = ("geo", "ncbi", "gdc", "recount3", "cbioportal", "xena.toil", "xena.tcga", "xena.gdc")


def sha(body):
    return hashlib.sha256(body).hexdigest()
