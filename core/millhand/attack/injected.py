"""Devices that lie, stall and stand still on command, around the scenario's real ones.

They live in the attacked engine's process. What they do is in ``Orders``, which the attacker sets
through the process's standard input.
"""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self

import msgspec
import numpy as np

from millhand.contracts import CaptureRequest, Frame, Permit, Quality, Sample, WriteResult
from millhand.errors import Unavailable
from millhand.journal.blobs import frame_hash


@dataclass(slots=True)
class Orders:
    """What is to be done now; empty words do nothing."""

    camera: str = ""
    """``missing``, ``late``, ``black``, ``small``, ``another``: what is wrong with pictures."""
    values: str = ""
    """``nan``, ``bad``, ``uncertain``, ``old``, ``text``, ``long``: what is wrong with values."""
    tags: frozenset[str] = frozenset()
    """The tags that it is about."""
    write: str = ""
    """``freeze``: this process stops before the next command's first byte; ``refuse``."""
    frozen: dict[str, Sample] = field(default_factory=dict)
    """Samples of before, for ``old``."""


class _Around:
    """A device around another one: the same but for what a class of this overrides."""

    def __init__(self, inner: Any, orders: Orders) -> None:
        self._inner = inner
        self._orders = orders

    async def __aenter__(self) -> Self:
        await self._inner.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._inner.__aexit__(kind, error, trace)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


class InjectedCamera(_Around):
    """A camera around another one."""

    def __init__(self, inner: Any, orders: Orders) -> None:
        super().__init__(inner, orders)
        self._before: Frame | None = None

    async def capture(self, request: CaptureRequest) -> Frame:
        """Expose, and spoil what comes."""
        order = self._orders.camera
        if order == "missing":
            raise Unavailable("no picture: injected")
        if order == "late":
            await asyncio.sleep(60)
        frame: Frame = await self._inner.capture(request)
        before, self._before = self._before, frame
        if order == "another" and before is not None:
            return before  # the picture of the part before, with its own trigger's number
        if order == "black":
            return _with(frame, np.zeros_like(frame.pixels))
        if order == "small":
            return _with(frame, np.ascontiguousarray(frame.pixels[:8, :8]))
        return frame


def _with(frame: Frame, pixels: Any) -> Frame:
    height, width, channels = pixels.shape
    ref = msgspec.structs.replace(
        frame.ref, sha256=frame_hash(pixels), height=height, width=width, channels=channels
    )
    return Frame(ref, pixels)


class InjectedTags(_Around):
    """A controller around another one."""

    async def read(self, tags: Sequence[str]) -> Sequence[Sample]:
        """Read, and spoil what comes."""
        samples = await self._inner.read(tags)
        return [self._spoilt(sample) for sample in samples]

    def _spoilt(self, sample: Sample) -> Sample:
        orders, replace = self._orders, msgspec.structs.replace
        if not orders.values or sample.tag not in orders.tags:
            return sample
        match orders.values:
            case "nan":
                return replace(sample, value=float("nan"))
            case "text":
                return replace(sample, value="6; DROP TABLE entry")
            case "long":
                return replace(sample, value="A" * 1_000_000)
            case "bad":
                return replace(sample, quality=Quality.BAD, status=0x80000000)
            case "uncertain":
                return replace(sample, quality=Quality.UNCERTAIN, status=0x40000000)
            case "old":
                return orders.frozen.setdefault(sample.tag, sample)
        return sample

    async def write(self, permit: Permit) -> WriteResult:
        """Write, after a pause in which this whole process stands still."""
        command = any(write.tag.endswith(".id") for write in permit.writes)
        if command and self._orders.write == "freeze":
            self._orders.write = ""
            os.kill(os.getpid(), signal.SIGSTOP)
        result: WriteResult = await self._inner.write(permit)
        return result
