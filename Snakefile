# Resistance-pathway reports from bulk tumour RNA-seq. Research use only.
from snakemake.utils import min_version

min_version("9.6")


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/resume.smk"
include: "workflow/rules/fetch.smk"
include: "workflow/rules/prepare.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/deconvolve.smk"
include: "workflow/rules/reference.smk"
include: "workflow/rules/assess.smk"
include: "workflow/rules/compare.smk"
include: "workflow/rules/differential.smk"
include: "workflow/rules/meta.smk"
include: "workflow/rules/report.smk"


rule all:
    default_target: True
    input:
        RESULT_FILES,
        f"{RESULTS}/comparison/meta.tsv" if len(COHORTS) > 1 else [],


rule references:
    # Packs of all cohorts of a sheet and nothing else, as for config/recipes.
    input:
        collect(
            "{results}/{cohort}/reference.npz", results=RESULTS, cohort=COHORTS.index
        ),
