rule report:
    input:
        prepared=f"{RESULTS}/{{cohort}}/prepared.h5ad",
        quality=f"{RESULTS}/{{cohort}}/quality.tsv",
        cohort_quality=f"{RESULTS}/{{cohort}}/quality.cohort.tsv",
        confounding=f"{RESULTS}/{{cohort}}/confounding.tsv",
        genes=f"{RESULTS}/{{cohort}}/genes.tsv",
        scores=f"{RESULTS}/{{cohort}}/scores.tsv",
        wide=f"{RESULTS}/{{cohort}}/scores.wide.tsv",
        fractions=f"{RESULTS}/{{cohort}}/fractions.tsv",
        fit=f"{RESULTS}/{{cohort}}/fractions.fit.tsv",
        concordance=f"{RESULTS}/{{cohort}}/fractions.cohort_concordance.tsv",
        mechanisms=f"{RESULTS}/{{cohort}}/mechanisms.tsv",
        readouts=f"{RESULTS}/{{cohort}}/readouts.tsv",
        mechanisms_references=f"{RESULTS}/{{cohort}}/mechanisms.references.tsv",
        readouts_references=f"{RESULTS}/{{cohort}}/readouts.references.tsv",
        reference_fit=f"{RESULTS}/{{cohort}}/fit.tsv",
        rules=f"{RESULTS}/{{cohort}}/rules.tsv",
        phenotype=f"{RESULTS}/{{cohort}}/phenotype.tsv",
        pairs=f"{RESULTS}/{{cohort}}/pairs.tsv",
        patterns=f"{RESULTS}/{{cohort}}/patterns.tsv",
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
        code=code_digest("resistpath.steps.report"),
    shell:
        "resistpath report {params.folder:q} {params.references} --by-workflow"
        " --threads {threads}"
        " {params.thresholds} {params.signatures} 2>&1 | tee {log:q} >&2"
