"""A connected socket for a session: found, opened and protected without blocking the loop."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from millhand.contracts import ConnectionFault
from millhand.messages import tr
from millhand_mqtt.broker import BrokerConfig
from millhand_mqtt.faults import LinkLost, Refused

_Address = tuple[int, Any]
"""Family and socket address."""


async def open_socket(config: BrokerConfig) -> socket.socket:
    """Return a non-blocking socket that is connected to the broker, TLS done.

    Small packets leave at once (``TCP_NODELAY``): with Nagle's algorithm a QoS 1 round trip
    takes 40 to 90 ms instead of half a millisecond.

    Raises:
        LinkLost: nobody answers there.
        Refused: the certificate is not trusted, or there is no TLS.
    """
    loop = asyncio.get_running_loop()
    trouble = ""
    for family, address in await _resolve(config.host, config.port):
        plain = socket.socket(family, socket.SOCK_STREAM)
        try:
            plain.setblocking(False)
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await loop.sock_connect(plain, address)
            return await _protect(plain, config) if config.secure else plain
        except OSError as error:
            plain.close()
            if isinstance(error, ssl.SSLError):
                raise _refusal(error, config) from None
            trouble = error.strerror or str(error)
        except BaseException:
            plain.close()
            raise
    raise LinkLost(tr("{url} cannot be reached: {reason}.", url=config.url, reason=trouble))


async def _resolve(host: str, port: int) -> list[_Address]:
    with contextlib.suppress(ValueError):
        version = ipaddress.ip_address(host).version
        return [(socket.AF_INET if version == 4 else socket.AF_INET6, (host, port))]
    thread = ThreadPoolExecutor(1, thread_name_prefix="mqtt names")
    try:
        found = await asyncio.get_running_loop().run_in_executor(
            thread, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
    except OSError as error:
        raise LinkLost(
            tr("{host} has no address: {reason}.", host=host, reason=error.strerror or str(error))
        ) from None
    finally:
        thread.shutdown(wait=False)
    return [(int(family), address) for family, _, _, _, address in found]


async def _protect(plain: socket.socket, config: BrokerConfig) -> ssl.SSLSocket:
    """Shake hands; the context is built in a thread, because it reads files."""
    thread = ThreadPoolExecutor(1, thread_name_prefix="mqtt certificates")
    try:
        context = await asyncio.get_running_loop().run_in_executor(thread, _context, config)
    finally:
        thread.shutdown(wait=False)
    secure = context.wrap_socket(
        plain,
        server_hostname=config.tls.server_name or config.host,
        do_handshake_on_connect=False,
    )
    try:
        while True:
            try:
                secure.do_handshake()
            except ssl.SSLWantReadError:
                await _wait(secure, writing=False)
            except ssl.SSLWantWriteError:
                await _wait(secure, writing=True)
            else:
                return secure
    except BaseException:
        secure.close()
        raise


def _context(config: BrokerConfig) -> ssl.SSLContext:
    tls = config.tls
    try:
        context = ssl.create_default_context(cafile=tls.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if tls.certificate is not None:
            # A key with a password would make OpenSSL ask on the terminal.
            context.load_cert_chain(tls.certificate, tls.private_key, password=lambda: "")
    except (OSError, ssl.SSLError) as error:
        raise Refused(
            tr("The certificates under tls cannot be used: {reason}.", reason=error),
            fault=ConnectionFault.SECURITY,
            mend=tr("Check the files under tls: PEM, readable, the key without password."),
        ) from None
    return context


async def _wait(secure: ssl.SSLSocket, *, writing: bool) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    add, remove = (
        (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
    )
    add(secure.fileno(), wake)
    try:
        await ready
    finally:
        remove(secure.fileno())


def _refusal(error: ssl.SSLError, config: BrokerConfig) -> Refused:
    if isinstance(error, ssl.SSLCertVerificationError):
        return Refused(
            tr(
                "The certificate of {url} is not trusted: {reason}.",
                url=config.url,
                reason=error.verify_message or error.reason,
            ),
            fault=ConnectionFault.SECURITY,
            mend=tr("Set tls.ca to the certificate authority, or tls.server_name to its name."),
        )
    return Refused(
        tr("{url} does not speak TLS with us: {reason}.", url=config.url, reason=error.reason),
        fault=ConnectionFault.SECURITY,
        mend=tr("Check that the port is the one for TLS, and the client certificate."),
    )
