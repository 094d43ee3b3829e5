"""Fetching, against servers on this computer that serve the sites' own layouts and their faults."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from resistpath.errors import UserError
from resistpath.io.fetch.client import Client, Policy
from resistpath.io.fetch.meter import Meter
from resistpath.io.fetch.record import expression_path
from resistpath.io.fetch.run import fetch_source
from resistpath.io.fetch.source import is_remote, parse_mirrors, parse_source
from resistpath.steps.fetch import fetch

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


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def site():
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


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


@pytest.fixture
def run(tmp_path, site):
    mirrors = dict.fromkeys(SITES, site.base) | {"cbioportal_lfs": f"{site.base}/media"}
    return Run(tmp_path / "cohort", mirrors)


def sha(body):
    return hashlib.sha256(body).hexdigest()


# A web address ------------------------------------------------------------------------------


def test_a_file_arrives_whole_and_on_record(run, site):
    site.files["/d/matrix.tsv"] = File(BODY)
    record = run(f"{site.base}/d/matrix.tsv")
    assert run.raw("matrix.tsv") == BODY
    assert json.loads(run.raw("fetch.json")) == record
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", record["date"])
    (entry,) = record["files"]
    assert (entry["url"], entry["bytes"]) == (f"{site.base}/d/matrix.tsv", len(BODY))
    assert (entry["sha256"], entry["verified"]) == (sha(BODY), "length")
    assert expression_path(run.folder) == run.folder / "raw" / "matrix.tsv"
    assert expression_path(run.folder / "raw" / "fetch.json") == expression_path(run.folder)
    assert run.names() == {"matrix.tsv", "fetch.json", ".fetch.jsonl"}
    assert site.log[0][2]["Accept-Encoding"] == "identity"


def test_the_same_source_again_asks_nothing_and_changes_nothing(run, site):
    site.files["/m.tsv"] = File(BODY)
    run(f"{site.base}/m.tsv")
    before, asked = run.raw("fetch.json"), len(site.log)
    stamp = (run.folder / "raw" / "fetch.json").stat().st_mtime_ns
    run(f"{site.base}/m.tsv")
    assert len(site.log) == asked
    assert run.raw("fetch.json") == before
    assert (run.folder / "raw" / "fetch.json").stat().st_mtime_ns == stamp
    (run.folder / "raw" / "fetch.json").unlink()  # as the workflow does before it runs a rule
    run(f"{site.base}/m.tsv")
    assert len(site.log) == asked
    assert run.raw("fetch.json") == before


def test_a_file_damaged_on_disk_is_fetched_again(run, site):
    site.files["/m.tsv"] = File(BODY)
    run(f"{site.base}/m.tsv")
    (run.folder / "raw" / "m.tsv").write_bytes(BODY[:-1] + b"x")
    run(f"{site.base}/m.tsv")
    assert run.raw("m.tsv") == BODY


def test_a_broken_connection_is_resumed_with_the_servers_consent(run, site):
    site.files["/m.tsv"] = File(BODY, cuts=[100_000, 50_000])
    record = run(f"{site.base}/m.tsv")
    assert run.raw("m.tsv") == BODY
    assert record["files"][0]["sha256"] == sha(BODY)
    asked = site.asked("/m.tsv")
    assert [a.get("Range") for a in asked] == [None, "bytes=100000-", "bytes=150000-"]
    assert [a.get("If-Range") for a in asked] == [None, '"v1"', '"v1"']
    assert run.waits == [1, 2]
    assert not any(".part" in name for name in run.names())


def test_truncation_is_noticed_when_it_never_ends(run, site):
    site.files["/m.tsv"] = File(BODY, cuts=[1000] * 9)
    message = run.fails(f"{site.base}/m.tsv", match="the connection ended after 3,000 of", tries=3)
    assert "gave up after 3 tries" in message
    assert run.names() == {"m.tsv.part", "m.tsv.part.json"}


def test_progress_forgets_earlier_failures(run, site):
    big = BODY * 10
    site.files["/m.tsv"] = File(big, cuts=[1_200_000] * 3)
    run(f"{site.base}/m.tsv", tries=2)
    assert run.raw("m.tsv") == big


@pytest.mark.parametrize("framing", ["chunked", "none"])
def test_a_file_of_unannounced_length_arrives(run, site, framing):
    site.files["/m.tsv"] = File(BODY, framing=framing)
    record = run(f"{site.base}/m.tsv")
    assert run.raw("m.tsv") == BODY
    assert record["files"][0]["verified"].startswith("not verified")


def test_a_broken_chunked_answer_is_noticed(run, site):
    site.files["/m.tsv"] = File(BODY, framing="chunked", cuts=[1000])
    run(f"{site.base}/m.tsv")
    assert run.raw("m.tsv") == BODY


def test_a_server_without_ranges_starts_again(run, site):
    site.files["/m.tsv"] = File(BODY, ranges=False, cuts=[100_000])
    run(f"{site.base}/m.tsv")
    assert run.raw("m.tsv") == BODY
    assert site.asked("/m.tsv")[1]["Range"] == "bytes=100000-"


def test_without_etag_or_date_nothing_is_pieced_together(run, site):
    site.files["/m.tsv"] = File(BODY, headers={}, cuts=[100_000])
    run(f"{site.base}/m.tsv")
    assert run.raw("m.tsv") == BODY
    assert "Range" not in site.asked("/m.tsv")[1]


def test_weak_etags_are_not_trusted_but_old_dates_are(run, site):
    old = {"ETag": 'W/"x"', "Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}
    site.files["/m.tsv"] = File(BODY, headers=old, cuts=[100_000])
    run(f"{site.base}/m.tsv")
    assert site.asked("/m.tsv")[1]["If-Range"] == old["Last-Modified"]


def test_a_file_changed_between_attempts_is_fetched_anew(run, site):
    file = site.files["/m.tsv"] = File(BODY, cuts=[100_000] * 2)
    run.fails(f"{site.base}/m.tsv", match="gave up", tries=1)
    assert len(run.raw("m.tsv.part")) == 100_000
    file.body, file.headers, file.cuts = OTHER, {"ETag": '"v2"'}, []
    run(f"{site.base}/m.tsv")
    assert run.raw("m.tsv") == OTHER


@pytest.mark.parametrize(("headers", "body"), [({"ETag": '"v2"'}, OTHER), ({}, OTHER + b"more\n")])
def test_a_server_that_continues_another_version_is_caught(run, site, monkeypatch, headers, body):
    """It honours Range and forgets If-Range: the ETag or the length gives it away."""
    file = site.files["/m.tsv"] = File(BODY, cuts=[100_000])
    run.fails(f"{site.base}/m.tsv", match="gave up", tries=1)
    file.body, file.headers = body, headers
    serve = Handler.serve

    def careless(handler, found):
        del handler.headers["If-Range"]
        serve(handler, found)

    monkeypatch.setattr(Handler, "serve", careless)
    run(f"{site.base}/m.tsv")
    assert run.raw("m.tsv") == body


class Killed(BaseException):
    """Stands for the end of the process."""


def test_a_killed_download_leaves_a_part_and_ends_in_the_same_bytes(run, site, monkeypatch):
    site.files["/m.tsv"] = File(BODY)
    blocks = iter(range(12))

    def die_later(_):
        if next(blocks, None) is None:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr("resistpath.io.fetch.client.BLOCK", 4096)
        patch.setattr(Client, "check_stop", die_later)
        with pytest.raises(Killed):
            run(f"{site.base}/m.tsv")
    assert run.names() == {"m.tsv.part", "m.tsv.part.json"}
    done = len(run.raw("m.tsv.part"))
    assert 0 < done < len(BODY)
    run(f"{site.base}/m.tsv")
    assert run.raw("m.tsv") == BODY
    assert site.asked("/m.tsv")[-1]["Range"] == f"bytes={done}-"


@pytest.mark.parametrize("more", [b"", b"more"])
def test_a_part_that_was_complete_is_confirmed_by_its_last_byte(run, site, more):
    site.files["/m.tsv"] = File(BODY, cuts=[100_000])
    run.fails(f"{site.base}/m.tsv", match="gave up", tries=1)
    (run.folder / "raw" / "m.tsv.part").write_bytes(BODY + more)
    run(f"{site.base}/m.tsv")
    assert run.raw("m.tsv") == BODY
    assert site.asked("/m.tsv")[-1]["Range"] == f"bytes={len(BODY) - 1}-"


ELSEWHERE = '{"url": "http://else.where/", "validator": "\\"v1\\"", "total": null}'


@pytest.mark.parametrize("notes", ["", "{", ELSEWHERE, "[1]"])
def test_a_part_of_unknown_origin_is_not_used(run, site, notes):
    site.files["/m.tsv"] = File(BODY)
    raw = run.folder / "raw"
    raw.mkdir(parents=True)
    (raw / "m.tsv.part").write_bytes(b"junk")
    (raw / "m.tsv.part.json").write_text(notes)
    run(f"{site.base}/m.tsv")
    assert run.raw("m.tsv") == BODY


def test_a_part_longer_than_the_file_is_given_up(run, site):
    """The server answers 416 to an offset beyond the end."""
    file = site.files["/m.tsv"] = File(BODY)
    raw = run.folder / "raw"
    raw.mkdir(parents=True)
    (raw / "m.tsv.part").write_bytes(BODY + b"more")
    notes = {"url": f"{site.base}/m.tsv", "validator": '"v1"', "total": None}
    (raw / "m.tsv.part.json").write_text(json.dumps(notes))
    file.answers = [(416, {"Content-Range": f"bytes */{len(BODY)}"})]
    run(f"{site.base}/m.tsv")
    assert run.raw("m.tsv") == BODY


# Checksums ----------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["sha256", "md5"])
def test_a_given_checksum_is_compared(run, site, algorithm):
    site.files["/m.tsv"] = File(BODY)
    digest = hashlib.new(algorithm, BODY).hexdigest()
    record = run(f"{site.base}/m.tsv#{algorithm}={digest.upper()}")
    assert record["files"][0]["verified"] == f"{algorithm} given in the source"
    wrong = hashlib.new(algorithm, OTHER).hexdigest()
    message = run.fails(f"{site.base}/m.tsv#{algorithm}={wrong}", match=f"{digest} and not {wrong}")
    assert message.count(site.base) == 1
    assert "m.tsv.part" not in run.names()


def test_a_file_put_there_by_hand_is_taken_if_its_checksum_is_right(run, site):
    raw = run.folder / "raw"
    raw.mkdir(parents=True)
    (raw / "m.tsv").write_bytes(BODY)
    run(f"{site.base}/m.tsv#sha256={sha(BODY)}")
    assert site.log == []


def test_pieces_that_do_not_fit_are_found_out_by_the_checksum(run, site):
    """No validator, but a checksum: resuming is tried, and undone when the digest is wrong."""
    file = site.files["/m.tsv"] = File(OTHER, headers={}, cuts=[100_000])
    run.fails(f"{site.base}/m.tsv#sha256={sha(BODY)}", match="gave up", tries=1)
    file.body = BODY
    run(f"{site.base}/m.tsv#sha256={sha(BODY)}")
    assert run.raw("m.tsv") == BODY
    assert [a.get("Range") for a in site.asked("/m.tsv")] == [None, "bytes=100000-", None]


# Answers other than the file ----------------------------------------------------------------


def test_a_missing_file_is_said_once(run, site):
    message = run.fails(f"{site.base}/no.tsv", match="HTTP 404 Not Found")
    assert message.startswith(f"{site.base}/no.tsv: ")
    assert len(site.log) == 1
    assert not run.folder.exists()


def test_a_busy_server_is_waited_for_as_it_asks(run, site):
    later = time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 90))
    busy = [(503, {"Retry-After": "7"}), (429, {"Retry-After": later}), (502, {})]
    site.files["/m.tsv"] = File(BODY, answers=[*busy, (503, {"Retry-After": "soon"})])
    run(f"{site.base}/m.tsv")
    assert run.raw("m.tsv") == BODY
    assert run.waits[0] == 7
    assert 80 < run.waits[1] <= 90
    assert run.waits[2:] == [4, 8]
    assert "503 Service Unavailable; trying again in 7 s" in run.said[0]


def test_a_server_that_asks_for_too_much_patience_is_left(run, site):
    site.files["/m.tsv"] = File(BODY, answers=[(503, {"Retry-After": "86400"})])
    run.fails(f"{site.base}/m.tsv", match="wait 86400 s")
    assert run.waits == []


def test_redirects_are_followed_and_recorded(run, site):
    site.files["/a.tsv"] = File(b"", answers=[(302, {"Location": "/b?signature=secret"})])
    site.files["/b"] = File(BODY)
    record = run(f"{site.base}/a.tsv")
    assert run.raw("a.tsv") == BODY
    assert record["files"][0]["redirected_to"] == f"{site.base}/b"
    assert "secret" not in json.dumps(record)


def test_redirect_circles_end(run, site):
    site.files["/a.tsv"] = File(b"", answers=[(301, {"Location": "/b.tsv"})] * 9)
    site.files["/b.tsv"] = File(b"", answers=[(307, {"Location": "/a.tsv"})] * 9)
    run.fails(f"{site.base}/a.tsv", match="redirects in a circle")
    assert len(site.log) == 6


@pytest.mark.parametrize("target", ["file:///etc/hostname", "ftp://127.0.0.1/x", "", "http://["])
def test_redirects_lead_to_web_addresses_only(run, site, target):
    site.files["/a.tsv"] = File(b"", answers=[(302, {"Location": target})])
    run.fails(f"{site.base}/a.tsv", match="redirects to no usable address")


def test_a_protected_address_does_not_redirect_to_an_unprotected_one():
    with pytest.raises(UserError, match="unprotected"):
        Client._redirected("https://a.example/x", "http://a.example/x")


@pytest.mark.parametrize("name", ["m.tsv", "m.tsv.gz"])
@pytest.mark.parametrize("page", [HTML, b"\n\n" + HTML, b'<?xml version="1.0"?>\n<html>'])
def test_a_web_page_instead_of_data_is_refused(run, site, name, page):
    site.files[f"/{name}"] = File(page, {"Content-Type": "text/html"})
    run.fails(f"{site.base}/{name}", match="web page instead of data")
    assert name not in run.names()


@pytest.mark.parametrize(
    "name", ["m.gz", "m.xz", "m.bz2", "m.zst", "m.xlsx", "m.h5ad", "m.parquet"]
)
def test_bytes_that_belie_the_name_are_refused(run, site, name):
    site.files[f"/{name}"] = File(b'{"message": "internal server error"}')
    run.fails(f"{site.base}/{name}", match="does not begin like one")


def test_an_empty_file_is_refused(run, site):
    site.files["/m.tsv"] = File(b"")
    run.fails(f"{site.base}/m.tsv", match="the file is empty")


def test_compression_nobody_asked_for_is_refused_unless_it_is_the_files_own(run, site):
    packed = gzip.compress(BODY, mtime=0)
    for name in ("m.tsv", "m.tsv.gz"):
        site.files[f"/{name}"] = File(packed, {"Content-Encoding": "gzip"})
    run.fails(f"{site.base}/m.tsv", match="gzip compression")
    run(f"{site.base}/m.tsv.gz")
    assert gzip.decompress(run.raw("m.tsv.gz")) == BODY


def test_a_silent_server_is_not_waited_for_for_ever(run, site):
    release = threading.Event()
    site.files["/m.tsv"] = File(BODY, before=lambda: release.wait(1.5))
    run.fails(f"{site.base}/m.tsv", match="no answer in time", timeout=0.1, tries=2)
    release.set()


def test_a_server_that_falls_silent_is_asked_to_go_on(run, site):
    release = threading.Event()
    file = site.files["/m.tsv"] = File(BODY)
    answer = Handler.answer

    def stall(handler, status, headers, body, found=None):
        if file.headers.pop("Stall", None):
            handler.send_response(200)
            handler.send_header("ETag", '"v1"')
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body[:5000])
            release.wait(1.5)
            return None
        return answer(handler, status, headers, body, found)

    file.headers["Stall"] = "yes"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Handler, "answer", stall)
        run(f"{site.base}/m.tsv", timeout=0.2)
        release.set()
    assert run.raw("m.tsv") == BODY
    assert site.asked("/m.tsv")[1]["Range"] == "bytes=5000-"


def test_without_a_network_the_message_says_what_to_do(run):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    message = run.fails(
        f"http://127.0.0.1:{port}/m.tsv", match=f"127.0.0.1:{port} cannot be reached"
    )
    assert message.startswith(f"http://127.0.0.1:{port}/m.tsv: ")
    assert "download the file by hand and give its path as `expression`" in message
    assert run.waits == [1, 2]
    assert not run.folder.exists()


def test_proxies_come_from_the_environment(run, site, monkeypatch):
    monkeypatch.setenv("http_proxy", site.base)
    site.files["http://data.invalid/m.tsv"] = File(BODY)
    run("http://data.invalid/m.tsv")
    assert run.raw("m.tsv") == BODY


def test_a_size_limit_holds_with_and_without_an_announced_length(run, site):
    site.files["/m.tsv"] = File(BODY)
    site.files["/n.tsv"] = File(BODY, framing="none")
    run.fails(f"{site.base}/m.tsv", match="larger than allowed", max_bytes=1000)
    run.fails(f"{site.base}/n.tsv", match="larger than allowed", max_bytes=1000)


def test_a_full_disk_is_said(run, site, monkeypatch):
    site.files["/m.tsv"] = File(BODY)
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    run.fails(f"{site.base}/m.tsv", match="are to come and 1,000 are free; make room")


def test_a_folder_that_cannot_be_written_is_said(run, site):
    site.files["/m.tsv"] = File(BODY)
    run.folder.write_text("a file where the folder should be")
    run.fails(f"{site.base}/m.tsv", match="the file system refuses")
    assert site.log == []


def test_two_fetches_do_not_share_a_folder(run, site):
    site.files["/m.tsv"] = File(BODY, before=lambda: errors.append(second()))
    errors: list[str] = []

    def second():
        other = Run(run.folder, run.mirrors)
        return other.fails(f"{site.base}/m.tsv", match="another fetch works on this folder")

    run(f"{site.base}/m.tsv")
    assert len(errors) == 1


# Names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        ("counts.tsv", "counts.tsv"),
        ("../../up.tsv", "up.tsv"),
        ("..\\..\\up.tsv", "up.tsv"),
        ("/etc/cron.d/x.tsv", "x.tsv"),
        (".bashrc", "bashrc"),
        ("$(touch x);.tsv", "(touch-x)-.tsv"),
        ("fetch.json", "file-fetch-json"),
        ("a" * 300 + ".tsv.gz", "a" * 143 + ".tsv.gz"),
        ("", "download"),
    ],
)
def test_names_from_the_server_are_data(run, site, given, stored):
    body = gzip.compress(BODY, mtime=0) if stored.endswith(".gz") else BODY
    header = {"Content-Disposition": f'attachment; filename="{given}"'.replace("\\", "\\\\")}
    site.files["/files/"] = File(body, header)
    record = run(f"{site.base}/files/?download=1")
    assert record["expression"] == stored
    assert run.names() == {stored, "fetch.json", ".fetch.jsonl"}
    assert {p.name for p in run.folder.parent.iterdir()} == {"cohort"}


def test_the_user_may_name_the_file(run, site):
    site.files["/files/1234"] = File(BODY)
    assert run(f"{site.base}/files/1234#name=mine.tsv")["expression"] == "mine.tsv"


def test_a_file_of_this_computer_is_copied(run, tmp_path):
    path = tmp_path / "my matrix.tsv"
    path.write_bytes(BODY)
    record = run(path.as_uri())
    assert run.raw("my-matrix.tsv") == BODY
    assert record["files"][0]["verified"] == "copied on this computer"
    path.write_bytes(OTHER)
    run(path.as_uri() + f"#sha256={sha(OTHER)}")
    assert run.raw("my-matrix.tsv") == OTHER
    run.fails(path.as_uri() + f"#sha256={sha(BODY)}", match="and not")
    run.fails("file:///no/such.tsv", match="no such file")
    run.fails("file://elsewhere/x.tsv", match="another computer")


@pytest.mark.parametrize(
    ("source", "match"),
    [
        ("matrix.tsv", "neither an accession nor a web address"),
        ("ftp://127.0.0.1/x", "neither an accession nor a web address"),
        ("geo:", "nothing follows geo:"),
        ("geo:GSM1", "is not a GEO series"),
        ("geo:GSE1#fil=x", "is not understood after #"),
        ("geo:GSE1#file=a&file=b", "is not understood after #"),
        ("https://user:secret@127.0.0.1/x.tsv", "must not hold a name or a password"),
        ("https:///x.tsv", "not a web address"),
        ("https://127.0.0.1:port/x.tsv", "not a web address"),
        ("https://127.0.0.1/a b.tsv", "not a web address"),
        ("https://127.0.0.1/x.tsv#sha256=12", "needs 64 hexadecimal digits"),
        ("gdc:../x", "is not a GDC project"),
        ("recount3:../x", "is not a recount3 study"),
        ("recount3:SKIN", "is not a recount3 study"),
        ("recount3:SKCM#annotation=M023", "has no annotation"),
        ("xena:nowhere_x", "is not a Xena dataset"),
        ("xena:toil_a/../b", "is not a Xena dataset"),
        ("cbioportal:../x", "is not a cBioPortal study"),
        ("geo:GSE1\n#file=x", "line breaks"),
    ],
)
def test_bad_sources_are_refused_before_anything_is_asked(run, site, source, match):
    message = run.fails(source, match=match)
    assert "secret" not in message
    assert site.log == []
    assert not run.folder.exists()


def test_what_is_remote():
    for text in ("geo:GSE1", "GDC:TCGA-UVM", "http://x/y", "https://x/y", "xena:toil_x"):
        assert is_remote(text)
    for text in ("x.tsv", "../geo/x.tsv", "file:///x.tsv", "C:/x.tsv", "/a:b"):
        assert not is_remote(text)
    assert dict(parse_source("https://x/y#name=a%20b&md5=" + "0" * 32).options)["name"] == "a b"


@pytest.mark.parametrize("word", ["geo", "geo=", "geo=ftp://x", "a/b=http://x", "geo=http://u:p@x"])
def test_bad_mirrors_are_refused(word):
    with pytest.raises(UserError):
        parse_mirrors([word])


# GEO ----------------------------------------------------------------------------------------

SERIES = "/geo/series/GSE12nnn/GSE12345"


def index(folder, *names):
    """An index page as GEO serves it, with its absolute parent link and its footer."""
    links = "".join(f'<a href="{n}">{n}</a>   2024-01-01 00:00  3.1K\n' for n in names)
    page = (
        f"<html><head><title>Index of {folder}</title></head>\n<body><pre>Name <hr>"
        f'<a href="{folder.rpartition("/")[0]}/">Parent Directory</a>  -\n{links}<hr></pre>\n'
        '<a href="https://www.hhs.gov/policy/index.html">Disclosure</a></body></html>'
    )
    return File(page.encode(), {"Content-Type": "text/html"})


def series_matrix(rows=b""):
    text = b'!Series_title\t"x"\n!Sample_title\t"a"\t"b"\n!series_matrix_table_begin\n'
    text += b'"ID_REF"\t"GSM1"\t"GSM2"\n' + rows + b"!series_matrix_table_end\n"
    return gzip.compress(text, mtime=0)


@pytest.fixture
def geo(site):
    def put(*supplement, matrices=("GSE12345_series_matrix.txt.gz",), rows=b""):
        site.files[f"{SERIES}/matrix/"] = index(f"{SERIES}/matrix", *matrices)
        for name in matrices:
            site.files[f"{SERIES}/matrix/{name}"] = File(series_matrix(rows))
        if supplement:
            site.files[f"{SERIES}/suppl/"] = index(f"{SERIES}/suppl", *supplement)
        for name in supplement:
            body = gzip.compress(name.encode() + BODY, mtime=0) if name.endswith(".gz") else BODY
            site.files[f"{SERIES}/suppl/{name}"] = File(body)

    return put


def test_geo_takes_the_only_table(run, site, geo):
    geo("GSE12345_counts.csv.gz", "GSE12345_RAW.tar", "filelist.txt")
    message = run.fails("geo:GSE12345#file=x.txt", match="has no file 'x.txt'; it has GSE12345_c")
    assert "#file=GSE12345_counts.csv.gz" in message
    record = run("geo:gse12345")
    assert record["expression"] == "GSE12345_counts.csv.gz"
    assert record["annotation"] == ["GSE12345_series_matrix.txt.gz"]
    assert record["format"] == "auto"
    assert record["notes"] == ["Supplementary files not fetched: GSE12345_RAW.tar."]
    assert site.asked(f"{SERIES}/suppl/GSE12345_RAW.tar") == []
    assert expression_path(run.folder).name == "GSE12345_counts.csv.gz"


def test_geo_does_not_guess_among_tables(run, site, geo):
    geo("GSE12345_counts.csv.gz", "GSE12345_fpkm.txt.gz")
    message = run.fails("geo:GSE12345", match="several files may hold the expression values")
    assert "GSE12345_counts.csv.gz, GSE12345_fpkm.txt.gz" in message
    assert "`expression` in the cohort sheet: geo:GSE12345#file=GSE12345_counts.csv.gz" in message
    asked = len(site.asked(f"{SERIES}/matrix/GSE12345_series_matrix.txt.gz"))
    record = run("geo:GSE12345#file=GSE12345_fpkm.txt.gz")
    assert record["expression"] == "GSE12345_fpkm.txt.gz"
    assert len(site.asked(f"{SERIES}/matrix/GSE12345_series_matrix.txt.gz")) == asked


def test_geo_reads_arrays_from_the_series_matrix(run, site, geo):
    geo(rows=b'"1007_s_at"\t1.5\t2.5\n')
    site.files[f"{SERIES}/suppl/"] = File(b"", answers=[(403, {})] * 9)  # GEO's word for none
    record = run("geo:GSE12345")
    assert record["format"] == "geo_series_matrix"
    assert record["expression"] == "GSE12345_series_matrix.txt.gz"


def test_geo_does_not_guess_among_platforms(run, geo):
    names = ("GSE12345-GPL1_series_matrix.txt.gz", "GSE12345-GPL2_series_matrix.txt.gz")
    geo(matrices=names, rows=b'"x"\t1\t2\n')
    run.fails("geo:GSE12345", match=f"several files .* {names[0]}, {names[1]}")
    assert run(f"geo:GSE12345#file={names[1]}")["expression"] == names[1]


def test_geo_without_values_points_to_the_counts_of_ncbi(run, site, geo):
    geo("GSE12345_RAW.tar")
    message = run.fails("geo:GSE12345", match="neither the series matrix nor a supplementary")
    counts = "GSE12345_raw_counts_GRCh38.p13_NCBI.tsv.gz"
    assert f"geo:GSE12345#file={counts}" in message
    path = f"/geo/download/?type=rnaseq_counts&acc=GSE12345&format=file&file={counts}"
    site.files[path] = File(gzip.compress(BODY))
    assert run(f"geo:GSE12345#file={counts}")["expression"] == counts
    site.files[path] = File(HTML)
    (run.folder / "raw" / counts).unlink()
    run.fails(f"geo:GSE12345#file={counts}", match="web page")


def test_geo_listings_cannot_lead_out_of_the_folder(run, site, geo):
    geo("../../x.txt", "%2e%2e%2fy.txt", "..%5cz.txt", "GSE12345_a.txt", "sub/", "?C=N;O=D")
    assert run("geo:GSE12345")["expression"] == "GSE12345_a.txt"
    assert not list(run.folder.parent.glob("*.txt"))


def test_geo_says_when_there_is_no_such_series(run):
    assert "GEO shows no series GSE99999" in run.fails("geo:GSE99999", match="accession")


def test_geo_says_when_a_matrix_is_damaged(run, site, geo):
    geo()
    name = f"{SERIES}/matrix/GSE12345_series_matrix.txt.gz"
    site.files[name] = File(series_matrix(b'"x"\t1\t2\n' * 9)[:-20])
    run.fails("geo:GSE12345", match="damaged")


# GDC ----------------------------------------------------------------------------------------


def uuid(i):
    return f"{i:08x}-0000-4000-8000-000000000000"


def hit(i, body, **other):
    sample = {"submitter_id": f"TCGA-XX-{i:04d}-01A", "sample_type": "Primary Tumor"}
    return {
        "file_id": uuid(i),
        "file_name": f"{i}.rna_seq.augmented_star_gene_counts.tsv",
        "md5sum": hashlib.md5(body, usedforsecurity=False).hexdigest(),
        "file_size": len(body),
        "state": "released",
        "data_category": "Transcriptome Profiling",
        "data_type": "Gene Expression Quantification",
        "cases": [
            {
                "submitter_id": f"TCGA-XX-{i:04d}",
                "project": {"project_id": "TCGA-XX"},
                "samples": [sample],
            }
        ],
        **other,
    }


@pytest.fixture
def gdc(site):
    """The GDC with twelve files, listed by pages of five."""
    bodies = [b"gene_id\tunstranded\n" + b"ENSG%d\t%d\n" % (i, i) * 500 for i in range(12)]
    hits = [hit(i, body) for i, body in enumerate(bodies)]

    def files(question):
        site.questions.append(question)
        start, size = question["from"], min(question["size"], 5)
        page = {"hits": hits[start : start + size], "pagination": {"total": len(hits)}}
        return json.dumps({"data": page, "warnings": {}}).encode()

    site.questions = []
    site.files["/files"] = files
    for i, body in enumerate(bodies):
        site.files[f"/data/{uuid(i)}"] = File(
            body, {"Content-Disposition": f"attachment; filename={hits[i]['file_name']}"}
        )
    site.hits = hits
    return bodies


def test_gdc_brings_a_project_in_the_form_of_a_gdc_download(run, site, gdc):
    record = run("gdc:TCGA-XX")
    raw = run.folder / "raw"
    assert expression_path(run.folder) == raw
    rows = [line.split("\t") for line in run.raw("MANIFEST.txt").decode().splitlines()]
    assert rows[0] == ["id", "filename", "md5", "size", "state"]
    assert len(rows) == 13
    for (_, name, md5, size, _), body in zip(rows[1:], gdc, strict=True):
        assert (raw / name).read_bytes() == body
        assert (hashlib.md5(body).hexdigest(), str(len(body))) == (md5, size)  # noqa: S324
    sheet = [line.split("\t") for line in run.raw("gdc_sample_sheet.tsv").decode().splitlines()]
    assert sheet[0][:8] == [
        *("File ID", "File Name", "Data Category", "Data Type"),
        *("Project ID", "Case ID", "Sample ID", "Sample Type"),
    ]
    assert sheet[4][4:8] == ["TCGA-XX", "TCGA-XX-0003", "TCGA-XX-0003-01A", "Primary Tumor"]
    assert {len(row) for row in sheet} == {12}
    verified = {e["verified"] for e in record["files"] if e["url"]}
    assert verified == {"md5 published by the GDC"}
    asked = {str(c["content"]) for c in site.questions[0]["filters"]["content"]}
    assert "{'field': 'files.access', 'value': ['open']}" in asked
    assert [q["from"] for q in site.questions] == [0, 5, 10]


def test_gdc_again_and_elsewhere_gives_the_same_but_for_dates(run, site, gdc, tmp_path):
    first, n = run("gdc:TCGA-XX"), len(site.log)
    run("gdc:TCGA-XX")
    (run.folder / "raw" / "fetch.json").unlink()
    run("gdc:TCGA-XX")
    assert len(site.log) == n
    second = run("gdc:TCGA-XX", folder=tmp_path / "again", connections=1)
    for record in (first, second):
        record.pop("date")
        for entry in record["files"]:
            entry.pop("date")
    assert first == second


def test_gdc_goes_on_where_it_was_stopped(run, site, gdc):
    good = site.files[f"/data/{uuid(7)}"]
    site.files[f"/data/{uuid(7)}"] = File(b"x" * len(good.body), {})
    message = run.fails("gdc:TCGA-XX", match="published by the GDC", connections=1)
    assert uuid(7) in message
    assert not (run.folder / "raw" / "fetch.json").exists()
    with (run.folder / "raw" / ".fetch.jsonl").open("a") as journal:
        journal.write('{"file": "cut sho')
    site.files[f"/data/{uuid(7)}"], site.files[f"/data/{uuid(8)}"] = good, File(b"x", {})
    run.fails("gdc:TCGA-XX", match=uuid(8), connections=1)
    site.files[f"/data/{uuid(8)}"] = File(gdc[8])
    journal = run.raw(".fetch.jsonl").splitlines()
    assert [json.loads(x)["url"] for x in journal if uuid(7) in x.decode()]
    run("gdc:TCGA-XX", connections=1)
    asked = [len(site.asked(f"/data/{uuid(i)}")) for i in (3, 7, 8)]
    assert asked == [1, 2, 2]


def test_gdc_samples_can_be_chosen(run, site, gdc):
    run("gdc:TCGA-XX#sample_type=Primary Tumor,Metastatic")
    last = site.questions[0]["filters"]["content"][-1]["content"]
    expected = {"field": "cases.samples.sample_type", "value": ["Primary Tumor", "Metastatic"]}
    assert last == expected


def test_another_source_replaces_the_files_of_the_last(run, site, gdc):
    run("gdc:TCGA-XX")
    (run.folder / "raw" / "mine.txt").write_text("not fetched")
    (run.folder / "raw" / uuid(3) / "mine.txt").write_text("not fetched")
    del site.hits[3:6]
    run("gdc:TCGA-XX#tissue_type=Tumor")
    assert "removed 3 files" in " ".join(run.said)
    left = {name.partition("/")[0] for name in run.names()}
    assert uuid(2) in left
    assert uuid(4) not in left
    assert {"mine.txt", f"{uuid(3)}/mine.txt"} <= run.names()
    assert not (run.folder / "raw" / uuid(4)).exists()


def test_a_record_cannot_have_files_elsewhere_removed(run, site, tmp_path):
    mine = tmp_path / "mine.txt"
    mine.write_bytes(BODY)
    site.files["/m.tsv"] = File(BODY)
    raw = run.folder / "raw"
    raw.mkdir(parents=True)
    entry = {"file": "../../mine.txt", "url": "x", "bytes": len(BODY), "sha256": sha(BODY)}
    (raw / ".fetch.jsonl").write_text(json.dumps(entry))
    run.fails(f"{site.base}/m.tsv", match="leads out of the folder")
    assert mine.exists()


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda hits: hits.clear(), "no open STAR counts for TCGA-XX"),
        (lambda hits: hits[1].update(file_id="../../up"), "answer is not understood"),
        (lambda hits: hits[1].update(md5sum="none"), "answer is not understood"),
        (lambda hits: hits[1].pop("file_name"), "answer is not understood"),
        (lambda hits: hits.append(hits[0]), "lists 13 files and shows 12"),
    ],
)
def test_gdc_answers_are_checked(run, site, gdc, change, match):
    change(site.hits)
    run.fails("gdc:TCGA-XX", match=match)
    assert not run.folder.exists()


def test_gdc_size_is_known_before_anything_is_downloaded(run, site, gdc):
    run.fails("gdc:TCGA-XX", match="12 files of .* more than the 1.0 kB allowed", max_bytes=1000)
    assert not any(path.startswith("/data/") for _, path, _ in site.log)


def test_gdc_names_and_cells_are_data(run, site, gdc):
    site.hits[0]["file_name"] = "../../../up.tsv"
    site.hits[0]["cases"][0]["submitter_id"] = "a\tb\nc"
    run("gdc:TCGA-XX")
    assert (run.folder / "raw" / uuid(0) / "up.tsv").is_file()
    sheet = run.raw("gdc_sample_sheet.tsv").decode().splitlines()
    assert sheet[1].split("\t")[5] == "a b c"


def test_gdc_that_does_not_answer_json(run, site):
    site.files["/files"] = File(HTML)
    run.fails("gdc:TCGA-XX", match="the answer is not JSON")


# recount3, Xena, cBioPortal -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "where", "project", "shard"),
    [
        ("SRP070710", "sra", "SRP070710", "10"),
        ("SKCM", "tcga", "SKCM", "CM"),
        ("gtex/SKIN", "gtex", "SKIN", "IN"),
    ],
)
def test_recount3_brings_sums_and_metadata(run, site, name, where, project, shard):
    home = f"/human/data_sources/{where}"
    sums = f"{where}.gene_sums.{project}.G026.gz"
    site.files[f"{home}/gene_sums/{shard}/{project}/{sums}"] = File(gzip.compress(BODY))
    tags = [where, "recount_project", "recount_qc", "recount_seq_qc"]
    tables = [f"{where}.{tag}.{project}.MD.gz" for tag in tags]
    for table in tables:
        site.files[f"{home}/metadata/{shard}/{project}/{table}"] = File(gzip.compress(b"x\n"))
    record = run(f"recount3:{name}")
    assert record["expression"] == sums
    assert record["annotation"] == tables
    site.files.pop(f"{home}/metadata/{shard}/{project}/{tables[2]}")
    run.fails(f"recount3:{name}#annotation=G029", match="HTTP 404")


def test_xena_takes_the_compressed_file_or_the_plain_one(run, site, tmp_path):
    site.files["/download/TCGA.SKCM.sampleMap/HiSeqV2.gz"] = File(gzip.compress(BODY))
    site.files["/download/EB%2B%2BAdjust.xena"] = File(BODY)
    record = run("xena:tcga_TCGA.SKCM.sampleMap/HiSeqV2")
    assert record["expression"] == "TCGA.SKCM.sampleMap__HiSeqV2.gz"
    assert record["format"] == "xena"
    record = run("xena:toil_EB++Adjust.xena", folder=tmp_path / "other")
    assert record["expression"] == "EB++Adjust.xena"
    site.files["/download/TCGA-UVM.star_tpm.tsv.gz"] = File(gzip.compress(BODY))
    for dataset in ("TCGA-UVM.star_tpm.tsv", "TCGA-UVM/Xena_Matrices/TCGA-UVM.star_tpm.tsv.gz"):
        record = run(f"xena:gdc_{dataset}", folder=tmp_path / "gdc")
        assert record["expression"] == "TCGA-UVM.star_tpm.tsv.gz"
    run.fails("xena:toil_none", match="HTTP 404")


def test_cbioportal_verifies_by_the_repositorys_pointer(run, site):
    study = "/public/skcm_x"
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:{}\nsize {}\n"
    pointer = pointer.format(sha(BODY), len(BODY)).encode()
    site.files[f"{study}/data_mrna_seq_tpm.txt"] = File(pointer)
    site.files[f"{study}/data_clinical_sample.txt"] = File(b"#x\nPATIENT_ID\n")
    site.files[f"/media{study}/data_mrna_seq_tpm.txt"] = File(BODY)
    record = run("cbioportal:skcm_x")
    assert record["expression"] == "data_mrna_seq_tpm.txt"
    assert record["annotation"] == ["data_clinical_sample.txt"]
    by_name = {e["file"]: e["verified"] for e in record["files"]}
    assert by_name["data_mrna_seq_tpm.txt"] == "sha256 published in the datahub"
    site.files[f"{study}/data_mrna_seq_fpkm.txt"] = File(pointer)
    (run.folder / "raw" / "data_mrna_seq_tpm.txt").unlink()
    run.fails("cbioportal:skcm_x", match="several files .* data_mrna_seq_tpm.txt, data_mrna_seq_f")
    run.fails("cbioportal:none", match="the study has no mRNA table")


# Progress, and the step ---------------------------------------------------------------------


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def test_progress_says_bytes_rate_and_time_left():
    clock, said = Clock(), []
    meter = Meter(said.append, None, 30, clock)
    meter.expect(3, 10_000_000)
    meter.count(2_000_000, arrived=False)
    clock.now = 10.0
    meter.count(1_000_000)
    assert said == []
    clock.now = 31.0
    meter.count(1_000_000)
    assert said == ["file 1 of 3, 4.0 MB of 10.0 MB (40 %), 64.5 kB/s, 1 min 33 s left"]


def test_progress_on_a_terminal_is_one_line_that_goes_away():
    clock, said, screen = Clock(), [], io.StringIO()
    meter = Meter(said.append, screen, 30, clock)
    meter.expect(2, None)
    meter.announce(150_000)
    for clock.now in (0.1, 0.3, 0.4, 0.6):
        meter.count(50_000)
        if clock.now == 0.3:
            meter.announce(250_000)
    meter.say("a note")
    meter.close()
    lines = screen.getvalue().split("\r")
    assert lines[1].startswith("file 1 of 2, 100.0 kB, ")
    assert lines[2].startswith("file 1 of 2, 200.0 kB of 400.0 kB (50 %), ")
    assert lines[-1] == ""
    assert said == ["a note"]
    assert "\n" not in screen.getvalue()


def test_the_step_says_nothing_unless_asked(tmp_path, site, capfd):
    site.files["/m.tsv"] = File(BODY)
    fetch(tmp_path / "c", f"{site.base}/m.tsv")
    assert capfd.readouterr() == ("", "")
    said: list[str] = []
    fetch(tmp_path / "c", f"{site.base}/m.tsv", say=said.append)
    assert "is there already" in said[0]
    with pytest.raises(UserError, match="tries must be above zero"):
        fetch(tmp_path / "c", f"{site.base}/m.tsv", tries=0)


def test_later_steps_are_told_what_is_missing(run, site):
    with pytest.raises(UserError, match="run resistpath fetch first"):
        expression_path(run.folder)
    site.files["/m.tsv"] = File(BODY)
    run(f"{site.base}/m.tsv")
    (run.folder / "raw" / "m.tsv").write_bytes(b"short")
    with pytest.raises(UserError, match="missing or has changed"):
        expression_path(run.folder)
    record = json.loads(run.raw("fetch.json"))
    for text, match in (
        ("{", "damaged"),
        ("[]", "no record of a fetch"),
        (json.dumps(record | {"expression": "../../x"}), "leads out of the folder"),
    ):
        (run.folder / "raw" / "fetch.json").write_text(text)
        with pytest.raises(UserError, match=match):
            expression_path(run.folder)
