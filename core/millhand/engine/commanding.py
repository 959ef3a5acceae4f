"""Send a part's command and wait for the PLC's answer, once its intent is durable."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from time import monotonic_ns

from millhand.contracts import Answer, AnswerCode, Command, Mode, Write, WriteStatus
from millhand.engine.bindings import Confirm
from millhand.engine.cell import Cell
from millhand.engine.effects import WRITE_OUTCOMES, Effect, outcome_of
from millhand.engine.handshake import CommandChannel
from millhand.engine.judging import Judge
from millhand.errors import NotAllowed
from millhand.journal.records import Judged, OutcomeStatus
from millhand.messages import tr


class Commander:
    """Sends command records: each at most once, none after its deadline."""

    def __init__(self, cell: Cell, judge: Judge) -> None:
        self._cell = cell
        self._judge = judge

    async def send(
        self,
        judged: Judged,
        command: Command,
        mode: Mode,
        deadline_ns: int,
        stages: dict[str, int],
        started_ns: int,
        effect: Effect,
    ) -> None:
        """Check again what may have changed, send, and wait for the answer.

        ``stages`` receives the ends of the stages in nanoseconds since ``started_ns``.
        """
        channel = self._cell.channels[judged.target]
        async with channel.turn:
            target = channel.binding.target
            ruling = self._judge.ruling(judged.action, target, mode, deadline_ns)
            stages["checked"] = monotonic_ns() - started_ns
            if not ruling.allowed:
                effect.status = (
                    OutcomeStatus.EXPIRED if ruling.rule == "deadline" else OutcomeStatus.REFUSED
                )
                effect.detail, effect.rulings = ruling.reason, (ruling,)
                return
            if not channel.reconciled.is_set():
                effect.detail = tr("The PLC's answers have not been read since the start.")
                return
            answer = channel.expect(command.id)
            self._count_write(judged.target)
            try:
                permit = self._cell.issue(target.device, judged.writes, deadline_ns)
                try:
                    effect.result = await channel.send(permit)
                except NotAllowed as error:
                    effect.status, effect.detail = OutcomeStatus.EXPIRED, str(error)
                    return
                stages["sent"] = monotonic_ns() - started_ns
                await self._confirm(channel, answer, judged.writes, deadline_ns, effect)
                stages["answered"] = monotonic_ns() - started_ns
            finally:
                channel.forget(command.id)

    def _count_write(self, channel: str) -> None:
        """Enter a command in the book, where the scenario limits how many there may be."""
        limits = self._cell.limits.get(channel)
        if limits is not None and limits.writes is not None:
            changes = self._cell.changes
            changes.ended(channel, changes.enter(channel, None, None), changed=True)

    async def _confirm(
        self,
        channel: CommandChannel,
        answer: asyncio.Future[Answer],
        writes: Sequence[Write],
        deadline_ns: int,
        effect: Effect,
    ) -> None:
        assert effect.result is not None
        if effect.result.status in (WriteStatus.NOT_SENT, WriteStatus.REJECTED):
            effect.status = WRITE_OUTCOMES[effect.result.status]
            effect.detail = effect.result.detail
            return
        if channel.binding.confirm is Confirm.READBACK:
            await self._read_back(channel, writes, effect)
            return
        if channel.binding.confirm is Confirm.NONE:
            effect.status = WRITE_OUTCOMES[effect.result.status]
            return
        grace_ns = 5 * channel.binding.tick_ns + int(2e9 * channel.binding.poll_s)
        timeout_s = max(0.0, (deadline_ns + grace_ns - monotonic_ns()) / 1e9)
        try:
            async with asyncio.timeout(timeout_s) as limit:
                await channel.look()
                if not limit.expired():  # a driver may have swallowed the cancellation
                    effect.answer = await answer
        except TimeoutError:
            pass
        if effect.answer is None and answer.done() and not answer.cancelled():
            effect.answer = answer.result()
        if effect.answer is None:
            effect.status = OutcomeStatus.UNKNOWN
            effect.detail = tr("No answer came; the part takes its default.")
            return
        effect.status = outcome_of(effect.answer.code)
        if channel.binding.confirm is Confirm.SENSOR and effect.answer.code is AnswerCode.ACCEPTED:
            # Taken by the program; that the part went that way is for the gate's entry to say.
            effect.status = OutcomeStatus.SENT
        if effect.status is not OutcomeStatus.CONFIRMED:
            effect.detail = effect.answer.code.name.lower()

    async def _read_back(
        self, channel: CommandChannel, writes: Sequence[Write], effect: Effect
    ) -> None:
        samples = await channel.device.read([write.tag for write in writes])
        same = all(
            sample.good and sample.value == write.value
            for sample, write in zip(samples, writes, strict=True)
        )
        effect.status = OutcomeStatus.CONFIRMED if same else OutcomeStatus.UNKNOWN
        if not same:
            effect.detail = tr("The record does not read back as it was written.")
