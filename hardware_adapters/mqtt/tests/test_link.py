from __future__ import annotations

import asyncio
import gc
import signal
import subprocess
import threading
import time
from pathlib import Path

import pytest

from millhand.contracts import Link, Quality, WriteStatus
from millhand.errors import NotAllowed, Unavailable

TAGS = {
    "name": "oven/name",
    "setpoint": {"topic": "oven/setpoint", "type": "int32", "write": "oven/setpoint"},
}


def sockets() -> set[str]:
    found = set()
    for entry in Path("/proc/self/fd").iterdir():
        try:
            target = str(entry.readlink())
        except OSError:
            continue
        if target.startswith("socket:"):
            found.add(target)
    return found


async def test_a_broker_away_at_start_is_said_and_found_when_it_comes(
    mosquitto, adapt, permit, eventually
) -> None:
    broker = mosquitto()
    async with adapt(broker.url, TAGS, connect=False) as oven:
        feed = oven.subscribe(["name"], 0.02)
        (away,) = await anext(feed)
        assert (away.quality, away.initial) == (Quality.DISCONNECTED, True)
        await eventually(lambda: oven.health().link is Link.DOWN)
        assert str(broker.port) in oven.health().detail
        with pytest.raises(Unavailable):
            await oven.wait_connected(0.1)
        leave = permit(("setpoint", 1))
        assert (await oven.write(leave)).status is WriteStatus.NOT_SENT
        assert leave.redeemed == 0
        await broker.start()
        (back,) = await asyncio.wait_for(anext(feed), 15)
        assert (back.quality, back.initial, back.epoch) == (Quality.BAD, True, 1)
        await feed.aclose()


async def test_kill_and_restart_restore_the_subscriptions(
    mosquitto, peer, adapt, permit, eventually
) -> None:
    broker = mosquitto()
    await broker.start()
    other = peer(broker)
    async with adapt(broker.url, TAGS, retained_wait_s=0.1) as oven:
        feed = oven.subscribe(["name", "setpoint"], 0.02)
        await anext(feed)
        await other.say("oven/name", b"before")
        assert (await asyncio.wait_for(anext(feed), 10))[0].value == "before"
        broker.kill()
        gone = await asyncio.wait_for(anext(feed), 10)
        assert {sample.quality for sample in gone} == {Quality.DISCONNECTED}
        assert [sample.quality for sample in await oven.read(["name"])] == [Quality.DISCONNECTED]
        assert (await oven.write(permit(("setpoint", 1)))).status is WriteStatus.NOT_SENT
        await broker.start()
        name, setpoint = await asyncio.wait_for(anext(feed), 20)
        assert (name.value, name.quality, name.initial, name.gap) == (
            "before",
            Quality.STALE,
            True,
            True,
        )
        assert (setpoint.quality, setpoint.epoch) == (Quality.BAD, 2)
        await peer(broker).say("oven/name", b"after")
        (after,) = await asyncio.wait_for(anext(feed), 10)
        assert (after.value, after.quality, after.initial) == ("after", Quality.GOOD, False)
        assert (await oven.write(permit(("setpoint", 1)))).status is WriteStatus.SENT
        await feed.aclose()


async def test_a_freeze_in_the_middle_of_a_write_is_unknown_and_never_sent_again(
    broker, peer, adapt, permit, eventually
) -> None:
    other = peer(broker)
    await other.listen("oven/setpoint")
    async with adapt(broker.url, TAGS, request_timeout_s=0.5, retained_wait_s=0) as oven:
        broker.signal(signal.SIGSTOP)
        started = time.monotonic()
        result = await oven.write(permit(("setpoint", 77)))
        assert (result.status, result.sent) == (WriteStatus.UNKNOWN, (77,))
        assert 0.4 < time.monotonic() - started < 5
        await eventually(lambda: oven.health().link is Link.DOWN)
        broker.signal(signal.SIGCONT)
        await oven.wait_connected(20)
        assert (await oven.write(permit(("setpoint", 78)))).status is WriteStatus.SENT
        await eventually(lambda: any(payload == b"78" for _, payload, _ in other.heard))
    values = [payload for _, payload, _ in other.heard]
    assert values.count(b"77") <= 1
    assert values.count(b"78") == 1


async def test_twenty_kills_lose_no_word_on_what_became_of_each_write(
    mosquitto, adapt, permit
) -> None:
    """What a write said before a kill is true: nothing SENT twice, nothing NOT_SENT arrives."""
    broker = mosquitto()
    await broker.start()
    seen: list[int] = []
    async with (
        adapt(broker.url, TAGS, retained_wait_s=0, retry_limit_s=0.1) as oven,
        adapt(broker.url, TAGS, retained_wait_s=0, retry_limit_s=0.1) as witness,
    ):
        feed = witness.subscribe(["setpoint"], 0.01)

        async def watch() -> None:
            async for batch in feed:
                seen.extend(sample.value for sample in batch if sample.good and not sample.initial)

        watching = asyncio.create_task(watch())
        outcomes: dict[int, WriteStatus] = {}
        number = 0
        for _ in range(20):
            await oven.wait_connected(20)
            await witness.wait_connected(20)
            for position in range(5):
                number += 1
                writing = asyncio.create_task(oven.write(permit(("setpoint", number))))
                if position == 4:
                    await asyncio.sleep(0)
                    broker.kill()
                outcomes[number] = (await writing).status
            await broker.start()
        await oven.wait_connected(20)
        await witness.wait_connected(20)
        assert (await oven.write(permit(("setpoint", -1)))).status is WriteStatus.SENT
        async with asyncio.timeout(10):
            while -1 not in seen:
                await asyncio.sleep(0.01)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        await feed.aclose()
    assert len(seen) == len(set(seen))
    assert not [one for one in seen if outcomes.get(one) is WriteStatus.NOT_SENT]
    assert list(outcomes.values()).count(WriteStatus.SENT) >= 60


async def test_a_frozen_broker_is_noticed_without_being_asked(broker, adapt, eventually) -> None:
    async with adapt(broker.url, TAGS, keepalive_s=1, retained_wait_s=0) as oven:
        broker.signal(signal.SIGSTOP)
        await eventually(lambda: oven.health().link is Link.DOWN)
        broker.signal(signal.SIGCONT)
        await oven.wait_connected(20)
        assert oven.health().epoch == 2


async def test_something_else_on_the_port_is_no_broker_but_no_crash(adapt, eventually) -> None:
    async def babble(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 10)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(babble, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        async with adapt(f"mqtt://127.0.0.1:{port}", TAGS, connect=False) as oven:
            await eventually(lambda: oven.health().link is Link.DOWN)
            assert oven.health().detail
            assert oven.health().epoch == 0


async def test_a_broker_that_never_answers_is_given_up(adapt, eventually) -> None:
    async def silence(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silence, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        url = f"mqtt://127.0.0.1:{port}"
        async with adapt(url, TAGS, connect=False, connect_timeout_s=0.2) as oven:
            await eventually(lambda: oven.health().link is Link.DOWN)
            assert "does not answer" in oven.health().detail


async def test_closing_leaves_no_task_socket_or_thread(mosquitto, adapt) -> None:
    broker = mosquitto()
    await broker.start()
    gc.collect()
    before = sockets(), threading.active_count(), len(asyncio.all_tasks())
    async with adapt(broker.url, TAGS, retained_wait_s=0) as oven:
        feed = oven.subscribe(["name"], 0.01)
        await anext(feed)
    with pytest.raises(StopAsyncIteration):
        await anext(feed)
    async with adapt(f"mqtt://127.0.0.1:{broker.port}", TAGS, connect=False):
        pass
    opening = asyncio.create_task(adapt(broker.url, TAGS).__aenter__())
    await asyncio.sleep(0)
    opening.cancel()
    await asyncio.gather(opening, return_exceptions=True)
    gc.collect()
    await asyncio.sleep(0)
    assert (sockets(), threading.active_count(), len(asyncio.all_tasks())) == before


# --- who may come in ---


async def test_a_wrong_password_is_refused_and_the_right_one_let_in(
    mosquitto, adapt, tmp_path
) -> None:
    words = password_file(tmp_path, "mill", "right")
    broker = mosquitto(f"password_file {words}")
    await broker.start()
    async with adapt(broker.url, TAGS, connect=False, user="mill", password="wrong") as oven:
        with pytest.raises(NotAllowed, match="password"):
            await oven.wait_connected(20)
        assert oven.health().link is Link.REFUSED
        assert "wrong" not in oven.health().detail
    async with adapt(broker.url, TAGS, user="mill", password="right") as oven:
        assert oven.health().link is Link.UP


async def test_a_refused_subscription_is_named(adapt) -> None:
    async def grudge(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly((await reader.readexactly(2))[1])
        writer.write(b"\x20\x02\x00\x00")  # CONNACK: accepted
        head = await reader.readexactly(2)
        body = await reader.readexactly(head[1])
        writer.write(b"\x90\x04" + body[:2] + b"\x00\x80")  # SUBACK: granted, failure
        await reader.read()
        writer.close()

    server = await asyncio.start_server(grudge, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        url = f"mqtt://127.0.0.1:{port}"
        async with adapt(url, TAGS, protocol="3.1.1", retained_wait_s=0) as oven:
            assert oven.health().link is Link.UP
            assert "oven/setpoint: the broker refuses" in oven.health().detail
            assert "oven/name" not in oven.health().detail


async def test_tls_needs_trust(mosquitto, adapt, tmp_path) -> None:
    authority, certificate, key = certificates(tmp_path)
    broker = mosquitto(
        f"certfile {certificate}", f"keyfile {key}", f"cafile {authority}", scheme="mqtts"
    )
    await broker.start()
    async with adapt(broker.url, TAGS, connect=False) as oven:
        with pytest.raises(NotAllowed, match="not trusted"):
            await oven.wait_connected(20)
    name = {"server_name": "broker.local"}
    async with adapt(broker.url, TAGS, connect=False, tls={"ca": str(authority)}) as oven:
        with pytest.raises(NotAllowed, match="not trusted"):
            await oven.wait_connected(20)  # the certificate is for another name
    async with adapt(broker.url, TAGS, tls={"ca": str(authority), **name}) as oven:
        assert oven.health().link is Link.UP
    plain = broker.url.replace("mqtts", "mqtt")
    async with adapt(plain, TAGS, connect=False) as oven:
        with pytest.raises(Unavailable):
            await oven.wait_connected(2)


async def test_a_broker_may_ask_for_our_certificate(
    mosquitto, adapt, permit, tmp_path, eventually
) -> None:
    authority, certificate, key = certificates(tmp_path)
    broker = mosquitto(
        f"certfile {certificate}",
        f"keyfile {key}",
        f"cafile {authority}",
        "require_certificate true",
        scheme="mqtts",
    )
    await broker.start()
    tls = {"ca": str(authority), "server_name": "broker.local"}
    async with adapt(broker.url, TAGS, connect=False, tls=tls) as oven:
        await eventually(lambda: oven.health().link in (Link.DOWN, Link.REFUSED))
    own = {"certificate": str(certificate), "private_key": str(key)}
    async with adapt(broker.url, TAGS, tls={**tls, **own}) as oven:
        assert (await oven.write(permit(("setpoint", 1)))).status is WriteStatus.SENT
    missing = {"certificate": str(tmp_path / "none"), "private_key": str(key)}
    async with adapt(broker.url, TAGS, connect=False, tls={**tls, **missing}) as oven:
        with pytest.raises(NotAllowed, match="cannot be used"):
            await oven.wait_connected(20)


def password_file(folder: Path, user: str, password: str) -> Path:
    """Make what mosquitto's ``password_file`` names."""
    words = folder / "passwords"
    words.touch(0o600)
    try:
        subprocess.run(["mosquitto_passwd", "-b", str(words), user, password], check=True)
    except FileNotFoundError:
        pytest.skip("mosquitto_passwd is not installed")
    words.chmod(0o644)
    return words


def certificates(folder: Path) -> tuple[Path, Path, Path]:
    """Make an authority, and a certificate of it for ``broker.local`` with its key."""
    from datetime import UTC, datetime, timedelta

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    def name(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    def build(subject: str, public: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
        now = datetime.now(UTC)
        builder = x509.CertificateBuilder(name("authority"), name(subject), public)
        return (
            builder.serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
        )

    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    is_authority = x509.BasicConstraints(ca=True, path_length=None)
    authority = build("authority", root.public_key()).add_extension(is_authority, critical=True)
    names = x509.SubjectAlternativeName([x509.DNSName("broker.local")])
    certificate = build("broker", leaf.public_key()).add_extension(names, critical=False)
    paths = folder / "authority.pem", folder / "broker.pem", folder / "broker.key"
    pem = serialization.Encoding.PEM
    paths[0].write_bytes(authority.sign(root, hashes.SHA256()).public_bytes(pem))
    paths[1].write_bytes(certificate.sign(root, hashes.SHA256()).public_bytes(pem))
    no_password = serialization.NoEncryption()
    paths[2].write_bytes(leaf.private_bytes(pem, serialization.PrivateFormat.PKCS8, no_password))
    for path in paths:
        path.chmod(0o644)  # mosquitto reads them as a user of its own
    return paths
