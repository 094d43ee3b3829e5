"""Resistance-pathway reports from bulk tumour RNA-seq; research use only.

Names are loaded when first used, because every command pays for its imports.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any

from resistpath.provenance import VERSION as __version__

if TYPE_CHECKING:
    from resistpath.api import (
        METHODS,
        deconvolve,
        immunophenoscore,
        normalise,
        read_expression,
        score,
        tmm_factors,
    )
    from resistpath.errors import UserError
    from resistpath.expression import Expression
    from resistpath.methods import GeneSet, Method

_HOME = {
    "METHODS": "api",
    "deconvolve": "api",
    "immunophenoscore": "api",
    "normalise": "api",
    "read_expression": "api",
    "score": "api",
    "tmm_factors": "api",
    "UserError": "errors",
    "Expression": "expression",
    "GeneSet": "methods",
    "Method": "methods",
}
__all__ = [
    "METHODS",
    "Expression",
    "GeneSet",
    "Method",
    "UserError",
    "__version__",
    "deconvolve",
    "immunophenoscore",
    "normalise",
    "read_expression",
    "score",
    "tmm_factors",
]


def _lazy(name: str) -> property:
    def load(_: ModuleType) -> Any:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)

    def keep(_: ModuleType, submodule: object) -> None:
        """Ignore the import system, which would put the submodule `score` over the function."""

    return property(load, keep)


class _Package(ModuleType):
    """The package itself, with its public names as properties.

    `score`, `normalise` and `deconvolve` are functions for users and modules inside;
    ``resistpath.score`` is the function, ``from resistpath.score import ...`` the module.
    """

    def __dir__(self) -> list[str]:
        return __all__


for _name in _HOME:
    setattr(_Package, _name, _lazy(_name))
sys.modules[__name__].__class__ = _Package
