"""run: the whole workflow, by Snakemake."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from resistpath.cli.words import Verbs, verb


def add_run(verbs: Verbs) -> None:  # type: ignore[valid-type]
    """Add the verb ``run``."""
    parser = verb(verbs, "run", "run all steps on the cohorts of a sheet, by Snakemake")
    parser.add_argument("cohorts", type=Path, help="cohort sheet, tab-separated")
    parser.add_argument("--cores", default="all", help="cores to use")
    parser.add_argument("--results", type=Path, default=Path("results"), help="results folder")
    parser.add_argument("--configfile", type=Path, help="settings other than the defaults")
    parser.epilog = "Options for snakemake follow after --, for example: -- --dry-run"
    parser.set_defaults(run=_run)


def _run(args: argparse.Namespace) -> int:
    import subprocess

    from resistpath.io.files import need_file
    from resistpath.io.resources import workflow_root

    root = workflow_root()
    settings = args.configfile or root / "config" / "config.yaml"
    command = [
        *(sys.executable, "-m", "snakemake"),
        *("--snakefile", str(root / "Snakefile")),
        *("--configfile", str(need_file(settings, "configuration"))),
        *("--cores", args.cores),
        *args.snakemake,
        "--config",
        f"cohorts={need_file(args.cohorts, 'cohort sheet')}",
        f"results={args.results}",
    ]
    return subprocess.run(command, check=False).returncode  # noqa: S603 - our own words
