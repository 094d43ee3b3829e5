rule differential:
    input:
        prepared=f"{RESULTS}/{{cohort}}/prepared.h5ad",
        quality=f"{RESULTS}/{{cohort}}/quality.tsv",
        catalogue=shipped([*catalogue_files(), resource("catalogue/leakage.tsv")]),
        signatures=OWN_SETS,
    output:
        genes=report(
            f"{RESULTS}/{{cohort}}/comparison/differential.tsv",
            caption="../report/differential.rst",
            category="{cohort}",
            labels={"what": "genes by response"},
        ),
        sets=report(
            f"{RESULTS}/{{cohort}}/comparison/prerank.tsv",
            caption="../report/differential.rst",
            category="{cohort}",
            labels={"what": "gene sets by response"},
        ),
        facts=f"{RESULTS}/{{cohort}}/comparison/differential.json",
    log:
        f"{RESULTS}/{{cohort}}/logs/differential.log",
    benchmark:
        f"{RESULTS}/{{cohort}}/benchmarks/differential.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        folder=lambda wildcards: f"{RESULTS}/{wildcards.cohort}",
        options=f"{options('compare')} {options('differential')}",
        signatures=own_sets(),
        code=code_digest("resistpath.steps.differential"),
    shell:
        "resistpath differential {params.folder:q} {params.options} {params.signatures}"
        " 2>&1 | tee {log:q} >&2"
