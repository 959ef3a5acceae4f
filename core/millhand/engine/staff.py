"""The agents of a cell: opened in workers or in the engine, bound to the scenario, watched."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import replace

import msgspec

from millhand.engine import build
from millhand.engine.asking import Asker
from millhand.engine.care import AgentCare
from millhand.engine.cell import Cell
from millhand.engine.drift import DriftWatch
from millhand.engine.recover import last_mode, models_standing, remember
from millhand.engine.resident import Resident
from millhand.engine.rollout.evidence import Evidence
from millhand.engine.rollout.placed import SecondCare, verified
from millhand.engine.rollout.rollout import Rollout, Start
from millhand.engine.runner import AgentRunner
from millhand.engine.supervision import Child
from millhand.engine.thinking import LightThinker, Thinker
from millhand.errors import ConfigError, MillhandError
from millhand.isolate.messages import AgentSpec, OpenedAgent
from millhand.messages import tr
from millhand.plugins import Plugins
from millhand.scenario.load import Scenario


class Staff:
    """Opens the agents, keeps their workers going, and moves out who holds up the engine.

    Args:
        scenario: names the agents.
        plugins: what may be used.
        cell: what their runners share.
        runners: gets the runners by agent, once bound; an agent that could not be opened has none.
    """

    def __init__(
        self,
        scenario: Scenario,
        plugins: Plugins,
        cell: Cell,
        runners: dict[str, AgentRunner],
    ) -> None:
        self.runners = runners
        self._scenario = scenario
        self._plugins = plugins
        self._cell = cell
        self._care = AgentCare(cell, self.runners)
        self._thinkers: dict[str, Thinker] = {}
        self._specs: dict[str, AgentSpec] = {}
        self._opened: dict[str, tuple[OpenedAgent, Thinker]] = {}
        self.failed: dict[str, str] = {}
        """Workers and light agents that could not be opened, and why."""
        self.rollouts: dict[str, Rollout] = {}
        """The life of the models, by agent; agents without models have none."""
        self._starts: dict[str, Start] = {}
        self._originals: dict[str, AgentSpec] = {}
        self._stack = AsyncExitStack()

    async def open(self, stack: AsyncExitStack) -> None:
        """Open all agents at once; ``stack`` closes them.

        Raises:
            MillhandError: none could be opened; the first one's reason.
        """
        self._stack = await stack.enter_async_context(AsyncExitStack())
        agents = self._scenario.file.agents
        for name in agents:
            spec = build.agent_spec(self._scenario, name, self._plugins)
            self._originals[name] = spec
            self._specs[name] = await self._promoted(spec, alone=agents[name].worker is None)
        for name, agent in agents.items():
            if agent.light:
                limits = build.worker_limits(self._scenario, agent.worker or name)
                self._thinkers[name] = LightThinker(self._specs[name], limits, self._care)
        for worker, names in build.worker_groups(self._scenario).items():
            self._thinkers[worker] = self._resident(worker, names)
        results = await asyncio.gather(
            *(self._open(name) for name in self._thinkers), return_exceptions=True
        )
        errors: list[MillhandError] = []
        for (name, thinker), result in zip(self._thinkers.items(), results, strict=True):
            if isinstance(result, MillhandError):
                self.failed[name] = str(result)
                errors.append(result)
            elif isinstance(result, BaseException):
                raise result
            else:
                self._opened.update({agent.name: (agent, thinker) for agent in result})
        if errors and not self._opened:
            raise errors[0]

    async def _promoted(self, spec: AgentSpec, *, alone: bool) -> AgentSpec:
        """Put in place what was promoted before this start, as the journal says."""
        from millhand.replay.candidate import with_candidates

        self._starts[spec.name] = Start(spec, alone=alone)
        if not spec.models:
            return spec
        standing = await asyncio.to_thread(models_standing, self._cell.journal, spec.name)
        folders, base = standing.folders, self._scenario.folder
        try:
            packages = [
                await asyncio.to_thread(verified, base, one, spec.trusted_keys) for one in folders
            ]
            promoted = with_candidates(spec, packages)
            promoted = msgspec.structs.replace(promoted, trusted_keys=spec.trusted_keys)
        except MillhandError as error:
            text = tr("What was promoted cannot be opened: {reason}", reason=error)
            self._cell.alarms.raise_("model_missing", spec.name, text)
            return spec
        self._starts[spec.name] = Start(promoted, folders, alone)
        return promoted

    def _resident(self, worker: str, agents: list[str]) -> Resident:
        return Resident(
            worker,
            [self._specs[name] for name in agents],
            build.worker_limits(self._scenario, worker),
            self._care,
            self._cell.supervisor.job,
        )

    async def _open(self, name: str) -> list[OpenedAgent]:
        self._stack.push_async_callback(self._thinkers[name].stop)
        return list(await self._thinkers[name].start())

    def bind(self) -> None:
        """Make a runner for each agent that was opened.

        Raises:
            ConfigError: a role is not bound, or a light agent does not say that it is one.
        """
        cell = self._cell
        for worker, reason in self.failed.items():
            text = tr("{agent} could not be opened: {reason}", agent=worker, reason=reason)
            cell.alarms.raise_("agent_degraded", worker, text)
        for name, (agent, thinker) in self._opened.items():
            binding = build.agent_binding(self._scenario, name, agent.needs)
            if self._scenario.file.agents[name].light and not agent.needs.light:
                raise ConfigError(
                    tr("{agent} does not declare itself light.", agent=name),
                    mend=tr("Remove light, so that it runs in a worker."),
                )
            remembered = remember(cell.journal, name)
            runner = AgentRunner(cell, binding, thinker, memory=remembered.memory)
            runner.opened(agent)
            if isinstance(thinker, LightThinker):
                runner.light.expel = self._expel
            elif self._specs[name].models:
                self.rollouts[name] = self._rollout(runner)
            self.runners[name] = runner
            change = last_mode(cell.journal, name)
            cell.modes.restore(name, None if change is None else change.now)

    def _rollout(self, runner: AgentRunner) -> Rollout:
        name = runner.name
        agent = self._scenario.file.agents[name]
        drift = DriftWatch(self._cell, name, agent.drift)
        asker = runner.asker = Asker(
            self._cell, name, agent.ask, drift, asks_unsure=agent.unsure.review
        )
        if agent.drift.watch:
            runner.drift = drift
        rollout = Rollout(
            self._cell,
            runner,
            self._starts[name],
            folder=self._scenario.folder,
            original=self._originals[name],
            evidence=Evidence(self._cell.journal, name, agent.rollout),
            drift=drift,
            asker=asker,
            make=self._second,
        )
        folder = agent.drift.fall_back
        if folder is not None:
            drift.on_void = lambda reason: self._fall_back(rollout, folder, reason)
        return rollout

    def _fall_back(self, rollout: Rollout, folder: str, reason: str) -> None:
        job = rollout.fall_back(folder, reason)
        self._cell.supervisor.job(job, f"{rollout.agent}.fall_back")

    def _second(self, spec: AgentSpec, live: Callable[[], bool]) -> Resident:
        """Make a worker for a second model; it has no spare, for it is one itself."""
        limits = replace(build.worker_limits(self._scenario, spec.name), spare=False)
        care = SecondCare(self._cell, self._care, live)
        resident = Resident(f"{spec.name}.2", [spec], limits, care, self._cell.supervisor.job)
        self._stack.push_async_callback(resident.stop)
        self._watch(resident)
        return resident

    def watch(self) -> None:
        """Begin to look after the workers."""
        for thinker in self._thinkers.values():
            if isinstance(thinker, Resident):
                self._watch(thinker)

    def _watch(self, resident: Resident) -> None:
        self._cell.supervisor.start(Child(f"{resident.name}.worker", resident.watch))

    # --- a light agent that is not light ---

    def _expel(self, agent: str) -> None:
        """Move a light agent into a worker of its own; until that is up, its parts fail."""
        resident = self._resident(agent, [agent])
        self._thinkers[agent] = resident
        self._stack.push_async_callback(resident.stop)
        self.runners[agent].move_to(resident)
        text = tr("{agent} was moved out of the engine into a worker.", agent=agent)
        self._cell.alarms.raise_("agent_moved", agent, text)
        self._cell.supervisor.job(self._start_moved(agent, resident), f"{agent}.move")

    async def _start_moved(self, agent: str, resident: Resident) -> None:
        try:
            await resident.start()
        except MillhandError as error:
            self._care.degraded([agent], str(error))
            return
        self._watch(resident)
