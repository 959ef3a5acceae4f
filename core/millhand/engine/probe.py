"""Try a device once: is there a way to it, and if not, which of four kinds of fault is in it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from millhand.contracts import ConnectionFault, Health, Link, Sample
from millhand.errors import NeedsPerson, Unavailable
from millhand.messages import tr

_LOOK_S = 0.02
_REACH_S = 3.0


class Probed(Struct, frozen=True, kw_only=True):
    """What came of trying a device."""

    device: str
    link: Link
    fault: ConnectionFault | None = None
    detail: str = ""
    mend: str = ""
    took_s: float = 0.0
    """Seconds until it was up, or refused, or gone."""
    samples: tuple[Sample, ...] = ()
    """Its tags as they were read, where it was up and has some."""


async def probe(
    adapter: Any,
    device: str,
    *,
    tags: Sequence[str] = (),
    url: str = "",
    patience_s: float = 15.0,
) -> Probed:
    """Enter an adapter, wait until it is up or says why not, read its tags, and leave it.

    Args:
        adapter: built and not yet entered.
        device: its name, for the answer.
        tags: what to read where it is up.
        url: its address, where it has one, to tell a dead network from a wrong port.
        patience_s: longest wait for the link.
    """
    started = time.monotonic()
    try:
        async with connected(adapter, patience_s=patience_s) as health:
            took_s = time.monotonic() - started
            samples = await adapter.read(tags) if tags and health.link is Link.UP else ()
            probed = Probed(
                device=device,
                link=health.link,
                fault=None if health.link is Link.UP else health.fault or ConnectionFault.NETWORK,
                detail=health.detail,
                mend=health.mend,
                took_s=took_s,
                samples=tuple(samples),
            )
    except (NeedsPerson, Unavailable) as error:
        away = isinstance(error, Unavailable)
        probed = Probed(
            device=device,
            link=Link.DOWN if away else Link.REFUSED,
            fault=ConnectionFault.NETWORK if away else ConnectionFault.CONFIGURATION,
            detail=error.message,
            mend=error.mend,
            took_s=time.monotonic() - started,
        )
    if probed.fault is ConnectionFault.NETWORK and url:
        return await _looked_closer(probed, url)
    return probed


@asynccontextmanager
async def connected(adapter: Any, *, patience_s: float) -> AsyncIterator[Health]:
    """Enter an adapter and yield its health once its link is up, refused or down."""
    async with adapter:
        until = time.monotonic() + patience_s
        health: Health = adapter.health()
        while health.link is Link.CONNECTING and time.monotonic() < until:
            await asyncio.sleep(_LOOK_S)
            health = adapter.health()
        yield health


async def _looked_closer(probed: Probed, url: str) -> Probed:
    """Say what of the network is in the way; a port that answers is no fault of the network."""
    parts = urlsplit(url)
    if not parts.hostname or not parts.port:
        return probed
    where = f"{parts.hostname}:{parts.port}"
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_REACH_S):
            await loop.getaddrinfo(parts.hostname, parts.port)
    except (OSError, TimeoutError):
        detail = tr("The name {host} is not known here.", host=parts.hostname)
        mend = tr("Check its spelling, or write the IP address.")
        return msgspec.structs.replace(probed, detail=detail, mend=mend)
    try:
        async with asyncio.timeout(_REACH_S):
            _, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.transport.abort()
    except TimeoutError:
        detail = tr("Nothing answers at {where}.", where=where)
        mend = tr("Check cable and power, and whether a firewall drops the port.")
        return msgspec.structs.replace(probed, detail=detail, mend=mend)
    except OSError as error:
        detail = tr("{where} refuses the connection: {error}.", where=where, error=error.strerror)
        mend = tr("Check the port, and that the device's server is switched on.")
        return msgspec.structs.replace(probed, detail=detail, mend=mend)
    return msgspec.structs.replace(
        probed,
        fault=ConnectionFault.CONFIGURATION,
        detail=tr(
            "Something listens at {where}, and does not speak as this adapter does: {detail}",
            where=where,
            detail=probed.detail,
        ),
        mend=tr("Check that the port is that of this protocol."),
    )
