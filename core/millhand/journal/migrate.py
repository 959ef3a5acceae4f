"""Brings a journal's schema to the newest revision."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, select

from millhand.errors import ConfigError
from millhand.journal.schema import HEAD_REVISION, VERSION_TABLE, version
from millhand.messages import tr

if TYPE_CHECKING:
    from alembic.config import Config

SCRIPTS = Path(__file__).parent / "migrations"


def revision_of(connection: Connection) -> str | None:
    """Return the revision that the database is at, or None before the first."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(select(version.c.version_num)).scalar()


def migrate(connection: Connection, place: str) -> None:
    """Upgrade the schema inside the transaction of ``connection``; nothing if it is the newest.

    Args:
        connection: of the only process that may write.
        place: names the journal in messages.

    Raises:
        ConfigError: a newer version of Millhand wrote it.
    """
    current = revision_of(connection)
    if current == HEAD_REVISION:
        return
    from alembic import command
    from alembic.script import ScriptDirectory

    settings = alembic_settings()
    known = {script.revision for script in ScriptDirectory.from_config(settings).walk_revisions()}
    if current is not None and current not in known:
        raise newer_than_known(place, current)
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")


def require_newest(connection: Connection, place: str) -> None:
    """Refuse a schema that this version cannot read as it is.

    Raises:
        ConfigError: newer than this version, or older and not yet migrated by an engine.
    """
    current = revision_of(connection)
    if current == HEAD_REVISION:
        return
    if current is not None and current > HEAD_REVISION:
        raise newer_than_known(place, current)
    raise ConfigError(
        tr("The journal {place} has not been brought to this version's schema yet.", place=place),
        mend=tr("Start the engine on it once."),
    )


def alembic_settings() -> Config:
    """Return Alembic's settings; set ``attributes["connection"]`` before use."""
    from alembic.config import Config

    settings = Config()
    settings.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    return settings


def newer_than_known(place: str, revision: str) -> ConfigError:
    """Say that a newer Millhand has been here."""
    return ConfigError(
        tr(
            "The journal {place} was written by a newer Millhand (schema {revision}; "
            "this one knows up to {known}).",
            place=place,
            revision=revision,
            known=HEAD_REVISION,
        ),
        mend=tr("Install that version or a newer one, or name another journal."),
    )
