"""What servers answer instead of the file, and what names they give."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time

import pytest
from fetch_tools import BODY, HTML, OTHER, File, Handler, Run, sha

from resistpath.errors import UserError
from resistpath.io.fetch.client import Client
from resistpath.io.fetch.source import is_remote, parse_mirrors, parse_source

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
