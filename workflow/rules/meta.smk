rule meta:
    input:
        prepared=collect(f"{RESULTS}/{{cohort}}/prepared.h5ad", cohort=COHORTS.index),
        mechanisms=collect(f"{RESULTS}/{{cohort}}/mechanisms.tsv", cohort=COHORTS.index),
        response=collect(
            f"{RESULTS}/{{cohort}}/comparison/response.tsv", cohort=COHORTS.index
        ),
        survival=collect(
            f"{RESULTS}/{{cohort}}/comparison/survival.tsv", cohort=COHORTS.index
        ),
        catalogue=shipped([*catalogue_files(), resource("catalogue/leakage.tsv")]),
    output:
        meta=f"{RESULTS}/comparison/meta.tsv",
        leave_one_out=f"{RESULTS}/comparison/leave_one_out.tsv",
        cohorts=f"{RESULTS}/comparison/cohorts.tsv",
        shared=f"{RESULTS}/comparison/shared.tsv",
    log:
        f"{RESULTS}/comparison/logs/meta.log",
    benchmark:
        f"{RESULTS}/comparison/benchmarks/meta.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        folders=[f"{RESULTS}/{cohort}" for cohort in COHORTS.index],
        out=subpath(output.meta, parent=True),
        options=f"{options('compare')} {options('meta')}",
        code=code_digest("resistpath.steps.meta"),
    shell:
        "resistpath meta {params.folders:q} --out {params.out:q} {params.options}"
        " 2>&1 | tee {log:q} >&2"
