"""A link's health as its adapter keeps it: changes are logged once and wake who waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import structlog

from millhand.contracts import ConnectionFault, Health, Link
from millhand.messages import tr

log = structlog.get_logger(__name__)


class LinkHealth:
    """The health of one device's link. Lives on one loop.

    Args:
        device: its name in the scenario.
        on_change: called at once with each new health.
    """

    def __init__(self, device: str, on_change: Callable[[Health], None] | None = None) -> None:
        self.epoch = 0
        """Counts the sessions; raise it before :meth:`set` where a new one began."""
        self._device = device
        self._on_change = on_change
        self._now = Health(link=Link.CONNECTING, since_monotonic_ns=time.monotonic_ns())
        self._changed = asyncio.Event()

    @property
    def now(self) -> Health:
        """How the link is now."""
        return self._now

    def set(
        self,
        link: Link,
        detail: str,
        fault: ConnectionFault | None = None,
        mend: str = "",
    ) -> None:
        """Note how the link is; the same again is no change. The fields are those of Health."""
        say = log.info if link is Link.UP else log.warning
        self._become(link, detail, fault, mend, say)

    def close(self) -> None:
        """Note that it was ended on purpose, which is no warning."""
        self._become(Link.DOWN, tr("closed"), None, "", log.info)

    async def change(self) -> None:
        """Return when the health has changed."""
        await self._changed.wait()

    def _become(
        self,
        link: Link,
        detail: str,
        fault: ConnectionFault | None,
        mend: str,
        say: Callable[..., None],
    ) -> None:
        before = self._now
        if (before.link, before.detail, before.epoch) == (link, detail, self.epoch):
            return
        since = before.since_monotonic_ns if before.link is link else time.monotonic_ns()
        self._now = Health(
            link=link,
            epoch=self.epoch,
            detail=detail,
            since_monotonic_ns=since,
            fault=fault,
            mend=mend,
        )
        if before.link is not link:
            say("link changed", device=self._device, link=str(link), detail=detail)
        if self._on_change is not None:
            self._on_change(self._now)
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
