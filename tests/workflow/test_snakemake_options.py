"""What users do with snakemake besides running it: each behaves as they would expect."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import subprocess
import sys
from types import SimpleNamespace

import pytest

PARTS = ("Snakefile", "workflow", "resources", "config", "envs")


@pytest.fixture(scope="module")
def project(repository, tmp_path_factory):
    """A copy of the project that may be edited, with a finished cohort in a folder beside it."""
    root = tmp_path_factory.mktemp("project")
    for part in PARTS:
        source = repository / part
        if source.is_dir():
            shutil.copytree(source, root / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, root / part)
    faults = runpy.run_path(str(repository / "benchmarks" / "faults.py"))
    folder = root / "mine"
    faults["make_cohort"](folder)

    def snakemake(*words, config=()):
        done = subprocess.run(  # noqa: S603
            [
                *(sys.executable, "-m", "snakemake", "--cores", "2"),
                *("--snakefile", str(root / "Snakefile")),
                *("--configfile", str(root / "config" / "config.yaml")),
                *words,
                *("--config", "cohorts=cohorts.tsv", *config),
            ],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(root / "workflow")},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    status, said = snakemake()
    assert status == 0, said
    results = folder / "results"
    return SimpleNamespace(
        root=root, folder=folder, results=results, run=snakemake, digests=faults["digests"]
    )


def planned(said):
    """Rules a dry run would run, but for `all`."""
    rules = re.findall(r"^(?:local)?rule (\w+):", said, flags=re.MULTILINE)
    return set(rules) - {"all"}


@pytest.fixture
def edited():
    """Edit files for one test; they and their times are as before afterwards."""
    kept = {}

    def edit(path, old, new):
        text = path.read_text(encoding="utf-8")
        assert old in text
        kept[path] = (text, path.stat())
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    yield edit
    for path, (text, stat) in kept.items():
        path.write_text(text, encoding="utf-8")
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


def test_a_dry_run_after_a_run_finds_nothing_to_do(project):
    status, said = project.run("--dry-run")
    assert status == 0, said
    assert "Nothing to be done" in said


def test_a_dry_run_plans_each_step_once_and_writes_nothing(project):
    status, said = project.run("--dry-run", config=("results=new",))
    assert status == 0, said
    steps = {"prepare", "score", "deconvolve", "reference", "assess", "compare", "report"}
    assert planned(said) == steps | {"differential"}
    assert not (project.folder / "new").exists()


def test_lint_finds_nothing(project):
    status, said = project.run("--lint")
    assert status == 0, said
    assert "Congratulations" in said


def test_the_report_holds_the_run(project):
    status, said = project.run("--report", "run.html")
    assert status == 0, said
    assert (project.folder / "run.html").stat().st_size > 10_000


def test_touch_makes_old_results_new_without_running(project, edited):
    before = project.digests(project.results)
    edited(project.folder / "s.tsv", "\tpre\t", "\ton\t")
    assert "prepare" in planned(project.run("--dry-run")[1])
    status, said = project.run("--touch")
    assert status == 0, said
    assert project.digests(project.results) == before
    assert "Nothing to be done" in project.run("--dry-run")[1]


def test_an_unfinished_output_is_made_again(project):
    """As left by a power cut: the mark of a running job, its output, no lock to tell of it."""
    from base64 import urlsafe_b64encode

    name = urlsafe_b64encode(b"results/few/scores.tsv").decode()
    mark = project.folder / ".snakemake" / "incomplete" / name
    mark.write_text('{"external_jobid": null}')
    try:
        status, said = project.run("--dry-run", "--rerun-incomplete")
    finally:
        mark.unlink()
    assert status == 0, said
    assert planned(said) >= {"score"}
    assert not planned(said) & {"prepare", "deconvolve", "reference"}


def test_editing_a_signature_reruns_what_reads_it(project, edited):
    table = project.root / "resources" / "catalogue" / "signature_genes.tsv"
    edited(table, "CD8A", "CD8B")
    status, said = project.run("--dry-run")
    assert status == 0, said
    assert planned(said) == {"score", "assess", "compare", "differential", "report"}


@pytest.mark.parametrize(
    ("module", "rules"),
    [
        ("steps/report.py", {"report"}),
        ("steps/score.py", {"score", "compare", "report"}),
        ("deconvolve/solver.py", {"deconvolve", "reference", "assess", "compare", "report"}),
    ],
)
def test_editing_package_code_reruns_what_runs_it(project, edited, module, rules):
    edited(project.root / "workflow" / "resistpath" / module, '"""', '"""Edited: ')
    status, said = project.run("--dry-run")
    assert status == 0, said
    assert planned(said) == rules


def test_a_moved_results_folder_is_complete_where_it_is(project):
    moved = project.folder / "moved"
    project.results.rename(moved)
    try:
        status, said = project.run("--dry-run", config=("results=moved",))
        pages = [(moved / "few" / "index.html").read_text(encoding="utf-8")]
        pages += [p.read_text(encoding="utf-8") for p in (moved / "few" / "reports").glob("*.html")]
        assert status == 0, said
        assert "Nothing to be done" in said
        assert len(pages) > 20
        assert not [p for p in pages if str(project.folder) in p]
    finally:
        moved.rename(project.results)
