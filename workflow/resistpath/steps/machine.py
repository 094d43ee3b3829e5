"""Part of report: the same results for other programs."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from resistpath.io import lims, multiqc, ro_crate
from resistpath.io.cohort import write_cohort
from resistpath.io.resources import workflow_root
from resistpath.io.tables import read_table
from resistpath.provenance import VERSION, file_sha256
from resistpath.quality import failed_gates
from resistpath.report.wording import READINGS, VERDICTS
from resistpath.steps import embed
from resistpath.steps.reference import describe

if TYPE_CHECKING:
    from resistpath.steps.results import Results

MULTIQC = tuple(
    f"multiqc/resistpath_{name}_mqc.json"
    for name in ("general", "quality", "percentiles", "residuals", "verdicts")
)
OUTPUTS = ("cohort.h5ad", "lims.csv", *MULTIQC)
CSV_ID = ("sample", "patient", "timepoint", "cohort", "cancer_type")
CSV_ALL = ("quality", "quality_reasons", "phenotype", "phenotype_reason", "reference")
CSV_EACH = (
    *("verdict", "percentile", "low", "high"),
    *("residual_verdict", "residual_percentile", "residual_low", "residual_high", "reading"),
)
FOLDERS = (
    ("reports", "a page and a JSON document per sample"),
    ("patients", "a page of then and now per patient with two time points"),
)
STEPS = (
    ("prepare", "expression on one scale, with quality of each sample", "prepared.h5ad quality.tsv"
     " quality.cohort.tsv confounding.tsv genes.tsv"),
    ("score", "scores of gene sets", "scores.tsv scores.wide.tsv scores.cohort.tsv"),
    ("deconvolve", "cell fractions and scores", "fractions.tsv fractions.fit.tsv"
     " fractions.cohort_concordance.tsv"),
    ("reference", "frozen set of the cohort's own tumours", "reference.npz"),
    ("assess", "percentiles, intervals and verdicts against the reference", "mechanisms.tsv"
     " readouts.tsv fit.tsv rules.tsv phenotype.tsv pairs.tsv patterns.tsv"
     " mechanisms.references.tsv readouts.references.tsv"),
    ("compare", "associations within the cohort", "comparison/response.tsv comparison/paired.tsv"
     " comparison/changes.tsv comparison/survival.tsv comparison/summary.json"
     " comparison/embedding.tsv comparison/embedding.json"),
    ("differential", "genes and gene sets by response", "comparison/differential.tsv"
     " comparison/prerank.tsv comparison/differential.json"),
    ("report", "pages and files for other programs", "index.html manifest.json "
     + " ".join(OUTPUTS)),
)  # fmt: skip


def write_machine_outputs(
    folder: Path, results: Results, software: Mapping[str, str]
) -> list[Path]:
    """Write `OUTPUTS`; return their paths."""
    phenotype = _by_sample(folder / "phenotype.tsv", results)
    _write_h5ad(folder, results, software, phenotype)
    _write_lims(folder / "lims.csv", results, phenotype)
    _write_multiqc(folder, results)
    return [folder / name for name in OUTPUTS]


def _by_sample(path: Path, results: Results) -> pd.DataFrame | None:
    if not path.is_file():
        return None
    table = read_table(path)
    table["sample"] = table["sample"].astype(str)
    return table.set_index("sample").reindex(results.samples)


def _wide(table: pd.DataFrame, column: str) -> pd.DataFrame:
    return table.pivot(index="sample", columns="mechanism", values=column)


def _write_h5ad(
    folder: Path,
    results: Results,
    software: Mapping[str, str],
    phenotype: pd.DataFrame | None,
) -> None:
    mechanisms, cells = results.tables["mechanisms"], results.tables["fractions"]
    own = results.tables["scores"].merge(
        results.tables["readouts"][["sample", "readout", "method"]],
        on=["sample", "readout", "method"],
    )
    quality = results.tables["quality"].pivot(index="sample", columns="metric", values="value")
    obs = results.prepared.obs.join(quality.add_prefix("qc_"))
    obs = obs.join(_wide(mechanisms, "verdict").add_prefix("verdict_"))
    tables = {
        "scores": own.pivot(index="sample", columns="readout", values="score"),
        "fractions": cells.assign(name=cells["method"] + ":" + cells["cell_type"]).pivot(
            index="sample", columns="name", values="value"
        ),
        **{
            f"{view}percentiles{end}": _wide(mechanisms, f"{view}{column}")
            for view in ("", "residual_")
            for end, column in (("", "percentile"), ("_low", "low"), ("_high", "high"))
        },
    }
    if phenotype is not None:
        obs = obs.join(phenotype[["phenotype"]])
        tables["phenotype"] = phenotype.select_dtypes("number")
    places = _by_sample(folder / "comparison" / embed.OUTPUTS[0], results)
    if places is not None and places.notna().to_numpy().any():
        for key, names in (("X_pca", ["pc1", "pc2"]), ("X_umap", ["umap1", "umap2"])):
            tables[key] = places[names]
    provenance = {
        "software": dict(software),
        "preparation": results.prepared.preparation,
        "reference": describe(results.reference),
        "thresholds": vars(results.thresholds),
    }
    write_cohort(folder / "cohort.h5ad", results.prepared, tables, obs, provenance)


def _write_lims(path: Path, results: Results, phenotype: pd.DataFrame | None) -> None:
    failed = failed_gates(results.tables["quality"])
    mechanisms = [m.mechanism for m in results.book.mechanisms]
    found = {
        (str(row["sample"]), str(row["mechanism"])): row
        for row in results.tables["mechanisms"].to_dict("records")
    }
    rows = []
    for sample in results.samples:
        sheet = results.prepared.obs.loc[sample]
        row: dict[str, Any] = {
            "sample": sample,
            **{k: sheet.get(k) for k in CSV_ID[1:]},
            "cohort": results.prepared.preparation["cohort"],
            "quality": "failed" if sample in failed else "passed",
            "quality_reasons": failed.get(sample),
            "reference": results.reference.name,
            "reference_n": results.reference.n,
            "resistpath_version": VERSION,
            "use": "research use only",
        }
        if phenotype is not None:
            row["phenotype"] = phenotype.loc[sample, "phenotype"]
            row["phenotype_reason"] = phenotype.loc[sample, "reason"]
        for mechanism in mechanisms:
            if (record := found.get((sample, mechanism))) is not None:
                row |= {f"{mechanism}.{k}": record[k] for k in CSV_EACH}
        rows.append(row)
    each = [f"{mechanism}.{k}" for mechanism in mechanisms for k in CSV_EACH]
    columns = [*CSV_ID, *CSV_ALL, "reference_n", *each, "resistpath_version", "use"]
    lims.write_lims(path, columns, rows)


def _write_multiqc(folder: Path, results: Results) -> None:
    names = {m.mechanism: m.name for m in results.book.page("one")}
    mechanisms = results.tables["mechanisms"]
    first = mechanisms[mechanisms["mechanism"].isin(list(names))]
    reference = f"{results.reference.name} (n = {results.reference.n})"
    general, quality, percentiles, residuals, verdicts = (folder / name for name in MULTIQC)
    said = {
        reading: first[first["reading"] == reading].groupby("sample").size() for reading in READINGS
    }
    multiqc.section(
        general,
        title="",
        description="",
        plot="generalstats",
        data={
            s: {
                "consistent": int(said[READINGS[0]].get(s, 0)),
                "cannot_say": int(said["cannot say"].get(s, 0)),
            }
            for s in results.samples
        },
        headers={
            "consistent": {
                "title": "Consistent",
                "description": "Mechanisms read as consistent with resistance, of"
                f" {len(names)}; not a score of resistance",
                "min": 0,
                "max": len(names),
                "format": "{:,.0f}",
            },
            "cannot_say": {
                "title": "Cannot say",
                "description": f"Mechanisms of which nothing can be said, of {len(names)}",
                "min": 0,
                "max": len(names),
                "format": "{:,.0f}",
            },
        },
    )
    _quality_section(quality, results)
    for path, column, title in (
        (percentiles, "percentile", "Percentiles"),
        (residuals, "residual_percentile", "Residual percentiles"),
    ):
        multiqc.section(
            path,
            title=title,
            description=f"Mechanisms of page one against {reference}"
            + ("" if column == "percentile" else ", T-cell inflammation accounted for"),
            plot="heatmap",
            data={
                str(s): {names[str(m)]: multiqc.number(v) for m, v in row.items()}
                for s, row in _wide(first, column)[list(names)].iterrows()
            },
            config={"min": 0, "max": 100, "square": False},
        )
    multiqc.section(
        verdicts,
        title="Verdicts",
        description=f"Samples per verdict, raw, against {reference}",
        plot="bargraph",
        data={
            name: {v: int((first["verdict"][first["mechanism"] == m] == v).sum()) for v in VERDICTS}
            for m, name in names.items()
        },
    )


def _quality_section(path: Path, results: Results) -> None:
    table = results.tables["quality"]
    table = table[~table["metric"].astype(str).str.startswith("unit_")]
    heads = table.drop_duplicates("metric").set_index("metric")
    rows: dict[str, dict[str, Any]] = {s: {} for s in results.samples}
    for sample, metric, value in zip(table["sample"], table["metric"], table["value"], strict=True):
        rows[str(sample)][str(metric)] = multiqc.number(value)
    multiqc.section(
        path,
        title="Quality",
        description="Measures of each sample; gates are in the description of each column",
        plot="table",
        data=rows,
        headers={
            str(metric): {
                "title": str(head["label"]),
                "description": f"{head['label']} ({head['unit']}), gate {head['threshold']}",
                "format": "{:,.4g}",
            }
            for metric, head in heads.astype(object).where(heads.notna(), "").iterrows()
        },
    )


def present(folder: Path) -> list[Path]:
    """Files of all steps that are there, but for the manifest."""
    files = [folder / f for _, _, names in STEPS for f in names.split() if f != "manifest.json"]
    return [f for f in files if f.is_file()]


def write_ro_crate(
    folder: Path, results: Results, reference: Path, created: str, copies: list[Path]
) -> None:
    """Write ``ro-crate-metadata.json``; `copies` are those of the workflow, if one was run."""
    facts = results.prepared.preparation
    inputs = [
        ro_crate.Input(role, name, facts.get(f"{key}_sha256"))
        for role, name, key in (
            ("expression", "expression matrix", "expression"),
            ("samples", "sample sheet", "samples"),
        )
        if facts.get(f"{key}_sha256")
    ]
    if reference.resolve().parent != folder.resolve():
        pack = f"reference pack {results.reference.name}"
        inputs.append(ro_crate.Input("reference", pack, file_sha256(reference)))
    steps = [
        ro_crate.Step(verb, does, tuple(f for f in files.split() if (folder / f).is_file()))
        for verb, does, files in STEPS
    ]
    record = ro_crate.crate(
        folder,
        cohort=str(facts["cohort"]),
        created=created,
        inputs=inputs,
        steps=[s for s in steps if s.results],
        datasets=[(name, text) for name, text in FOLDERS if (folder / name).is_dir()],
        workflow=[str(c.relative_to(folder)) for c in copies],
    )
    ro_crate.write_crate(folder, record)


def copy_workflow(folder: Path) -> list[Path]:
    """Copy Snakefile and rules into ``workflow/``; return the copies, the Snakefile first."""
    root, place = workflow_root(), folder / "workflow"
    shutil.rmtree(place, ignore_errors=True)
    (place / "rules").mkdir(parents=True)
    shutil.copyfile(root / "Snakefile", place / "Snakefile")
    rules = sorted((root / "workflow" / "rules").glob("*.smk"))
    for rule in rules:
        shutil.copyfile(rule, place / "rules" / rule.name)
    return [place / "Snakefile", *(place / "rules" / rule.name for rule in rules)]
