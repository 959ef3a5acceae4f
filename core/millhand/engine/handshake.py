"""The handshake with a PLC over plain tags: trigger snapshots, command records, the answer ring.

The records are specified in ``docs/reference/plc-handshake.md``. Every controller that can read and
write tags gets the handshake from here; no adapter implements it again.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

import structlog

from millhand.contracts import (
    Answer,
    AnswerCode,
    Command,
    PartTrigger,
    Permit,
    Quality,
    Sample,
    Tags,
    Value,
    Write,
    WriteResult,
)
from millhand.engine.bindings import ChannelBinding, Target
from millhand.errors import Unavailable
from millhand.messages import tr

log = structlog.get_logger(__name__)

RING = 16
"""How many answers a PLC keeps."""
LONGEST_TEXT = 254
"""Most characters that are taken of a text from a PLC: the longest STRING of common PLCs."""
_SEQ_WRAP = 2**31


def command_writes(channel: ChannelBinding, command: Command) -> tuple[Write, ...]:
    """The record's fields in the order in which they must be written, the id last."""
    return (
        Write(tag=channel.tag("part_id"), value=command.part_id),
        Write(tag=channel.tag("result"), value=command.result),
        Write(tag=channel.tag("valid_until"), value=command.valid_until),
        Write(tag=channel.tag("id"), value=command.id),
    )


def integer(value: Value) -> int:
    """Return a whole number, or raise ``Unavailable`` for anything else."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unavailable(tr("{value!r} is not a whole number.", value=value))
    return value


class TriggerWatch:
    """Turns a trigger record into part triggers, each one consistent snapshot.

    Args:
        device: the controller.
        source: device and record: ``plc.trigger``.
        poll_s: how often to look.
        last_seq: the last sequence number that has a disposition, or None when there is none;
            what the PLC counted beyond it is reported as missed.
    """

    def __init__(
        self, device: Tags, source: Target, *, poll_s: float, last_seq: int | None
    ) -> None:
        self._device = device
        self._source = source
        self._poll_s = poll_s
        self.last_seq = last_seq
        self.epoch = 0
        """Session that the newest record came by: after a restart the PLC may count anew."""
        self.ready = asyncio.Event()
        """Set once the standing record is known, so that the next trigger cannot be missed."""
        seq, *rest = (f"{source.item}.{name}" for name in ("seq", "part_id", "product", "tick"))
        self._seq_tag = seq
        self._record_tags = [seq, *rest, seq]

    async def triggers(self) -> AsyncIterator[PartTrigger | range]:
        """Yield each part's trigger; a ``range`` of sequence numbers says which were missed.

        After a (re)connect the record that stands is old news: its part has no known time, so
        that it counts as missed unless its sequence number was seen before.
        """
        async for (seq,) in self._device.subscribe([self._seq_tag], self._poll_s):
            self.ready.set()
            if not seq.good:
                continue
            self.epoch = seq.epoch
            if seq.initial:
                for missed in self._resume(integer(seq.value)):
                    yield missed
                continue
            if seq.value == self.last_seq:
                continue
            trigger = await self._snapshot(seq)
            if trigger is None:
                continue
            missed_before = self._gap(trigger.trigger_seq)
            self.last_seq = trigger.trigger_seq
            if missed_before:
                yield missed_before
            yield trigger

    def _resume(self, standing: int) -> Sequence[range]:
        before, self.last_seq = self.last_seq, standing
        if before is None or standing == before:
            return []
        if standing < before:
            log.warning("trigger_count_restarted", source=str(self._source), now=standing)
            return [range(1, standing + 1)] if standing else []
        return [range(before + 1, standing + 1)]

    def _gap(self, seq: int) -> range | None:
        if self.last_seq is None or seq <= self.last_seq + 1:
            return None
        return range(self.last_seq + 1, seq)

    async def _snapshot(self, seen: Sample) -> PartTrigger | None:
        for _ in range(5):
            samples = await self._device.read(self._record_tags)
            before, part, product, tick, after = samples
            if not all(sample.quality is Quality.GOOD for sample in samples):
                return None
            if before.value == after.value:
                return PartTrigger(
                    source=str(self._source),
                    trigger_seq=integer(before.value),
                    part_id=_text(part.value),
                    product=_text(product.value) or None,
                    plc_tick=integer(tick.value),
                    detected_utc_ns=seen.received_utc_ns,
                    detected_monotonic_ns=seen.received_monotonic_ns,
                    poll_delay_ns=self._delay_ns(seen),
                    epoch=seen.epoch,
                )
        return None

    def _delay_ns(self, seen: Sample) -> int:
        if seen.unchanged_monotonic_ns is not None:
            return seen.received_monotonic_ns - seen.unchanged_monotonic_ns
        return int(self._device.effective_interval_s(self._poll_s) * 1_000_000_000)


class CommandChannel:
    """Sends command records, one at a time, and reads what the PLC answered.

    Args:
        device: the controller.
        binding: the record's names and its confirmation.
        on_gate: called with each answer that says what became of a part at the gate.
    """

    def __init__(
        self,
        device: Tags,
        binding: ChannelBinding,
        *,
        on_gate: Callable[[ChannelBinding, Answer], None],
    ) -> None:
        self.device = device
        self.binding = binding
        self.turn = asyncio.Lock()
        """One command is in flight; hold this from sending until answered."""
        self.reconciled = asyncio.Event()
        """Set once the answers that stood were read: from then on commands may be sent."""
        if not binding.answers:
            self.reconciled.set()
        self.lost_answers = 0
        self._on_gate = on_gate
        self._count: int | None = None
        self._waiting: dict[int, asyncio.Future[Answer]] = {}
        self._asked = asyncio.Event()
        self._looking = asyncio.Lock()
        """Held while the ring is read: an older count must not be taken after a newer one."""
        names = ("count", "command_id", "part_id", "code", "tick")
        self._answer_tags = [binding.tag(f"answers.{name}") for name in names]

    async def send(self, permit: Permit) -> WriteResult:
        """Write the record. Never retried."""
        return await self.device.write(permit)

    def expect(self, command_id: int) -> asyncio.Future[Answer]:
        """Return a future for the answer; ask before sending, so that none can slip through."""
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._waiting[command_id] = future
        return future

    async def look(self) -> None:
        """Look for answers now, and let :meth:`follow` look often while one is awaited."""
        with contextlib.suppress(Unavailable):
            await self._look()
        if self._waiting:
            self._asked.set()

    def forget(self, command_id: int) -> None:
        """Stop waiting for an answer."""
        self._waiting.pop(command_id, None)

    async def ring(self) -> list[Answer]:
        """Read the answers that stand, oldest first.

        Raises:
            Unavailable: the ring cannot be read now.
        """
        count, columns = await self._read_ring()
        if self._count is None:
            self._count = count
        return _answers(columns, max(0, count - RING), count)

    async def standing_id(self) -> int:
        """Read the id of the last command that was written, 0 where it cannot be read."""
        (sample,) = await self.device.read([self.binding.tag("id")])
        known = sample.good and isinstance(sample.value, int)
        return int(sample.value) if known else 0  # type: ignore[arg-type]

    async def follow(self, idle_s: float = 0.1) -> None:
        """Read new answers for ever: often while one is awaited, else every ``idle_s``."""
        while True:
            try:
                await self._look()
            except Unavailable:
                await asyncio.sleep(idle_s)
                continue
            if not self._waiting:
                await self._idle(idle_s)
            if self._waiting:
                await asyncio.sleep(self.binding.poll_s)

    async def _idle(self, idle_s: float) -> None:
        """Return after a pause, or as soon as an answer is awaited."""
        self._asked.clear()
        alarm_clock = asyncio.get_running_loop().call_later(idle_s, self._asked.set)
        try:
            await self._asked.wait()
        finally:
            alarm_clock.cancel()

    async def _look(self) -> None:
        async with self._looking:
            count, columns = await self._read_ring()
            self._take(count, columns)

    async def _read_ring(self) -> tuple[int, _Columns]:
        count, *columns = await self.device.read(self._answer_tags)
        if not (count.good and all(column.good for column in columns)):
            raise Unavailable(
                tr("The answers of {channel} cannot be read.", channel=self.binding.target)
            )
        return integer(count.value), [_array(column) for column in columns]

    def _take(self, count: int, columns: _Columns) -> None:
        before, self._count = self._count, count
        if before == count:
            return
        if before is None or count < before:
            before = max(0, count - RING) if self._waiting else count
        if count - before > RING:
            self.lost_answers += count - before - RING
            before = count - RING
        for answer in _answers(columns, before, count):
            if answer.code in _GATE:
                self._on_gate(self.binding, answer)
            waiting = self._waiting.pop(answer.command_id, None)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)


_Columns = list[list[None | bool | int | float | str]]
"""Command ids, parts, codes and ticks of the ring's slots."""


def _answers(columns: _Columns, first: int, end: int) -> list[Answer]:
    """Read the answers numbered ``first`` to ``end`` - 1 out of the ring."""
    ids, parts, codes, ticks = columns
    return [
        Answer(
            command_id=integer(ids[number % RING]),
            part_id=_text(parts[number % RING]),
            code=_code(codes[number % RING]),
            plc_tick=integer(ticks[number % RING]),
        )
        for number in range(first, end)
    ]


_GATE = frozenset({AnswerCode.EXECUTED, AnswerCode.DEFAULTED, AnswerCode.BYPASSED})


def _text(value: Value) -> str:
    """Text from a PLC: an empty one for nothing, and NUL shown, which no database takes.

    A longer one than a PLC can hold is cut, so that nobody fills the journal with it; a command for
    such a part names none that the PLC knows.
    """
    text = "" if value is None else str(value).replace("\0", "␀")
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def _code(value: Value) -> AnswerCode:
    try:
        return AnswerCode(integer(value))
    except ValueError as error:
        raise Unavailable(tr("{value!r} is no answer code.", value=value)) from error


def _array(sample: Sample) -> list[None | bool | int | float | str]:
    if not isinstance(sample.value, list) or len(sample.value) < RING:
        raise Unavailable(tr("{tag} is not an array of {size}.", tag=sample.tag, size=RING))
    return sample.value


def valid_until(trigger: PartTrigger, deadline_ns: int, tick_ns: int) -> int:
    """PLC tick after which the PLC must refuse the result, counted from the trigger's tick."""
    return (trigger.plc_tick + deadline_ns // tick_ns) % _SEQ_WRAP
