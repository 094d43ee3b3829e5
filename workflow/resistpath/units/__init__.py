"""What unit an expression matrix is in: said by the user, or read from the values.

`quantity` says what a unit is and what can be had from it, `steps` finds the smallest step of
numbers that were once counts, `evidence` reads one sample, `detect` a matrix.
"""

from __future__ import annotations

from resistpath.units.detect import detect_units, read_units
from resistpath.units.quantity import (
    NEEDS,
    PER_LENGTH,
    QUANTITIES,
    READS,
    Units,
    check_units,
    parse_units,
    require,
)

__all__ = [
    "NEEDS",
    "PER_LENGTH",
    "QUANTITIES",
    "READS",
    "Units",
    "check_units",
    "detect_units",
    "parse_units",
    "read_units",
    "require",
]
