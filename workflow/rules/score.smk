rule score:
    input:
        prepared=f"{RESULTS}/{{cohort}}/prepared.h5ad",
        catalogue=catalogue_files(),
    output:
        scores=f"{RESULTS}/{{cohort}}/scores.tsv",
        wide=f"{RESULTS}/{{cohort}}/scores.wide.tsv",
    log:
        f"{RESULTS}/{{cohort}}/logs/score.log",
    benchmark:
        f"{RESULTS}/{{cohort}}/benchmarks/score.tsv"
    params:
        folder=subpath(output.scores, parent=True),
        methods=options("score"),
        code=code_digest("resistpath.steps.score"),
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    conda:
        "../../envs/python.yaml"
    shell:
        "{RESISTPATH} score {params.folder:q} {params.methods} 2>&1 | tee {log:q} >&2"
