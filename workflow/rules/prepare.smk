rule prepare:
    input:
        expression=expression,
        samples=samples,
        tx2gene=tx2gene,
        gene_table=shipped([resource("genes.tsv.gz")]),
    output:
        prepared=f"{RESULTS}/{{cohort}}/prepared.h5ad",
        quality=f"{RESULTS}/{{cohort}}/quality.tsv",
        cohort_quality=f"{RESULTS}/{{cohort}}/quality.cohort.tsv",
        confounding=f"{RESULTS}/{{cohort}}/confounding.tsv",
        genes=f"{RESULTS}/{{cohort}}/genes.tsv",
    log:
        f"{RESULTS}/{{cohort}}/logs/prepare.log",
    benchmark:
        f"{RESULTS}/{{cohort}}/benchmarks/prepare.tsv"
    conda:
        "../../envs/python.yaml"
    threads: 2
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 30 * attempt,
    params:
        folder=subpath(output.prepared, parent=True),
        samples=lambda wildcards, input: (
            f"--samples {shlex.quote(input.samples)}" if input.samples else ""
        ),
        tx2gene=lambda wildcards, input: (
            f"--tx2gene {shlex.quote(input.tx2gene)}" if input.tx2gene else ""
        ),
        units=option("units", "--units"),
        gene_id=option("gene_id", "--gene-id"),
        format=option("format", "--format"),
        layer=option("layer", "--layer"),
        cancer_type=option("cancer_type", "--cancer-type"),
        gates=gate_options(),
        code=code_digest("resistpath.steps.prepare"),
    shell:
        "resistpath prepare {params.folder:q} --cohort {wildcards.cohort:q}"
        " --expression {input.expression:q} {params.samples} {params.units} {params.gene_id}"
        " {params.format} {params.layer} {params.tx2gene}"
        " {params.cancer_type} {params.gates} --threads {threads} 2>&1 | tee {log:q} >&2"
