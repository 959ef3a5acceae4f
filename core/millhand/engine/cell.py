"""What the runners of one cell share: journal, devices, modes, limits, ids, books."""

from __future__ import annotations

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from time import monotonic_ns, time_ns
from typing import Any

import structlog

from millhand.contracts import COMMAND_ID_LIMIT, Mode, Permit, Sample, Write
from millhand.engine.alarms import Alarms
from millhand.engine.andon import AndonBoard
from millhand.engine.bindings import RejectLimit, Target
from millhand.engine.changes import ChangeBook
from millhand.engine.evidence import Evidence
from millhand.engine.handshake import CommandChannel
from millhand.engine.lease import Lease
from millhand.engine.modes import Modes
from millhand.engine.monitor import TagMonitor
from millhand.engine.outbox import Outbox
from millhand.engine.statistics import Statistics
from millhand.engine.supervision import Supervisor
from millhand.engine.unrecorded import Unrecorded
from millhand.errors import Unavailable
from millhand.guard import Facts, Limits, PermitOffice
from millhand.journal.blobs import BlobStore
from millhand.journal.entries import Entry, NewEntry, new_entry
from millhand.journal.journal import Journal
from millhand.journal.records import Alarm, Record

log = structlog.get_logger(__name__)

_OUTCOME_WAIT_S = 0.01
"""How long an outcome may wait for an intent to share its commit: nobody waits for outcomes, and
one that is lost with the power is read from the PLC's answers again."""


@dataclass(slots=True)
class Cell:
    """One running cell. Lives on the engine's loop."""

    name: str
    scenario_sha256: str
    journal: Journal
    blobs: BlobStore
    limits: Mapping[str, Limits]
    reject_limits: Mapping[str, RejectLimit]
    """Channel to how many rejects in a row are believed."""
    supervisor: Supervisor
    modes: Modes
    alarms: Alarms
    statistics: Statistics
    unrecorded: Unrecorded
    andon: AndonBoard
    evidence: Evidence = field(default_factory=Evidence)
    permits: PermitOffice = field(default_factory=PermitOffice)
    devices: dict[str, Any] = field(default_factory=dict)
    channels: dict[str, CommandChannel] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    monitors: dict[str, TagMonitor] = field(default_factory=dict)
    interlocks: dict[str, Sample] = field(default_factory=dict)
    """Latest samples of the interlocks' tags by ``device.tag``, kept by the monitors."""
    machines: frozenset[str] = frozenset()
    """Devices that take a machine request."""
    last_command_id: int = 0
    _decisions: int = 0
    changes: ChangeBook = field(init=False)
    rejects_in_a_row: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    _outcomes: list[NewEntry] = field(default_factory=list)
    _flush: asyncio.TimerHandle | None = None
    outbox: Outbox = field(init=False)
    """Records that wait to be delivered."""

    def __post_init__(self) -> None:
        """Open the book of changes for what is limited, and the outbox."""
        self.changes = ChangeBook(self.limits)
        self.outbox = Outbox(self.journal, self.alarms, self.append)

    def next_decision_id(self) -> str:
        """Return an id unique in the cell: ``<cell>.<boot>.<number>``."""
        self._decisions += 1
        return f"{self.name}.{self.journal.boot}.{self._decisions}"

    @property
    def decisions(self) -> int:
        """How many decision ids were given out since the start."""
        return self._decisions

    def next_command_id(self) -> int:
        """Return a command id that no journalled intent has."""
        self.last_command_id = self.last_command_id % (COMMAND_ID_LIMIT - 1) + 1
        return self.last_command_id

    def record(self, record: Record, *, subject: str = "", part: str | None = None) -> None:
        """Journal something that nobody waits for."""
        self.append(
            new_entry(
                record,
                id=f"{self.name}.{self.journal.boot}.{time_ns()}",
                subject=subject,
                part=part,
            )
        )

    def append(self, *entries: NewEntry) -> None:
        """Append entries together, without waiting; what fails is kept, in order, for later."""
        taken = [*self._taken_outcomes(), *entries]
        if self.unrecorded:
            self.unrecorded.keep(taken)
            return
        loop = asyncio.get_running_loop()
        self.journal.append_unattended(taken, partial(self._not_written, loop, taken))

    def durable(self, entries: Iterable[NewEntry]) -> asyncio.Future[list[Entry]]:
        """Append entries and the outcomes that wait in one commit; see :meth:`Journal.durable`.

        Where it fails, the outcomes are kept for later; the entries are the caller's to keep.
        """
        outcomes = self._taken_outcomes()
        answer = self.journal.durable([*outcomes, *entries])
        if outcomes:
            answer.add_done_callback(partial(self._keep_outcomes, outcomes))
        return answer

    def append_outcome(self, outcome: NewEntry) -> None:
        """Append an outcome with the next intent, or alone where none comes in a moment."""
        self._outcomes.append(outcome)
        if self._flush is None:
            loop = asyncio.get_running_loop()
            self._flush = loop.call_later(_OUTCOME_WAIT_S, self.append)

    def _taken_outcomes(self) -> list[NewEntry]:
        if self._flush is not None:
            self._flush.cancel()
            self._flush = None
        outcomes, self._outcomes = self._outcomes, []
        return outcomes

    def _keep_outcomes(
        self, outcomes: Sequence[NewEntry], answer: asyncio.Future[list[Entry]]
    ) -> None:
        if not answer.cancelled() and isinstance(answer.exception(), Unavailable):
            self.unrecorded.keep(outcomes)

    def _not_written(
        self, loop: asyncio.AbstractEventLoop, entries: Sequence[NewEntry], error: BaseException
    ) -> None:
        """Keep what was not written. Called by the journal's thread."""
        log.info("journal_append_failed", error=str(error), entries=len(entries))
        if isinstance(error, Unavailable):
            with contextlib.suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(self.unrecorded.keep, entries)

    def facts(self, mode: Mode, target: Target) -> Facts:
        """Gather what the guard must know about a target now."""
        lease = self.leases.get(target.device)
        samples = self.interlocks
        name = str(target)
        current = samples.get(name)
        return Facts(
            now_monotonic_ns=monotonic_ns(),
            mode=mode,
            lease_live=lease.live if lease is not None else True,
            samples=samples,
            current=current.value if current is not None and current.good else None,
            pending=self.changes.pending(name, current),
            changes=self.changes.of(name),
        )

    async def refresh(self, devices: Iterable[str], timeout_s: float) -> None:
        """Read the interlocks' tags of some devices now; what does not come in time stays old."""
        monitors = [self.monitors[name] for name in devices if name in self.monitors]
        if not monitors:
            return
        try:
            async with asyncio.timeout(timeout_s):
                await asyncio.gather(*(monitor.refresh() for monitor in monitors))
        except TimeoutError:
            log.info("interlocks_not_refreshed", devices=[one.name for one in monitors])

    def issue(self, device: str, writes: tuple[Write, ...], expires_ns: int) -> Permit:
        """Issue a permit; call only with a ruling that allows the writes."""
        return self.permits.issue(device, writes, expires_monotonic_ns=expires_ns)


def alarm_recorder(cell: Callable[[], Cell]) -> Callable[[Alarm], None]:
    """Return what journals alarms of a cell that is still being built."""

    def record(alarm: Alarm) -> None:
        cell().record(alarm, subject=alarm.source)

    return record
