rule compare:
    input:
        prepared=f"{RESULTS}/{{cohort}}/prepared.h5ad",
        quality=f"{RESULTS}/{{cohort}}/quality.tsv",
        wide=f"{RESULTS}/{{cohort}}/scores.wide.tsv",
        mechanisms=f"{RESULTS}/{{cohort}}/mechanisms.tsv",
        readouts=f"{RESULTS}/{{cohort}}/readouts.tsv",
        catalogue=shipped([*catalogue_files(), resource("catalogue/leakage.tsv")]),
    output:
        response=report(
            f"{RESULTS}/{{cohort}}/comparison/response.tsv",
            caption="../report/response.rst",
            category="{cohort}",
            labels={"what": "association with response"},
        ),
        paired=report(
            f"{RESULTS}/{{cohort}}/comparison/paired.tsv",
            caption="../report/paired.rst",
            category="{cohort}",
            labels={"what": "change over time"},
        ),
        changes=f"{RESULTS}/{{cohort}}/comparison/changes.tsv",
        survival=report(
            f"{RESULTS}/{{cohort}}/comparison/survival.tsv",
            caption="../report/survival.rst",
            category="{cohort}",
            labels={"what": "association with survival"},
        ),
        summary=f"{RESULTS}/{{cohort}}/comparison/summary.json",
        embedding=f"{RESULTS}/{{cohort}}/comparison/embedding.tsv",
        embedding_facts=f"{RESULTS}/{{cohort}}/comparison/embedding.json",
    log:
        f"{RESULTS}/{{cohort}}/logs/compare.log",
    benchmark:
        f"{RESULTS}/{{cohort}}/benchmarks/compare.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        folder=lambda wildcards: f"{RESULTS}/{wildcards.cohort}",
        options=options("compare"),
        embedding="" if config["report"]["embedding"] else "--no-embedding",
        code=code_digest("resistpath.steps.compare", "resistpath.steps.embed"),
    shell:
        "resistpath compare {params.folder:q} {params.options} {params.embedding}"
        " 2>&1 | tee {log:q} >&2"
