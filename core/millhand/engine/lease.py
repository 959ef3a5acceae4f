"""The lease: a counter that tells the PLC, again and again, that someone is there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic_ns

from millhand.contracts import Permit, Tags, Write, WriteStatus
from millhand.engine.bindings import LeaseBinding
from millhand.errors import NotAllowed


class Lease:
    """Renews a device's lease while the engine is healthy.

    Args:
        ready: whether agents run and devices are up.
        in_control: whether an agent that commands this device is in mode *control*.
        permit: issues a permit for the three writes.
    """

    MISSED_RENEWALS = 3

    def __init__(
        self,
        device: Tags,
        binding: LeaseBinding,
        *,
        ready: Callable[[], bool],
        in_control: Callable[[], bool],
        permit: Callable[[str, tuple[Write, ...], int], Permit],
    ) -> None:
        self.binding = binding
        self._device = device
        self._ready = ready
        self._in_control = in_control
        self._permit = permit
        self._counter = 0
        self._renewed_ns: int | None = None
        self._changed = asyncio.Event()
        self._told: list[asyncio.Future[None]] = []

    @property
    def live(self) -> bool:
        """Whether the device took a renewal not long ago."""
        if self._renewed_ns is None:
            return False
        limit_ns = int(self.binding.every_s * self.MISSED_RENEWALS * 1e9)
        return monotonic_ns() - self._renewed_ns < limit_ns

    def announce(self) -> None:
        """Renew now, because readiness or control has changed."""
        self._changed.set()

    async def announced(self) -> None:
        """Wait until the device has taken a renewal that says what is so now."""
        told = asyncio.get_running_loop().create_future()
        self._told.append(told)
        self.announce()
        await told

    async def renew(self) -> None:
        """Renew once."""
        waiting, self._told = self._told, []
        try:
            if await self._renew():
                for told in waiting:
                    if not told.done():
                        told.set_result(None)
                waiting = []
        finally:
            self._told += waiting

    async def _renew(self) -> bool:
        """Renew once; whether the device took it."""
        self._counter = self._counter % (2**31 - 1) + 1
        writes = (
            Write(tag="lease.ready", value=self._ready()),
            Write(tag="lease.in_control", value=self._in_control()),
            Write(tag="lease.counter", value=self._counter),
        )
        expires_ns = monotonic_ns() + int(self.binding.every_s * 1e9)
        try:
            result = await self._device.write(self._permit(self.binding.device, writes, expires_ns))
        except NotAllowed:
            # This process stood still for longer than the permit lived; the next one is fresh.
            return False
        if result.status not in (WriteStatus.SENT, WriteStatus.APPLIED):
            return False
        self._renewed_ns = monotonic_ns()
        return True

    async def run(self) -> None:
        """Renew for ever."""
        while True:
            # Before the renewal, not after it: what changes while it is under way is news.
            self._changed.clear()
            await self.renew()
            try:
                async with asyncio.timeout(self.binding.every_s):
                    await self._changed.wait()
            except TimeoutError:
                pass

    async def release(self) -> None:
        """Tell the device that nobody is ready any more."""
        writes = (
            Write(tag="lease.ready", value=False),
            Write(tag="lease.in_control", value=False),
            Write(tag="lease.counter", value=self._counter % (2**31 - 1) + 1),
        )
        expires_ns = monotonic_ns() + 1_000_000_000
        await self._device.write(self._permit(self.binding.device, writes, expires_ns))
