"""What brings triggers to an agent: part triggers, edges, timers, documents, events."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic_ns, time_ns

from millhand.contracts import (
    DocumentArrived,
    EventArrived,
    PartTrigger,
    Records,
    Sample,
    TagEdge,
    Tags,
    TimerTick,
    TriggerKind,
)
from millhand.engine.bindings import TriggerBinding
from millhand.engine.cell import Cell
from millhand.engine.handshake import TriggerWatch
from millhand.engine.runner import AgentRunner
from millhand.errors import InternalError
from millhand.journal.records import Published

_EDGE_POLL_S = 0.02


def source_of(
    cell: Cell,
    runner: AgentRunner,
    trigger: TriggerBinding,
    *,
    last_seq: int | None,
    last_event: int,
) -> Callable[[], Awaitable[None]]:
    """Return what to run so that ``trigger`` sets ``runner`` to work.

    Args:
        cell: what the runners share.
        runner: the agent's.
        trigger: what the scenario says under ``when``.
        last_seq: last trigger sequence number that has a disposition.
        last_event: place in the journal of the last event that the agent has consumed.
    """
    match trigger.kind:
        case TriggerKind.PART:
            return _Parts(cell, runner, trigger, last_seq).run
        case TriggerKind.EDGE:
            return lambda: _edges(cell, runner, trigger)
        case TriggerKind.TIMER:
            return lambda: _timer(runner, trigger)
        case TriggerKind.DOCUMENT:
            return lambda: _documents(cell, runner, trigger)
        case TriggerKind.EVENT:
            return _Events(cell, runner, trigger, last_event).run


class _Parts:
    """Part triggers; what was seen survives a restart of this source."""

    def __init__(
        self, cell: Cell, runner: AgentRunner, trigger: TriggerBinding, last_seq: int | None
    ) -> None:
        assert trigger.target is not None
        device = cell.devices[trigger.target.device]
        if not isinstance(device, Tags):
            raise InternalError(f"{trigger.source} is not on a device with tags")
        self._runner = runner
        self._source = trigger.source
        self._watch = TriggerWatch(
            device, trigger.target, poll_s=trigger.every_s, last_seq=last_seq
        )

    async def run(self) -> None:
        async for trigger in self._watch.triggers():
            if isinstance(trigger, PartTrigger):
                self._runner.offer(trigger)
            else:
                self._runner.missed(self._source, trigger)


async def _edges(cell: Cell, runner: AgentRunner, trigger: TriggerBinding) -> None:
    assert trigger.target is not None
    before: Sample | None = None
    device = cell.devices[trigger.target.device]
    async for batch in device.subscribe([trigger.target.item], _EDGE_POLL_S):
        for sample in batch:
            changed = before is not None and sample.value != before.value
            if sample.good and not sample.initial and changed:
                runner.offer(TagEdge(source=trigger.source, before=before, now=sample))
            if sample.good:
                before = sample


async def _timer(runner: AgentRunner, trigger: TriggerBinding) -> None:
    period_ns = round(trigger.every_s * 1e9)
    due_ns, count = monotonic_ns() + period_ns, 0
    while True:
        await asyncio.sleep(max(0.0, (due_ns - monotonic_ns()) / 1e9))
        count += 1
        runner.offer(
            TimerTick(
                source=trigger.source,
                count=count,
                due_utc_ns=time_ns(),
                due_monotonic_ns=due_ns,
            )
        )
        behind = max(0, (monotonic_ns() - due_ns) // period_ns)
        due_ns += (1 + behind) * period_ns


async def _documents(cell: Cell, runner: AgentRunner, trigger: TriggerBinding) -> None:
    assert trigger.target is not None
    device = cell.devices[trigger.target.device]
    if not isinstance(device, Records):
        raise InternalError(f"{trigger.source} does not receive documents")
    async for reference, content in device.receive():
        await asyncio.to_thread(cell.blobs.put_document, content)
        runner.offer(DocumentArrived(source=trigger.source, document=reference))


class _Events:
    """Events of other agents: a cursor over the journal, so that none is lost."""

    def __init__(
        self, cell: Cell, runner: AgentRunner, trigger: TriggerBinding, last_event: int
    ) -> None:
        self._cell = cell
        self._runner = runner
        self._trigger = trigger
        self._after = last_event

    async def run(self) -> None:
        cursor = self._cell.journal.cursor(after=self._after, kinds=("event",))
        async for entry in cursor:
            self._after = entry.seq
            record = entry.record
            if isinstance(record, Published) and entry.subject == self._trigger.event:
                self._runner.offer(
                    EventArrived(
                        source=self._trigger.source, event=record.event, entry_seq=entry.seq
                    )
                )
