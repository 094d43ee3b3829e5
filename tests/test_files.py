"""Files that appear whole, are checked when read, and leave nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys

import pandas as pd
import pytest

from resistpath.errors import UserError
from resistpath.io.files import file_states, is_damaged, need_unchanged, replacing, seal, write_text
from resistpath.io.tables import read_table, write_table


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "scores.tsv"
    write_table(path, pd.DataFrame({"sample": ["a", "b"], "score": [0.1, 0.2]}))
    return path


def test_a_table_and_its_seal(table):
    assert read_table(table)["score"].tolist() == [0.1, 0.2]
    done = subprocess.run(  # noqa: S603
        ["sha256sum", "-c", seal(table)],  # noqa: S607
        cwd=table.parent,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0
    assert sorted(p.name for p in table.parent.iterdir()) == [".sha256", "scores.tsv"]


def test_one_changed_bit_is_not_read(table):
    content = bytearray(table.read_bytes())
    content[-2] ^= 1
    table.write_bytes(content)
    assert is_damaged(table)
    with pytest.raises(UserError, match=r"changed or damaged.*scores\.tsv\.damaged"):
        read_table(table)
    assert not table.exists()
    assert table.with_name("scores.tsv.damaged").read_bytes() == content


def test_a_file_without_a_seal_is_read(table):
    seal(table).unlink()
    table.write_text("sample\tscore\nc\t3\n")
    assert read_table(table)["score"].tolist() == [3]


def test_a_table_written_again_has_the_seal_of_its_new_bytes(table):
    write_table(table, pd.DataFrame({"sample": ["c"]}))
    assert not is_damaged(table)
    assert read_table(table)["sample"].tolist() == ["c"]


def test_a_failed_block_leaves_the_old_file(table):
    before = table.read_bytes()

    def fail():
        with replacing(table, sealed=True) as temporary:
            temporary.write_text("half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert table.read_bytes() == before
    assert not is_damaged(table)
    assert sorted(p.name for p in table.parent.iterdir()) == [".sha256", "scores.tsv"]


def test_what_a_killed_process_left_is_cleared_by_the_next(tmp_path):
    path = tmp_path / "x.tsv"
    code = (
        "import os, sys; from pathlib import Path; from resistpath.io.files import replacing\n"
        "with replacing(Path(sys.argv[1])) as part:\n"
        "    part.write_text('half'); os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False)  # noqa: S603
    assert done.returncode == -9
    assert len(list(tmp_path.glob(".x.tsv.*.part.tsv"))) == 1
    write_text(path, "whole")
    assert [p.name for p in tmp_path.iterdir()] == ["x.tsv"]


def test_another_living_process_keeps_its_temporary_file(tmp_path):
    path = tmp_path / "x.tsv"
    with replacing(path) as mine:
        theirs = mine.with_name(mine.name.replace(f"-{os.getpid()}.", f"-{os.getppid()}."))
        theirs.write_text("half")
        mine.write_text("whole")
    write_text(path, "again")
    assert theirs.exists()


def test_an_input_that_changes_meanwhile_is_refused(tmp_path):
    folder = tmp_path / "quants"
    folder.mkdir()
    (folder / "a.sf").write_text("1")
    before = file_states(folder, None)
    need_unchanged(before)
    (folder / "a.sf").write_text("12")
    with pytest.raises(UserError, match=r"a\.sf: this changed while it was read"):
        need_unchanged(before)
    (folder / "a.sf").unlink()
    with pytest.raises(UserError, match="changed while it was read"):
        need_unchanged(before)
