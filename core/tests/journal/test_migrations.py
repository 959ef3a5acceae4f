from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from millhand.journal import schema
from millhand.journal.entries import Entry
from millhand.journal.journal import Journal
from millhand.journal.migrate import alembic_settings


def test_the_newest_revision_is_the_one_the_code_names() -> None:
    assert ScriptDirectory.from_config(alembic_settings()).get_heads() == [schema.HEAD_REVISION]


def test_migrations_lead_to_the_schema_that_the_code_uses(file: Path) -> None:
    Journal(file, cell="c").open().close()
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": schema.VERSION_TABLE}
        )
        assert compare_metadata(context, schema.metadata) == []
    engine.dispose()


def test_columns_stand_in_the_order_of_an_entry() -> None:
    names = [column.name for column in schema.entry.columns]
    fields = [{"at_utc_ns": "at"}.get(name, name) for name in Entry.__struct_fields__]
    assert names == fields


def test_alembic_is_not_imported_where_there_is_nothing_to_migrate(file: Path) -> None:
    Journal(file, cell="c").open().close()
    script = (
        "import sys\n"
        "from millhand.journal.journal import Journal\n"
        "Journal(sys.argv[1], cell='c').open().close()\n"
        "Journal.open_readonly(sys.argv[1], cell='c').close()\n"
        "print('alembic' in sys.modules)\n"
    )
    command = [sys.executable, "-c", script, str(file)]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "False"


def test_a_migration_that_was_killed_is_done_again(file: Path) -> None:
    """The schema and its version are one transaction: a crash leaves nothing half made."""
    script = (
        "import os, sys\n"
        "from alembic.operations import Operations\n"
        "from millhand.journal.journal import Journal\n"
        "make, made = Operations.create_index, []\n"
        "def create_index(self, name, *args, **named):\n"
        "    made.append(name)\n"
        "    if len(made) == 3: os._exit(9)\n"
        "    return make(self, name, *args, **named)\n"
        "import alembic.op\n"
        "alembic.op.create_index = lambda *a, **k: create_index(alembic.op._proxy, *a, **k)\n"
        "Journal(sys.argv[1], cell='c').open()\n"
    )
    child = subprocess.run([sys.executable, "-c", script, str(file)], check=False)
    assert child.returncode == 9
    connection = sqlite3.connect(file)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == []
    connection.close()
    with Journal(file, cell="c") as journal:
        assert journal.boot == 1
        assert journal.recovered_from is None
