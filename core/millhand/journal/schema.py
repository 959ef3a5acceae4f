"""The journal's table, as the newest migration leaves it."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, MetaData, String, Table, Text, text

HEAD_REVISION = "0001"
"""Newest revision under ``migrations/versions``; kept here so that Alembic need not be imported
when there is nothing to migrate."""

VERSION_TABLE = "journal_version"

metadata = MetaData()

entry = Table(
    "entry",
    metadata,
    Column("cell", Text, primary_key=True),
    Column("boot", BigInteger, nullable=False),
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("part", Text),
    Column("at", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("prev", Text, nullable=False),
    Column("hash", Text, nullable=False),
)
"""Columns in the order of :class:`~millhand.journal.entries.Entry`."""

Index("entry_by_kind", entry.c.cell, entry.c.kind, entry.c.seq)
Index("entry_by_subject", entry.c.cell, entry.c.kind, entry.c.subject, entry.c.seq)
Index("entry_by_id", entry.c.cell, entry.c.id, entry.c.seq)
Index(
    "entry_by_part",
    entry.c.cell,
    entry.c.part,
    entry.c.seq,
    sqlite_where=text("part IS NOT NULL"),
    postgresql_where=text("part IS NOT NULL"),
)

version = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32), primary_key=True))
"""Alembic's own, under a name that leaves room for a neighbour in the same database."""
