"""A file from a web address: resumed, checked and put on record."""

from __future__ import annotations

import hashlib
import json
import re

import pytest
from fetch_tools import BODY, OTHER, File, Handler, sha

from resistpath.io.fetch.client import Client
from resistpath.io.fetch.record import expression_path

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
