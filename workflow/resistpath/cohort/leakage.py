"""Which cells of a table of scores by cohorts are not a test: the cohort made the score."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pandas as pd

USES = {
    "trained": "fitted to response in this cohort",
    "selected": "genes or sets were chosen by response in this cohort",
    "tuned": "a threshold or an option was chosen on this cohort",
    "same study": "defined in the paper that reports this cohort",
    "shared patients": "some of its patients belong to a cohort the score was defined on",
    "tested": "among the cohorts its first paper reports success on",
}
"""Uses from the gravest to the mildest."""
GRAVE = ("trained", "selected", "tuned")
"""Uses that make an area in that cohort meaningless as a test."""

OWN = "own set: not in the register"
"""Mark of a user's set, of whose making nothing is known here."""

COLUMNS = ("score", "cohort", "names", "use", "what", "source", "read")


def words(name: str) -> tuple[str, ...]:
    """Lower-case words of a cohort's name or address.

    >>> words("gide_prjeb23709_pd1")
    ('gide', 'prjeb23709', 'pd1')
    """
    return tuple(w for w in re.split(r"[^a-z0-9]+", str(name).lower()) if w)


def names_cohort(names: str, cohort: str) -> bool:
    """Whether a cohort's own name is one of the register's `names`.

    Parameters
    ----------
    names
        Alternatives, separated by ``|``; all words of an alternative must stand in the name.
    cohort
        Name of the cohort, or its accession or path.

    >>> names_cohort("liu 2019|liu2019", "liu_2019_pd1"), names_cohort("liu 2019", "liu_2015")
    (True, False)
    """
    present = set(words(cohort))
    return any(set(words(option)) <= present for option in names.split("|") if words(option))


def marks(
    register: pd.DataFrame, scores: Iterable[str], cohorts: Mapping[str, str]
) -> pd.DataFrame:
    """Rows of the register that apply.

    Parameters
    ----------
    register
        Columns as `COLUMNS`.
    scores
        Scores in the table.
    cohorts
        Cohort to everything it is called by: name, accession, file.

    Returns
    -------
    DataFrame
        score, cohort, use, grave (whether the area is no test), what, source; one row per score
        and cohort, the gravest use. A pair without a row was not found in what was read, which
        does not prove it clean.
    """
    order = {use: place for place, use in enumerate(USES)}
    wanted = set(scores)
    rows = [
        (row.score, cohort, row.use, row.use in GRAVE, row.what, row.source)
        for row in register.itertuples(index=False)
        if row.score in wanted
        for cohort, called in cohorts.items()
        if names_cohort(str(row.names), f"{cohort} {called}")
    ]
    table = pd.DataFrame(rows, columns=["score", "cohort", "use", "grave", "what", "source"])
    table = table.sort_values("use", key=lambda use: use.map(order), kind="stable")
    table = table.drop_duplicates(["score", "cohort"])
    return table.sort_values(["score", "cohort"], ignore_index=True)
