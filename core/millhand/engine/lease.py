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

    async def renew(self) -> None:
        """Renew once."""
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
            return
        if result.status in (WriteStatus.SENT, WriteStatus.APPLIED):
            self._renewed_ns = monotonic_ns()

    async def run(self) -> None:
        """Renew for ever."""
        while True:
            await self.renew()
            self._changed.clear()
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
