"""The conformance kit for ``Robot``: skills by permit, progress, and a stop that always works."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from enum import StrEnum
from time import monotonic_ns
from typing import Any, ClassVar

import pytest

from millhand.contracts import Link, SkillProgress, SkillStatus, Value
from millhand.contracts.codec import to_json, to_msgpack
from millhand.errors import NotAllowed
from millhand.testing.conformance.feeds import until_link
from millhand.testing.conformance.kit import Kit
from millhand.testing.conformance.promises import Tier, promise
from millhand.testing.permits import permit_for, worthless_permits
from millhand.testing.proxy import FaultProxy
from millhand.testing.residue import Residue

Goal = Mapping[str, Value]
_SECOND_NS = 1_000_000_000


class RobotCapability(StrEnum):
    """What a robot's adapter may lack; each opt-out needs a reason."""

    CANCEL = "cancel"
    """A skill can be ended in an orderly manner."""
    SCHEMAS = "schemas"
    """Skills say by JSON Schema which goals they take."""
    KILL = "kill"
    """The peer can be ended and started again on the same address."""
    FREEZE = "freeze"
    """The peer can be stopped where it is, with its connections open."""
    PROXY = "proxy"
    """The adapter speaks TCP, so that faults can be put on the wire."""


class RobotBench(ABC):
    """A robot on a bench: the test sees the truth about its motion, and breaks its link."""

    device: ClassVar[str] = "robot"
    quick: ClassVar[tuple[str, Goal]]
    """A skill and a goal that are done within a second or two."""
    slow: ClassVar[tuple[str, Goal]]
    """A skill and a goal that move for at least a second; from anywhere."""
    refused: ClassVar[Sequence[tuple[str, Goal]]]
    """Skills and goals that must not be begun: out of reach, of a wrong type, without a key."""
    patience_s: ClassVar[float] = 20.0
    short: ClassVar[Mapping[str, Any]] = {}
    """Options that make time-outs short."""

    @abstractmethod
    async def ready(self) -> None:
        """Bring the robot up, thawed, at rest, without a skill."""

    @property
    @abstractmethod
    def address(self) -> tuple[str, int]:
        """Host and port where the robot listens now."""

    @abstractmethod
    def robot(self, address: tuple[str, int] | None = None, **options: Any) -> Any:
        """Build the adapter, not yet entered."""

    @abstractmethod
    async def moving(self) -> bool:
        """Say whether the robot really moves, not asking the adapter."""

    @abstractmethod
    async def begun(self) -> Sequence[str]:
        """Return the skills that the robot began since :meth:`ready`."""

    async def kill(self) -> None:
        """End the robot's controller at once."""
        raise NotImplementedError

    async def restart(self) -> None:
        """Start it again at the same address."""
        raise NotImplementedError

    async def freeze(self) -> None:
        """Stop the controller where it is; its connections stay open."""
        raise NotImplementedError

    async def thaw(self) -> None:
        """Let it run on."""
        raise NotImplementedError


class RobotTools(Kit):
    """What the tests of the kit share."""

    kit: ClassVar[str] = "robot"
    Capability = RobotCapability
    pytestmark: ClassVar[Any] = pytest.mark.asyncio

    @pytest.fixture
    def bench(self) -> RobotBench:
        """Return the bench; a subclass must say which."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture named bench")

    @asynccontextmanager
    async def up(self, bench: RobotBench, **options: Any) -> AsyncIterator[Any]:
        """Yield an adapter whose link is up."""
        await bench.ready()
        async with bench.robot(**options) as robot:
            await until_link(robot, Link.UP, bench.patience_s)
            yield robot

    def start(
        self, bench: RobotBench, robot: Any, what: tuple[str, Goal], deadline_s: float = 30.0
    ) -> AsyncIterator[SkillProgress]:
        """Begin a skill with a permit of its own; returns its progress."""
        skill, goal = what
        found: AsyncIterator[SkillProgress] = robot.perform(
            leave(bench, skill, goal), skill, goal, monotonic_ns() + int(deadline_s * _SECOND_NS)
        )
        return found

    async def perform(
        self, bench: RobotBench, robot: Any, what: tuple[str, Goal], deadline_s: float = 30.0
    ) -> list[SkillProgress]:
        """Perform a skill to its end."""
        async with asyncio.timeout(bench.patience_s):
            return [one async for one in self.start(bench, robot, what, deadline_s)]

    async def until_moving(self, bench: RobotBench, *, moving: bool = True) -> None:
        """Wait until the robot really moves, or rests."""
        async with asyncio.timeout(bench.patience_s):
            while await bench.moving() is not moving:  # noqa: ASYNC110  the truth has no event
                await asyncio.sleep(0.01)

    @asynccontextmanager
    async def under_way(
        self, bench: RobotBench, robot: Any
    ) -> AsyncIterator[asyncio.Task[list[SkillProgress]]]:
        """Yield the task that performs the slow skill, once the robot moves."""
        task = asyncio.create_task(self.perform(bench, robot, bench.slow))
        try:
            await self.until_moving(bench)
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


def leave(bench: RobotBench, skill: str, goal: Goal, **more: Any) -> Any:
    """Issue the permit for a skill, as the engine does."""
    return permit_for(bench.device, (f"skill.{skill}", json.dumps(dict(goal))), **more)


def _end(progress: Sequence[SkillProgress]) -> SkillStatus:
    """Return how a skill ended; it must have ended once, at the end."""
    assert [one.done for one in progress] == [False] * (len(progress) - 1) + [True]
    return SkillStatus(progress[-1].status)


class RobotSkills(RobotTools):
    """Skills: described, begun by permit, told to their end."""

    @promise(Tier.BRONZE)
    async def test_skills_are_described(self, bench: RobotBench) -> None:
        """Skills have names of their own and a line for a person, also while not connected."""
        await bench.ready()
        skills = bench.robot().skills()
        names = [skill.name for skill in skills]
        assert names
        assert len(set(names)) == len(names)
        assert {bench.quick[0], bench.slow[0]} <= set(names)
        assert all(skill.description for skill in skills)

    @promise(Tier.SILVER, RobotCapability.SCHEMAS)
    async def test_schemas_tell_goals_apart(self, bench: RobotBench) -> None:
        """Goal schemas are valid JSON Schema, take the good goals and no wrongly typed one."""
        jsonschema = pytest.importorskip("jsonschema")
        await bench.ready()
        schemas = {skill.name: skill.goal_schema for skill in bench.robot().skills()}
        for schema in schemas.values():
            jsonschema.Draft202012Validator.check_schema(schema)
        for skill, goal in (bench.quick, bench.slow):
            jsonschema.validate(dict(goal), schemas[skill])
        refused = [
            not jsonschema.Draft202012Validator(schemas[skill]).is_valid(dict(goal))
            for skill, goal in bench.refused
            if skill in schemas
        ]
        assert any(refused), "no schema refuses anything"

    @promise(Tier.BRONZE)
    async def test_progress_to_success(self, bench: RobotBench) -> None:
        """Progress never falls, stays within 0 to 1, and ends once, with success at 1."""
        async with self.up(bench) as robot:
            progress = await self.perform(bench, robot, bench.quick)
            assert _end(progress) is SkillStatus.SUCCEEDED, progress[-1]
            fractions = [one.fraction for one in progress]
            assert fractions == sorted(fractions)
            assert fractions[0] >= 0
            assert fractions[-1] == 1
            assert not await bench.moving()
            assert list(await bench.begun()) == [bench.quick[0]]

    @promise(Tier.BRONZE)
    async def test_bad_goals_move_nothing(self, bench: RobotBench) -> None:
        """An unknown skill or a goal out of reach is rejected, unmoved, the permit unspent."""
        async with self.up(bench) as robot:
            for skill, goal in (*bench.refused, ("no such skill", {})):
                permit = leave(bench, skill, goal)
                deadline = monotonic_ns() + 30 * _SECOND_NS
                progress = [one async for one in robot.perform(permit, skill, goal, deadline)]
                assert _end(progress) is SkillStatus.REJECTED, (skill, goal, progress)
                assert progress[-1].detail, "a rejection says why"
                assert permit.redeem(bench.device), "the permit was spent"
            assert list(await bench.begun()) == []

    @promise(Tier.BRONZE)
    async def test_permits_count_once(self, bench: RobotBench) -> None:
        """A permit that is spent, expired, forged, changed, or another's moves nothing."""
        skill, goal = bench.quick
        async with self.up(bench) as robot:
            other = permit_for(bench.device, (f"skill.{skill}", json.dumps({"other": 1})))
            asked = (f"skill.{skill}", json.dumps(dict(goal)))
            for permit in (other, *worthless_permits(bench.device, asked).values()):
                with pytest.raises(NotAllowed):
                    async for _ in robot.perform(
                        permit, skill, goal, monotonic_ns() + 30 * _SECOND_NS
                    ):
                        pass
            assert list(await bench.begun()) == []

    @promise(Tier.BRONZE)
    async def test_one_at_a_time(self, bench: RobotBench) -> None:
        """A skill asked for while another is under way is rejected and disturbs nothing."""
        async with self.up(bench) as robot, self.under_way(bench, robot):
            second = await self.perform(bench, robot, bench.quick)
            assert _end(second) is SkillStatus.REJECTED
            assert await bench.moving()
            assert list(await bench.begun()) == [bench.slow[0]]

    @promise(Tier.BRONZE)
    async def test_serialisable(self, bench: RobotBench) -> None:
        """All that crosses the face is serialisable, so that it may run in another process."""
        async with self.up(bench) as robot:
            progress = await self.perform(bench, robot, bench.quick)
            for record in (*robot.skills(), *progress, robot.health()):
                assert to_msgpack(record)
                assert to_json(record)


class RobotHalts(RobotTools):
    """Halts: by deadline, by cancel, by stop, by whoever turns away."""

    @promise(Tier.BRONZE)
    async def test_deadline_halts(self, bench: RobotBench) -> None:
        """A skill that outlasts its deadline is halted and ends as expired."""
        async with self.up(bench) as robot:
            progress = await self.perform(bench, robot, bench.slow, deadline_s=0.3)
            assert _end(progress) is SkillStatus.EXPIRED
            await self.until_moving(bench, moving=False)

    @promise(Tier.BRONZE)
    async def test_late_is_not_begun(self, bench: RobotBench) -> None:
        """A skill whose deadline has passed is not begun."""
        async with self.up(bench) as robot:
            progress = await self.perform(bench, robot, bench.quick, deadline_s=-0.001)
            assert _end(progress) is SkillStatus.EXPIRED
            assert list(await bench.begun()) == []

    @promise(Tier.BRONZE, RobotCapability.CANCEL)
    async def test_cancel_is_orderly(self, bench: RobotBench) -> None:
        """Cancel ends the skill, returns when it has ended, and the next one can be begun."""
        async with self.up(bench) as robot:
            async with self.under_way(bench, robot) as task:
                async with asyncio.timeout(bench.patience_s):
                    await robot.cancel()
                    progress = await task
                assert _end(progress) is SkillStatus.CANCELLED
                assert not await bench.moving()
            await robot.cancel()
            again = await self.perform(bench, robot, bench.quick)
            assert _end(again) is SkillStatus.SUCCEEDED

    @promise(Tier.BRONZE)
    async def test_stop_halts(self, bench: RobotBench) -> None:
        """Stop needs no permit, halts the robot, and the skill ends as stopped."""
        async with self.up(bench) as robot, self.under_way(bench, robot) as task:
            async with asyncio.timeout(bench.patience_s):
                await robot.stop()
                await self.until_moving(bench, moving=False)
                progress = await task
            assert _end(progress) is SkillStatus.STOPPED

    @promise(Tier.BRONZE)
    async def test_stop_works_always(self, bench: RobotBench) -> None:
        """Stop may be called at rest, twice, at once, before entering and after leaving."""
        await bench.ready()
        robot = bench.robot()
        async with asyncio.timeout(bench.patience_s):
            await robot.stop()
            async with robot:
                await robot.stop()
                await until_link(robot, Link.UP, bench.patience_s)
                await asyncio.gather(robot.stop(), robot.stop(), robot.stop())
            await robot.stop()

    @promise(Tier.BRONZE)
    async def test_turning_away_halts(self, bench: RobotBench) -> None:
        """Closing the iterator, or cancelling its task, halts the robot."""
        async with self.up(bench) as robot:
            async with aclosing(self.start(bench, robot, bench.slow)) as progress:  # type: ignore[type-var]
                async with asyncio.timeout(bench.patience_s):
                    await anext(progress)
                    await self.until_moving(bench)
            await self.until_moving(bench, moving=False)
            async with self.under_way(bench, robot) as task:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                await self.until_moving(bench, moving=False)

    @promise(Tier.BRONZE)
    async def test_leaving_halts_and_leaves_nothing(self, bench: RobotBench) -> None:
        """Leaving in the middle of a skill halts the robot and leaves no task, socket, thread."""
        async with self.up(bench) as robot:
            await self.perform(bench, robot, bench.quick)
        before = Residue.now()
        async with self.up(bench) as robot:
            moving = self.start(bench, robot, bench.slow)
            await anext(moving)
            await self.until_moving(bench)
        await moving.aclose()  # type: ignore[attr-defined]
        await self.until_moving(bench, moving=False)
        assert await before.wait_none_added() == []


class RobotFaults(RobotTools):
    """Faults: the link goes while it moves."""

    @promise(Tier.SILVER, RobotCapability.PROXY)
    async def test_cut_off_it_halts_by_itself(self, bench: RobotBench) -> None:
        """Cut off from us, the robot halts by itself, the skill ends as unknown, never repeated."""
        await bench.ready()
        async with FaultProxy(*bench.address) as proxy:
            for fault in (proxy.black_hole, proxy.reset):
                before = len(await bench.begun())
                async with bench.robot(proxy.address, **bench.short) as robot:
                    await until_link(robot, Link.UP, bench.patience_s)
                    async with self.under_way(bench, robot) as task:
                        fault()
                        await self.until_moving(bench, moving=False)
                        async with asyncio.timeout(bench.patience_s):
                            progress = await task
                        assert _end(progress) is SkillStatus.UNKNOWN, progress[-1]
                    proxy.lift()
                    await until_link(robot, Link.UP, bench.patience_s)
                    assert robot.health().epoch == 2
                    assert len(await bench.begun()) == before + 1, "the skill was begun again"

    @promise(Tier.SILVER, RobotCapability.PROXY)
    async def test_stop_on_a_dead_line(self, bench: RobotBench) -> None:
        """Stop on a line that is dead neither hangs nor raises, and the robot halts."""
        await bench.ready()
        async with (
            FaultProxy(*bench.address) as proxy,
            bench.robot(proxy.address, **bench.short) as robot,
        ):
            await until_link(robot, Link.UP, bench.patience_s)
            async with self.under_way(bench, robot):
                proxy.black_hole()
                async with asyncio.timeout(bench.patience_s):
                    await robot.stop()
                    await self.until_moving(bench, moving=False)

    @promise(Tier.SILVER, RobotCapability.KILL)
    async def test_killed_and_back(self, bench: RobotBench) -> None:
        """A controller killed under way ends the skill as unknown, and is found when it returns."""
        async with self.up(bench, **bench.short) as robot:
            async with self.under_way(bench, robot) as task:
                await bench.kill()
                async with asyncio.timeout(bench.patience_s):
                    progress = await task
                assert _end(progress) is SkillStatus.UNKNOWN
                health = await until_link(robot, Link.DOWN, bench.patience_s)
                assert health.fault == "network"
                away = await self.perform(bench, robot, bench.quick)
                assert _end(away) is SkillStatus.REJECTED
                await robot.stop()
            await bench.restart()
            await until_link(robot, Link.UP, bench.patience_s)
            assert list(await bench.begun()) == [], "the skill was begun again"
            again = await self.perform(bench, robot, bench.quick)
            assert _end(again) is SkillStatus.SUCCEEDED

    @promise(Tier.SILVER, RobotCapability.FREEZE)
    async def test_frozen_under_way(self, bench: RobotBench) -> None:
        """A frozen controller ends the skill as unknown; thawed, it does not go on."""
        async with self.up(bench, **bench.short) as robot:
            async with self.under_way(bench, robot) as task:
                await bench.freeze()
                async with asyncio.timeout(bench.patience_s):
                    progress = await task
                assert _end(progress) is SkillStatus.UNKNOWN
                await bench.thaw()
                await self.until_moving(bench, moving=False)
            await until_link(robot, Link.UP, bench.patience_s)
            assert list(await bench.begun()) == [bench.slow[0]]


class RobotKit(RobotSkills, RobotHalts, RobotFaults):
    """All that an adapter with the face ``Robot`` promises."""
