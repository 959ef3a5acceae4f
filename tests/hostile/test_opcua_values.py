"""A real OPC UA server that holds what no server should: the adapter never raises, never lies."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from typing import Any

import pytest
from asyncua import Server, ua

from millhand.contracts import Link, Quality
from millhand.contracts.codec import to_json
from millhand_opcua.adapter import OpcUa

URI = "urn:millhand:hostile"
VALUES: dict[str, ua.Variant] = {
    "nan": ua.Variant(math.nan, ua.VariantType.Double),
    "infinite": ua.Variant(-math.inf, ua.VariantType.Float),
    "tiny": ua.Variant(5e-324, ua.VariantType.Double),
    "huge_array": ua.Variant([1.5] * 50_000, ua.VariantType.Double),
    "array_with_nan": ua.Variant([1.0, math.nan], ua.VariantType.Double),
    "huge_text": ua.Variant("x" * 1_000_000, ua.VariantType.String),
    "nul_text": ua.Variant("a\0b", ua.VariantType.String),
    "wild_text": ua.Variant("\u202e'; DROP TABLE entry; --\x1b[2J", ua.VariantType.String),
    "bytes": ua.Variant(bytes(range(256)) * 100, ua.VariantType.ByteString),
    "largest": ua.Variant(2**64 - 1, ua.VariantType.UInt64),
    "matrix": ua.Variant([[1, 2], [3, 4]], ua.VariantType.Int32),
    "extension": ua.Variant(ua.Argument(Name="deep"), ua.VariantType.ExtensionObject),
    "extensions": ua.Variant([ua.Argument(Name=str(n)) for n in range(500)],
                             ua.VariantType.ExtensionObject),
    "null": ua.Variant(None, ua.VariantType.Null),
    "localized": ua.Variant(ua.LocalizedText("text", "zz" * 1000), ua.VariantType.LocalizedText),
}  # fmt: skip


@pytest.fixture
async def hostile() -> AsyncIterator[str]:
    server = Server()
    await server.init()
    server.set_endpoint("opc.tcp://127.0.0.1:0/")
    server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
    index = await server.register_namespace(URI)
    folder = await server.nodes.objects.add_folder(index, "Hostile")
    for name, variant in VALUES.items():
        await folder.add_variable(ua.NodeId(name, index), name, variant)
    async with server:
        yield f"opc.tcp://127.0.0.1:{server.bserver.port}/"


def adapter(url: str, **types: str) -> OpcUa:
    tags: dict[str, Any] = {
        name: OpcUa.Tag.model_validate(
            {"node": f"s={name}", **({"type": types[name]} if name in types else {})}
        )
        for name in VALUES
    }
    return OpcUa("hostile", OpcUa.Config.model_validate({"url": url, "namespace": URI}), tags)


async def connected(one: OpcUa) -> None:
    for _ in range(400):
        if one.health().link is Link.UP:
            return
        await asyncio.sleep(0.02)
    raise AssertionError(one.health())


@pytest.mark.filterwarnings("ignore")
async def test_every_value_is_a_sample_that_can_be_journalled(hostile: str) -> None:
    async with adapter(hostile) as one:
        await connected(one)
        samples = {sample.tag: sample for sample in await one.read(list(VALUES))}
    assert samples.keys() == VALUES.keys(), "one sample for each tag asked"
    for sample in samples.values():
        assert to_json(sample), "it can be written down"
        assert sample.good or sample.note or sample.status, f"{sample.tag} says what is wrong"
    for name in ("nan", "infinite", "array_with_nan", "extension", "extensions", "matrix", "null"):
        assert samples[name].quality is Quality.BAD, name
        assert samples[name].value is None, name
    assert samples["tiny"].value == 5e-324
    assert samples["largest"].value == 2**64 - 1


@pytest.mark.filterwarnings("ignore")
async def test_a_declared_type_is_held_against_what_comes(hostile: str) -> None:
    async with adapter(hostile, huge_text="int32", nan="boolean", largest="int16") as one:
        await connected(one)
        samples = await one.read(["huge_text", "nan", "largest", "tiny"])
    assert [sample.quality is Quality.BAD for sample in samples] == [True, True, True, False]
