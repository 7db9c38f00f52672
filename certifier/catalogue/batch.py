"""The one function: an Arrow record batch in, the same with the answers beside each row out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from certifier.catalogue.checker import MEMBERS, Checker
from certifier.catalogue.questions import BESIDE, KINDS, Column, Question, question_of
from certifier.errors import CertifierError, ForeignInputError

PREFIX = "lcal_"  # before a result whose name the catalogue has already
SHOWN_NAMES = 40


def verify_batch(
    batch: pa.RecordBatch,
    checker: Checker,
    columns: Sequence[Column] | None = None,
    faults: Mapping[int, CertifierError] | None = None,
) -> pa.RecordBatch:
    """Each row with what is known of its certificate; all columns of the catalogue stay as they are.

    ``columns`` say what finds a certificate, the first one first; without them, every column whose name is a kind
    (questions.KINDS). ``faults`` are rows that could not be read, by their number. The columns that come are ``MEMBERS``: texts,
    null where there is nothing to say. One whose name is taken gets PREFIX.

    Raises ForeignInputError when a column is missing or holds no text; what is wrong with a row is its answer.
    """
    chosen = columns_in(batch.schema, columns)
    cells = [_texts(batch.column(column.name)) for column in chosen]
    faults = faults or {}
    questions = [faults.get(row) or _question(chosen, given) for row, given in enumerate(zip(*cells, strict=True))]
    answers = checker.answers(questions)
    told = [pa.array([answer.get(member) for answer in answers], pa.string()) for member in MEMBERS]
    return pa.RecordBatch.from_arrays([*batch.columns, *told], schema=result_schema(batch.schema))


def result_schema(schema: pa.Schema) -> pa.Schema:
    """The schema of the answers to a catalogue with this schema. Raises ForeignInputError where names meet twice."""
    taken = set(schema.names)
    names = [f"{PREFIX}{member}" if member in taken else member for member in MEMBERS]
    twice = sorted(taken & set(names))
    if twice:
        raise ForeignInputError(
            "The catalogue has the columns of results already, twice.",
            found=", ".join(twice),
            expected="other names",
            hint="Leave the columns of an earlier run out, or name them otherwise.",
        )
    return pa.schema([*schema, *(pa.field(name, pa.string()) for name in names)])


def result_names(schema: pa.Schema) -> dict[str, str]:
    """The name of each result's column in the answers to a catalogue with this schema, by its member."""
    return dict(zip(MEMBERS, result_schema(schema).names[len(schema.names) :], strict=True))


def columns_in(schema: pa.Schema, columns: Sequence[Column] | None) -> tuple[Column, ...]:
    """The columns that are asked by. Raises ForeignInputError when one is missing, there twice, or no text."""
    names = schema.names
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ForeignInputError(
            "The catalogue has several columns of one name.", found=", ".join(twice)[:400], expected="each name once"
        )
    chosen = tuple(columns) if columns else tuple(Column(kind, kind) for kind in (*KINDS, *BESIDE) if kind in names)
    if not any(column.kind in KINDS for column in chosen):
        raise ForeignInputError(
            "No column of the catalogue finds a certificate.",
            found=listed(names),
            expected=f"a column that holds one of {', '.join(KINDS)}",
            hint="Say which one: --column isrc=NAME",
        )
    for column in chosen:
        if column.name not in names:
            raise ForeignInputError(
                f"There is no column {column.name[:80]!r}.",
                found=listed(names),
                expected="one of the columns that there are",
            )
        kind = schema.field(column.name).type
        if not is_text(kind):
            raise ForeignInputError(
                f"The column {column.name[:80]!r} holds no text.", found=str(kind)[:80], expected="text, such as string"
            )
    return chosen


def listed(names: Iterable[str]) -> str:
    """Names for an error, not all of very many."""
    shown = list(names)
    more = f" and {len(shown) - SHOWN_NAMES} more" if len(shown) > SHOWN_NAMES else ""
    return ", ".join(name[:60] for name in shown[:SHOWN_NAMES]) + more


def is_text(kind: pa.DataType) -> bool:
    """Text in any of Arrow's types, also as bytes, and where there is nothing but nulls."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    checks = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)
    as_bytes = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view)
    return any(check(kind) for check in (*checks, *as_bytes))


def _texts(column: pa.Array) -> list[str | CertifierError | None]:
    try:
        values: list[Any] = column.to_pylist()
    except UnicodeDecodeError:  # Parquet is read without a look at the bytes of its texts
        values = column.cast(pa.large_string()).cast(pa.large_binary()).to_pylist()
    return [_decoded(value) if isinstance(value, bytes) else value for value in values]


def _decoded(value: bytes) -> str | CertifierError:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return ForeignInputError("The cell holds bytes that are no text.", found=repr(value[:40]), expected="UTF-8")


def _question(columns: Sequence[Column], cells: Sequence[Any]) -> Question | CertifierError:
    fault = next((cell for cell in cells if isinstance(cell, CertifierError)), None)
    if fault:
        return fault
    try:
        return question_of(columns, cells)
    except CertifierError as error:
        return error
