"""Runs one agent: takes triggers, gathers, lets the agent decide in its worker, in time."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from time import monotonic_ns, time_ns

import msgspec

from millhand.contracts import (
    Decision,
    DeliverRecord,
    Document,
    DocumentArrived,
    Memory,
    Mode,
    Observation,
    PartTrigger,
    Trigger,
    Verdict,
)
from millhand.engine.answers import LARGEST_MEMORY, check_finite, memory_fits, undecided
from millhand.engine.asking import Asker
from millhand.engine.bindings import AgentBinding
from millhand.engine.cell import Cell
from millhand.engine.drift import DECIDED_BY_MODEL, DriftWatch
from millhand.engine.effects import Effect
from millhand.engine.light import LightWatch
from millhand.engine.observe import Gathered, gather, product_of
from millhand.engine.rollout.seat import Beside, Seat
from millhand.engine.settling import Settler
from millhand.engine.thinking import LightThinker, Thinker
from millhand.engine.waiting import Waiting
from millhand.engine.work import Work, begun_ns
from millhand.errors import MillhandError
from millhand.isolate.frames import MemoryFull
from millhand.isolate.messages import OpenedAgent
from millhand.isolate.wire import WorkerLost
from millhand.journal.records import Cause
from millhand.messages import tr

_HEEDING = 0.75
"""Of the time left, what may be spent waiting for others; the rest is for disk and PLC."""


class AgentRunner:
    """Runs one agent; capture never waits for a model, and every trigger is settled."""

    def __init__(
        self, cell: Cell, binding: AgentBinding, thinker: Thinker, *, memory: Memory | None = None
    ) -> None:
        self.binding = binding
        self.settler = Settler(cell, binding)
        self.light = LightWatch(cell.alarms, binding.name)
        self._cell = cell
        self.beside: Beside | None = None
        """A second model, where there is one."""
        self.drift: DriftWatch | None = None
        """Watches what the models see, where there are any."""
        self.asker: Asker | None = None
        """Puts questions about what the models decide."""
        self._thinker = thinker
        self._memory: Memory = memory or {}
        self._opened: OpenedAgent | None = None
        self._packages: Mapping[str, str] = {}
        self._waiting = Waiting(binding.queue, latest=binding.latest)
        self._free = True
        """Whether nothing is being decided and nothing waits."""
        self._settling = f"{binding.name}.settle"
        self._arrived = asyncio.Event()

    @property
    def name(self) -> str:
        """The agent's name in the scenario."""
        return self.binding.name

    @property
    def queued(self) -> int:
        """How many triggers wait."""
        return len(self._waiting)

    @property
    def degraded(self) -> bool:
        """Whether the agent was given up for a while."""
        return self._thinker.degraded

    @property
    def ready(self) -> bool:
        """Whether the agent can decide."""
        return self._thinker.alive and not self.degraded

    @property
    def packages(self) -> Mapping[str, str]:
        """Package id by role or ``role.product``."""
        return self._packages

    @property
    def runs_on(self) -> dict[str, str]:
        """What each model really runs on, by role or ``role.product``, and why."""
        if self._opened is None:
            return {}
        choices = self._opened.choices
        return {
            label: "; ".join(
                filter(
                    None,
                    [
                        f"{used.runtime} {used.provider} on {used.device}",
                        f"{used.precision}, {used.threads} thread(s)",
                        choices.get(label, ""),
                    ],
                )
            )
            for label, used in self._opened.used.items()
        }

    def opened(self, agent: OpenedAgent) -> None:
        """Take note of the packages that the worker has opened."""
        if self.beside is not None and self.beside.is_other(agent.packages):
            return
        self._opened = agent
        self._packages = agent.packages

    @property
    def seat(self) -> Seat:
        """Where the agent decides now.

        Raises:
            RuntimeError: nothing was opened yet.
        """
        if self._opened is None:
            raise RuntimeError(f"{self.name} was not opened")
        return Seat(self._thinker, self._opened)

    async def deliver_again(self, action: DeliverRecord, *, approved: bool) -> Effect:
        """Deliver a record that could not be delivered, in the mode of now."""
        mode = self._cell.modes[self.name]
        return await self.settler.actuator.deliver_again(action, mode, approved=approved)

    def exchange(self, seat: Seat) -> None:
        """Decide in another seat from the next trigger on."""
        self._thinker, self._opened = seat.thinker, seat.opened
        self._packages = seat.opened.packages

    # --- taking triggers ---

    def offer(self, trigger: Trigger) -> Work:
        """Take a trigger; capture starts at once, whatever the agent is doing."""
        work = self._work(trigger)
        if work.part_trigger is not None and self.binding.books:
            self._cell.statistics.parts_triggered += 1
        looks = bool(self.binding.sees or self._cell.monitors)
        at_once = self._free and not looks and isinstance(self._thinker, LightThinker)
        if not at_once and not self._wait(work):
            return work
        if looks:
            work.gathering = self._cell.supervisor.job(self._gather(work), f"{self.name}.observe")
        else:
            work.found = Gathered({}, {}, product_of(trigger))
            work.stamp("observed")
        if at_once and isinstance(self._thinker, LightThinker):
            self._decide_now(work, self._thinker)
        else:
            self._arrived.set()
        return work

    def missed(self, source: str, sequence: range, epoch: int = 0) -> None:
        """Give every part whose trigger was never seen its disposition, and raise an alarm."""
        if self.binding.books:
            self._cell.statistics.parts_triggered += len(sequence)
        text = tr("{count} triggers of {source} were missed.", count=len(sequence), source=source)
        self._cell.alarms.raise_("trigger_missed", self.name, text)
        for number in sequence:
            trigger = PartTrigger(
                source=source,
                trigger_seq=number,
                part_id=f"?{number}",
                plc_tick=0,
                detected_utc_ns=time_ns(),
                detected_monotonic_ns=monotonic_ns(),
                epoch=epoch,
            )
            self._settle_undecided(
                self._work(trigger), Cause.MISSED, tr("The trigger was never seen.")
            )

    def _work(self, trigger: Trigger) -> Work:
        begun = begun_ns(trigger)
        delay = trigger.poll_delay_ns if isinstance(trigger, PartTrigger) else 0
        return Work(
            id=self._cell.next_decision_id(),
            trigger=trigger,
            started_ns=begun,
            deadline_ns=begun + self.binding.deadline_ns - delay,
        )

    def _wait(self, work: Work) -> bool:
        """Let a trigger wait for its turn; False where there was no room for it."""
        entered = self._waiting.put(work)
        for older in entered.superseded:
            reason = tr("A newer trigger of {source} came.", source=older.trigger.source)
            self._settle_undecided(older, Cause.SUPERSEDED, reason)
        if entered.dropped is not None:
            self._drop(entered.dropped)
        return entered.dropped is not work

    def _drop(self, work: Work) -> None:
        work.dropped = True
        text = tr("More triggers came than {agent} can decide.", agent=self.name)
        self._cell.alarms.raise_("trigger_dropped", self.name, text)
        self._settle_undecided(work, Cause.DROPPED, tr("The queue was full."))

    async def _gather(self, work: Work) -> None:
        try:
            async with asyncio.timeout(work.left_s):
                work.found, _ = await asyncio.gather(
                    gather(self.binding, work.trigger, self._cell.devices, work.deadline_ns),
                    self._cell.refresh(self.binding.acts_on, work.left_s),
                )
        except TimeoutError:
            work.failure = tr("The pictures or values did not come in time.")
        except MillhandError as error:
            work.failure = str(error)
        work.stamp("observed")

    # --- deciding ---

    async def run(self) -> None:
        """Decide what arrives, one after another, for ever."""
        while True:
            while not self._waiting:
                self._free = True
                self._arrived.clear()
                await self._arrived.wait()
            self._free = False
            await self._decide(self._waiting.next())

    async def _decide(self, work: Work) -> None:
        if work.gathering is not None:
            await asyncio.wait([work.gathering])
        observation = self._observed(work)
        if observation is None:
            return
        beside, thinker = self.beside, self._thinker
        seat = None if beside is None else beside.chosen(work, observation)
        if seat is not None:
            thinker, observation = seat.thinker, seat.pinned(observation)
        decision, cause = await self._think(work, observation, thinker)
        decided = cause in DECIDED_BY_MODEL
        if decided and self.drift is not None:
            cause = self.drift.note(work, observation, decision, cause)
        self._settle(work, observation, decision, cause)
        if beside is not None and seat is not None and not decided:
            beside.fell(seat, decision.reason)
        if self.asker is None or not decided:
            return
        compared = (
            beside is not None and seat is None and beside.watch(work, observation, decision, cause)
        )
        if not compared:
            self.asker.note(work, decision, cause)

    def _decide_now(self, work: Work, thinker: LightThinker) -> None:
        """Decide at once, where nothing need be waited for: a loop's turn less, or two."""
        observation = self._observed(work)
        if observation is None:
            return
        if thinker.degraded:
            self._settle(work, observation, *self._given_up())
            return
        started = monotonic_ns()
        try:
            decision, cause = self._thought(work, *thinker.decide_now(self.name, observation))
        except MillhandError as error:
            decision, cause = self._failed(work, error)
        self.light.note(monotonic_ns() - started)
        self._settle(work, observation, decision, cause)

    def _observed(self, work: Work) -> Observation | None:
        """Return what the agent is to decide on; where that cannot be had, settle the part."""
        self._cell.statistics.current_part = work.part
        if work.found is None:
            self._settle_undecided(work, Cause.BLIND, work.failure)
            return None
        self._cell.statistics.product = work.found.product
        models = self._pin(work.found.product)
        if models is None:
            text = tr("There is no model for product {product}.", product=work.found.product)
            self._cell.alarms.raise_("unknown_product", self.name, text, decision=work.id)
            self._settle_undecided(work, Cause.UNKNOWN_PRODUCT, text)
            return None
        return self._observation(work, models)

    def _pin(self, product: str | None) -> dict[str, str] | None:
        """Return the package ids for a product by role, or None where one role has none."""
        pinned: dict[str, str] = {}
        for role, choice in self.binding.models.items():
            if choice.by is None:
                pinned[role] = self._packages.get(role, "")
            elif product in choice.folders:
                pinned[role] = self._packages.get(f"{role}.{product}", "")
            else:
                return None
        return pinned

    def _observation(self, work: Work, models: dict[str, str] | None = None) -> Observation:
        found = work.found or Gathered({}, {}, None)
        documents: dict[str, Document] = {}
        if isinstance(work.trigger, DocumentArrived):
            arrived = work.trigger.document
            documents["document"] = Document(arrived, load=self._cell.blobs.load_document)
        return Observation(
            id=work.id,
            agent=self.name,
            trigger=work.trigger,
            product=found.product,
            samples=found.samples,
            frames=found.frames,
            documents=documents,
            memory=self._memory,
            models=models or {},
        )

    async def _think(
        self, work: Work, observation: Observation, thinker: Thinker
    ) -> tuple[Decision, Cause]:
        if thinker.degraded:
            return self._given_up()
        frames = {role: frame.pixels for role, frame in observation.frames.items()}
        try:
            answer = await thinker.decide(self.name, observation, frames, work.left_s)
            return self._thought(work, *answer)
        except TimeoutError:
            return undecided(tr("The deadline passed while deciding.")), Cause.LATE
        except WorkerLost as error:
            return undecided(str(error)), Cause.FAILED
        except MemoryFull as error:
            self._cell.alarms.raise_("memory_full", self.name, str(error), decision=work.id)
            return undecided(str(error)), Cause.BLIND
        except MillhandError as error:
            return self._failed(work, error)

    def _given_up(self) -> tuple[Decision, Cause]:
        return undecided(tr("{agent} was given up.", agent=self.name)), Cause.FAILED

    def _failed(self, work: Work, error: MillhandError) -> tuple[Decision, Cause]:
        self._cell.alarms.raise_("agent_failed", self.name, str(error), decision=work.id)
        return undecided(str(error)), Cause.FAILED

    def _thought(self, work: Work, decision: Decision, decide_ns: int) -> tuple[Decision, Cause]:
        check_finite(decision)
        work.stages["model"] = decide_ns
        work.stamp("decided")
        for over in ("agent_failed", "memory_full", "trigger_missed", "trigger_dropped"):
            self._cell.alarms.clear(over, self.name)
        cause = Cause.UNSURE if decision.verdict is Verdict.NOT_DECIDABLE else Cause.DECIDED
        return self._remember(decision), cause

    def _remember(self, decision: Decision) -> Decision:
        if decision.memory is None:
            return decision
        if memory_fits(decision):
            self._memory = decision.memory
            return decision
        text = tr("The agent's memory is larger than {limit} bytes.", limit=LARGEST_MEMORY)
        self._cell.alarms.raise_("memory_too_large", self.name, text)
        return msgspec.structs.replace(decision, memory=None)

    def move_to(self, thinker: Thinker) -> None:
        """Let the agent think elsewhere from now on."""
        self._thinker = thinker

    # --- settling ---

    def _settle_undecided(self, work: Work, cause: Cause, reason: str) -> None:
        self._settle(work, self._observation(work), undecided(reason), cause)

    def _settle(
        self, work: Work, observation: Observation, decision: Decision, cause: Cause
    ) -> None:
        if self.binding.heeds and cause is Cause.DECIDED and decision.verdict is Verdict.OK:
            self._cell.supervisor.job(
                self._settle_heeding(work, observation, decision), self._settling
            )
        else:
            self._settle_now(work, observation, decision, cause)

    async def _settle_heeding(
        self, work: Work, observation: Observation, decision: Decision
    ) -> None:
        """Wait for what others say of the part; without their word it must not pass."""
        modes = self._cell.modes
        agents = [name for name in self.binding.heeds if modes[name] is Mode.CONTROL]
        part = work.part or ""
        missing = await self._cell.evidence.wait(part, agents, _HEEDING * work.left_s)
        cause = Cause.DECIDED
        if missing:
            text = tr("{agents} did not speak of the part in time.", agents=", ".join(missing))
            decision, cause = undecided(text), Cause.BLIND
        self._settle_now(work, observation, decision, cause)

    def _settle_now(
        self, work: Work, observation: Observation, decision: Decision, cause: Cause
    ) -> None:
        supervisor = self._cell.supervisor
        try:
            begun = self.settler.begin(work, observation, decision, cause)
        except Exception as error:  # noqa: BLE001  one part's failure must not end the next one's
            supervisor.tell(self._settling, error, given_up=True)
            work.settled.set()
        else:
            supervisor.job(self.settler.end(begun), self._settling)
