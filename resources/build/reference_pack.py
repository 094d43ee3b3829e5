"""Build resources/references/cptac_ucec.npz: the demo cohort as a reference pack.

Run ``python resources/build/reference_pack.py`` after ``demo.py`` and whenever the gene table or
the catalogue changes, then ``sources.py``. It runs the package's own steps in a scratch folder.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from packaged import RESOURCES

from resistpath.quality import Gates
from resistpath.steps.deconvolve import deconvolve
from resistpath.steps.prepare import prepare
from resistpath.steps.reference import build

NAME = "cptac_ucec"
TARGET = RESOURCES / "references" / f"{NAME}.npz"
METHODS = ["quantiseq", "mcpcounter", "estimate", "consensus_markers"]
SOURCE = (
    "Dou et al. 2020, Cell 180, 729-748, doi:10.1016/j.cell.2020.01.026; 95 treatment-naive"
    " endometrial carcinomas of CPTAC, from the Python package cptac 0.4.1"
)
LICENCE = "Apache-2.0"


def main() -> None:
    demo = RESOURCES / "demo"
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / NAME
        prepare(
            folder,
            demo / "expression.tsv.gz",
            cohort=NAME,
            gates=Gates(),
            samples=demo / "samples.tsv",
            cancer_type="endometrial carcinoma",
        )
        deconvolve(folder, methods=METHODS)
        build(
            folder,
            name=f"CPTAC endometrial carcinoma ({NAME})",
            out=TARGET,
            source=SOURCE,
            licence=LICENCE,
            force=True,
            say=lambda text: print(text, file=sys.stderr),
        )


if __name__ == "__main__":
    main()
