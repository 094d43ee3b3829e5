"""What is said while a file arrives, and of what is missing afterwards."""

from __future__ import annotations

import io
import json

import pytest
from fetch_tools import BODY, File

from resistpath.errors import UserError
from resistpath.io.fetch.meter import Meter
from resistpath.io.fetch.record import expression_path
from resistpath.steps.fetch import fetch

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
