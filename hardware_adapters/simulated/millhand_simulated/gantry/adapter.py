"""The adapter ``simulated.gantry``: the Robot face of one reject gantry."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from time import monotonic_ns
from types import TracebackType
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from millhand.contracts import (
    Health,
    Link,
    Permit,
    SkillInfo,
    SkillProgress,
    SkillStatus,
    Value,
)
from millhand.errors import NotAllowed, Unavailable
from millhand.messages import tr
from millhand_simulated.gantry.link import GantryLink
from millhand_simulated.gantry.process import ControllerProcess
from millhand_simulated.gantry.skills import GoalRefused, plan, skills


class GantryConfig(BaseModel):
    """Where the gantry's controller is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    host: str = Field(default="127.0.0.1", description="Name or address of its controller.")
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="TCP port of its controller; without one a controller is started.",
    )
    timeout_s: float = Field(
        default=1.0, gt=0, le=60, description="Longest wait for an answer, in seconds."
    )


class SimulatedGantry:
    """Takes parts from the belt and drops them into bins, all simulated but the sockets."""

    Config: ClassVar[type[BaseModel]] = GantryConfig

    def __init__(self, name: str, config: GantryConfig) -> None:
        self._name = name
        self._config = config
        self._controller: ControllerProcess | None = None
        self._link: GantryLink | None = None
        self._turn = asyncio.Lock()
        """Held while a skill is under way."""

    async def __aenter__(self) -> Self:
        port = self._config.port
        if port is None:
            self._controller = ControllerProcess()
            port = await self._controller.start()
        self._link = GantryLink(self._name, self._config.host, port, self._config.timeout_s)
        await self._link.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        link, controller = self._link, self._controller
        self._controller = None
        try:
            if link is not None:
                # The controller halts when its master hangs up.
                await link.close()
        finally:
            if controller is not None:
                await controller.end()

    def health(self) -> Health:
        """Say how the link is, at once and without I/O."""
        return self._link.health if self._link is not None else Health(link=Link.DOWN)

    def skills(self) -> Sequence[SkillInfo]:
        """List the skills, with the JSON Schema of their goals."""
        return [skill.info for skill in skills().values()]

    async def perform(
        self, permit: Permit, skill: str, goal: Mapping[str, Value], deadline_monotonic_ns: int
    ) -> AsyncIterator[SkillProgress]:
        """Check, redeem, begin, and tell how far it is; see :class:`millhand.contracts.Robot`.

        Raises:
            NotAllowed: the permit could not be redeemed, or is for another goal; nothing moved.
        """
        refusal = self._refusal(skill, goal)
        if refusal:
            yield _ended(SkillStatus.REJECTED, detail=refusal)
            return
        if monotonic_ns() >= deadline_monotonic_ns:
            yield _ended(SkillStatus.EXPIRED, detail=tr("its deadline had passed"))
            return
        async with self._turn:
            _redeem(permit, self._name, skill, goal)
            steps = self._perform(skill, dict(goal), deadline_monotonic_ns)
            async with aclosing(steps):
                async for progress in steps:
                    yield progress

    def _refusal(self, skill: str, goal: Mapping[str, Value]) -> str:
        """Say why a skill cannot be begun; empty where it can."""
        try:
            plan(skill, goal, 0.0)
        except GoalRefused as refusal:
            return str(refusal)
        if self._turn.locked():
            return tr("another skill is under way")
        if self.health().link is not Link.UP:
            return self.health().words or tr("the gantry is not connected")
        return ""

    async def _perform(
        self, skill: str, goal: dict[str, Any], deadline_monotonic_ns: int
    ) -> AsyncGenerator[SkillProgress, None]:
        link = self._link
        assert link is not None
        ended = False
        try:
            try:
                answer = await link.begin(skill, goal)
            except Unavailable as error:
                yield _ended(SkillStatus.REJECTED, detail=str(error))
                ended = True
                return
            except OSError as error:
                yield _ended(SkillStatus.UNKNOWN, detail=str(error) or tr("no answer"))
                return
            if "refused" in answer:
                ended = True
                yield _ended(SkillStatus.REJECTED, detail=answer["refused"])
                return
            async for progress in self._follow(link, answer["number"], deadline_monotonic_ns):
                ended = progress.done and progress.status != SkillStatus.UNKNOWN
                yield progress
        finally:
            if not ended:
                await asyncio.shield(link.stop())

    async def _follow(
        self, link: GantryLink, number: int, deadline_monotonic_ns: int
    ) -> AsyncIterator[SkillProgress]:
        """Yield what the controller says of a skill, to its end, its deadline or the link's end."""
        epoch, told, expired = link.health.epoch, -1.0, False
        while True:
            state = link.state
            if link.health.epoch != epoch or not state:
                yield _ended(SkillStatus.UNKNOWN, told, tr("the link was lost under way"))
                return
            if state["number"] == number and not state["busy"]:
                yield _last(state, expired=expired)
                return
            if not expired and monotonic_ns() >= deadline_monotonic_ns:
                expired = True
                await link.stop()
                continue
            if state["number"] == number and state["fraction"] > told:
                told = state["fraction"]
                yield SkillProgress(fraction=told, status="moving" if state["moving"] else "")
            await _next_state(link, state, None if expired else deadline_monotonic_ns)

    async def cancel(self) -> None:
        """End the skill under way in an orderly manner; returns when it has ended."""
        link = self._link
        if link is None or not self._turn.locked():
            return
        link.cancel()
        while self._turn.locked():
            state = link.state
            await _next_state(link, state, None)
            if not link.state.get("busy"):
                return

    async def stop(self) -> None:
        """Halt, now. Needs no permit, and neither hangs nor raises."""
        if self._link is not None:
            await self._link.stop()


def _redeem(permit: Permit, device: str, skill: str, goal: Mapping[str, Value]) -> None:
    """Spend the permit, if it is for this skill and this goal."""
    wanted = [(f"skill.{skill}", dict(goal))]
    try:
        allowed = [(write.tag, json.loads(str(write.value))) for write in permit.writes]
    except ValueError:
        allowed = []
    if allowed != wanted:
        raise NotAllowed(tr("The permit is not for {skill} with this goal.", skill=skill))
    permit.redeem(device)


def _ended(status: SkillStatus, fraction: float = 0.0, detail: str = "") -> SkillProgress:
    return SkillProgress(fraction=max(0.0, fraction), done=True, status=status, detail=detail)


def _last(state: Mapping[str, Any], *, expired: bool) -> SkillProgress:
    status = SkillStatus(state["status"])
    if expired and status is SkillStatus.STOPPED:
        return _ended(SkillStatus.EXPIRED, state["fraction"], tr("its deadline passed"))
    return _ended(status, state["fraction"])


async def _next_state(
    link: GantryLink, before: Mapping[str, Any], deadline_monotonic_ns: int | None
) -> None:
    """Wait until the controller says something new, the link is lost, or the deadline passes."""
    left_s = None
    if deadline_monotonic_ns is not None:
        left_s = max(0.0, (deadline_monotonic_ns - monotonic_ns()) / 1e9)
    try:
        async with asyncio.timeout(left_s), link.changed:
            await link.changed.wait_for(lambda: link.state is not before)
    except TimeoutError:
        return
