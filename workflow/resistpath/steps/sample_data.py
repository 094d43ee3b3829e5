"""What the pages of the samples need, gathered from the tables in blocks of samples."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from resistpath.io.resources import hypotheses, rules
from resistpath.mechanisms.measure import reference_scores
from resistpath.reference import midrank_percentile
from resistpath.report import content
from resistpath.report.genes import GeneNames, places
from resistpath.report.scorers import method_places
from resistpath.score import METHODS
from resistpath.steps.reference import describe
from resistpath.steps.results import Results
from resistpath.steps.sample_pages import BLOCK, Block, Common

LOW_TPM = 1.0
LOW_READS = 10
NOT_COMPARED = ("gene", "ratio", "singscore_dispersion")  # no other way to score a set
MEMBER = "; this sample is one of them, and is placed among the others"
GENES_BLOCK = 10 * BLOCK  # samples placed at once among the reference's genes


def described_reference(results: Results) -> dict[str, Any]:
    """Name, size, disease and choice of the reference."""
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


def fits(results: Results) -> dict[str, dict[str, Any]]:
    """How each sample fits the reference; nothing where the reference is too small to say."""
    if results.reference.n < results.thresholds.min_reference:
        return {}
    table = results.tables["fit"]
    return {
        str(sample): {
            "correlation": float(correlation),
            "lowest_typical": float(lowest),
            "verdict": "fits" if fits else "fits poorly",
            "reason": "Spearman correlation with the reference's median profile, against the"
            " reference samples' own",
        }
        for sample, correlation, lowest, fits in zip(
            table["sample"],
            table["correlation"],
            table["lowest_typical"],
            table["fits"],
            strict=True,
        )
    }


def key_genes(results: Results) -> pd.DataFrame:
    """Level, percentile and low-count flag of every key gene in every sample."""
    values, counts = results.prepared.values, results.prepared.counts
    inside, frames = results.members, []
    for gene in results.book.key_genes:
        if gene.gene not in values.index:
            continue
        own = values.loc[gene.gene].to_numpy(dtype=float)
        percentile = np.full(len(own), np.nan)
        if gene.gene in results.reference.values.index:
            ref = results.reference.values.loc[gene.gene].to_numpy(dtype=float)
            percentile = midrank_percentile(ref, own, inside)
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
    inside = results.members
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


def common(results: Results, folder: Path, software: Mapping[str, str]) -> Common:
    """What all sample pages share."""
    return Common(
        folder=folder,
        catalogue=results.book,
        preparation=results.prepared.preparation,
        reference=described_reference(results),
        reference_readouts=content.summarise_reference(_reference_readouts(results)),
        software=software,
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


def blocks(results: Results, names: Mapping[str, str]) -> Iterator[Block]:
    """Yield the samples in the matrix's order, `BLOCK` at a time; `names` are their files'."""
    fitting = fits(results)
    groups = {
        "quality": results.tables["quality"],
        "mechanisms": results.tables["mechanisms"],
        "readouts": _readouts(results),
        "fractions": _fractions(results),
        "key_genes": key_genes(results),
        "phenotype": results.tables["phenotype"],
        "rules": results.tables["rules"],
    }
    if len(results.elsewhere):
        groups["elsewhere"] = results.elsewhere
    split = {
        key: {str(s): g.drop(columns="sample") for s, g in table.groupby("sample", sort=False)}
        for key, table in groups.items()
    }
    inside = results.members
    at, methods = dict(zip(results.samples, inside.tolist(), strict=True)), _methods(results)
    cohort = results.prepared.preparation["cohort"]
    for start in range(0, len(results.samples), GENES_BLOCK):
        wide = results.samples[start : start + GENES_BLOCK]
        values = results.prepared.values[wide]
        place = places(results.reference.values, values, inside[start : start + GENES_BLOCK])
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
                fits={s: fitting[s] for s in samples if s in fitting},
                remarks={s: MEMBER for s in samples if at[s] >= 0},
                methods={
                    s: {name: records[s] for name, records in methods.items()} for s in samples
                },
                level=np.ascontiguousarray(values.iloc[:, part].to_numpy().T),
                percentile=np.ascontiguousarray(place[:, part].T),
            )
