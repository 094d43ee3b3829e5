def own_signatures(wildcards):
    """Files of the user's signature matrices; a missing one keeps its name for Snakemake to say."""
    paths = [own["path"] for own in config["deconvolve"]["signatures"]]
    if not paths:
        return []
    # Here and not above: it costs every job half a second.
    from resistpath.errors import UserError
    from resistpath.io.signature_matrices import signature_files

    files = []
    for path in paths:
        try:
            files += map(str, signature_files(path))
        except UserError:
            files.append(path)
    return files


def deconvolve_options():
    """Command-line options of the section `deconvolve`; each signature is an option of its own."""
    words = ["--methods", *config["deconvolve"]["methods"]]
    for own in config["deconvolve"]["signatures"]:
        words += ["--signature", own["name"], own["method"], own["path"]]
    return shlex.join(words)


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
