"""The adapter against node-opcua, a server that shares no code with asyncua.

Skipped where it is not installed (``source .ci/peers`` brings it).
"""

from __future__ import annotations

import asyncio

import pytest
from opcua_peers import needs_node_opcua, node_opcua_server

from millhand.contracts import Quality, WriteStatus
from millhand.errors import NotAllowed

pytestmark = [pytest.mark.asyncio(loop_scope="module"), needs_node_opcua]

TAGS = {
    "counter": {"node": "s=Counter", "type": "int32"},
    "width": {"node": "s=Width", "type": "double"},
    "part": {"node": "s=PartId", "type": "string"},
    "ghost": "s=Ghost",
    "tick": "s=Tick",
}


@pytest.fixture(scope="module")
def node_url(tmp_path_factory):
    peer = node_opcua_server(tmp_path_factory.mktemp("node"))
    peer.start()
    yield f"opc.tcp://127.0.0.1:{peer.port}"
    peer.kill()


async def test_read_write_and_unknown_tag(node_url, adapt, permit) -> None:
    async with adapt(node_url, TAGS) as plc:
        result = await plc.write(permit(("part", "p-2"), ("width", 3), ("counter", 7)))
        assert result.status is WriteStatus.SENT, result
        assert result.sent == ("p-2", 3.0, 7)
        part, width, counter, ghost = await plc.read(["part", "width", "counter", "ghost"])
        assert (part.value, width.value, counter.value) == ("p-2", 3.0, 7)
        assert ghost.quality is Quality.BAD
        assert (await plc.write(permit(("tick", 1)))).status is WriteStatus.REJECTED


@pytest.mark.parametrize("interval_s", [0.01, 0.1, 0.5])
async def test_changes_are_seen(node_url, adapt, permit, interval_s) -> None:
    async with adapt(node_url, TAGS) as plc:
        await plc.write(permit(("counter", 0)))
        feed = plc.subscribe(["counter", "ghost"], interval_s)
        counter, ghost = await anext(feed)
        assert (counter.value, ghost.quality) == (0, Quality.BAD)
        for value in (1, 2, 3):
            await plc.write(permit(("counter", value)))
            (change,) = await asyncio.wait_for(anext(feed), 5)
            assert change.value == value
        await feed.aclose()


async def test_browse(node_url, adapt) -> None:
    async with adapt(node_url, {}) as plc:
        found = {info.address: (info.type, info.writable) for info in await plc.browse()}
    assert found["s=Counter"] == ("int32", True)
    assert found["s=Tick"] == ("int32", False)


async def test_user_and_certificate(node_url, adapt, permit, tmp_path) -> None:
    security = {
        "policy": "Basic256Sha256",
        "user": "operator",
        "password": "s3cret",
        "pki": tmp_path,
    }
    async with adapt(node_url, TAGS, connect=False, security=security, refused_retry_s=0.3) as plc:
        with pytest.raises(NotAllowed, match="not trusted"):
            await plc.wait_connected(20)
        (rejected,) = (tmp_path / "rejected").iterdir()
        (tmp_path / "trusted").mkdir()
        rejected.rename(tmp_path / "trusted" / rejected.name)
        feed = plc.subscribe(["counter"], 0.05)
        async with asyncio.timeout(20):
            while not (await anext(feed))[0].good:
                pass
        await feed.aclose()
        assert (await plc.write(permit(("counter", 9)))).status is WriteStatus.SENT
    wrong = {**security, "password": "guess"}
    async with adapt(node_url, TAGS, connect=False, security=wrong) as plc:
        with pytest.raises(NotAllowed, match="refuses the user"):
            await plc.wait_connected(20)
