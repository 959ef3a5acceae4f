"""Coming back from what a plant does to a server: a new certificate, an hour away.

Killed, frozen, restarted with its namespaces in another order: the conformance kit has these.
"""

from __future__ import annotations

import asyncio
import gc
import shutil
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from opcua_peers import CERTIFICATES, EVERY_SERVER, asyncua_server

from millhand.contracts import ConnectionFault, Link, Quality, WriteStatus
from millhand.testing import FaultProxy, PeerProcess, permit_for
from millhand.testing.conformance.feeds import following, until_link
from millhand_opcua import connection
from millhand_opcua.adapter import OpcUa

TAGS = {"counter": {"node": "s=Counter", "type": "int32"}, "text": "s=Scalar.string"}
ATTEMPTS_IN_AN_HOUR = 3600 // 5
"""At least so many, because the pause between two is capped at 5 s."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pki" / "trusted").mkdir(parents=True)
    return tmp_path


@pytest.fixture(params=EVERY_SERVER)
def server(request: pytest.FixtureRequest) -> Callable[[Path], PeerProcess]:
    make: Callable[[Path], PeerProcess] = request.param
    return make


@pytest.fixture
def peer(folder: Path, server: Callable[[Path], PeerProcess]) -> Iterator[PeerProcess]:
    peer = server(folder / "server")
    peer.start()
    yield peer
    peer.kill()


def adapter(port: int, **options: object) -> OpcUa:
    config = OpcUa.Config.model_validate(
        {"url": f"opc.tcp://127.0.0.1:{port}", "namespace": "urn:millhand:test", **options}
    )
    return OpcUa("plc", config, {name: OpcUa.Tag.model_validate(tag) for name, tag in TAGS.items()})


async def test_a_changed_certificate_stops_us_until_a_person_trusts_it(
    peer: PeerProcess, folder: Path, server: Callable[[Path], PeerProcess]
) -> None:
    pki = folder / "pki"
    certificate = folder / "server" / CERTIFICATES[server]
    shutil.copy(certificate, pki / "trusted" / f"first{certificate.suffix}")
    security = {"policy": "Basic256Sha256", "pki": pki, "user": "operator", "password": "s3cret"}
    async with (
        adapter(peer.port, security=security, refused_retry_s=0.2) as plc,
        following(plc, ["counter"], 0.02, 30) as feed,
    ):
        await feed.until(lambda latest: latest["counter"].good)
        peer.kill()
        peer.start("--new-certificate")
        health = await until_link(plc, Link.REFUSED, 30)
        assert health.fault is ConnectionFault.SECURITY
        assert feed.latest["counter"].good, "nothing was read since"
        write = permit_for("plc", ("counter", 7))
        assert (await plc.write(write)).status is WriteStatus.NOT_SENT
        (rejected,) = (pki / "rejected").iterdir()
        assert str(rejected) in health.mend
        rejected.rename(pki / "trusted" / rejected.name)
        await feed.until(lambda latest: latest["counter"].good and latest["counter"].epoch == 2)
        assert feed.latest["counter"].gap
        assert (await plc.write(write)).status is WriteStatus.SENT
        (written,) = peer.ask(do="written")
        assert written == [["Counter", 7]], "the write that was not sent then came now, once"


@pytest.mark.parametrize("server", [asyncua_server], indirect=True, ids=["asyncua"])
async def test_an_hour_away_costs_no_memory_and_ends_by_itself(
    peer: PeerProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempts = 0

    async def hang_up(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal attempts
        attempts += 1
        writer.close()

    async def until_attempts(count: int) -> None:
        async with asyncio.timeout(300):
            while attempts < count:
                await plc.read(["counter", "text"])
                await asyncio.sleep(0.002)

    async with FaultProxy("127.0.0.1", peer.port) as proxy, adapter(proxy.port) as plc:
        await until_link(plc, Link.UP, 30)
        feeds = [plc.subscribe(["counter", "text"], interval_s) for interval_s in (0.01, 0.2)]
        for feed in feeds:
            async with asyncio.timeout(20):
                await anext(feed)
        # An hour of attempts in seconds: the pauses, and nothing else, are made shorter.
        monkeypatch.setattr(connection, "RETRY_LIMIT_S", 0.004)
        monkeypatch.setattr(connection, "_FIRST_RETRY_S", 0.002)
        await proxy.refuse()
        away = await asyncio.start_server(hang_up, "127.0.0.1", proxy.port)
        async with away:
            await until_attempts(50)
            gc.collect()
            tasks = len(asyncio.all_tasks())
            tracemalloc.start()
            before, _ = tracemalloc.get_traced_memory()
            await until_attempts(50 + ATTEMPTS_IN_AN_HOUR)
            gc.collect()
            grown = tracemalloc.get_traced_memory()[0] - before
            tracemalloc.stop()
            assert grown < 200_000, f"{grown} bytes more after an hour"
            assert len(asyncio.all_tasks()) <= tasks + 2
        await proxy.accept()
        for feed in feeds:
            async with asyncio.timeout(30):
                batches = [await anext(feed), await anext(feed)]
            gone, back = batches
            assert {sample.quality for sample in gone} == {Quality.DISCONNECTED}
            assert all(sample.good and sample.gap and sample.initial for sample in back)
            await feed.aclose()
        assert plc.health().epoch == 2
