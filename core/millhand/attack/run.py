"""Runs attacks one after another on one arena, and judges each twice: by itself, by the books."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import structlog
from msgspec import Struct

from millhand import __version__
from millhand.attack.arena import Arena
from millhand.attack.attack import Attack, Finding, NotApplicable, Verdict, broken
from millhand.attack.books import wrong_in
from millhand.errors import InternalError, MillhandError
from millhand.messages import tr
from millhand.plugins import Plugins
from millhand.scenario.load import Scenario

log = structlog.get_logger(__name__)

_LONGEST_S = 90.0


class Result(Struct, frozen=True, kw_only=True):
    """One attack and what came of it."""

    name: str
    title: str
    promise: int
    finding: Finding
    took_s: float


class AttackRun(Struct, frozen=True, kw_only=True):
    """All attacks of a run."""

    scenario: str
    scenario_sha256: str
    millhand: str
    plugins: dict[str, str]
    started_utc_ns: int
    took_s: float
    results: tuple[Result, ...]
    parts: int = 0
    """Parts that were given a disposition meanwhile."""

    def count(self, verdict: Verdict) -> int:
        """Return how many attacks ended so."""
        return sum(one.finding.verdict is verdict for one in self.results)

    @property
    def all_held(self) -> bool:
        """Whether nothing was broken, and something was attacked."""
        return self.count(Verdict.BROKEN) == 0 and self.count(Verdict.HELD) > 0


Progress = Callable[[str, Attack, Result | None], None]
"""Called before an attack with None, and after it with its result."""


async def run_attacks(
    scenario: Scenario,
    attacks: Sequence[tuple[str, Attack]],
    *,
    folder: Path,
    plugins: Plugins,
    progress: Progress,
) -> AttackRun:
    """Attack a copy of a scenario on its simulated plant.

    Args:
        scenario: the person's; it is not touched.
        attacks: names and attacks, in the order in which they are run.
        folder: for copy, journal and plant; the copy, with its secrets, is removed at the end.
        plugins: what is installed.
        progress: told of each attack.

    Raises:
        ConfigError: the scenario has no simulated plant that can be attacked with.
    """
    started, begun = time.time_ns(), time.monotonic()
    results: list[Result] = []
    runner = _Runner(scenario, folder, plugins)
    async with runner.stack:
        for name, attack in attacks:
            progress(name, attack, None)
            result = await runner.one(name, attack)
            results.append(result)
            progress(name, attack, result)
        parts = await runner.parts()
    return AttackRun(
        scenario=scenario.name,
        scenario_sha256=scenario.sha256,
        millhand=__version__,
        plugins={one.name: one.version for one in plugins.found},
        started_utc_ns=started,
        took_s=time.monotonic() - begun,
        results=tuple(results),
        parts=parts,
    )


class _Runner:
    def __init__(self, scenario: Scenario, folder: Path, plugins: Plugins) -> None:
        self.stack = AsyncExitStack()
        self._scenario = scenario
        self._folder = folder
        self._plugins = plugins
        self._arena: Arena | None = None
        self._arenas = 0
        self._parts = 0

    async def one(self, name: str, attack: Attack) -> Result:
        """Run one attack; whatever it raises is a finding."""
        begun = time.monotonic()
        arena = await self._ready()
        arena.begin()
        finding = await self._finding(attack, arena)
        if finding.verdict is Verdict.HELD and arena.has_line:
            wrong = wrong_in(arena, forged=arena.forged)
            if wrong:
                finding = broken(tr("books of engine and PLC"), " ".join(wrong[:3]))
        if arena.fresh_wanted or finding.verdict is Verdict.BROKEN:
            await self._leave()
        return Result(
            name=name,
            title=attack.title,
            promise=attack.promise,
            finding=finding,
            took_s=time.monotonic() - begun,
        )

    async def _finding(self, attack: Attack, arena: Arena) -> Finding:
        try:
            async with asyncio.timeout(_LONGEST_S):
                return await attack.run(arena)
        except NotApplicable as error:
            return Finding(verdict=Verdict.NOT_APPLICABLE, rule="", evidence=str(error))
        except TimeoutError:
            return broken("", tr("What should have happened did not, in time."))
        except (MillhandError, OSError, AssertionError) as error:
            log.info("attack_failed", attack=attack.title, exc_info=error)
            return broken("", f"{type(error).__name__}: {error}")

    async def parts(self) -> int:
        """Return how many parts came in all, and leave the arena."""
        await self._leave()
        return self._parts

    async def _ready(self) -> Arena:
        """Return an arena in which the cell does its work."""
        if self._arena is not None and self._arena.has_line:
            try:
                await self._arena.recovered(20)
            except (TimeoutError, InternalError):
                await self._leave()
        if self._arena is None:
            self._arenas += 1
            folder = self._folder / f"arena-{self._arenas}"
            self._arena = Arena(self._scenario, folder, self._plugins)
            await self.stack.enter_async_context(self._arena)
            if self._arena.has_line:
                await self._arena.recovered()
        return self._arena

    async def _leave(self) -> None:
        arena, self._arena = self._arena, None
        if arena is None:
            return
        try:
            self._parts += len(arena.intents(after=0)) if arena.has_line else 0
        except MillhandError:
            log.info("journal_gone")
        await self.stack.aclose()
        shutil.rmtree(arena.folder / "cell", ignore_errors=True)
