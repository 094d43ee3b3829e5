"""Command line: one verb per step of the workflow."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence

from resistpath.cli.assess import THRESHOLDS, add_assess, add_reference
from resistpath.cli.compare import (
    COMPARE,
    DIFFERENTIAL,
    META,
    add_compare,
    add_differential,
    add_meta,
)
from resistpath.cli.inputs import FETCH, add_fetch, add_prepare
from resistpath.cli.measure import RECIPE, add_deconvolve, add_score, add_signature
from resistpath.cli.report import add_pages, add_report
from resistpath.cli.run import add_run
from resistpath.cli.signatures import add_signatures
from resistpath.errors import UserError
from resistpath.provenance import RESEARCH_USE_ONLY, VERSION

__all__ = ["COMPARE", "DIFFERENTIAL", "FETCH", "META", "RECIPE", "THRESHOLDS", "main"]

VERBS = (
    add_fetch,
    add_prepare,
    add_score,
    add_deconvolve,
    add_reference,
    add_assess,
    add_compare,
    add_differential,
    add_meta,
    add_pages,
    add_report,
    add_signature,
    add_signatures,
    add_run,
)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="resistpath",
        description="Resistance-pathway reports for tumours treated with immune checkpoint"
        f" inhibitors, from bulk RNA-seq. {RESEARCH_USE_ONLY}",
        epilog="Steps in order: fetch (for public accessions), prepare, score, deconvolve,"
        " reference build, assess, compare, differential, report; meta joins cohorts, pages takes"
        " reports apart."
        " All read and write one folder per cohort.",
    )
    parser.add_argument("--version", action="version", version=f"resistpath {VERSION}")
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    for add in VERBS:
        add(verbs)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run a verb; 0 done, 2 user error, 1 bug."""
    words = list(sys.argv[1:] if argv is None else argv)
    cut = words.index("--") if "--" in words else len(words)
    parser = _parser()
    args = parser.parse_args(words[:cut])
    args.snakemake = words[cut + 1 :]
    if args.snakemake and args.verb != "run":
        parser.error(f"{args.verb} takes no options after --")
    try:
        return args.run(args) or 0
    except UserError as error:
        print(f"resistpath {args.verb}: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"resistpath {args.verb}: stopped.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 1
    except Exception:  # noqa: BLE001 - the last line of defence keeps the traceback
        traceback.print_exc()
        return 1
