from __future__ import annotations

import asyncio
import math
import struct

import pytest
from asyncua import ua

from millhand.contracts import WriteStatus
from millhand.errors import NotAllowed

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("boolean", False),
        ("sbyte", -128),
        ("byte", 255),
        ("int16", -(2**15)),
        ("uint16", 2**16 - 1),
        ("int32", 2**31 - 1),
        ("uint32", 2**32 - 1),
        ("int64", -(2**63)),
        ("uint64", 2**64 - 1),
        ("float", 0.5),
        ("double", 1.7976931348623157e308),
        ("string", "Größe ✓"),
        ("datetime", "2027-05-06T07:08:09+00:00"),
        ("bytestring", "AAEC"),
        ("localizedtext", "Tür"),
    ],
)
async def test_every_scalar_type_is_written_and_read_back(plant, adapt, permit, name, value):
    async with adapt(plant.url, {"tag": f"s=Scalar.{name}"}) as plc:
        result = await plc.write(permit(("tag", value)))
        assert result.status is WriteStatus.SENT, result
        assert result.sent == (value,)
        (sample,) = await plc.read(["tag"])
        assert sample.value == value
        variant = await plant.node(f"Scalar.{name}").read_data_type_as_variant_type()
        assert variant.name.lower() == name


async def test_nothing_but_the_value_goes_over_the_wire(relay, adapt, permit) -> None:
    async with adapt(relay.url, {"counter": "s=Counter"}) as plc:
        await plc.write(permit(("counter", 3)))
    only_value = b"\x01"  # a DataValue's encoding mask: neither status nor any time stamp follows
    variant = struct.pack("<Bi", ua.VariantType.Int32, 3)
    end = struct.pack("<Ii", ua.AttributeIds.Value, -1) + only_value + variant
    assert sum(message.endswith(end) for message in relay.sent) == 1


async def test_the_last_write_goes_alone_after_the_others(plant, adapt, permit) -> None:
    names = ["Scalar.string", "Scalar.int32", "Scalar.uint32", "Counter"]
    async with adapt(plant.url, {name: f"s={name}" for name in names}) as plc:
        plant.written.clear()
        result = await plc.write(permit(*zip(names, ["p-1", 2, 900, 17], strict=True)))
        assert result.status is WriteStatus.SENT
        assert result.sent == ("p-1", 2, 900, 17)
    sent = [[value.NodeId.Identifier for value in request] for request in plant.written]
    assert sent == [names[:3], names[3:]]


async def test_the_last_is_not_sent_when_an_earlier_one_was_refused(plant, adapt, permit) -> None:
    plant.refuse = {"Scalar.int32": ua.uaerrors.BadOutOfRange}
    async with adapt(plant.url, {"a": "s=Scalar.int32", "id": "s=Counter"}) as plc:
        plant.written.clear()
        result = await plc.write(permit(("a", 1), ("id", 99)))
    plant.refuse = {}
    assert result.status is WriteStatus.REJECTED
    assert result.status_code == ua.StatusCodes.BadOutOfRange
    assert "BadOutOfRange" in result.detail
    assert [len(request) for request in plant.written] == [1]
    assert await plant.node("Counter").read_value() != 99


@pytest.mark.parametrize(
    "writes",
    [
        [("counter", 2**31)],
        [("counter", "7")],
        [("counter", math.nan)],
        [("counter", True)],
        [("limited", 101)],
        [("read_only", 1)],
        [("ghost", 1)],
        [("mistyped", 1.0)],
        [("unheard_of", 1)],
        [("counter", 1), ("limited", -1)],
        [("ring", [1, 2])],
    ],
)
async def test_what_does_not_fit_is_rejected_before_anything_is_sent(
    plant, adapt, permit, writes
) -> None:
    tags = {
        "counter": "s=Counter",
        "limited": {"node": "s=Scalar.int32", "minimum": 0, "maximum": 100},
        "read_only": "s=ReadOnly",
        "ghost": "s=Ghost",
        "mistyped": {"node": "s=Counter", "type": "double"},
        "ring": {"node": "s=Ring", "type": "int32[]"},
    }
    await plant.node("Ring").write_array_dimensions([16])
    async with adapt(plant.url, tags) as plc:
        plant.written.clear()
        leave = permit(*writes)
        result = await plc.write(leave)
    assert result.status is WriteStatus.REJECTED
    assert writes[-1][0] in result.detail
    assert leave.redeemed == 0
    assert plant.written == []


async def test_a_permit_is_spent_once_and_only_on_its_device(plant, adapt, permit) -> None:
    async with adapt(plant.url, {"counter": "s=Counter"}) as plc:
        plant.written.clear()
        leave = permit(("counter", 5))
        await plc.write(leave)
        with pytest.raises(NotAllowed):
            await plc.write(leave)
        with pytest.raises(NotAllowed):
            await plc.write(permit(("counter", 6), device="other"))
    assert len(plant.written) == 1


async def test_arrays_are_written(plant, adapt, permit) -> None:
    async with adapt(plant.url, {"ring": "s=Ring"}) as plc:
        result = await plc.write(permit(("ring", list(range(16)))))
        assert result.status is WriteStatus.SENT, result
        assert (await plc.read(["ring"]))[0].value == list(range(16))


async def test_a_tag_that_appears_later_can_be_written(plant, adapt, permit) -> None:
    async with adapt(plant.url, {"late": "s=Late"}) as plc:
        assert (await plc.write(permit(("late", 1)))).status is WriteStatus.REJECTED
        node = await plant.server.nodes.objects.add_variable(
            ua.NodeId("Late", plant.index), "Late", ua.Variant(0, ua.VariantType.Int16)
        )
        await node.set_writable()
        assert (await plc.write(permit(("late", 2)))).status is WriteStatus.SENT
        assert (await plc.read(["late"]))[0].value == 2


async def test_a_gateways_time_out_is_unknown(plant, adapt, permit) -> None:
    plant.refuse = {"Counter": ua.uaerrors.BadTimeout}
    async with adapt(plant.url, {"counter": "s=Counter"}) as plc:
        result = await plc.write(permit(("counter", 1)))
    plant.refuse = {}
    assert result.status is WriteStatus.UNKNOWN
    assert result.status_code == ua.StatusCodes.BadTimeout


async def test_no_answer_is_unknown_and_nothing_is_sent_again(plant, relay, adapt, permit) -> None:
    async with adapt(relay.url, {"a": "s=Scalar.int32", "id": "s=Counter"}) as plc:
        plant.written.clear()
        relay.answers.clear()
        result = await plc.write(permit(("a", 1), ("id", 41)))
        relay.answers.set()
        assert result.status is WriteStatus.UNKNOWN
        assert result.sent == (1,)
        await asyncio.sleep(0.1)
        await plc.wait_connected(10)
        assert [len(request) for request in plant.written] == [1]


async def test_a_link_cut_after_sending_is_unknown(plant, relay, adapt, permit, eventually) -> None:
    async with adapt(relay.url, {"counter": "s=Counter"}) as plc:
        relay.answers.clear()
        plant.written.clear()
        writing = asyncio.create_task(plc.write(permit(("counter", 42))))
        await eventually(lambda: plant.written)
        relay.cut()
        assert (await writing).status is WriteStatus.UNKNOWN
        relay.answers.set()


async def test_without_a_link_nothing_is_sent_and_the_permit_kept(plant, relay, adapt, permit):
    async with adapt(relay.url, {"counter": "s=Counter"}) as plc:
        relay.answers.clear()
        relay.cut()
        await asyncio.sleep(0.05)
        leave = permit(("counter", 43))
        result = await plc.write(leave)
        assert result.status is WriteStatus.NOT_SENT
        assert result.detail
        assert leave.redeemed == 0
        relay.answers.set()


async def test_a_cancelled_write_raises_and_the_link_stays(plant, relay, adapt, permit) -> None:
    async with adapt(relay.url, {"counter": "s=Counter"}) as plc:
        relay.answers.clear()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await plc.write(permit(("counter", 44)))
        relay.answers.set()
        assert (await plc.read(["counter"]))[0].value == 44
        assert plc.health().epoch == 1
