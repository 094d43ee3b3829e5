"""report: a page and a JSON document per sample, the cohort page, h5ad and manifest."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from resistpath.errors import UserError
from resistpath.io.cohort import write_cohort
from resistpath.io.files import file_names, write_text
from resistpath.io.manifest import write_manifest
from resistpath.io.prepared import Prepared, read_prepared
from resistpath.io.resources import catalogue, hypotheses, patterns, rules
from resistpath.io.tables import read_table
from resistpath.mechanisms.catalogue import Catalogue
from resistpath.mechanisms.measure import reference_scores
from resistpath.mechanisms.verdict import Thresholds
from resistpath.provenance import VERSION, code_digest, file_sha256
from resistpath.reference import Reference, fit_to_reference, members, midrank_percentile
from resistpath.report import content, render
from resistpath.report.patient import patient_content
from resistpath.steps import Progress, silent
from resistpath.steps.reference import Chosen, choose, describe

LOW_TPM = 1.0
LOW_READS = 10
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
ELSEWHERE = ("mechanisms.references", "readouts.references")
NOT_BY_SAMPLE = ("pairs", "patterns")
"""Tables of `assess` by patient; no sample's page may depend on its company."""
MORE_TABLES = (*NOT_BY_SAMPLE, *ELSEWHERE, "genes", "scores.wide")
COHORT_TABLES = ("quality.cohort", "confounding", "fractions.cohort_concordance")


@dataclass(frozen=True)
class Results:
    """Everything the earlier steps left in a cohort folder."""

    prepared: Prepared
    reference: Reference
    tables: dict[str, pd.DataFrame]
    together: dict[str, pd.DataFrame]
    elsewhere: pd.DataFrame
    stands_in: str
    book: Catalogue
    thresholds: Thresholds
    signatures: Path | None

    @property
    def samples(self) -> list[str]:
        """Samples in the matrix's order."""
        return [str(s) for s in self.prepared.values.columns]


def _load(folder: Path, chosen: Chosen, thresholds: Thresholds, signatures: Path | None) -> Results:
    tables = {name: read_table(folder / f"{name}.tsv") for name in TABLES}
    for name in ("quality", "readouts"):
        tables[name] = _truth(tables[name])
    together = {
        name: read_table(folder / f"{name}.tsv") for name in (*COHORT_TABLES, *NOT_BY_SAMPLE)
    }
    results = Results(
        read_prepared(folder / "prepared.h5ad"),
        chosen.reference,
        tables,
        together,
        read_table(folder / f"{ELSEWHERE[0]}.tsv"),
        chosen.stands_in,
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
    references: Sequence[str | Path],
    *,
    thresholds: Thresholds,
    signatures: Path | None = None,
    say: Progress = silent,
) -> None:
    """Write ``reports/``, ``index.html``, ``cohort.h5ad`` and ``manifest.json``.

    `references` as `assess` was given them. `signatures` holds gene sets of the user, which
    join the catalogue.
    """
    primary = choose(references[:1], thresholds.min_reference)[0]
    results = _load(folder, primary, thresholds, signatures)
    names = file_names(results.samples)
    pages = folder / "reports"
    fresh = folder / ".reports.part"
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    written = []
    for i, (sample, record) in enumerate(_sample_contents(results), start=1):
        write_text(fresh / f"{names[sample]}.html", render.render_sample(record))
        write_text(fresh / f"{names[sample]}.json", render.to_json(record))
        written += [pages / f"{names[sample]}.html", pages / f"{names[sample]}.json"]
        if i % 100 == 0 or i == len(names):
            say(f"{i} of {len(names)} sample reports")
    shutil.rmtree(pages, ignore_errors=True)
    fresh.replace(pages)
    links = {sample: f"reports/{name}.html" for sample, name in names.items()}
    written += _write_patients(folder / "patients", results, names)
    write_text(folder / "index.html", render.render_cohort(_cohort_content(results, links)))
    _write_h5ad(folder / "cohort.h5ad", results)
    _finish(folder, primary.path, results, written)


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


def _finish(folder: Path, reference: Path, results: Results, pages: list[Path]) -> None:
    tables = [folder / f"{name}.tsv" for name in (*TABLES, *COHORT_TABLES, *MORE_TABLES)]
    others = [folder / name for name in ("prepared.h5ad", "index.html", "cohort.h5ad")]
    inside = [reference] if reference.resolve().parent == folder.resolve() else []
    outputs = [*pages, *tables, *others, *(folder / p.name for p in inside)]
    facts = {
        "preparation": results.prepared.preparation,
        "reference": describe(results.reference),
        "thresholds": vars(results.thresholds),
        "samples": len(results.samples),
    }
    if (own := results.signatures) is not None:
        facts["signatures"] = {"file": own.name, "sha256": file_sha256(own)}
    write_manifest(folder / "manifest.json", folder, outputs, facts)


def _software() -> dict[str, str]:
    return {"name": "resistpath", "version": VERSION, "digest": code_digest("resistpath.cli")}


def _reference_record(results: Results) -> dict[str, Any]:
    reference = results.reference
    facts = describe(reference)
    unknown = facts.get("unknown_timepoint", 0)
    text = str(facts.get("inclusion", ""))
    if results.stands_in:
        text += f"; {results.stands_in}"
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
    place, frames = members(values, results.reference), []
    for gene in results.book.key_genes:
        if gene.gene not in values.index:
            continue
        own = values.loc[gene.gene].to_numpy(dtype=float)
        percentile = np.full(len(own), np.nan)
        if gene.gene in results.reference.values.index:
            ref = results.reference.values.loc[gene.gene].to_numpy(dtype=float)
            percentile = midrank_percentile(ref, own, place)
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
    inside = members(results.prepared.values, results.reference)
    place = pd.Series(inside, index=results.samples)
    for (method, cell), rows in table.groupby(["method", "cell_type"], sort=False):
        name = f"{method}:{cell}"
        if name in results.reference.fractions:
            ref = results.reference.fractions[name].to_numpy(dtype=float)
            own = rows["value"].to_numpy(dtype=float)
            at = place.loc[rows["sample"].astype(str)].to_numpy()
            table.loc[rows.index, "percentile"] = midrank_percentile(ref, own, at)
    return table


def _readouts(results: Results) -> pd.DataFrame:
    """Readout table with the standard error and interval of the score itself."""
    scores = results.tables["scores"][["sample", "readout", "method", "se", "low", "high"]]
    return results.tables["readouts"].merge(
        scores, on=["sample", "readout", "method"], how="left", validate="one_to_one"
    )


def _reference_readouts(results: Results) -> pd.DataFrame:
    return reference_scores(results.prepared.values, results.reference, results.book)


def _sample_contents(results: Results) -> Iterator[tuple[str, dict[str, Any]]]:
    groups = {
        "quality": results.tables["quality"],
        "mechanisms": results.tables["mechanisms"],
        "readouts": _readouts(results),
        "fractions": _fractions(results),
        "key_genes": _key_genes(results),
        "phenotype": results.tables["phenotype"],
        "rules": results.tables["rules"],
    }
    if len(results.elsewhere):
        groups["elsewhere"] = results.elsewhere
    split = {
        key: {str(s): g.drop(columns="sample") for s, g in table.groupby("sample", sort=False)}
        for key, table in groups.items()
    }
    reference, fits = _reference_record(results), _fits(results)
    spread = content.summarise_reference(_reference_readouts(results))
    obs = results.prepared.obs
    inside = members(results.prepared.values, results.reference)
    for sample, at in zip(results.samples, inside, strict=True):
        own = reference | {"fit": fits.get(sample, {})}
        if at >= 0:
            own["description"] += "; this sample is one of them, and is placed among the others"
        record = content.sample_content(
            sample,
            obs={str(k): v for k, v in obs.loc[sample].items()}
            | {"cohort": results.prepared.preparation["cohort"]},
            preparation=results.prepared.preparation,
            reference=own,
            reference_readouts=spread,
            catalogue=results.book,
            software=_software(),
            thresholds=vars(results.thresholds),
            rule_book=rules(),
            hypotheses=hypotheses(),
            **{key: frames[sample] for key, frames in split.items()},
        )
        yield sample, record


def _cohort_content(results: Results, links: dict[str, str]) -> dict[str, Any]:
    return content.cohort_content(
        cohort=str(results.prepared.preparation["cohort"]),
        obs=results.prepared.obs,
        preparation=results.prepared.preparation,
        quality=_all_quality(results),
        confounding=results.together["confounding"],
        mechanisms=results.tables["mechanisms"],
        reference=_reference_record(results) | {"fit": _fits(results)},
        catalogue=results.book,
        software=_software(),
        thresholds=vars(results.thresholds),
        links=links,
    )


def _all_quality(results: Results) -> pd.DataFrame:
    """Each sample's own checks and those that compare samples, if there are several."""
    together = _truth(results.together["quality.cohort"])
    tables = [t for t in (results.tables["quality"], together) if len(t)]
    return pd.concat(tables, ignore_index=True)


def _write_h5ad(path: Path, results: Results) -> None:
    mechanisms = results.tables["mechanisms"]

    def wide(column: str) -> pd.DataFrame:
        return mechanisms.pivot(index="sample", columns="mechanism", values=column)

    own = results.tables["scores"].merge(
        results.tables["readouts"][["sample", "readout", "method"]],
        on=["sample", "readout", "method"],
    )
    cells = results.tables["fractions"]
    fractions = cells.assign(name=cells["method"] + ":" + cells["cell_type"]).pivot(
        index="sample", columns="name", values="value"
    )
    quality = results.tables["quality"].pivot(index="sample", columns="metric", values="value")
    verdicts = wide("verdict").add_prefix("verdict_")
    obs = results.prepared.obs.join(quality.add_prefix("qc_")).join(verdicts)
    tables = {
        "scores": own.pivot(index="sample", columns="readout", values="score"),
        "fractions": fractions,
        "percentiles": wide("percentile"),
        "residual_percentiles": wide("residual_percentile"),
    }
    provenance = {
        "software": _software(),
        "preparation": results.prepared.preparation,
        "reference": describe(results.reference),
        "thresholds": vars(results.thresholds),
    }
    write_cohort(path, results.prepared, tables, obs, provenance)
