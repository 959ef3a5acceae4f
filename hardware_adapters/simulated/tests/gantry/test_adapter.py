"""The gantry as a scenario has it: found by its name, with a controller of its own."""

from __future__ import annotations

import json
from time import monotonic_ns

from millhand.contracts import Link, Robot, SkillStatus
from millhand.plugins import Face, Plugins
from millhand.testing import Residue, permit_for
from millhand.testing.conformance.feeds import until_link
from millhand_simulated.gantry.adapter import GantryConfig


async def test_without_a_port_a_controller_is_started_and_ended() -> None:
    registered = Plugins.discover().adapter("simulated.gantry")
    assert registered.faces == {Face.ROBOT}
    before = Residue.now()
    gantry = registered.load()("gantry", GantryConfig())
    assert isinstance(gantry, Robot)
    async with gantry:
        await until_link(gantry, Link.UP, 30)
        goal = {"across_mm": 20.0}
        permit = permit_for("gantry", ("skill.move_to", json.dumps(goal)))
        deadline = monotonic_ns() + 20_000_000_000
        last = [one async for one in gantry.perform(permit, "move_to", goal, deadline)][-1]
        assert last.status == SkillStatus.SUCCEEDED
    assert await before.wait_none_added() == []


async def test_a_second_master_is_refused_with_the_reason() -> None:
    first = Plugins.discover().adapter("simulated.gantry").load()("gantry", GantryConfig())
    async with first:
        await until_link(first, Link.UP, 30)
        host, port = first._link._where
        second = type(first)("second", GantryConfig(host=host, port=port))
        async with second:
            health = await until_link(second, Link.REFUSED, 10)
    assert "another master" in health.detail
    assert health.fault == "configuration"
