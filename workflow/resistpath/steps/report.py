"""report: a page and a JSON document per sample, the cohort page, h5ad and manifest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from resistpath.cohort.samples import patients_of
from resistpath.io.files import file_names, write_text
from resistpath.io.manifest import write_manifest
from resistpath.io.pdf import find_browser, print_pages
from resistpath.io.resources import patterns
from resistpath.mechanisms.verdict import Thresholds
from resistpath.provenance import file_sha256
from resistpath.report import content, render
from resistpath.report.patient import patient_content
from resistpath.steps import Progress, machine, sample_data, silent
from resistpath.steps.cohort_page import cohort_panels
from resistpath.steps.pages import (
    KINDS,
    fresh_folder,
    need_threads,
    replace_folder,
    software,
    take_over,
    wanted,
    write_sample_pages,
)
from resistpath.steps.reference import choose, describe
from resistpath.steps.results import NOT_BY_SAMPLE, Results, load_results, truth
from resistpath.steps.sample_data import described_reference


def report(
    folder: Path,
    references: Sequence[str | Path],
    *,
    thresholds: Thresholds,
    signatures: Path | None = None,
    only: Path | None = None,
    made: Sequence[Path] = (),
    threads: int = 1,
    pdf: bool = False,
    by_workflow: bool = False,
    say: Progress = silent,
) -> None:
    """Write ``reports/``, ``index.html``, files for other programs and ``manifest.json``.

    `references` as `assess` was given them. `by_workflow` says that this is a step of the
    workflow, of which a copy is then kept. `signatures` holds gene sets of the user, which join
    the catalogue. `only` is a file with the names of the samples that get a page, `made` the
    folders in which `pages` has already written them. `threads` is the number of processes that
    write sample reports; it changes no byte. With `pdf` the installed Chromium prints each sample
    page as well.
    """
    need_threads(threads, "report")
    if pdf:
        find_browser()
    primary = choose(references[:1], thresholds.min_reference)[0]
    results = load_results(folder, primary, thresholds, signatures)
    chosen = wanted(results.samples, only)
    all_names = file_names(results.samples)
    names = {sample: all_names[sample] for sample in chosen}
    pages = folder / "reports"
    fresh = fresh_folder(pages)
    if made:
        take_over(made, list(names.values()), fresh)
    else:
        write_sample_pages(results, chosen, fresh, threads, say)
    if pdf:
        say(f"printing {len(names)} pages")
        print_pages((fresh / f"{name}.html" for name in names.values()), threads=threads)
    replace_folder(pages, fresh)
    kinds = (*KINDS, *(("pdf",) if pdf else ()))
    written = [pages / f"{n}.{kind}" for n in names.values() for kind in kinds]
    links = {sample: f"reports/{name}.html" for sample, name in names.items()}
    written += _write_patients(folder / "patients", results, names)
    panels = cohort_panels(folder, results.prepared, results.book)
    page = render.render_cohort(_cohort_content(results, links, panels))
    write_text(folder / "index.html", page)
    machine.write_machine_outputs(folder, results, software())
    _finish(folder, primary.path, results, written, by_workflow=by_workflow)


def _write_patients(pages: Path, results: Results, names: dict[str, str]) -> list[Path]:
    """One page per patient with two time points; the folder is there even if it stays empty."""
    pairs, answers = (results.together[name] for name in NOT_BY_SAMPLE)
    fresh = fresh_folder(pages)
    files = file_names(dict.fromkeys(pairs["patient"]))
    owners = patients_of(results.prepared.obs)
    for patient, name in files.items():
        record = patient_content(
            patient,
            sheet=results.prepared.obs[owners == patient],
            pairs=pairs[pairs["patient"] == patient],
            patterns=answers[answers["patient"] == patient],
            pattern_book=patterns(),
            reference=described_reference(results),
            catalogue=results.book,
            software=software(),
            links={sample: f"reports/{page}.html" for sample, page in names.items()},
        )
        write_text(fresh / f"{name}.html", render.render_patient(record))
    replace_folder(pages, fresh)
    return [pages / f"{name}.html" for name in files.values()]


def _finish(
    folder: Path, reference: Path, results: Results, pages: list[Path], *, by_workflow: bool
) -> None:
    copies = machine.copy_workflow(folder) if by_workflow else []
    inside = [reference] if reference.resolve().parent == folder.resolve() else []
    outputs = [*pages, *machine.present(folder), *copies, *(folder / p.name for p in inside)]
    facts = {
        "preparation": results.prepared.preparation,
        "reference": describe(results.reference),
        "thresholds": vars(results.thresholds),
        "samples": len(results.samples),
    }
    if (own := results.signatures) is not None:
        facts["signatures"] = {"file": own.name, "sha256": file_sha256(own)}
    created = write_manifest(folder / "manifest.json", folder, outputs, facts)
    machine.write_ro_crate(folder, results, reference, created, copies)


def _cohort_content(
    results: Results,
    links: dict[str, str],
    panels: dict[str, Any],
) -> dict[str, Any]:
    return content.cohort_content(
        cohort=str(results.prepared.preparation["cohort"]),
        obs=results.prepared.obs,
        preparation=results.prepared.preparation,
        quality=_all_quality(results),
        confounding=results.together["confounding"],
        mechanisms=results.tables["mechanisms"],
        reference=described_reference(results) | {"fit": sample_data.fits(results)},
        catalogue=results.book,
        software=software(),
        thresholds=vars(results.thresholds),
        links=links,
        panels=panels,
    )


def _all_quality(results: Results) -> pd.DataFrame:
    """Each sample's own checks and those that compare samples, if there are several."""
    together = truth(results.together["quality.cohort"])
    tables = [t for t in (results.tables["quality"], together) if len(t)]
    return pd.concat(tables, ignore_index=True)
