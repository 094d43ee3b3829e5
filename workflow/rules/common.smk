import csv
import os
import re
import shlex
import sys
from io import StringIO
from pathlib import Path

import pandas as pd
from snakemake.exceptions import WorkflowError
from snakemake.utils import validate

try:
    from resistpath.io.fetch.source import is_remote, local_path
    from resistpath.io.resources import (
        catalogue_files,
        deconvolution_files,
        resource,
        score_files,
        shipped_packs,
    )
    from resistpath.provenance import code_digest
    from resistpath.quality import Gates
    from resistpath.score import METHODS as SCORE_METHODS
except ImportError as error:
    raise WorkflowError(
        "The resistpath package is not installed where Snakemake runs: "
        "run `make setup`, or `pip install .` in the environment of Snakemake."
    ) from error

SCHEMAS = Path(workflow.basedir) / "workflow" / "schemas"
validate(config, str(SCHEMAS / "config.schema.yaml"))

RESULTS = config["results"].rstrip("/")
SHEET = Path(config["cohorts"])
SHIPPED_PACKS = shipped_packs()
OWN_SETS = [config["signatures"]] if config["signatures"] else []
# Rules call `resistpath VERB`, run by the interpreter that runs Snakemake unless conda brings
# its own, and with the package of this source tree. A prefix replaces Snakemake's own, which
# makes a failing command fail its job.
PYTHON = "python" if workflow.deployment_settings.deployment_method else sys.executable
SOURCE = Path(workflow.basedir) / "workflow"
PATHS = (
    f"export PYTHONPATH={shlex.quote(str(SOURCE))}; "
    if (SOURCE / "resistpath").exists()
    else ""
)
shell.prefix(
    f"set -euo pipefail; {PATHS}"
    f'resistpath() {{{{ {shlex.quote(PYTHON)} -m resistpath "$@"; }}}}; '
)


def read_cohorts(path):
    """Read and check the cohort sheet; paths in it start from the sheet's own folder."""
    if not path.is_file():
        raise WorkflowError(
            f"{path}: no such cohort sheet; set `cohorts` in the configuration."
        )
    # A line that begins with # is a comment; within a line # chooses a file of an accession.
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    table = "\n".join(
        line for line in lines if line.strip() and not line.startswith("#")
    )
    sheet = pd.read_csv(StringIO(table), sep="\t", dtype=str, quoting=csv.QUOTE_NONE)
    validate(sheet, str(SCHEMAS / "cohorts.schema.yaml"))
    twice = sheet["cohort"][sheet["cohort"].duplicated()]
    if len(twice):
        raise WorkflowError(
            f"{path}: cohort {twice.iloc[0]!r} is listed twice; rename one."
        )
    return sheet.set_index("cohort").fillna("")


COHORTS = read_cohorts(SHEET)


wildcard_constraints:
    cohort="|".join(map(re.escape, COHORTS.index)),


def shipped(paths):
    """Shipped tables by paths that stay the same when the repository is moved."""
    return [os.path.relpath(path) for path in paths]


def from_sheet(path):
    """A path of the cohort sheet, relative to the working directory where that is shorter."""
    return path if os.path.isabs(path) else os.path.relpath(SHEET.parent / path)


def expression(wildcards):
    if is_remote(COHORTS.loc[wildcards.cohort, "expression"]):
        return f"{RESULTS}/{wildcards.cohort}/raw/fetch.json"
    return from_sheet(local_path(COHORTS.loc[wildcards.cohort, "expression"]))


def samples(wildcards):
    path = COHORTS.loc[wildcards.cohort, "samples"]
    return from_sheet(path) if path else []


def tx2gene(wildcards):
    path = COHORTS.loc[wildcards.cohort, "tx2gene"]
    return from_sheet(path) if path else []


def reference_words(cohort):
    """References of a cohort, each with those that may stand in for it."""
    words = COHORTS.loc[cohort, "reference"].split(",")
    return [[word.strip() for word in several.split("|")] for several in words]


def pack_path(word, cohort):
    """The cohort's own pack, a shipped one by name, or a path."""
    if word == "self":
        return f"{RESULTS}/{cohort}/reference.npz"
    if word in SHIPPED_PACKS:
        return os.path.relpath(SHIPPED_PACKS[word])
    return from_sheet(word)


def reference_packs(wildcards):
    cohort = wildcards.cohort
    return [
        pack_path(word, cohort) for words in reference_words(cohort) for word in words
    ]


# What sample reports are made from.
SAMPLE_TABLES = (
    *("prepared.h5ad", "quality.tsv", "quality.cohort.tsv", "confounding.tsv"),
    *("genes.tsv", "scores.tsv", "scores.wide.tsv", "fractions.tsv"),
    *("fractions.fit.tsv", "fractions.cohort_concordance.tsv"),
    *("mechanisms.tsv", "readouts.tsv", "fit.tsv", "rules.tsv", "phenotype.tsv"),
    *("mechanisms.references.tsv", "readouts.references.tsv"),
    *("pairs.tsv", "patterns.tsv"),
)
# Everything a user may open, so that what is missing is made, whether or not a later step needs it.
FILES = (
    *SAMPLE_TABLES,
    *("comparison/response.tsv", "comparison/paired.tsv", "comparison/changes.tsv"),
    *("comparison/survival.tsv", "comparison/summary.json"),
    *("comparison/differential.tsv", "comparison/prerank.tsv"),
    *("index.html", "cohort.h5ad", "manifest.json"),
)
RESULT_FILES = [
    f"{RESULTS}/{cohort}/{file}" for cohort in COHORTS.index for file in FILES
]
RESULT_FILES += sorted(
    {
        pack
        for cohort in COHORTS.index
        for words in reference_words(cohort)
        for pack in (pack_path(word, cohort) for word in words)
        if pack.startswith(f"{RESULTS}/")
    }
)


def sample_tables(wildcards):
    return [f"{RESULTS}/{wildcards.cohort}/{file}" for file in SAMPLE_TABLES]


def only(wildcards):
    """The list of samples that get a page, or nothing: all do."""
    path = COHORTS.loc[wildcards.cohort, "reports"]
    return from_sheet(path) if path else []


def only_option(wildcards, input):
    return f"--only {shlex.quote(input.only)}" if input.only else ""


def made_pages(wildcards):
    """Folders of the jobs that share the pages of a cohort; none if `report` writes them itself.

    How many samples there are is told from the list of those that get a page or from the sample
    sheet; a cohort without either is not shared out.
    """
    path = only(wildcards) or samples(wildcards)
    if not path or not Path(path).is_file():
        return []
    with open(path, encoding="utf-8-sig", errors="replace") as lines:
        n = sum(1 for line in lines if line.strip()) - (not only(wildcards))
    parts = -(-n // config["report"]["block"])
    if parts < 2:
        return []
    folder = f"{RESULTS}/{wildcards.cohort}/pages"
    return [f"{folder}/{part}-of-{parts}" for part in range(1, parts + 1)]


def reference_options(wildcards):
    """Option --reference for each reference of the sheet, in its order."""
    cohort = wildcards.cohort
    packs = [
        "|".join(pack_path(word, cohort) for word in words)
        for words in reference_words(cohort)
    ]
    return shlex.join(word for pack in packs for word in ("--reference", pack))


def option(column, flag):
    """A command-line option from a column of the cohort sheet, or nothing if it is empty."""
    return lambda wildcards: (
        f"{flag} {shlex.quote(COHORTS.loc[wildcards.cohort, column])}"
        if COHORTS.loc[wildcards.cohort, column]
        else ""
    )


def options(section):
    """Command-line options from a section of the configuration."""
    words = []
    for name, value in config[section].items():
        values = value if isinstance(value, list) else [value]
        words += [f"--{name.replace('_', '-')}", *map(str, values)]
    return shlex.join(words)


def own_sets():
    """Command-line option of the key `signatures`, or nothing."""
    return shlex.join(["--signatures", *OWN_SETS]) if OWN_SETS else ""


def gate_options():
    """Command-line options of the section `quality` where it departs from the defaults."""
    defaults = vars(Gates())
    chosen = {k: v for k, v in config["quality"].items() if v != defaults[k]}
    return shlex.join(w for k, v in chosen.items() for w in ("--gate", f"{k}={v}"))


def fetch_options():
    """Command-line options of the section `fetch`; each mirror is an option of its own."""
    settings = dict(config["fetch"])
    mirrors = settings.pop("mirrors")
    hubs = {f"xena.{hub}": url for hub, url in mirrors.get("xena", {}).items()}
    bases = {site: url for site, url in mirrors.items() if site != "xena"} | hubs
    words = [
        w for k, v in settings.items() for w in (f"--{k.replace('_', '-')}", str(v))
    ]
    words += [w for site, url in bases.items() for w in ("--mirror", f"{site}={url}")]
    return shlex.join(words)


def own_signatures(wildcards):
    """Files of the user's signature matrices; a missing one keeps its name for Snakemake to say."""
    paths = [own["path"] for own in config["deconvolve"]["signatures"]]
    if not paths:
        return []
    # Here and not above: it costs every job half a second.
    from resistpath.errors import UserError
    from resistpath.io.signature_matrices import signature_files

    files = []
    for path in paths:
        try:
            files += map(str, signature_files(path))
        except UserError:
            files.append(path)
    return files


def deconvolve_options():
    """Command-line options of the section `deconvolve`; each signature is an option of its own."""
    words = ["--methods", *config["deconvolve"]["methods"]]
    for own in config["deconvolve"]["signatures"]:
        words += ["--signature", own["name"], own["method"], own["path"]]
    return shlex.join(words)
