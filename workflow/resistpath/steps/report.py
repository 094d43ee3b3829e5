"""report: a page and a JSON document per sample, the cohort page, h5ad and manifest."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from resistpath.errors import UserError
from resistpath.io.files import file_names, write_text
from resistpath.io.manifest import write_manifest
from resistpath.io.packs import read_reference
from resistpath.io.prepared import Prepared, read_prepared
from resistpath.io.resources import catalogue, hypotheses, patterns, rules
from resistpath.io.tables import read_table
from resistpath.mechanisms.catalogue import Catalogue
from resistpath.mechanisms.measure import reference_scores
from resistpath.mechanisms.verdict import Thresholds
from resistpath.provenance import VERSION, code_digest, file_sha256
from resistpath.reference import Reference, fit_to_reference, midrank_counts
from resistpath.report import content, render
from resistpath.report.genes import GeneNames, places
from resistpath.report.patient import patient_content
from resistpath.report.scorers import method_places
from resistpath.score import METHODS
from resistpath.steps import Progress, machine, silent
from resistpath.steps.cohort_page import cohort_panels
from resistpath.steps.reference import describe
from resistpath.steps.sample_pages import BLOCK, Block, Common, write_pages

LOW_TPM = 1.0
LOW_READS = 10
NOT_COMPARED = ("gene", "ratio", "singscore_dispersion")  # no other way to score a set
GENES_BLOCK = 10 * BLOCK  # samples placed at once among the reference's genes
TABLES = (
    "quality",
    "scores",
    "fractions",
    "fractions.fit",
    "mechanisms",
    "readouts",
    "rules",
    "phenotype",
)
NOT_BY_SAMPLE = ("pairs", "patterns")
"""Tables of `assess` by patient; no sample's page may depend on its company."""
COHORT_TABLES = ("quality.cohort", "confounding", "fractions.cohort_concordance")


@dataclass(frozen=True)
class Results:
    """Everything the earlier steps left in a cohort folder."""

    prepared: Prepared
    reference: Reference
    tables: dict[str, pd.DataFrame]
    together: dict[str, pd.DataFrame]
    book: Catalogue
    thresholds: Thresholds
    signatures: Path | None

    @property
    def samples(self) -> list[str]:
        """Samples in the matrix's order."""
        return [str(s) for s in self.prepared.values.columns]


def _load(
    folder: Path, reference: Path, thresholds: Thresholds, signatures: Path | None
) -> Results:
    tables = {name: read_table(folder / f"{name}.tsv") for name in TABLES}
    for name in ("quality", "readouts"):
        tables[name] = _truth(tables[name])
    together = {
        name: read_table(folder / f"{name}.tsv") for name in (*COHORT_TABLES, *NOT_BY_SAMPLE)
    }
    results = Results(
        read_prepared(folder / "prepared.h5ad"),
        read_reference(reference),
        tables,
        together,
        catalogue(signatures),
        thresholds,
        signatures,
    )
    for name, table in tables.items():
        if set(table["sample"].astype(str)) != set(results.samples):
            raise UserError(
                f"{name}.tsv and prepared.h5ad hold different samples",
                where=str(folder),
                do="run the steps again from prepare",
            )
        table["sample"] = table["sample"].astype(str)
    return results


def _truth(table: pd.DataFrame) -> pd.DataFrame:
    """Turn the yes and no of truth columns back into values; missing stays None."""
    for name in ("passed", "assessable"):
        if name in table:
            words = {"yes": True, "no": False}
            table[name] = pd.Series([words.get(x) for x in table[name]], dtype=object)
    return table


def report(
    folder: Path,
    reference: Path,
    *,
    thresholds: Thresholds,
    signatures: Path | None = None,
    threads: int = 1,
    by_workflow: bool = False,
    say: Progress = silent,
) -> None:
    """Write ``reports/``, ``index.html``, files for other programs and ``manifest.json``.

    `by_workflow` says that this is a step of the workflow, of which a copy is then kept.

    `signatures` holds gene sets of the user, which join the catalogue. `threads` is the number
    of processes that write sample reports; it changes no byte.
    """
    if threads < 1:
        raise UserError(f"threads must be 1 or more, not {threads}", where="report")
    results = _load(folder, reference, thresholds, signatures)
    names = file_names(results.samples)
    pages = folder / "reports"
    fresh = folder / ".reports.part"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    fits = _fits(results)
    common = _common(results, fresh)
    write_pages(common, _blocks(results, common, names, fits), len(names), threads, say)
    shutil.rmtree(pages, ignore_errors=True)
    fresh.replace(pages)
    written = [pages / f"{n}.{kind}" for n in names.values() for kind in ("html", "json")]
    links = {sample: f"reports/{name}.html" for sample, name in names.items()}
    written += _write_patients(folder / "patients", results, names)
    panels = cohort_panels(folder, results.prepared, results.book)
    page = render.render_cohort(_cohort_content(results, links, fits, panels))
    write_text(folder / "index.html", page)
    machine.write_machine_outputs(folder, results, _software())
    _finish(folder, reference, results, written, by_workflow=by_workflow)


def _write_patients(pages: Path, results: Results, names: dict[str, str]) -> list[Path]:
    """One page per patient with two time points; the folder is there even if it stays empty."""
    pairs, answers = (results.together[name] for name in NOT_BY_SAMPLE)
    fresh = pages.with_name(".patients.part")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    files = file_names(dict.fromkeys(pairs["patient"]))
    for patient, name in files.items():
        record = patient_content(
            patient,
            pairs=pairs[pairs["patient"] == patient],
            patterns=answers[answers["patient"] == patient],
            pattern_book=patterns(),
            reference=_reference_record(results),
            catalogue=results.book,
            software=_software(),
            links={sample: f"reports/{page}.html" for sample, page in names.items()},
        )
        write_text(fresh / f"{name}.html", render.render_patient(record))
    shutil.rmtree(pages, ignore_errors=True)
    fresh.replace(pages)
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


def _software() -> dict[str, str]:
    return {"name": "resistpath", "version": VERSION, "digest": code_digest("resistpath.cli")}


def _reference_record(results: Results) -> dict[str, Any]:
    reference = results.reference
    facts = describe(reference)
    unknown = facts.get("unknown_timepoint", 0)
    text = str(facts.get("inclusion", ""))
    if unknown:
        text += f"; time point unknown for {unknown} of {reference.n}, taken as pre-treatment"
    return {
        "name": reference.name,
        "n": reference.n,
        "cancer_type": reference.cancer_type,
        "description": text,
    }


def _fits(results: Results) -> dict[str, dict[str, Any]]:
    if results.reference.n < results.thresholds.min_reference:
        return {}
    table = fit_to_reference(results.prepared.values, results.reference)
    return {
        str(sample): {
            "correlation": float(correlation),
            "lowest_typical": float(lowest),
            "verdict": "fits" if fits else "fits poorly",
            "reason": "Spearman correlation with the reference's median profile, against the"
            " reference samples' own",
        }
        for sample, correlation, lowest, fits in zip(
            table.index,
            table["correlation"],
            table["lowest_typical"],
            table["fits"],
            strict=True,
        )
    }


def _key_genes(results: Results) -> pd.DataFrame:
    """Level, percentile and low-count flag of every key gene in every sample."""
    values, counts = results.prepared.values, results.prepared.counts
    frames = []
    for gene in results.book.key_genes:
        if gene.gene not in values.index:
            continue
        own = values.loc[gene.gene].to_numpy(dtype=float)
        percentile = np.full(len(own), np.nan)
        if gene.gene in results.reference.values.index:
            ref = results.reference.values.loc[gene.gene].to_numpy(dtype=float)
            percentile = 100 * midrank_counts(ref, own) / len(ref)
        low = (
            own < np.log2(LOW_TPM + 1)
            if counts is None
            else counts.loc[gene.gene].to_numpy() < LOW_READS
        )
        frames.append(
            pd.DataFrame(
                {
                    "sample": results.samples,
                    "gene": gene.gene,
                    "group": gene.group,
                    "why": gene.why,
                    "log2_tpm": own,
                    "percentile": percentile,
                    "low_count": low,
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


def _fractions(results: Results) -> pd.DataFrame:
    """Cell table with each value's percentile in the reference, and how its fit came out."""
    fit = results.tables["fractions.fit"].drop(columns="note")
    table = results.tables["fractions"].merge(
        fit, on=["sample", "method"], how="left", validate="many_to_one"
    )
    table["percentile"] = np.nan
    for (method, cell), rows in table.groupby(["method", "cell_type"], sort=False):
        name = f"{method}:{cell}"
        if name in results.reference.fractions:
            ref = results.reference.fractions[name].to_numpy(dtype=float)
            ref = ref[np.isfinite(ref)]
            if len(ref):
                own = rows["value"].to_numpy(dtype=float)
                place = 100 * midrank_counts(ref, own) / len(ref)
                table.loc[rows.index, "percentile"] = np.where(np.isfinite(own), place, np.nan)
    return table


def _readouts(results: Results) -> pd.DataFrame:
    """Readout table with the standard error and interval of the score itself."""
    scores = results.tables["scores"][["sample", "readout", "method", "se", "low", "high"]]
    return results.tables["readouts"].merge(
        scores, on=["sample", "readout", "method"], how="left", validate="one_to_one"
    )


def _reference_readouts(results: Results) -> pd.DataFrame:
    return reference_scores(results.prepared.values, results.reference, results.book)


def _members(results: Results) -> set[str]:
    """Samples that are themselves in the reference: same name, same values."""
    own, ref = results.prepared.values, results.reference.values
    genes = own.index.intersection(ref.index)
    both = [s for s in results.samples if s in ref.columns]
    return {s for s in both if np.array_equal(own.loc[genes, s], ref.loc[genes, s])}


def _common(results: Results, folder: Path) -> Common:
    """What all sample pages share."""
    return Common(
        folder=folder,
        catalogue=results.book,
        preparation=results.prepared.preparation,
        reference=_reference_record(results),
        reference_readouts=content.summarise_reference(_reference_readouts(results)),
        software=_software(),
        thresholds=vars(results.thresholds),
        names=GeneNames.of(results.prepared.values.index),
        rules=rules(),
        hypotheses=hypotheses(),
    )


def _methods(results: Results) -> dict[str, dict[str, dict[str, float]]]:
    """Place of every set readout by each single-sample method the sets were scored with."""
    if results.reference.n < results.thresholds.min_reference:
        return {}
    methods = {
        name: METHODS[name]
        for name in dict.fromkeys(results.tables["scores"]["method"].astype(str))
        if name in METHODS and name not in NOT_COMPARED
        if METHODS[name].takes == "genes" and not METHODS[name].cohort_dependent
    }
    found = method_places(results.prepared.values, results.reference, results.book, methods)
    return {
        name: {str(s): dict(zip(table.columns, row, strict=True)) for s, row in rows}
        for name, table in found.items()
        for rows in [zip(table.index, table.to_numpy().tolist(), strict=True)]
    }


def _blocks(
    results: Results, common: Common, names: dict[str, str], fits: dict[str, dict[str, Any]]
) -> Iterator[Block]:
    groups = {
        "quality": results.tables["quality"],
        "mechanisms": results.tables["mechanisms"],
        "readouts": _readouts(results),
        "fractions": _fractions(results),
        "key_genes": _key_genes(results),
        "phenotype": results.tables["phenotype"],
        "rules": results.tables["rules"],
    }
    split = {
        key: {str(s): g.drop(columns="sample") for s, g in table.groupby("sample", sort=False)}
        for key, table in groups.items()
    }
    members, methods = _members(results), _methods(results)
    cohort = results.prepared.preparation["cohort"]
    for start in range(0, len(results.samples), GENES_BLOCK):
        wide = results.samples[start : start + GENES_BLOCK]
        values = results.prepared.values[wide]
        place = places(results.reference.values, values)
        for first in range(0, len(wide), BLOCK):
            part = slice(first, first + BLOCK)
            samples = wide[part]
            yield Block(
                files={s: names[s] for s in samples},
                obs={
                    s: {str(k): v for k, v in results.prepared.obs.loc[s].items()}
                    | {"cohort": cohort}
                    for s in samples
                },
                tables={key: {s: own[s] for s in samples} for key, own in split.items()},
                fits={s: fits[s] for s in samples if s in fits},
                remarks={s: "; this sample is one of them" for s in samples if s in members},
                methods={
                    s: {name: records[s] for name, records in methods.items()} for s in samples
                },
                level=np.ascontiguousarray(values.iloc[:, part].to_numpy().T),
                percentile=np.ascontiguousarray(place[:, part].T),
            )


def _cohort_content(
    results: Results,
    links: dict[str, str],
    fits: dict[str, dict[str, Any]],
    panels: dict[str, Any],
) -> dict[str, Any]:
    return content.cohort_content(
        cohort=str(results.prepared.preparation["cohort"]),
        obs=results.prepared.obs,
        preparation=results.prepared.preparation,
        quality=_all_quality(results),
        confounding=results.together["confounding"],
        mechanisms=results.tables["mechanisms"],
        reference=_reference_record(results) | {"fit": fits},
        catalogue=results.book,
        software=_software(),
        thresholds=vars(results.thresholds),
        links=links,
        panels=panels,
    )


def _all_quality(results: Results) -> pd.DataFrame:
    """Each sample's own checks and those that compare samples, if there are several."""
    together = _truth(results.together["quality.cohort"])
    tables = [t for t in (results.tables["quality"], together) if len(t)]
    return pd.concat(tables, ignore_index=True)
