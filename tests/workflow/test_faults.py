"""Faults in the middle of a run: nothing is lost, and the same command ends in the same bytes.

Three of the thirty points of benchmarks/faults.py, and what is not a matter of points in time.
"""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import time
from types import SimpleNamespace

import pytest

on_request = pytest.mark.skipif(
    not os.environ.get("RESISTPATH_FAULTS"),
    reason="takes minutes: set RESISTPATH_FAULTS=1",
)

SAMPLES = 20


@pytest.fixture(scope="module")
def faults(repository):
    return SimpleNamespace(**runpy.run_path(str(repository / "benchmarks" / "faults.py")))


@pytest.fixture(scope="module")
def undisturbed(faults, tmp_path_factory):
    """A finished run on one core: its folder and the digests of its results."""
    folder = tmp_path_factory.mktemp("faults") / "whole"
    faults.make_cohort(folder, SAMPLES)
    assert faults.start(folder, cores=1).wait(600) == 0, said(folder)
    return SimpleNamespace(folder=folder, digests=faults.digests(folder / "results"))


@pytest.fixture
def fresh(faults, undisturbed, request):
    """A working directory for the same cohort, without results."""
    folder = undisturbed.folder.with_name(request.node.name.replace("[", "-").rstrip("]"))
    faults.make_cohort(folder, SAMPLES)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def finished(undisturbed, request):
    """A copy of the finished run with its times."""
    folder = undisturbed.folder.with_name(request.node.name.replace("[", "-").rstrip("]"))
    shutil.copytree(undisturbed.folder, folder)
    (folder / "said.txt").unlink()
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def small_disk(fresh):
    """`results` on a file system of its own; gives a function that sets its options."""
    results = fresh / "results"
    results.mkdir()

    def mount(options):
        words = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(results)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            pytest.skip(f"no file system can be mounted here: {done.stderr.strip()}")

    yield mount
    if os.path.ismount(results):
        subprocess.run(["umount", str(results)], check=True)  # noqa: S603, S607


def said(folder):
    return (folder / "said.txt").read_text(encoding="utf-8")


def wait_for_step(faults, workflow, name, seconds=300):
    """Wait until the workflow runs this step."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and workflow.poll() is None:
        if any(p.is_running() and p.cmdline()[3:4] == [name] for p in faults.steps_of(workflow)):
            return
        time.sleep(0.05)
    raise AssertionError(f"{name} was never seen running")


@pytest.mark.parametrize(
    ("kind", "step"), [("job", "prepare"), ("workflow", "score"), ("everything", "report")]
)
def test_killed_and_typed_again(faults, undisturbed, fresh, kind, step):
    workflow = faults.start(fresh)
    wait_for_step(faults, workflow, step)
    faults.kill(workflow, kind)
    assert workflow.wait(600) != 0
    assert faults.start(fresh).wait(600) == 0, said(fresh)
    assert faults.digests(fresh / "results") == undisturbed.digests
    assert not list((fresh / "results").rglob("*.part*"))


def test_a_second_run_in_the_folder_is_refused(faults, undisturbed, fresh):
    first = faults.start(fresh)
    wait_for_step(faults, first, "prepare")
    second = subprocess.run(  # noqa: S603
        faults.command(),
        cwd=fresh,
        env={**os.environ, "PYTHONPATH": str(faults.ROOT / "workflow")},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert second.returncode == 1
    words = second.stdout + second.stderr
    assert "Another run of this workflow is at work in this folder" in words
    assert "Directory cannot be locked" in words or "IncompleteFilesException" in words
    assert first.wait(600) == 0, said(fresh)
    assert faults.digests(fresh / "results") == undisturbed.digests


def test_a_results_folder_that_is_read_only(faults, fresh, small_disk):
    small_disk("ro,size=1m")
    assert faults.start(fresh).wait(600) == 1
    assert "Read-only file system" in said(fresh)


@on_request
def test_a_full_disk(faults, undisturbed, fresh, small_disk):
    small_disk("size=4m")
    assert faults.start(fresh).wait(600) == 1
    assert "No space left on device" in said(fresh)
    small_disk("remount,size=200m")
    assert faults.start(fresh).wait(600) == 0, said(fresh)
    assert faults.digests(fresh / "results") == undisturbed.digests


@on_request
def test_an_input_that_changes_under_a_run_is_read_again(faults, undisturbed, fresh):
    workflow = faults.start(fresh)
    wait_for_step(faults, workflow, "score")
    sheet = fresh / "s.tsv"
    sheet.write_text(sheet.read_text().replace("\tStage IV\t", "\tStage III\t"))
    workflow.wait(600)
    assert faults.start(fresh).wait(600) == 0, said(fresh)
    found = faults.digests(fresh / "results")
    shutil.rmtree(fresh / "results")
    shutil.rmtree(fresh / ".snakemake")
    assert faults.start(fresh).wait(600) == 0, said(fresh)
    assert faults.digests(fresh / "results") == found != undisturbed.digests


@pytest.mark.parametrize(
    "name",
    [
        "scores.tsv",
        *(pytest.param(name, marks=on_request) for name in ("prepared.h5ad", "reference.npz")),
    ],
)
def test_a_damaged_intermediate_is_made_again(faults, undisturbed, finished, name):
    path = finished / "results" / "few" / name
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    assert faults.start(finished).wait(600) == 0, said(finished)
    assert f"results/few/{name} was changed or damaged" in said(finished)
    aside = path.with_name(f"{name}.damaged")
    assert aside.read_bytes() == content
    aside.unlink()
    assert faults.digests(finished / "results") == undisturbed.digests


@on_request
def test_damage_that_leaves_the_time_is_found_by_the_reader(faults, undisturbed, finished):
    path = finished / "results" / "few" / "prepared.h5ad"
    before = path.stat()
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    (path.parent / ".sha256" / path.name).touch()  # as a run that found the file whole leaves it
    (finished / "results" / "few" / "scores.tsv").unlink()
    assert faults.start(finished).wait(600) == 1
    assert "prepared.h5ad: the prepared cohort was changed or damaged" in said(finished)
    assert "Traceback" not in said(finished)
    assert faults.start(finished).wait(600) == 0, said(finished)
    (path.with_name("prepared.h5ad.damaged")).unlink()
    assert faults.digests(finished / "results") == undisturbed.digests
