"""Build resources/demo: the endometrial carcinomas of CPTAC, from the cptac 0.4.1 package.

Run ``python resources/build/demo.py`` after ``gene_table.py``; see resources/demo/README.md.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from packaged import RESOURCES, packaged, write_table

from resistpath.genes import harmonise

TARGET = RESOURCES / "demo"
EXPRESSION = (
    "cptac",
    "endometrial/data/transcriptomics_linear.cct.gz",
    "9cf0a8bd0f68ed2f62d52cc641134d2e48c90001032789f47307a77dfa47b654",
)
CLINICAL = (
    "cptac",
    "endometrial/data/clinical.txt",
    "ca9e8317f60948941156afaa4208db3b6d8f2b82999046596ca86e3df07c5f8c",
)
COLUMNS = {
    "histology": "Histologic_type",
    "stage": "tumor_Stage-Pathological",
    "msi_status": "MSI_status",
    "genomics_subtype": "Genomics_subtype",
    "pole": "POLE_subtype",
    "estimate_stromal": "ESTIMATE_StromalScore",
    "estimate_immune": "ESTIMATE_ImmuneScore",
    "estimate_score": "ESTIMATE_ESTIMATEScore",
    "purity": "Purity_Cancer",
    "log2_mutations_per_mb": "Log2_variant_per_Mbp",
}


def read_expression(path: Path) -> pd.DataFrame:
    """Read genes x samples as published, cell by cell as text: log2(normalised count + 1)."""
    frame = pd.read_csv(path, sep="\t", index_col=0, dtype=str, keep_default_na=False)
    frame.index.name = "gene"
    return frame


def read_clinical(path: Path) -> pd.DataFrame:
    """Read the clinical table as text, one row per sample."""
    return pd.read_csv(
        path, sep="\t", index_col=0, dtype=str, keep_default_na=False, encoding="cp1252"
    )


def choose_samples(samples: pd.Index, clinical: pd.DataFrame) -> pd.DataFrame:
    """Keep treatment-naive tumours of cases the study did not exclude, and count the others."""
    frame = clinical.loc[samples]
    tumour = frame["Proteomics_Tumor_Normal"] == "Tumor"
    excluded = frame["Case_excluded"] == "Yes"
    kept = frame[tumour & ~excluded]
    if (kept["Treatment_naive"] != "YES").any():
        raise SystemExit("a sample was taken after treatment")
    sys.stderr.write(
        f"samples: {len(frame)} with RNA, {int((~tumour).sum())} normals dropped,"
        f" {int((tumour & excluded).sum())} tumours of excluded cases dropped, {len(kept)} kept\n"
    )
    return kept


def sample_sheet(clinical: pd.DataFrame) -> pd.DataFrame:
    """Write the clinical columns under our names; what is not known is NA."""
    sheet = pd.DataFrame(
        {
            "sample": clinical.index,
            "patient": clinical["Proteomics_Participant_ID"].to_numpy(),
            "timepoint": "pre",
            "treatment": "none",
            "cancer_type": "endometrial carcinoma",
            **{ours: clinical[theirs].to_numpy() for ours, theirs in COLUMNS.items()},
        }
    )
    return sheet.replace("", "NA")


def choose_genes(expression: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows that stand for a protein-coding gene, under their published symbol."""
    linear = 2 ** expression.astype(float) - 1
    matrix, report, _ = harmonise(linear, table, gene_id="symbol")
    keep = report["action"].ne("dropped").to_numpy()
    counts = report["action"].value_counts()
    sys.stderr.write(
        f"rows: {len(report)}, of which {int(keep.sum())} kept for {len(matrix)} genes"
        f" ({', '.join(f'{n} {action}' for action, n in sorted(counts.items()))})\n"
    )
    return expression[keep]


def main() -> None:
    expression = read_expression(packaged(*EXPRESSION))
    clinical = choose_samples(expression.columns, read_clinical(packaged(*CLINICAL)))
    table = pd.read_csv(RESOURCES / "genes.tsv.gz", sep="\t", dtype=str, keep_default_na=False)
    kept = choose_genes(expression[clinical.index], table)
    write_table(kept.reset_index(), TARGET / "expression.tsv.gz")
    write_table(sample_sheet(clinical), TARGET / "samples.tsv")


if __name__ == "__main__":
    main()
