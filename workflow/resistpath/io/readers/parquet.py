"""Parquet: one column per sample and one of genes, or genes in columns."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from resistpath.errors import UserError
from resistpath.io.readers.columns import choose_columns
from resistpath.io.readers.opening import Head
from resistpath.io.readers.source import Format, Options, Source, check_names, matrix


def _names(schema: pa.Schema) -> list[str]:
    """Column names, pandas' index first."""
    described = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    index = [i for i in described.get("index_columns", []) if isinstance(i, str)]
    return [*(n for n in index if n in schema.names), *(n for n in schema.names if n not in index)]


def _is_float(kind: pa.DataType) -> bool:
    return pa.types.is_floating(kind) or pa.types.is_null(kind)


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)


def _read(head: Head, _: Options) -> Source:
    where = str(head.path)
    try:
        file = pq.ParquetFile(head.path)
        names = _names(file.schema_arrow)
        table = file.read(columns=names)
    except (pa.ArrowInvalid, OSError, ValueError) as error:
        raise UserError(
            "the Parquet file is damaged or truncated", where=where, do="write it again"
        ) from error
    if len(names) != len(set(names)):
        check_names(names, where)
    table = table.select(names)
    kind = table.schema.field(0).type if names else pa.null()
    if _is_float(kind) or (names[:1] == ["__index_level_0__"] and _is_number(kind)):
        raise UserError(
            "there is no column of gene names, only numbered rows",
            where=where,
            do="write the table with its genes, for example as a pandas index",
        )
    text = [not _is_number(field.type) for field in table.schema]
    labels = [str(x) for x in table.column(0).to_pylist()]
    columns = choose_columns(
        ["" if n.startswith("__index") else n for n in names], text, labels, where
    )
    ids = [str(x) for x in table.column(columns.labels).to_pylist()]
    values = np.empty((len(columns.values), table.num_rows))
    for row, position in zip(values, columns.values, strict=True):
        row[:] = table.column(position).to_numpy(zero_copy_only=False)
    samples = [names[i] for i in columns.values]
    notes = list(columns.notes)
    if columns.turned:
        frame = matrix(samples, values, ids, where, notes)
    else:
        frame = matrix(ids, values.T, samples, where, notes)
    return Source(frame, FORMAT.name, notes=tuple(notes))


FORMAT = Format(
    name="parquet",
    what="Parquet table, genes in rows or in columns",
    how="first bytes PAR1",
    fits_file=lambda head: head.data.startswith(b"PAR1"),
    read_file=_read,
)
