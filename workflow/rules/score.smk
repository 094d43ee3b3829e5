# Scores that change with the other samples have a file of their own, if any are wanted.
COHORT_METHODS = [
    name
    for name in config["score"]["methods"]
    if name in SCORE_METHODS and SCORE_METHODS[name].cohort_dependent
]


rule score:
    input:
        prepared=f"{RESULTS}/{{cohort}}/prepared.h5ad",
        catalogue=shipped(catalogue_files()),
        tables=shipped(score_files()),
        network=config["score"]["network"] or [],
        signatures=OWN_SETS,
    output:
        **(
            {"cohort": f"{RESULTS}/{{cohort}}/scores.cohort.tsv"}
            if COHORT_METHODS
            else {}
        ),
        scores=f"{RESULTS}/{{cohort}}/scores.tsv",
        wide=f"{RESULTS}/{{cohort}}/scores.wide.tsv",
    log:
        f"{RESULTS}/{{cohort}}/logs/score.log",
    benchmark:
        f"{RESULTS}/{{cohort}}/benchmarks/score.tsv"
    conda:
        "../../envs/python.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        folder=subpath(output.scores, parent=True),
        methods=options("score"),
        signatures=own_sets(),
        code=code_digest("resistpath.steps.score"),
    shell:
        "resistpath score {params.folder:q} {params.methods} {params.signatures}"
        " --threads {threads} 2>&1 | tee {log:q} >&2"
