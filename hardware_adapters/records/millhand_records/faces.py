"""What the two kinds of adapter share: those that only receive and those that only deliver."""

from __future__ import annotations

import asyncio
import mimetypes
from collections.abc import AsyncIterator, Mapping
from hashlib import sha256
from time import monotonic_ns, time_ns

from millhand.contracts import (
    DocumentRef,
    Health,
    Link,
    Permit,
    Value,
    WriteResult,
    WriteStatus,
)
from millhand.errors import NotAllowed
from millhand.messages import tr


class Reported:
    """Keeps a device's health."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._health = Health(link=Link.CONNECTING)

    def health(self) -> Health:
        """Say how the link is, at once."""
        return self._health

    def _report(self, link: Link, detail: str = "") -> None:
        if (link, detail) != (self._health.link, self._health.detail):
            epoch = self._health.epoch + (link is Link.UP and self._health.link is not Link.UP)
            self._health = Health(
                link=link, epoch=epoch, detail=detail, since_monotonic_ns=monotonic_ns()
            )


class ReceivesOnly(Reported):
    """Takes no drafts."""

    async def deliver(
        self, permit: Permit, kind: str, body: Mapping[str, Value], idempotency_key: str
    ) -> WriteResult:
        """Refuse: nothing goes out here."""
        del permit, kind, body, idempotency_key
        return WriteResult(
            status=WriteStatus.REJECTED,
            detail=tr("{device} only receives.", device=self._name),
            finished_monotonic_ns=monotonic_ns(),
        )


class DeliversOnly(Reported):
    """Receives nothing."""

    async def receive(self) -> AsyncIterator[tuple[DocumentRef, bytes]]:
        """Yield nothing, for ever."""
        await asyncio.Event().wait()
        nothing: tuple[tuple[DocumentRef, bytes], ...] = ()
        for one in nothing:
            yield one


def reference(content: bytes, name: str, source: str, media_type: str = "") -> DocumentRef:
    """Describe a document that has just come in."""
    guessed = mimetypes.guess_type(name, strict=False)[0]
    return DocumentRef(
        sha256=sha256(content).hexdigest(),
        name=name,
        media_type=media_type or guessed or "application/octet-stream",
        size=len(content),
        received_utc_ns=time_ns(),
        source=source,
    )


def redeem(permit: Permit, device: str, kind: str, idempotency_key: str) -> None:
    """Spend a permit, which must be made out to this very record.

    Raises:
        NotAllowed: it is spent, expired, or for something else.
    """
    writes = permit.redeem(device)
    if [(write.tag, write.value) for write in writes] != [(f"deliver.{kind}", idempotency_key)]:
        raise NotAllowed(tr("The permit is made out for another record."))


def ended(status: WriteStatus, detail: str = "", *sent: Value) -> WriteResult:
    """Say how a delivery ended."""
    return WriteResult(
        status=status, detail=detail, sent=sent, finished_monotonic_ns=monotonic_ns()
    )
