"""The results folder as a Workflow Run RO-Crate: what was run, on what, with what result.

Profiles: RO-Crate 1.1 and Process Run Crate 0.5; where the folder was made by the workflow, also
Workflow RO-Crate 1.0 and Workflow Run Crate 0.5 [1]_, with a copy of the workflow beside it.

References
----------
.. [1] Leo et al. 2024, PLoS ONE 19:e0309210, doi:10.1371/journal.pone.0309210
"""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from resistpath.io.files import write_json
from resistpath.provenance import RESEARCH_USE_ONLY, VERSION, file_sha256

Entity = dict[str, Any]

NAME = "ro-crate-metadata.json"
RUN = "https://w3id.org/ro/wfrun"
PROFILES = {
    f"{RUN}/process/0.5": ("Process Run Crate", "0.5"),
    f"{RUN}/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
CONTEXT, TERMS = (
    "https://w3id.org/ro/crate/1.1/context",
    "https://w3id.org/ro/terms/workflow-run/context",
)
SNAKEMAKE = "https://w3id.org/workflowhub/workflow-ro-crate#snakemake"
TOOL = "#resistpath"
TYPES = {
    ".h5ad": "application/x-hdf5",
    ".npz": "application/zip",
    ".tsv": "text/tab-separated-values",
    ".smk": "text/plain",
    "": "text/plain",
}


@dataclass(frozen=True)
class Input:
    """A file that was read and is not in the folder: its role, and its digest if known."""

    role: str
    name: str
    sha256: str | None


@dataclass(frozen=True)
class Step:
    """One verb with the files it wrote, by paths inside the folder."""

    verb: str
    does: str
    results: tuple[str, ...]


def crate(
    folder: Path,
    *,
    cohort: str,
    created: str,
    inputs: Sequence[Input],
    steps: Sequence[Step],
    datasets: Sequence[tuple[str, str]],
    workflow: Sequence[str],
) -> Entity:
    """Describe a results folder.

    Parameters
    ----------
    folder
        Where the files of `steps` stand.
    created
        ISO 8601 time, the one of ``manifest.json``.
    inputs
        Files given by the user.
    steps
        In the order they ran. What a step wrote is an object of the later ones.
    datasets
        Folders inside, each with what it holds.
    workflow
        Copies of the workflow's files inside the folder, the Snakefile first; empty where the
        verbs were run by hand.
    """
    given = [_given(i) for i in inputs]
    files = [f for step in steps for f in step.results]
    parts = [*dict.fromkeys(files), *workflow]
    actions = _actions(steps, [g["@id"] for g in given], created)
    profiles = [p for p in PROFILES if workflow or p.endswith("process/0.5")]
    root: Entity = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"resistpath results of {cohort}",
        "description": "Resistance mechanisms to immune checkpoint inhibitors, read from bulk"
        f" tumour RNA. {RESEARCH_USE_ONLY}",
        "datePublished": created,
        "license": "No licence is given with these results: rights in them follow from those in"
        " the data they were made from.",
        "conformsTo": _refs(profiles),
        "hasPart": _refs([*map(_id, parts), *(f"{name}/" for name, _ in datasets)]),
        "mentions": [{"@id": a["@id"]} for a in actions],
    }
    graph: list[Entity] = [
        {
            "@id": NAME,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": _refs(
                ["https://w3id.org/ro/crate/1.1", *(p for p in profiles if "workflowhub" in p)]
            ),
        },
        root,
        *(
            {"@id": p, "@type": "CreativeWork", "name": PROFILES[p][0], "version": PROFILES[p][1]}
            for p in profiles
        ),
        {
            "@id": TOOL,
            "@type": "SoftwareApplication",
            "name": "resistpath",
            "softwareVersion": VERSION,
            "description": "Verdicts on resistance mechanisms from bulk tumour RNA-seq",
            "license": "https://spdx.org/licenses/MIT",
        },
        *given,
        *actions,
        *(_file(folder, name) for name in parts),
        *({"@id": f"{name}/", "@type": "Dataset", "name": text} for name, text in datasets),
    ]
    if workflow:
        root["mainEntity"] = {"@id": _id(workflow[0])}
        _add_workflow(graph, workflow, files, [g["@id"] for g in given], created)
    return {
        "@context": [CONTEXT, TERMS],
        "@graph": graph,
    }


def write_crate(folder: Path, record: Entity) -> None:
    """Write ``ro-crate-metadata.json``."""
    write_json(folder / NAME, record)


def _id(name: str) -> str:
    return quote(name)


def _refs(ids: Sequence[str]) -> Entity | list[Entity]:
    """References; a single one stands alone, as RO-Crate wants."""
    refs = [{"@id": i} for i in ids]
    return refs[0] if len(refs) == 1 else refs


def _given(item: Input) -> Entity:
    """Input as an entity of the context: its content is known by its digest, not by its place."""
    record: Entity = {"@id": f"#{item.role}", "@type": "CreativeWork", "name": item.name}
    return record | ({"sha256": item.sha256} if item.sha256 else {})


def _file(folder: Path, name: str) -> Entity:
    path = folder / name
    kind = TYPES.get(path.suffix) or mimetypes.types_map.get(path.suffix, "text/plain")
    return {
        "@id": _id(name),
        "@type": "File",
        "name": path.name,
        "encodingFormat": kind,
        "contentSize": str(path.stat().st_size),
        "sha256": file_sha256(path),
    }


def _actions(steps: Sequence[Step], given: Sequence[str], created: str) -> list[Entity]:
    """One action per verb."""
    out: list[Entity] = []
    known = list(given)
    for step in steps:
        out.append(
            {
                "@id": f"#run-{step.verb}",
                "@type": "CreateAction",
                "name": f"resistpath {step.verb}",
                "description": step.does,
                "instrument": {"@id": TOOL},
                "object": _refs(known),
                "result": _refs([_id(f) for f in step.results]),
                "actionStatus": "http://schema.org/CompletedActionStatus",
            }
        )
        known += [_id(f) for f in step.results]
    if out:
        out[-1]["endTime"] = created
    return out


def _add_workflow(
    graph: list[Entity],
    workflow: Sequence[str],
    files: Sequence[str],
    given: Sequence[str],
    created: str,
) -> None:
    """Make the Snakefile the main entity, and add the run of the whole."""
    main = next(e for e in graph if e["@id"] == _id(workflow[0]))
    main |= {
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "name": "resistpath workflow",
        "version": VERSION,
        "license": "https://spdx.org/licenses/MIT",
        "programmingLanguage": {"@id": SNAKEMAKE},
        "hasPart": {"@id": TOOL},
    }
    run = {
        "@id": "#run",
        "@type": "CreateAction",
        "name": "resistpath workflow",
        "description": "all steps on one cohort, by Snakemake",
        "instrument": {"@id": main["@id"]},
        "object": _refs(given),
        "result": _refs([_id(f) for f in dict.fromkeys(files)]),
        "endTime": created,
        "actionStatus": "http://schema.org/CompletedActionStatus",
    }
    graph[1]["mentions"] = [{"@id": run["@id"]}, *graph[1]["mentions"]]
    graph += [
        run,
        {
            "@id": SNAKEMAKE,
            "@type": "ComputerLanguage",
            "name": "Snakemake",
            "identifier": {"@id": "https://doi.org/10.1093/bioinformatics/bts480"},
            "url": {"@id": "https://snakemake.github.io"},
        },
    ]
