"""A real mail server (dovecot), started for the test on a free port of this machine."""

from __future__ import annotations

import asyncio
import imaplib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from email.message import EmailMessage
from pathlib import Path

import pytest

pytest.importorskip("imap_tools", reason="mail needs millhand-records[imap]")
if shutil.which("dovecot") is None:
    pytest.skip("dovecot is not installed (Debian: dovecot-imapd)", allow_module_level=True)

from millhand.contracts import DocumentRef, Link
from millhand.errors import ConfigError
from millhand_records.imap import ImapAdapter, ImapConfig


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


SETTINGS = """
base_dir = {run}
state_dir = {run}
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
log_path = {root}/log
mail_location = maildir:{root}/mail/%u
default_internal_user = {internal}
default_login_user = {login}
first_valid_uid = 1
first_valid_gid = 1
passdb {{
  driver = static
  args = password=right
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={root}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class Dovecot:
    """The server process."""

    def __init__(self, root: Path) -> None:
        self.port = free_port()
        self._root = root
        self._process: subprocess.Popen[bytes] | None = None
        mails = root / "mail"
        mails.mkdir()
        if os.getuid() == 0:  # its own users do the work, as in a real installation
            owner, internal, login = pwd.getpwnam("nobody"), "dovecot", "dovenull"
            root.chmod(0o755)
            os.chown(mails, owner.pw_uid, owner.pw_gid)
        else:
            owner = pwd.getpwuid(os.getuid())
            internal = login = owner.pw_name
        self._config = root / "dovecot.conf"
        self._config.write_text(
            SETTINGS.format(run=root / "run", root=root, port=self.port, uid=owner.pw_uid,
                            gid=owner.pw_gid, internal=internal, login=login)
        )  # fmt: skip

    def start(self) -> None:
        self._process = subprocess.Popen(
            ["dovecot", "-F", "-c", str(self._config)], start_new_session=True
        )
        until = time.monotonic() + 20
        while time.monotonic() < until and self._process.poll() is None:
            try:
                imaplib.IMAP4("127.0.0.1", self.port, timeout=5).logout()
            except (OSError, imaplib.IMAP4.error):
                time.sleep(0.05)
            else:
                return
        self.stop()
        log = self._root / "log"
        pytest.fail(f"dovecot does not start: {log.read_text()[-2000:] if log.exists() else ''}")

    def stop(self) -> None:
        if self._process is not None:
            # Its sessions outlive a polite end by half a minute; a power cut is quicker.
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=20)
            self._process = None

    def put(self, message: EmailMessage, folder: str = "INBOX") -> None:
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=10) as client:
            client.login("clerk", "right")
            client.append(folder, "", "", message.as_bytes())

    def count(self, folder: str) -> int:
        with imaplib.IMAP4("127.0.0.1", self.port, timeout=10) as client:
            client.login("clerk", "right")
            status, (number,) = client.select(folder, readonly=True)
            return int(number or 0) if status == "OK" else -1


@pytest.fixture
def server() -> Iterator[Dovecot]:
    # Not pytest's own folder: dovecot's users must reach its sockets, and those have short names.
    with tempfile.TemporaryDirectory(prefix="dovecot-") as root:
        dovecot = Dovecot(Path(root))
        dovecot.start()
        yield dovecot
        dovecot.stop()


def mail(*attachments: tuple[str, bytes], text: str = "see attached") -> EmailMessage:
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = (
        "Rechnung / 发票",
        "a@b.example",
        "c@d.example",
    )
    message.set_content(text)
    for name, content in attachments:
        message.add_attachment(content, maintype="application", subtype="pdf", filename=name)
    return message


def adapter(port: int, password: str = "right", **options: object) -> ImapAdapter:
    return ImapAdapter("post", ImapConfig.model_validate(
        {"host": "127.0.0.1", "port": port, "security": "none", "user": "clerk",
         "password": password, "every_s": 0.1} | options))  # fmt: skip


async def following(
    stream: AsyncIterator[tuple[DocumentRef, bytes]], within_s: float = 30
) -> tuple[DocumentRef, bytes]:
    async with asyncio.timeout(within_s):
        return await anext(stream)


async def test_attachments_come_once_and_the_mail_is_moved_when_all_are_decided(
    server: Dovecot,
) -> None:
    server.put(mail(("một.pdf", b"one"), ("two.pdf", b"two")))
    server.put(mail(text="pump 3 is leaking again"))
    async with adapter(server.port) as post, aclosing(post.receive()) as stream:
        reference, content = await following(stream)
        assert (reference.name, reference.media_type, content) == (
            "một.pdf",
            "application/pdf",
            b"one",
        )
        assert (await following(stream))[1] == b"two"
        assert server.count("INBOX") == 2
        reference, content = await following(stream)
        assert server.count("Millhand-Done") == 1
        assert reference.media_type == "text/plain"
        assert content.decode().strip() == "pump 3 is leaking again"
        server.put(mail(("late.pdf", b"late")))
        assert (await following(stream))[1] == b"late"
        assert post.health().link is Link.UP
    assert (server.count("INBOX"), server.count("Millhand-Done")) == (1, 2)


async def test_what_was_not_acknowledged_comes_again(server: Dovecot) -> None:
    server.put(mail(("a.pdf", b"one")))
    for _ in range(2):
        async with adapter(server.port) as post, aclosing(post.receive()) as stream:
            assert (await following(stream))[1] == b"one"


async def test_a_mail_that_is_too_large_is_refused_unread(server: Dovecot) -> None:
    server.put(mail(("large.pdf", b"x" * 600_000)))
    server.put(mail(("small.pdf", b"small")))
    async with adapter(server.port, max_mail_mb=0.5) as post, aclosing(post.receive()) as stream:
        assert (await following(stream))[1] == b"small"
    assert server.count("Millhand-Refused") == 1


async def test_a_server_that_goes_and_returns_is_found_again(server: Dovecot) -> None:
    async with adapter(server.port) as post, aclosing(post.receive()) as stream:
        server.put(mail(("a.pdf", b"one")))
        assert (await following(stream))[1] == b"one"
        server.stop()
        waiting = asyncio.ensure_future(following(stream, within_s=60))
        while post.health().link is not Link.DOWN:
            await asyncio.sleep(0.02)
        server.start()
        server.put(mail(("b.pdf", b"two")))
        content = (await waiting)[1]
        if content == b"one":  # it could not be moved before the server went: it comes again
            content = (await following(stream, within_s=60))[1]
        assert content == b"two"


async def test_a_refused_login_is_told_apart_from_an_absent_server(server: Dovecot) -> None:
    async with adapter(server.port, password="wrong") as post, aclosing(post.receive()) as stream:
        waiting = asyncio.ensure_future(following(stream))
        async with asyncio.timeout(30):
            while post.health().link is Link.CONNECTING:
                await asyncio.sleep(0.02)
        assert post.health().link is Link.REFUSED
        waiting.cancel()
        await asyncio.wait([waiting])


def test_a_password_in_the_clear_is_refused() -> None:
    with pytest.raises(ConfigError):
        ImapAdapter("post", ImapConfig.model_validate(
            {"host": "mail.plant", "security": "none", "user": "c", "password": "x"}))  # fmt: skip
