rule assess:
    input:
        prepared=f"{RESULTS}/{{cohort}}/prepared.h5ad",
        quality=f"{RESULTS}/{{cohort}}/quality.tsv",
        fractions=f"{RESULTS}/{{cohort}}/fractions.tsv",
        reference=reference_packs,
        catalogue=shipped(catalogue_files()),
        signatures=OWN_SETS,
    output:
        mechanisms=f"{RESULTS}/{{cohort}}/mechanisms.tsv",
        readouts=f"{RESULTS}/{{cohort}}/readouts.tsv",
        mechanisms_references=f"{RESULTS}/{{cohort}}/mechanisms.references.tsv",
        readouts_references=f"{RESULTS}/{{cohort}}/readouts.references.tsv",
        fit=f"{RESULTS}/{{cohort}}/fit.tsv",
        rules=f"{RESULTS}/{{cohort}}/rules.tsv",
        phenotype=f"{RESULTS}/{{cohort}}/phenotype.tsv",
        pairs=f"{RESULTS}/{{cohort}}/pairs.tsv",
        patterns=f"{RESULTS}/{{cohort}}/patterns.tsv",
    log:
        f"{RESULTS}/{{cohort}}/logs/assess.log",
    benchmark:
        f"{RESULTS}/{{cohort}}/benchmarks/assess.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 6000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        folder=subpath(output.mechanisms, parent=True),
        references=reference_options,
        thresholds=options("assess"),
        signatures=own_sets(),
        code=code_digest("resistpath.steps.assess"),
    shell:
        "resistpath assess {params.folder:q} {params.references}"
        " {params.thresholds} {params.signatures} 2>&1 | tee {log:q} >&2"
