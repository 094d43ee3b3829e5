rule reference:
    input:
        prepared=f"{RESULTS}/{{cohort}}/prepared.h5ad",
        quality=f"{RESULTS}/{{cohort}}/quality.tsv",
        fractions=f"{RESULTS}/{{cohort}}/fractions.tsv",
    output:
        pack=f"{RESULTS}/{{cohort}}/reference.npz",
    log:
        f"{RESULTS}/{{cohort}}/logs/reference.log",
    benchmark:
        f"{RESULTS}/{{cohort}}/benchmarks/reference.tsv"
    conda:
        "../../envs/python.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        folder=subpath(output.pack, parent=True),
        cancer_type=option("cancer_type", "--cancer-type"),
        code=code_digest("resistpath.steps.reference"),
    shell:
        "resistpath reference build {params.folder:q} --name {wildcards.cohort:q}"
        " {params.cancer_type} 2>&1 | tee {log:q} >&2"
