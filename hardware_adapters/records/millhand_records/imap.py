"""A mailbox: the attachments of its mails are documents, and so is the text of a mail without any.

Mails are never deleted: once all its documents are decided a mail is moved to ``done``, one that
is too large to ``refused``. The driver is synchronous and lives in one thread.
"""

from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from imaplib import IMAP4
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple, Self, TypeVar

import structlog
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from millhand.contracts import DocumentRef, Link
from millhand.messages import tr
from millhand_records.faces import ReceivesOnly, reference

if TYPE_CHECKING:
    from imap_tools import BaseMailBox

T = TypeVar("T")
log = structlog.get_logger(__name__)

_LONGEST_BACK_OFF_S = 5.0
_REFUSED_BACK_OFF_S = 60.0
_TIMEOUT_S = 20.0


class ImapConfig(BaseModel):
    """A mailbox."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(description="The mail server.")
    port: int | None = Field(default=None, gt=0, le=65535, description="993, or 143 with STARTTLS.")
    security: Literal["tls", "starttls", "none"] = Field(
        default="tls", description="none only to this machine."
    )
    authority: Path | None = Field(default=None, description="PEM file of the server's authority.")
    user: str = Field(description="Who logs in.")
    password: SecretStr = Field(description="Password.")
    folder: str = Field(default="INBOX", description="Where mails arrive.")
    done: str = Field(default="Millhand-Done", description="Where decided mails go.")
    refused: str = Field(default="Millhand-Refused", description="Where refused mails go.")
    every_s: float = Field(default=15.0, ge=0.1, le=3600, description="How often to look, in s.")
    max_mail_mb: float = Field(default=30.0, gt=0, le=200, description="Larger ones are refused.")


class _Mail(NamedTuple):
    uid: str
    documents: list[tuple[str, str, bytes]]
    """Name, media type, content."""


class ImapAdapter(ReceivesOnly):
    """Takes the attachments of mails (:class:`millhand.contracts.Records`)."""

    Config: ClassVar[type[BaseModel]] = ImapConfig

    def __init__(self, name: str, config: ImapConfig) -> None:
        super().__init__(name)
        if config.security == "none" and config.host not in {"localhost", "127.0.0.1", "::1"}:
            from millhand.errors import ConfigError

            raise ConfigError(
                tr("{device} would send its password in the clear.", device=name),
                mend=tr("Set security: tls or starttls."),
            )
        self._config = config
        self._thread: ThreadPoolExecutor | None = None
        self._mailbox: BaseMailBox | None = None

    async def __aenter__(self) -> Self:
        """Start the thread; the server is reached when documents are asked for."""
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=f"imap-{self._name}")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            await asyncio.wrap_future(thread.submit(self._hang_up))
            await asyncio.to_thread(thread.shutdown)
        self._report(Link.DOWN)

    async def receive(self) -> AsyncIterator[tuple[DocumentRef, bytes]]:
        """Yield documents mail by mail, the oldest first; a decided mail is moved away."""
        wait_s = 0.1
        while True:
            try:
                for uid in await self._do(self._uids):
                    mail = await self._do(partial(self._fetch, uid))
                    if mail is None:
                        continue
                    for name, media_type, content in mail.documents:
                        yield reference(content, name, self._name, media_type), content
                    await self._do(partial(self._move, uid, self._config.done))
                wait_s = 0.1
                await asyncio.sleep(self._config.every_s)
            except _Refused as error:
                self._report(Link.REFUSED, str(error))
                await self._do(self._drop)
                await asyncio.sleep(_REFUSED_BACK_OFF_S)
            except (OSError, IMAP4.error, _library_error()) as error:
                self._report(Link.DOWN, str(error) or type(error).__name__)
                await self._do(self._drop)
                await asyncio.sleep(wait_s * random.uniform(0.5, 1.0))  # noqa: S311  no secret
                wait_s = min(wait_s * 2, _LONGEST_BACK_OFF_S)

    async def _do(self, work: Callable[[], T]) -> T:
        assert self._thread is not None
        return await asyncio.wrap_future(self._thread.submit(work))

    # --- in the thread ---

    def _connected(self) -> BaseMailBox:
        if self._mailbox is None:
            self._mailbox = self._connect()
        return self._mailbox

    def _connect(self) -> BaseMailBox:
        from imap_tools import MailBox, MailBoxStartTls, MailBoxUnencrypted

        config = self._config
        context = ssl.create_default_context(cafile=config.authority)
        mailbox: BaseMailBox
        match config.security:
            case "tls":
                mailbox = MailBox(config.host, config.port or 993, timeout=_TIMEOUT_S,
                                  ssl_context=context)  # fmt: skip
            case "starttls":
                mailbox = MailBoxStartTls(config.host, config.port or 143, timeout=_TIMEOUT_S,
                                          ssl_context=context)  # fmt: skip
            case _:
                mailbox = MailBoxUnencrypted(config.host, config.port or 143, timeout=_TIMEOUT_S)
        try:
            self._log_in(mailbox)
        except BaseException:
            mailbox.client.shutdown()
            raise
        self._report(Link.UP)
        return mailbox

    def _log_in(self, mailbox: BaseMailBox) -> None:
        from imap_tools.errors import MailboxLoginError

        config = self._config
        try:
            mailbox.login(config.user, config.password.get_secret_value(), initial_folder=None)
        except MailboxLoginError as error:
            raise _Refused(tr("The mail server refuses the login.")) from error
        for folder in (config.done, config.refused):
            if not mailbox.folder.exists(folder):
                mailbox.folder.create(folder)
        mailbox.folder.set(config.folder)

    def _uids(self) -> list[str]:
        return sorted(self._connected().uids("ALL"), key=int)

    def _fetch(self, uid: str) -> _Mail | None:
        mailbox = self._connected()
        if _size(mailbox, uid) > self._config.max_mail_mb * 2**20:
            self._move(uid, self._config.refused)
            log.warning("mail_too_large", device=self._name, uid=uid)
            return None
        from imap_tools import AND

        for message in mailbox.fetch(AND(uid=uid), mark_seen=False, bulk=False):
            documents = [
                (part.filename or "attachment", part.content_type, part.payload)
                for part in message.attachments
                if part.payload and not _decoration(part.content_disposition, part.content_type)
            ]
            if not documents and message.text.strip():
                name = f"{message.subject[:80] or 'mail'}.txt"
                documents = [(name, "text/plain", message.text.encode())]
            return _Mail(uid, documents)
        return None

    def _move(self, uid: str, folder: str) -> None:
        self._connected().move(uid, folder)

    def _hang_up(self) -> None:
        """Say goodbye."""
        mailbox, self._mailbox = self._mailbox, None
        if mailbox is not None:
            try:
                mailbox.logout()
            except (OSError, IMAP4.error, _library_error()) as error:
                log.debug("imap_logout", error=str(error))
                mailbox.client.shutdown()

    def _drop(self) -> None:
        """Let a connection go that is broken: it would only keep us waiting."""
        mailbox, self._mailbox = self._mailbox, None
        if mailbox is not None:
            mailbox.client.shutdown()


class _Refused(Exception):
    """The server answers and says no."""


def _library_error() -> type[Exception]:
    from imap_tools.errors import ImapToolsError

    error: type[Exception] = ImapToolsError
    return error


def _size(mailbox: BaseMailBox, uid: str) -> int:
    _, answer = mailbox.client.uid("FETCH", uid, "(RFC822.SIZE)")
    text = b" ".join(part if isinstance(part, bytes) else b"".join(part) for part in answer if part)
    _, _, size = text.partition(b"RFC822.SIZE ")
    digits = size.split(b")")[0].split()
    return int(digits[0]) if digits else 0


def _decoration(disposition: str | None, media_type: str) -> bool:
    """Tell a logo in a signature from a document."""
    return disposition == "inline" and media_type.startswith("image/")
