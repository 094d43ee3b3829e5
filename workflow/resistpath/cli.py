"""Command line: one verb per step of the workflow."""

from __future__ import annotations

import argparse
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from resistpath.errors import UserError
from resistpath.provenance import RESEARCH_USE_ONLY, VERSION

if TYPE_CHECKING:
    from resistpath.mechanisms.verdict import Thresholds
    from resistpath.quality import Gates

FETCH = {
    "timeout": (60.0, "longest silence of a server, seconds"),
    "tries": (5, "attempts without progress before giving up"),
    "connections": (4, "files downloaded at the same time"),
    "max_gb": (20.0, "most that may be downloaded, 10^9 bytes"),
}
RECIPE = {
    "fewest_genes": (200, "genes a cell must express"),
    "most_mitochondrial": (0.2, "largest mitochondrial share of a cell"),
    "fewest_cells": (5, "cells a type must have"),
    "per_type": (75, "most markers per type"),
}
THRESHOLDS = {
    "high": (75.0, "an interval wholly above this percentile is high"),
    "low": (25.0, "an interval wholly below this percentile is low"),
    "half_width": (25.0, "widest half-width around 50 that is still typical"),
    "level": (0.90, "confidence level of all intervals"),
    "min_coverage": (0.6, "share of a set's genes that must be measured"),
    "min_reference": (20, "fewest reference samples for a verdict"),
}
COMPARE = {
    "timepoint": "pre",
    "covariates": ["batch", "site", "prior_treatment", "purity"],
    "replicates": "mean",
    "level": 0.95,
}
META = {"estimator": "reml"}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="resistpath",
        description="Resistance-pathway reports for tumours treated with immune checkpoint"
        f" inhibitors, from bulk RNA-seq. {RESEARCH_USE_ONLY}",
        epilog="Steps in order: fetch (for public accessions), prepare, score, deconvolve,"
        " reference build, assess, compare, report; meta joins cohorts."
        " All read and write one folder per cohort.",
    )
    parser.add_argument("--version", action="version", version=f"resistpath {VERSION}")
    parser.add_argument("--quiet", action="store_true", help="no progress on standard error")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    _add_fetch(verbs)
    _add_prepare(verbs)
    _add_score(verbs)
    _add_deconvolve(verbs)
    _add_reference(verbs)
    _add_assess(verbs)
    _add_compare(verbs)
    _add_meta(verbs)
    _add_report(verbs)
    _add_signature(verbs)
    _add_signatures(verbs)
    _add_run(verbs)
    return parser


Verbs = "argparse._SubParsersAction[argparse.ArgumentParser]"


def _verb(verbs: Verbs, name: str, help_: str) -> argparse.ArgumentParser:  # type: ignore[valid-type]
    parser: argparse.ArgumentParser = verbs.add_parser(  # type: ignore[attr-defined]
        name,
        help=help_,
        description=help_[0].upper() + help_[1:] + ".",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    return parser


def _folder(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, help="folder of the cohort, such as results/mine")


def _own_sets(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--signatures",
        type=Path,
        metavar="FILE",
        help="gene sets of your own (GMT, TSV, CSV) beside the catalogue's; docs/signatures.md",
    )


def _numbers(parser: argparse.ArgumentParser, options: dict[str, tuple[float, str]]) -> None:
    for name, (default, help_) in options.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=type(default), default=default, help=help_
        )


def _add_fetch(verbs: Verbs) -> None:  # type: ignore[valid-type]
    parser = _verb(verbs, "fetch", "download a public accession or address into FOLDER/raw")
    _folder(parser)
    parser.add_argument("source", help="geo:GSE…, gdc:PROJECT, xena:HUB_DATASET, https://…")
    parser.add_argument(
        "--mirror",
        action="append",
        default=[],
        metavar="SITE=URL",
        help="base address to use for a site, as geo=https://… or xena.toil=https://…",
    )
    _numbers(parser, FETCH)
    parser.set_defaults(run=_fetch)


def _add_prepare(verbs: Verbs) -> None:  # type: ignore[valid-type]
    parser = _verb(verbs, "prepare", "read a matrix; write prepared.h5ad, quality.tsv, genes.tsv")
    _folder(parser)
    parser.add_argument(
        "--expression", type=Path, required=True, help="matrix, or folder with a file per sample"
    )
    parser.add_argument("--samples", type=Path, help="sample sheet with a column 'sample'")
    parser.add_argument("--cohort", help="name shown on pages (default: the folder's name)")
    parser.add_argument("--cancer-type", default="", help="disease, if the sheet does not say")
    parser.add_argument("--units", default="auto", help="auto, counts, tpm, log2(tpm+1), ...")
    parser.add_argument("--gene-id", default="auto", help="auto, symbol, entrez, ensembl, ...")
    parser.add_argument("--format", default="auto", help="auto, or a format of docs/formats.md")
    parser.add_argument("--layer", help="which of several values, where a format holds several")
    parser.add_argument("--tx2gene", type=Path, help="table of transcript and gene")
    parser.add_argument(
        "--gate",
        action="append",
        default=[],
        metavar="NAME=NUMBER",
        help="quality threshold other than the default, as min_reads=2e6; names in"
        " config/README.md",
    )
    parser.set_defaults(run=_prepare)


def _add_score(verbs: Verbs) -> None:  # type: ignore[valid-type]
    parser = _verb(verbs, "score", "score the catalogue's readouts; write scores.tsv")
    _folder(parser)
    parser.add_argument(
        "--methods",
        nargs="+",
        default=["ssgsea", "singscore", "mean"],
        metavar="METHOD",
        help="methods to score every gene set with, besides the readout's own",
    )
    parser.add_argument(
        "--network", default="", help="table of source, target and weight for ulm, mlm, weighted"
    )
    parser.add_argument("--threads", type=int, default=1, help="threads; they change no number")
    _own_sets(parser)
    parser.set_defaults(run=_score)


def _add_deconvolve(verbs: Verbs) -> None:  # type: ignore[valid-type]
    parser = _verb(verbs, "deconvolve", "estimate cell types; write fractions.tsv")
    _folder(parser)
    parser.add_argument(
        "--methods",
        nargs="+",
        default=["quantiseq", "mcpcounter", "estimate", "consensus_markers"],
        metavar="METHOD",
        help="deconvolution methods with tables of their own",
    )
    parser.add_argument(
        "--signature",
        nargs=3,
        action="append",
        default=[],
        metavar=("NAME", "METHOD", "PATH"),
        help="a signature matrix of yours and the method to fit it with (least_squares, epic,"
        " svr); may be repeated",
    )
    parser.set_defaults(run=_deconvolve)


def _add_signature(verbs: Verbs) -> None:  # type: ignore[valid-type]
    parser = _verb(verbs, "signature", "build or show a signature matrix for deconvolve")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = _verb(actions, "build", "make a matrix from annotated single cells")
    build.add_argument("cells", type=Path, help="h5ad, or folder in 10x form")
    build.add_argument("--out", type=Path, required=True, help="matrix to write, .tsv")
    build.add_argument("--label", default="cell_type", help="column with the cell types")
    build.add_argument("--labels", type=Path, help="table of cells: barcode, then their columns")
    build.add_argument("--layer", default="X", help="X, raw, or a layer of the h5ad")
    build.add_argument("--units", default="auto", help="auto, counts, tpm, log1p, log2p1, ...")
    build.add_argument("--donor", help="column with the donors, for the genes' variability")
    build.add_argument(
        "--leave-out", nargs="+", default=[], metavar="LABEL", help="labels that are no cell type"
    )
    build.add_argument("--bulk", type=Path, help="folder of a prepared cohort: keep its genes")
    build.add_argument("--name", help="name of the signature (default: the file's)")
    _numbers(build, RECIPE)
    build.set_defaults(run=_signature_build)
    show = _verb(actions, "show", "print what a matrix holds, as JSON")
    show.add_argument("path", type=Path, help="table, .rda, or EPIC's tables")
    show.set_defaults(run=_signature_show)


def _add_reference(verbs: Verbs) -> None:  # type: ignore[valid-type]
    parser = _verb(verbs, "reference", "build, check or show a reference pack")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    build = _verb(actions, "build", "make a pack of a cohort's pre-treatment tumours")
    _folder(build)
    build.add_argument("--name", required=True, help="shown beside every percentile")
    build.add_argument("--cancer-type", default="", help="disease, if the sheet does not say")
    build.add_argument("--out", type=Path, help="pack to write (default: FOLDER/reference.npz)")
    build.add_argument(
        "--where",
        action="append",
        default=[],
        metavar="COLUMN=VALUE",
        help="only samples whose sheet says so, as response_binary=R; several values parted by"
        " commas; may be repeated",
    )
    build.add_argument("--source", default="", help="where the cohort came from, for readers")
    build.add_argument("--licence", default="", help="licence of its values")
    build.add_argument("--release", default="1", help="which issue of the pack this is")
    build.add_argument(
        "--force", action="store_true", help="replace a pack that has other contents"
    )
    build.set_defaults(run=_reference_build)
    check = _verb(actions, "check", "whether a pack is whole and made with the present tables")
    check.set_defaults(run=_reference_check)
    show = _verb(actions, "show", "print what a pack holds, as JSON")
    show.set_defaults(run=_reference_show)
    for action in (check, show):
        action.add_argument("pack", help="path, or name of a shipped pack")
    check.add_argument("--json", action="store_true", help="for machines")


def _references(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--reference",
        action="append",
        required=True,
        metavar="PACK",
        help="path, or name of a shipped pack; A|B takes B if A has too few samples. May be"
        " repeated: the first decides verdicts, places in the others are shown beside it",
    )


def _add_assess(verbs: Verbs) -> None:  # type: ignore[valid-type]
    parser = _verb(verbs, "assess", "place samples in a reference; write mechanisms.tsv")
    _folder(parser)
    _references(parser)
    _own_sets(parser)
    _numbers(parser, THRESHOLDS)
    parser.set_defaults(run=_assess)


def _comparison(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--timepoint", default=COMPARE["timepoint"], help="which samples to take")
    parser.add_argument(
        "--covariates",
        nargs="*",
        default=COMPARE["covariates"],
        metavar="COLUMN",
        help="columns of the sample sheet to adjust for; those it has not are passed over",
    )
    parser.add_argument(
        "--replicates",
        choices=("mean", "first"),
        default=COMPARE["replicates"],
        help="several samples of one patient and time point: their mean, or the first by name",
    )
    parser.add_argument(
        "--level", type=float, default=COMPARE["level"], help="confidence level of intervals"
    )


def _add_compare(verbs: Verbs) -> None:  # type: ignore[valid-type]
    parser = _verb(verbs, "compare", "associate with response, survival and time; see comparison/")
    _folder(parser)
    _comparison(parser)
    parser.set_defaults(run=_compare)


def _add_meta(verbs: Verbs) -> None:  # type: ignore[valid-type]
    parser = _verb(verbs, "meta", "pool the associations of several cohorts")
    parser.add_argument("folders", type=Path, nargs="+", help="folders of the cohorts")
    parser.add_argument("--out", type=Path, required=True, help="folder to write")
    parser.add_argument(
        "--estimator",
        choices=("reml", "dl", "fixed"),
        default=META["estimator"],
        help="variance between cohorts",
    )
    _comparison(parser)
    parser.set_defaults(run=_meta)


def _add_report(verbs: Verbs) -> None:  # type: ignore[valid-type]
    parser = _verb(verbs, "report", "write sample reports, cohort page, h5ad and manifest")
    _folder(parser)
    _references(parser)
    _own_sets(parser)
    _numbers(parser, THRESHOLDS)
    parser.set_defaults(run=_report)


def _add_signatures(verbs: Verbs) -> None:  # type: ignore[valid-type]
    parser = _verb(verbs, "signatures", "browse the catalogue of signatures; check your own sets")
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = _verb(actions, "list", "one line per readout")
    listing.add_argument("--mechanism", help="readouts of one mechanism")
    listing.add_argument("--axis", help="tumour-intrinsic, tumour-extrinsic or host")
    _own_sets(listing)
    listing.set_defaults(run=_signatures_list)
    show = _verb(actions, "show", "everything known about a signature, readout or mechanism")
    show.add_argument("signature", help="an id of `resistpath signatures list`")
    _own_sets(show)
    show.set_defaults(run=_signatures_show)
    check = _verb(actions, "check", "check gene sets of your own: names, overlaps, direction")
    check.add_argument("file", type=Path, help="GMT, TSV or CSV; see docs/signatures.md")
    check.set_defaults(run=_signatures_check)
    for action in (listing, show, check):
        action.add_argument("--json", action="store_true", help="for machines")


def _add_run(verbs: Verbs) -> None:  # type: ignore[valid-type]
    parser = _verb(verbs, "run", "run all steps on the cohorts of a sheet, by Snakemake")
    parser.add_argument("cohorts", type=Path, help="cohort sheet, tab-separated")
    parser.add_argument("--cores", default="all", help="cores to use")
    parser.add_argument("--results", type=Path, default=Path("results"), help="results folder")
    parser.add_argument("--configfile", type=Path, help="settings other than the defaults")
    parser.epilog = "Options for snakemake follow after --, for example: -- --dry-run"
    parser.set_defaults(run=_run)


def _say(args: argparse.Namespace):  # type: ignore[no-untyped-def]
    name = args.verb if not getattr(args, "action", None) else f"{args.verb} {args.action}"
    return lambda text: None if args.quiet else print(f"{name}: {text}", file=sys.stderr)


def _picked(args: argparse.Namespace, options: dict[str, tuple[float, str]]) -> dict[str, float]:
    return {name: getattr(args, name) for name in options}


def _thresholds(args: argparse.Namespace) -> Thresholds:
    from resistpath.mechanisms.verdict import Thresholds

    return Thresholds(**_picked(args, THRESHOLDS))  # type: ignore[arg-type]


def _fetch(args: argparse.Namespace) -> None:
    from resistpath.io.fetch.source import parse_mirrors
    from resistpath.steps.fetch import fetch

    terminal = sys.stderr if sys.stderr.isatty() and not args.quiet else None
    fetch(
        args.folder,
        args.source,
        mirrors=parse_mirrors(args.mirror),
        say=_say(args),
        live=terminal,
        **_picked(args, FETCH),  # type: ignore[arg-type]
    )


def _gates(words: Sequence[str]) -> Gates:
    """Quality thresholds from words such as ``min_reads=2e6``."""
    from dataclasses import fields

    from resistpath.quality import Gates

    known = [f.name for f in fields(Gates)]
    chosen = {}
    for word in words:
        name, _, number = word.partition("=")
        if name not in known:
            raise UserError(
                f"there is no quality gate {name!r}", where="--gate", do=f"use {', '.join(known)}"
            )
        try:
            chosen[name] = float(number)
        except ValueError:
            raise UserError(
                f"{number!r} is not a number", where=f"--gate {name}", do=f"write {name}=0.5"
            ) from None
    return Gates(**chosen)


def _prepare(args: argparse.Namespace) -> None:
    from resistpath.steps.prepare import prepare

    prepare(
        args.folder,
        args.expression,
        cohort=args.cohort or args.folder.resolve().name,
        gates=_gates(args.gate),
        samples=args.samples,
        units=args.units,
        gene_id=args.gene_id,
        cancer_type=args.cancer_type,
        format=args.format,
        layer=args.layer,
        tx2gene=args.tx2gene,
        say=_say(args),
    )


def _score(args: argparse.Namespace) -> None:
    from resistpath.steps.score import score

    network = Path(args.network) if args.network else None
    score(
        args.folder,
        methods=args.methods,
        network=network,
        signatures=args.signatures,
        threads=args.threads,
        say=_say(args),
    )


def _deconvolve(args: argparse.Namespace) -> None:
    from resistpath.steps.deconvolve import Own, deconvolve

    own = [Own(name, method, Path(path)) for name, method, path in args.signature]
    deconvolve(args.folder, methods=args.methods, signatures=own, say=_say(args))


def _signature_build(args: argparse.Namespace) -> None:
    from resistpath.deconvolve.signature import Recipe
    from resistpath.steps.signature import build

    names = ("label", "labels", "layer", "units", "donor", "leave_out", "bulk", "name")
    recipe = Recipe(**_picked(args, RECIPE))  # type: ignore[arg-type]
    options = {name: getattr(args, name) for name in names}
    build(args.cells, args.out, recipe=recipe, say=_say(args), **options)


def _signature_show(args: argparse.Namespace) -> None:
    import json

    from resistpath.io.signature_matrices import read_signature
    from resistpath.steps.signature import describe

    print(json.dumps(describe(read_signature(args.path)), indent=1, ensure_ascii=False))


def _reference_build(args: argparse.Namespace) -> None:
    from resistpath.steps.reference import build, parse_where

    names = ("name", "cancer_type", "source", "licence", "release", "force")
    build(
        args.folder,
        out=args.out or args.folder / "reference.npz",
        where=parse_where(args.where),
        say=_say(args),
        **{name: getattr(args, name) for name in names},
    )


def _reference_check(args: argparse.Namespace) -> int:
    from resistpath.io.packs import find_pack
    from resistpath.steps.reference import check

    found = check(find_pack(args.pack))
    if args.json:
        _print_json(found)
    else:
        for row in found:
            print(f"{row['outcome']:8}{row['check']:14}{row['detail']}")
    return 2 if any(row["outcome"] == "failed" for row in found) else 0


def _reference_show(args: argparse.Namespace) -> None:
    from resistpath.io.packs import find_pack
    from resistpath.steps.reference import show

    _print_json(show(find_pack(args.pack)))


def _assess(args: argparse.Namespace) -> None:
    from resistpath.steps.assess import assess

    assess(
        args.folder,
        args.reference,
        thresholds=_thresholds(args),
        signatures=args.signatures,
        say=_say(args),
    )


def _compare(args: argparse.Namespace) -> None:
    from resistpath.steps.compare import compare

    compare(args.folder, say=_say(args), **{name: getattr(args, name) for name in COMPARE})


def _meta(args: argparse.Namespace) -> None:
    from resistpath.steps.meta import pool

    options = {name: getattr(args, name) for name in COMPARE | META}
    pool(args.folders, args.out, say=_say(args), **options)


def _report(args: argparse.Namespace) -> None:
    from resistpath.steps.report import report

    report(
        args.folder,
        args.reference,
        thresholds=_thresholds(args),
        signatures=args.signatures,
        say=_say(args),
    )


def _print_json(record: object) -> None:
    import json

    print(json.dumps(record, indent=1, ensure_ascii=False))


def _signatures_list(args: argparse.Namespace) -> None:
    from resistpath.io.resources import catalogue
    from resistpath.steps.signatures import listing, listing_text

    records = listing(catalogue(args.signatures), args.mechanism, args.axis)
    _print_json(records) if args.json else print(listing_text(records))


def _signatures_show(args: argparse.Namespace) -> None:
    from resistpath.io.resources import catalogue
    from resistpath.steps.signatures import shown, shown_text

    record = shown(catalogue(args.signatures), args.signature)
    _print_json(record) if args.json else print(shown_text(record))


def _signatures_check(args: argparse.Namespace) -> None:
    from resistpath.steps.signatures import check, check_record, check_text

    reports, unknown = check(args.file)
    record = check_record(args.file, reports, unknown)
    _print_json(record) if args.json else print(check_text(reports, unknown))


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


if __name__ == "__main__":
    sys.exit(main())
