"""Documents by HTTP: ``POST /documents?name=invoice.pdf`` with a token.

What was answered with 201 is on disk. Listening wider than this machine needs TLS.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import ssl
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path
from time import time_ns
from types import TracebackType
from typing import ClassVar, Self

from aiohttp import web
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from millhand.contracts import DocumentRef, Link
from millhand.errors import ConfigError, Unavailable
from millhand.messages import tr
from millhand_records.faces import ReceivesOnly, reference
from millhand_records.spool import Spool, write_durably

_LONGEST_NAME = 120


class UploadConfig(BaseModel):
    """Where to listen, and where what came in waits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path = Field(description="Folder in which documents wait; made when missing.")
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=8471, ge=0, le=65535, description="0 takes a free one.")
    token: SecretStr = Field(description="Senders show it: Authorization: Bearer …")
    certificate: Path | None = Field(default=None, description="PEM, for TLS.")
    key: Path | None = Field(default=None, description="PEM, the certificate's private key.")
    max_file_mb: float = Field(default=20.0, gt=0, le=200, description="Larger ones are refused.")
    most_waiting: int = Field(
        default=1000, gt=0, description="Beyond that senders are told to wait."
    )

    @model_validator(mode="after")
    def _safe(self) -> UploadConfig:
        if len(self.token.get_secret_value()) < 16:
            raise ValueError(tr("the token is shorter than 16 characters"))
        if not _is_loopback(self.host) and (self.certificate is None or self.key is None):
            raise ValueError(tr("listening beyond this machine needs certificate and key"))
        return self


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class UploadAdapter(ReceivesOnly):
    """Takes documents by HTTP (:class:`millhand.contracts.Records`)."""

    Config: ClassVar[type[BaseModel]] = UploadConfig

    def __init__(self, name: str, config: UploadConfig) -> None:
        super().__init__(name)
        self._config = config
        self._most_bytes = int(config.max_file_mb * 2**20)
        self._spool = Spool(config.path, "*", 0, self._most_bytes)
        self._arrived = asyncio.Event()
        self._runner: web.AppRunner | None = None
        self.port = 0
        """The port that is listened on, once entered."""

    async def __aenter__(self) -> Self:
        """Listen.

        Raises:
            ConfigError: folder, certificate or key cannot be used.
            Unavailable: the address is taken.
        """
        await asyncio.to_thread(self._spool.open)
        app = web.Application(client_max_size=self._most_bytes)
        app.router.add_post("/documents", self._post)
        self._runner = web.AppRunner(
            app, access_log=None, handle_signals=False, shutdown_timeout=2.0
        )
        await self._runner.setup()
        try:
            site = web.TCPSite(
                self._runner, self._config.host, self._config.port, ssl_context=self._tls()
            )
            await site.start()
        except OSError as error:
            await self._runner.cleanup()
            raise Unavailable(
                tr("{device} cannot listen on {host}:{port}: {error}.", device=self._name,
                   host=self._config.host, port=self._config.port, error=error)
            ) from error  # fmt: skip
        self.port = self._runner.addresses[0][1]
        self._report(Link.UP, f"port {self.port}")
        return self

    def _tls(self) -> ssl.SSLContext | None:
        if self._config.certificate is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self._config.certificate, self._config.key)
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                tr("The certificate cannot be used: {error}.", error=error)
            ) from error
        return context

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
        self._report(Link.DOWN)

    async def _post(self, request: web.Request) -> web.Response:
        shown = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not hmac.compare_digest(shown.encode(), self._config.token.get_secret_value().encode()):
            return web.json_response({"error": tr("The token is wrong.")}, status=401)
        if len(await asyncio.to_thread(self._waiting)) >= self._config.most_waiting:
            text = tr("Too many documents wait.")
            return web.json_response({"error": text}, status=503, headers={"Retry-After": "60"})
        try:
            content = await request.read()
        except web.HTTPRequestEntityTooLarge:
            text = tr("It is larger than {limit} MB.", limit=self._config.max_file_mb)
            return web.json_response({"error": text}, status=413)
        if not content:
            return web.json_response({"error": tr("The document is empty.")}, status=400)
        name = f"{time_ns()}-{_safe_name(request.query.get('name', 'document'))}"
        try:
            await asyncio.to_thread(write_durably, self._spool.folder / name, content)
        except OSError as error:
            self._report(Link.DOWN, str(error))
            return web.json_response({"error": tr("There is no room.")}, status=507)
        self._report(Link.UP, f"port {self.port}")
        self._arrived.set()
        answer = {"sha256": sha256(content).hexdigest(), "size": len(content)}
        return web.json_response(answer, status=201)

    def _waiting(self) -> list[Path]:
        return self._spool.ready()[0]

    async def receive(self) -> AsyncIterator[tuple[DocumentRef, bytes]]:
        """Yield what came in, in order; each is put aside when the next is asked for."""
        while True:
            self._arrived.clear()
            for path in await asyncio.to_thread(self._waiting):
                taken = await asyncio.to_thread(self._spool.take, path)
                if taken is not None:
                    name = path.name.partition("-")[2] or path.name
                    yield reference(taken[1], name, self._name), taken[1]
                    await asyncio.to_thread(self._spool.done, taken[0])
            await self._arrived.wait()


def _safe_name(name: str) -> str:
    """Return a file name out of what a stranger calls his document."""
    plain = name.replace("\\", "/").rpartition("/")[2]
    kept = "".join(letter for letter in plain if letter.isalnum() or letter in " ._-()")
    return kept.strip(" .")[-_LONGEST_NAME:] or "document"
