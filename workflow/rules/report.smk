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
        reference=reference_packs,
        rules=f"{RESULTS}/{{cohort}}/rules.tsv",
        phenotype=f"{RESULTS}/{{cohort}}/phenotype.tsv",
        pairs=f"{RESULTS}/{{cohort}}/pairs.tsv",
        patterns=f"{RESULTS}/{{cohort}}/patterns.tsv",
        reference=reference_pack,
        catalogue=shipped(catalogue_files()),
        signatures=OWN_SETS,
    output:
        reports=directory(f"{RESULTS}/{{cohort}}/reports"),
        patients=directory(f"{RESULTS}/{{cohort}}/patients"),
        index=f"{RESULTS}/{{cohort}}/index.html",
        cohort=f"{RESULTS}/{{cohort}}/cohort.h5ad",
        manifest=f"{RESULTS}/{{cohort}}/manifest.json",
    log:
        f"{RESULTS}/{{cohort}}/logs/report.log",
    benchmark:
        f"{RESULTS}/{{cohort}}/benchmarks/report.tsv"
    conda:
        "../../envs/python.yaml"
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
        "resistpath report {params.folder:q} {params.references}"
        " {params.thresholds} {params.signatures} 2>&1 | tee {log:q} >&2"
