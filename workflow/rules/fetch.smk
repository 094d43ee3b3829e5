# Downloads run where Snakemake runs: the nodes of a cluster often have no way out.
localrules:
    fetch,


# Only the record is an output: Snakemake removes outputs before a job, and what was downloaded
# is to stay, so that the next run goes on from it.
rule fetch:
    output:
        f"{RESULTS}/{{cohort}}/raw/fetch.json",
    log:
        f"{RESULTS}/{{cohort}}/logs/fetch.log",
    benchmark:
        f"{RESULTS}/{{cohort}}/benchmarks/fetch.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=1000,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        folder=subpath(output[0], ancestor=2),
        source=lambda wildcards: COHORTS.loc[wildcards.cohort, "expression"],
        options=fetch_options(),
        code=code_digest("resistpath.steps.fetch"),
    shell:
        "resistpath fetch {params.folder:q} {params.source:q} {params.options}"
        " 2>&1 | tee {log:q} >&2"
