"""What is asked of the table, as statements that are built once for each shape of question.

Building a statement costs SQLAlchemy more than running it on SQLite; so the values stay outside.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import BindParameter, ColumnElement, Select, bindparam, func, select, union_all

from millhand.journal.schema import entry


class Shape(NamedTuple):
    """Which columns a question names; the values come as parameters of the same names."""

    kinds: int | None
    """How many kinds (parameters ``wanted_0``, ``wanted_1``, …), or None for all."""
    before: bool
    subject: bool
    part: bool
    id: bool


@lru_cache(maxsize=256)
def entries(shape: Shape, *, limited: bool, newest_first: bool) -> Select[Any]:
    """Return the statement that yields entries in order of ``seq``."""
    by_kind = not (shape.id or shape.part)
    if shape.kinds is None or shape.kinds == 1 or not by_kind:
        return _ordered(_matching(shape), entry.c.seq, limited, newest_first)
    # One range of the index for each kind, merged: else the database would sort all entries of
    # these kinds to give the first few.
    ranges = [
        _ordered(_matching(shape, kind=n), entry.c.seq, limited, newest_first).subquery()
        for n in range(shape.kinds)
    ]
    merged = union_all(*(select(one) for one in ranges)).subquery()
    return _ordered(select(merged), merged.c.seq, limited, newest_first)


@lru_cache(maxsize=64)
def count(shape: Shape) -> Select[int]:
    """Return the statement that counts entries."""
    return select(func.count()).select_from(_matching(shape).subquery())


def _matching(shape: Shape, *, kind: int | None = None) -> Select[Any]:
    """Return the statement for all kinds of the shape, or only for the one of that number."""
    c = entry.c
    statement = select(entry).where(c.cell == bindparam("cell"), c.seq > bindparam("after"))
    kind_column: ColumnElement[str] = c.kind
    subject_column: ColumnElement[str] = c.subject
    if shape.id or shape.part:
        # An id or a part names few entries, a kind many: an expression keeps a planner without
        # statistics from choosing the index by kind.
        kind_column, subject_column = c.kind.concat(""), c.subject.concat("")
    if shape.kinds is not None:
        numbers = range(shape.kinds) if kind is None else (kind,)
        kinds: list[BindParameter[str]] = [bindparam(f"wanted_{n}") for n in numbers]
        statement = statement.where(
            kind_column == kinds[0] if len(kinds) == 1 else kind_column.in_(kinds)
        )
    if shape.before:
        statement = statement.where(c.seq < bindparam("before"))
    if shape.subject:
        statement = statement.where(subject_column == bindparam("subject"))
    if shape.id:
        statement = statement.where(c.id == bindparam("id"))
    if shape.part:
        statement = statement.where(c.part == bindparam("part"))
    return statement


def _ordered(
    statement: Select[Any], seq: ColumnElement[int], limited: bool, newest_first: bool
) -> Select[Any]:
    statement = statement.order_by(seq.desc() if newest_first else seq)
    return statement.limit(bindparam("limit")) if limited else statement
