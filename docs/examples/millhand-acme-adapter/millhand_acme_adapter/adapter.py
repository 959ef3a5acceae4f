"""The adapter ``acme.scale``: the Tags face of one scale."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Mapping, Sequence
from time import monotonic_ns, time_ns
from types import TracebackType
from typing import ClassVar, Self

from pydantic import BaseModel

from millhand.contracts import (
    Health,
    Link,
    Permit,
    Quality,
    Sample,
    TagInfo,
    Value,
    Write,
    WriteResult,
    WriteStatus,
)
from millhand.errors import Unavailable
from millhand_acme_adapter.config import ScaleConfig, ScaleTag
from millhand_acme_adapter.link import LineLink
from millhand_acme_adapter.protocol import Reading, answer, order, question

_AWAY = Reading(None, Quality.DISCONNECTED)


class Scale:
    """Weight and tare of one scale; only the tare can be written."""

    Config: ClassVar[type[BaseModel]] = ScaleConfig
    Tag: ClassVar[type[BaseModel]] = ScaleTag

    def __init__(self, name: str, config: ScaleConfig, tags: Mapping[str, ScaleTag]) -> None:
        self._name = name
        self._config = config
        self._tags = dict(tags)
        self._link = LineLink(config.host, config.port, config.timeout_s)

    async def __aenter__(self) -> Self:
        await self._link.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._link.stop()

    def health(self) -> Health:
        """Say how the link is, at once and without I/O."""
        return self._link.health

    async def browse(self) -> Sequence[TagInfo]:
        """List what every scale of this kind has."""
        unit = self._config.unit
        return [
            TagInfo(address="weight", type="float", writable=False, unit=unit),
            TagInfo(address="tare", type="float", writable=True, unit=unit),
        ]

    # --- reading ---

    async def read(self, tags: Sequence[str]) -> Sequence[Sample]:
        """Read tags in order; see :meth:`millhand.contracts.Tags.read`."""
        return [self._sample(tag, await self._reading(tag)) for tag in tags]

    async def _reading(self, tag: str) -> Reading:
        if tag not in self._tags:
            return Reading(None, Quality.BAD, "unknown tag")
        address = self._tags[tag].address
        try:
            async with self._link.turn:
                line = await self._link.ask(question(address))
        except (Unavailable, OSError):
            return _AWAY
        return answer(address, line, self._config.unit)

    def _sample(
        self,
        tag: str,
        reading: Reading,
        *,
        initial: bool = False,
        gap: bool = False,
        unchanged_ns: int | None = None,
    ) -> Sample:
        return Sample(
            tag=tag,
            value=reading.value,
            quality=reading.quality,
            note=reading.note,
            received_utc_ns=time_ns(),
            received_monotonic_ns=monotonic_ns(),
            unchanged_monotonic_ns=unchanged_ns,
            initial=initial,
            gap=gap,
            epoch=self._link.health.epoch,
        )

    async def subscribe(
        self, tags: Sequence[str], interval_s: float
    ) -> AsyncIterator[Sequence[Sample]]:
        """Poll, and yield what changed; see :meth:`millhand.contracts.Tags.subscribe`."""
        seen: dict[str, Reading] = {}
        told_epoch, looked_ns = 0, None
        while True:
            epoch, began_ns = self._link.health.epoch, monotonic_ns()
            found = {tag: await self._reading(tag) for tag in tags}
            away = _AWAY in found.values() or epoch != self._link.health.epoch
            if away:
                found = dict.fromkeys(tags, _AWAY)
            new = not away and epoch != told_epoch
            changed = tags if new else [tag for tag in tags if found[tag] != seen.get(tag)]
            if changed:
                yield [
                    self._sample(
                        tag,
                        found[tag],
                        initial=new,
                        gap=new and bool(seen),
                        unchanged_ns=None if new else looked_ns,
                    )
                    for tag in changed
                ]
            seen, looked_ns = found, began_ns
            if away:
                await self._link.newer_than(epoch)
            else:
                told_epoch = epoch
                await asyncio.sleep(interval_s - (monotonic_ns() - began_ns) / 1e9)

    def effective_interval_s(self, interval_s: float) -> float:
        """Say how stale a change can really be: the pause, and the way to the scale and back."""
        return interval_s + self._link.round_trip_s

    # --- writing ---

    async def write(self, permit: Permit) -> WriteResult:
        """Check, redeem, send, once; see :meth:`millhand.contracts.Tags.write`."""
        for write in permit.writes:
            refusal = self._refusal(write)
            if refusal:
                return WriteResult(status=WriteStatus.REJECTED, detail=refusal)
        sent: list[Value] = []
        async with self._link.turn:
            if self.health().link is not Link.UP:
                return WriteResult(status=WriteStatus.NOT_SENT, detail=self.health().detail)
            for write in permit.redeem(self._name):
                status, detail = await self._send(write)
                if status is not WriteStatus.APPLIED:
                    # After a first write went out, no other word would be the truth.
                    status = WriteStatus.UNKNOWN if sent else status
                    left = () if status is WriteStatus.NOT_SENT else (write.value,)
                    return WriteResult(status=status, detail=detail, sent=(*sent, *left))
                sent.append(write.value)
        return WriteResult(
            status=WriteStatus.APPLIED, sent=tuple(sent), finished_monotonic_ns=monotonic_ns()
        )

    def _refusal(self, write: Write) -> str:
        """Say why a write cannot be sent; empty where it can."""
        tag = self._tags.get(write.tag)
        if tag is None or tag.address != "tare":
            return f"{write.tag} cannot be written"
        if isinstance(write.value, bool) or not isinstance(write.value, int | float):
            return f"{write.value!r} is no number"
        if not (math.isfinite(write.value) and 0 <= write.value <= self._config.capacity):
            return f"{write.value} is outside 0 to {self._config.capacity} {self._config.unit}"
        return ""

    async def _send(self, write: Write) -> tuple[WriteStatus, str]:
        """Send one write. The scale's answer repeats the value that it took: an echo."""
        assert isinstance(write.value, int | float)
        address, unit = self._tags[write.tag].address, self._config.unit
        try:
            line = await self._link.ask(order(address, write.value, unit))
        except Unavailable as error:
            return WriteStatus.NOT_SENT, str(error)
        except OSError as error:
            return WriteStatus.UNKNOWN, str(error) or "no answer"
        reading = answer(address, line, unit)
        if reading.value is None:
            return WriteStatus.REJECTED, reading.note
        if math.isclose(reading.value, write.value, abs_tol=0.001):
            return WriteStatus.APPLIED, ""
        return WriteStatus.UNKNOWN, f"the scale took {reading.value} instead of {write.value}"
