from __future__ import annotations

import pytest
from asyncua import ua

from millhand.errors import Unavailable

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_the_namespaces_variables_are_listed_as_a_scenario_writes_them(plant, adapt) -> None:
    node = plant.node("Scalar.double")
    await node.add_property(
        ua.NodeId("Unit", 0),
        "0:EngineeringUnits",
        ua.EUInformation(DisplayName=ua.LocalizedText("mm")),
    )
    await node.write_attribute(
        ua.AttributeIds.Description, ua.DataValue(ua.LocalizedText("Width of the part"))
    )
    async with adapt(plant.url, {}) as plc:
        found = {info.address: info for info in await plc.browse()}
    width = found["s=Scalar.double"]
    assert (width.type, width.writable) == ("double", True)
    assert (width.unit, width.description) == ("mm", "Width of the part")
    assert found["s=ReadOnly"].writable is False
    assert found["s=Ring"].type == "int32[]"
    assert len(found) == 19


async def test_what_was_browsed_can_be_read_as_it_stands(plant, adapt) -> None:
    async with adapt(plant.url, {}) as plc:
        infos = await plc.browse()
    tags = {info.address: {"node": info.address, "type": info.type} for info in infos}
    async with adapt(plant.url, tags) as plc:
        samples = await plc.read(list(tags))
    assert [sample.tag for sample in samples if not sample.good] == []


async def test_without_a_namespace_addresses_are_whole(plant, adapt) -> None:
    async with adapt(plant.url, {}, namespace="") as plc:
        addresses = {info.address for info in await plc.browse()}
    assert "nsu=urn:millhand:test;s=Counter" in addresses
    assert not any("opcfoundation" in address for address in addresses)


async def test_subtypes_and_enumerations_are_known_by_what_they_are_stored_as(
    plant, adapt, permit
) -> None:
    duration = ua.NodeId(ua.ObjectIds.Duration)
    state = ua.NodeId(ua.ObjectIds.ServerState)
    anything = ua.NodeId(ua.ObjectIds.BaseDataType)
    objects = plant.server.nodes.objects
    for name, value, data_type in (
        ("Duration", ua.Variant(1.5, ua.VariantType.Double), duration),
        ("State", ua.Variant(2, ua.VariantType.Int32), state),
        ("Anything", ua.Variant(3, ua.VariantType.UInt16), anything),
    ):
        node = await objects.add_variable(
            ua.NodeId(name, plant.index), name, value, datatype=data_type
        )
        await node.set_writable()
    tags = {
        "duration": {"node": "s=Duration", "type": "double"},
        "state": {"node": "s=State", "type": "int32"},
        "anything": {"node": "s=Anything", "type": "uint16"},
    }
    async with adapt(plant.url, tags) as plc:
        assert plc.health().detail == ""
        assert (await plc.write(permit(("duration", 2), ("state", 3), ("anything", 4)))).sent == (
            2.0,
            3,
            4,
        )
        assert [sample.value for sample in await plc.read(list(tags))] == [2.0, 3, 4]
    added = [plant.node(name) for name in ("Duration", "State", "Anything")]
    await plant.server.delete_nodes(added)


async def test_browsing_an_absent_server_is_unavailable(adapt) -> None:
    async with adapt("opc.tcp://127.0.0.1:9", {}, connect=False, connect_timeout_s=0.3) as plc:
        with pytest.raises(Unavailable):
            await plc.browse()
