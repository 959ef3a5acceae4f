"""The table of entries."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create the table and its indexes."""
    op.create_table(
        "entry",
        sa.Column("cell", sa.Text, nullable=False),
        sa.Column("boot", sa.BigInteger, nullable=False),
        sa.Column("seq", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("part", sa.Text),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("prev", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("cell", "seq"),
    )
    op.create_index("entry_by_kind", "entry", ["cell", "kind", "seq"])
    op.create_index("entry_by_subject", "entry", ["cell", "kind", "subject", "seq"])
    op.create_index("entry_by_id", "entry", ["cell", "id", "seq"])
    op.create_index(
        "entry_by_part",
        "entry",
        ["cell", "part", "seq"],
        sqlite_where=sa.text("part IS NOT NULL"),
        postgresql_where=sa.text("part IS NOT NULL"),
    )
