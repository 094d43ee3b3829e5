rule deconvolve:
    input:
        prepared=f"{RESULTS}/{{cohort}}/prepared.h5ad",
        tables=shipped(deconvolution_files()),
        signatures=own_signatures,
    output:
        fractions=f"{RESULTS}/{{cohort}}/fractions.tsv",
        fit=f"{RESULTS}/{{cohort}}/fractions.fit.tsv",
        concordance=f"{RESULTS}/{{cohort}}/fractions.cohort_concordance.tsv",
    log:
        f"{RESULTS}/{{cohort}}/logs/deconvolve.log",
    benchmark:
        f"{RESULTS}/{{cohort}}/benchmarks/deconvolve.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        folder=subpath(output.fractions, parent=True),
        methods=deconvolve_options(),
        code=code_digest("resistpath.steps.deconvolve"),
    shell:
        "resistpath deconvolve {params.folder:q} {params.methods} 2>&1 | tee {log:q} >&2"
