"""Open what a cell stands on: journal, picture store, and the books it goes on with."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from time import time_ns

import structlog

from millhand.engine import build
from millhand.engine.alarms import Alarms
from millhand.engine.andon import AndonBoard
from millhand.engine.cell import Cell, alarm_recorder
from millhand.engine.modes import Modes
from millhand.engine.recover import changes_let_out, last_command_id
from millhand.engine.statistics import Statistics
from millhand.engine.supervision import Supervisor
from millhand.engine.unrecorded import Unrecorded
from millhand.errors import ConfigError
from millhand.journal.blobs import BlobStore
from millhand.journal.journal import Journal
from millhand.journal.places import blob_folder, checkpoints_file, journal_target, signing_key
from millhand.journal.signing import SigningKey
from millhand.scenario.load import Scenario

log = structlog.get_logger(__name__)

Target = str | Path | None
"""A journal's path or URL; None for what the scenario says."""


async def open_journal(
    stack: AsyncExitStack, scenario: Scenario, target: Target, *, safe: bool
) -> Journal:
    """Open the cell's journal for writing; ``stack`` closes it.

    Raises:
        ConfigError: its key cannot be read, and it is not safe mode.
        NotAllowed: another engine writes it.
        Unavailable: it cannot be opened.
    """
    key = _signing_key(scenario, safe=safe)
    journal = Journal(
        target or journal_target(scenario),
        cell=scenario.name,
        key=key,
        witness=checkpoints_file(scenario, target) if key else None,
    )
    await asyncio.to_thread(journal.open)
    stack.push_async_callback(asyncio.to_thread, journal.close)
    return journal


def _signing_key(scenario: Scenario, *, safe: bool) -> SigningKey | None:
    try:
        return signing_key(scenario)
    except ConfigError as error:
        if not safe:
            raise
        log.warning("journal_not_signed", reason=str(error))  # safe mode always starts
        return None


async def open_cell(
    stack: AsyncExitStack, scenario: Scenario, target: Target, journal: Journal
) -> Cell:
    """Open the picture store and make the cell, its books as the journal has them."""
    blobs = await _open_blobs(stack, scenario, target)
    cell_of: list[Cell] = []
    alarms = Alarms(alarm_recorder(lambda: cell_of[0]))

    def child_failed(name: str, error: BaseException, given_up: bool) -> None:
        kind = "activity_given_up" if given_up else "activity_failed"
        alarms.raise_(kind, name, str(error) or type(error).__name__)

    cell = Cell(
        name=scenario.name,
        scenario_sha256=scenario.sha256,
        journal=journal,
        blobs=blobs,
        limits=build.limits(scenario),
        reject_limits=build.reject_limits(scenario),
        supervisor=Supervisor(child_failed),
        modes=Modes(
            build.allowed_modes(scenario),
            lambda change: cell_of[0].record(change, subject=change.agent),
        ),
        alarms=alarms,
        unrecorded=Unrecorded(journal, alarms),
        statistics=Statistics(),
        andon=await asyncio.to_thread(
            AndonBoard,
            journal,
            lambda entry: cell_of[0].append(entry),  # noqa: PLW0108  there is none yet
            alarms,
            build.andon_policy(scenario),
        ),
        last_command_id=await asyncio.to_thread(last_command_id, journal),
    )
    cell_of.append(cell)
    cell.changes.restore(await asyncio.to_thread(changes_let_out, journal, cell.limits, time_ns()))
    return cell


async def _open_blobs(stack: AsyncExitStack, scenario: Scenario, target: Target) -> BlobStore:
    pictures = scenario.file.journal.pictures
    blobs = BlobStore(
        blob_folder(scenario, target),
        quota_bytes=pictures.quota,
        keep={name.value: age / 86400 for name, age in pictures.keep.items()},
    )
    await asyncio.to_thread(blobs.open)
    stack.push_async_callback(asyncio.to_thread, blobs.close)
    return blobs
