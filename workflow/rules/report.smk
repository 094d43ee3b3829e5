# The pages of a large cohort are written by several jobs; those of a small one by `report` itself.
rule pages:
    input:
        tables=sample_tables,
        only=only,
        reference=reference_packs,
        catalogue=shipped(catalogue_files()),
        signatures=OWN_SETS,
    output:
        pages=temp(directory(f"{RESULTS}/{{cohort}}/pages/{{part}}")),
    log:
        f"{RESULTS}/{{cohort}}/logs/pages.{{part}}.log",
    benchmark:
        f"{RESULTS}/{{cohort}}/benchmarks/pages.{{part}}.tsv"
    wildcard_constraints:
        part="[0-9]+-of-[0-9]+",
    conda:
        "../../envs/python.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        folder=lambda wildcards: f"{RESULTS}/{wildcards.cohort}",
        references=reference_options,
        thresholds=options("assess"),
        signatures=own_sets(),
        only=only_option,
        code=code_digest("resistpath.steps.pages"),
    shell:
        "resistpath pages {params.folder:q} {params.references} --out {output.pages:q}"
        " --part {wildcards.part:q} --threads {threads}"
        " {params.thresholds} {params.signatures} {params.only} 2>&1 | tee {log:q} >&2"


rule report:
    input:
        tables=sample_tables,
        pages=made_pages,
        only=only,
        response=f"{RESULTS}/{{cohort}}/comparison/response.tsv",
        paired=f"{RESULTS}/{{cohort}}/comparison/paired.tsv",
        changes=f"{RESULTS}/{{cohort}}/comparison/changes.tsv",
        survival=f"{RESULTS}/{{cohort}}/comparison/survival.tsv",
        summary=f"{RESULTS}/{{cohort}}/comparison/summary.json",
        embedding=f"{RESULTS}/{{cohort}}/comparison/embedding.tsv",
        embedding_facts=f"{RESULTS}/{{cohort}}/comparison/embedding.json",
        differential=f"{RESULTS}/{{cohort}}/comparison/differential.tsv",
        prerank=f"{RESULTS}/{{cohort}}/comparison/prerank.tsv",
        differential_facts=f"{RESULTS}/{{cohort}}/comparison/differential.json",
        reference=reference_packs,
        catalogue=shipped(catalogue_files()),
        signatures=OWN_SETS,
    output:
        reports=directory(f"{RESULTS}/{{cohort}}/reports"),
        patients=directory(f"{RESULTS}/{{cohort}}/patients"),
        index=report(
            f"{RESULTS}/{{cohort}}/index.html",
            caption="../report/cohort.rst",
            category="{cohort}",
            labels={"what": "cohort page"},
        ),
        cohort=f"{RESULTS}/{{cohort}}/cohort.h5ad",
        lims=report(
            f"{RESULTS}/{{cohort}}/lims.csv",
            caption="../report/lims.rst",
            category="{cohort}",
            labels={"what": "verdicts of every sample"},
        ),
        multiqc=multiext(
            f"{RESULTS}/{{cohort}}/multiqc/resistpath_",
            "general_mqc.json",
            "quality_mqc.json",
            "percentiles_mqc.json",
            "residuals_mqc.json",
            "verdicts_mqc.json",
        ),
        crate=f"{RESULTS}/{{cohort}}/ro-crate-metadata.json",
        workflow=directory(f"{RESULTS}/{{cohort}}/workflow"),
        manifest=f"{RESULTS}/{{cohort}}/manifest.json",
    log:
        f"{RESULTS}/{{cohort}}/logs/report.log",
    benchmark:
        f"{RESULTS}/{{cohort}}/benchmarks/report.tsv"
    conda:
        "../../envs/python.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        folder=subpath(output.manifest, parent=True),
        references=reference_options,
        thresholds=options("assess"),
        signatures=own_sets(),
        only=only_option,
        made=lambda wildcards, input: (
            f"--made {' '.join(map(shlex.quote, input.pages))}" if input.pages else ""
        ),
        code=code_digest("resistpath.steps.report"),
    shell:
        "resistpath report {params.folder:q} {params.references} --by-workflow"
        " --threads {threads}"
        " {params.thresholds} {params.signatures} {params.only} {params.made} 2>&1 | tee {log:q} >&2"
