rule score:
    input:
        prepared=f"{RESULTS}/{{cohort}}/prepared.h5ad",
        catalogue=shipped(catalogue_files()),
        signatures=OWN_SETS,
    output:
        scores=f"{RESULTS}/{{cohort}}/scores.tsv",
        wide=f"{RESULTS}/{{cohort}}/scores.wide.tsv",
    log:
        f"{RESULTS}/{{cohort}}/logs/score.log",
    benchmark:
        f"{RESULTS}/{{cohort}}/benchmarks/score.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        folder=subpath(output.scores, parent=True),
        methods=options("score"),
        signatures=own_sets(),
        code=code_digest("resistpath.steps.score"),
    shell:
        "resistpath score {params.folder:q} {params.methods} {params.signatures} 2>&1 | tee {log:q} >&2"
