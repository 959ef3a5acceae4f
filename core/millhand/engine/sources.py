"""What brings triggers to an agent: part triggers, edges, timers, documents, events."""

from __future__ import annotations

import asyncio
from time import monotonic_ns, time_ns
from typing import Protocol

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
from millhand.engine.bindings import Target, TriggerBinding
from millhand.engine.cell import Cell
from millhand.engine.handshake import TriggerWatch
from millhand.engine.runner import AgentRunner
from millhand.errors import InternalError
from millhand.journal.records import Published

_EDGE_POLL_S = 0.005
_TRY_AGAIN_S = 1.0


class Source(Protocol):
    """Brings triggers to an agent."""

    ready: asyncio.Event
    """Set once nothing that happens from now on will be missed."""

    async def run(self) -> None:
        """Bring triggers, for ever."""
        ...


def source_of(
    cell: Cell,
    runner: AgentRunner,
    trigger: TriggerBinding,
    *,
    last_seq: int | None,
    last_event: int,
) -> Source:
    """Return what brings ``trigger`` to ``runner``.

    Args:
        cell: what the runners share.
        runner: the agent's.
        trigger: what the scenario says under ``when``.
        last_seq: last trigger sequence number that has a disposition.
        last_event: place in the journal of the last event that the agent has consumed.
    """
    match trigger.kind:
        case TriggerKind.PART:
            return _Parts(cell, runner, trigger, last_seq)
        case TriggerKind.EDGE:
            return _Edges(cell, runner, trigger)
        case TriggerKind.TIMER:
            return _Timer(runner, trigger)
        case TriggerKind.DOCUMENT:
            return _Documents(cell, runner, trigger)
        case TriggerKind.EVENT:
            return _Events(cell, runner, trigger, last_event)


def _tags(cell: Cell, trigger: TriggerBinding) -> tuple[Tags, Target]:
    assert trigger.target is not None
    device = cell.devices[trigger.target.device]
    if not isinstance(device, Tags):
        raise InternalError(f"{trigger.source} is not on a device with tags")
    return device, trigger.target


class _Parts:
    """Part triggers; what was seen survives a restart of this source."""

    def __init__(
        self, cell: Cell, runner: AgentRunner, trigger: TriggerBinding, last_seq: int | None
    ) -> None:
        device, target = _tags(cell, trigger)
        self._runner = runner
        self._source = trigger.source
        self._watch = TriggerWatch(device, target, poll_s=trigger.every_s, last_seq=last_seq)
        self.ready = self._watch.ready

    async def run(self) -> None:
        async for trigger in self._watch.triggers():
            if isinstance(trigger, PartTrigger):
                self._runner.offer(trigger)
            else:
                self._runner.missed(self._source, trigger, self._watch.epoch)


class _Edges:
    """Changes of a tag. Values that are not good are no edge, nor is the first after a gap."""

    def __init__(self, cell: Cell, runner: AgentRunner, trigger: TriggerBinding) -> None:
        self._device, self._target = _tags(cell, trigger)
        self._runner = runner
        self._source = trigger.source
        self.ready = asyncio.Event()

    async def run(self) -> None:
        before: Sample | None = None
        async for batch in self._device.subscribe([self._target.item], _EDGE_POLL_S):
            self.ready.set()
            for sample in batch:
                if not sample.good:
                    continue
                changed = before is not None and sample.value != before.value
                if changed and not sample.initial:
                    edge = TagEdge(source=self._source, before=before, now=sample)
                    self._runner.offer(edge)
                before = sample


class _Timer:
    """A tick each period, without drift; periods that were slept over are left out."""

    def __init__(self, runner: AgentRunner, trigger: TriggerBinding) -> None:
        self._runner = runner
        self._source = trigger.source
        self._period_ns = round(trigger.every_s * 1e9)
        self.ready = asyncio.Event()

    async def run(self) -> None:
        self.ready.set()
        due_ns, count = monotonic_ns() + self._period_ns, 0
        while True:
            await asyncio.sleep(max(0.0, (due_ns - monotonic_ns()) / 1e9))
            count += 1
            self._runner.offer(
                TimerTick(
                    source=self._source,
                    count=count,
                    due_utc_ns=time_ns(),
                    due_monotonic_ns=due_ns,
                )
            )
            slept_over = max(0, (monotonic_ns() - due_ns) // self._period_ns)
            due_ns += (1 + slept_over) * self._period_ns


class _Documents:
    """Documents received, one after another, so that none is lost.

    Each lies in the blob store before its agent hears of it, and the next is asked for, which
    acknowledges the one before, only when what was decided is in the journal.
    """

    def __init__(self, cell: Cell, runner: AgentRunner, trigger: TriggerBinding) -> None:
        assert trigger.target is not None
        device = cell.devices[trigger.target.device]
        if not isinstance(device, Records):
            raise InternalError(f"{trigger.source} does not receive documents")
        self._device = device
        self._cell = cell
        self._runner = runner
        self._source = trigger.source
        self.ready = asyncio.Event()

    async def run(self) -> None:
        self.ready.set()
        async for reference, content in self._device.receive():
            await asyncio.to_thread(self._cell.blobs.put_document, content)
            trigger = DocumentArrived(source=self._source, document=reference)
            await self._decided(trigger)

    async def _decided(self, trigger: DocumentArrived) -> None:
        """Return once a decision is in the journal; a full queue or disk only delays it."""
        while True:
            work = self._runner.offer(trigger)
            await work.settled.wait()
            if work.durable and not work.dropped:
                return
            await asyncio.sleep(_TRY_AGAIN_S)


class _Events:
    """Events of other agents: a cursor over the journal, so that none is lost."""

    def __init__(
        self, cell: Cell, runner: AgentRunner, trigger: TriggerBinding, last_event: int
    ) -> None:
        self._cell = cell
        self._runner = runner
        self._trigger = trigger
        self._after = last_event
        self.ready = asyncio.Event()

    async def run(self) -> None:
        self.ready.set()
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
