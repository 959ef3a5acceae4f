"""Where a scenario's journal and pictures lie."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from millhand.journal.signing import SigningKey
    from millhand.scenario.load import Scenario

FILE_NAME = "journal.sqlite"
BLOBS = "blobs"
INBOX = "inbox"
CHECKPOINTS = "checkpoints.jsonl"


def journal_folder(scenario: Scenario) -> Path:
    """The folder of the scenario's journal."""
    return scenario.folder / scenario.file.journal.folder


def journal_target(scenario: Scenario) -> str | Path:
    """The journal's database URL, or its SQLite file.

    Raises:
        ConfigError: the URL's secret cannot be had.
    """
    return scenario.journal_url or journal_folder(scenario) / FILE_NAME


def blob_folder(scenario: Scenario, journal: str | Path | None = None) -> Path:
    """Where pictures and documents lie: beside the journal's file.

    Args:
        scenario: whose.
        journal: the journal's place where it is not the scenario's.
    """
    if isinstance(journal, Path):
        return journal.parent / BLOBS
    return journal_folder(scenario) / BLOBS


def inbox_folder(scenario: Scenario, journal: str | Path | None = None) -> Path:
    """Where people's answers wait for the engine: beside the journal's file.

    Args:
        scenario: whose.
        journal: the journal's place where it is not the scenario's.
    """
    return blob_folder(scenario, journal).parent / INBOX


def checkpoints_file(scenario: Scenario, journal: str | Path | None = None) -> Path:
    """Where signed checkpoints are exported to.

    Args:
        scenario: whose.
        journal: the journal's place where it is not the scenario's.
    """
    named = scenario.file.journal.checkpoints
    if named is not None and not isinstance(journal, Path):
        return scenario.folder / named
    return blob_folder(scenario, journal).parent / CHECKPOINTS


def signing_key(scenario: Scenario) -> SigningKey | None:
    """The key that signs the scenario's checkpoints, where it has one.

    Raises:
        ConfigError: it cannot be read or is none.
    """
    reference = scenario.file.journal.sign
    if reference is None:
        return None
    from millhand.journal.signing import SigningKey

    return SigningKey(scenario.secret(reference).get_secret_value())
