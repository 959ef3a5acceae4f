"""The conformance kit for agents: a pure function of what it saw, and of nothing else."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, ClassVar

import msgspec
import pytest

from millhand.contracts import (
    ActionKind,
    Decision,
    Models,
    Needs,
    Observation,
    Quality,
    Sample,
    TriggerKind,
    Verdict,
)
from millhand.contracts.codec import from_json, to_json, to_msgpack
from millhand.testing.conformance.kit import Kit
from millhand.testing.conformance.promises import Tier, promise

MEMORY_LIMIT = 16 * 1024
_TOUCHES = ("open", "socket.", "subprocess.", "os.system", "os.remove", "os.rename", "os.mkdir",
            "shutil.", "urllib.", "sqlite3.", "winreg.")  # fmt: skip
"""Beginnings of the audit events (PEP 578) of whatever reaches outside the process."""


class AgentCapability(StrEnum):
    """What an agent may lack; each opt-out needs a reason."""

    VERDICT = "verdict"
    """It judges parts."""
    SAMPLES = "samples"
    """It looks at values of tags."""


class AgentBench(ABC):
    """An agent's observations, as its author knows them."""

    @abstractmethod
    def agent(self) -> Any:
        """Build the agent anew."""

    @abstractmethod
    def observations(self) -> Sequence[Observation]:
        """Return observations of every kind that it decides on, at least two."""

    def models(self) -> Models:
        """Return its models by role; none unless it has some."""
        return {}


class AgentKit(Kit):
    """All that an agent promises. Its peer is the observation, which is the test's own."""

    kit: ClassVar[str] = "agent"
    Capability = AgentCapability
    peer: ClassVar[str] = "observations"
    independent: ClassVar[bool] = True

    @pytest.fixture
    def bench(self) -> AgentBench:
        """Return the bench; a subclass must say which."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture named bench")

    @promise(Tier.BRONZE)
    def test_needs_are_constant_and_whole(self, bench: AgentBench) -> None:
        """What it needs is always the same, and its roles do not stand for two things."""
        needs = bench.agent().needs()
        assert isinstance(needs, Needs)
        assert needs == bench.agent().needs()
        assert needs.triggers
        roles = [*needs.frames, *needs.samples, *needs.optional_samples, *needs.documents]
        assert len(roles) == len(set(roles)), "a role stands for two things"
        assert all("/" in event for event in needs.events), "an event is named without its version"

    @promise(Tier.BRONZE)
    def test_same_observation_same_decision(self, bench: AgentBench) -> None:
        """The same observation gives the same decision, again and from another instance."""
        models, first, second = bench.models(), bench.agent(), bench.agent()
        observations = bench.observations()
        assert len(observations) >= 2
        decisions = [first.decide(one, models) for one in observations]
        assert all(isinstance(one, Decision) for one in decisions)
        assert [first.decide(one, models) for one in observations] == decisions
        backwards = [second.decide(one, models) for one in reversed(observations)]
        assert backwards[::-1] == decisions, "it keeps something that is not in its memory"

    @promise(Tier.BRONZE)
    def test_observation_stays_as_it_was(self, bench: AgentBench) -> None:
        """Deciding changes nothing in the observation."""
        agent, models = bench.agent(), bench.models()
        for observation in bench.observations():
            before = to_msgpack(observation)
            agent.decide(observation, models)
            assert to_msgpack(observation) == before

    @promise(Tier.BRONZE)
    def test_decision_can_be_kept(self, bench: AgentBench) -> None:
        """A decision goes to the journal and back and is the same."""
        agent, models = bench.agent(), bench.models()
        for observation in bench.observations():
            decision = agent.decide(observation, models)
            assert from_json(Decision)(to_json(decision)) == decision
            if decision.confidence is not None:
                assert 0 <= decision.confidence <= 1

    @promise(Tier.BRONZE)
    def test_asks_only_for_what_it_declared(self, bench: AgentBench) -> None:
        """It asks for no action, and decides on no trigger, that it did not declare."""
        agent, models = bench.agent(), bench.models()
        needs = agent.needs()
        for observation in bench.observations():
            assert TriggerKind(msgspec.to_builtins(observation.trigger)["type"]) in needs.triggers
            for action in agent.decide(observation, models).actions:
                kind = ActionKind(msgspec.to_builtins(action)["type"])
                role = getattr(action, "to", None)
                assert role is None or needs.actions.get(role) is kind, action
                assert kind in (*needs.actions.values(), ActionKind.PROPOSE), action

    @promise(Tier.SILVER)
    def test_memory_stays_small(self, bench: AgentBench) -> None:
        """A thousand decisions leave a memory that is within its limit and can be kept."""
        agent, models = bench.agent(), bench.models()
        memory: Any = {}
        observations = bench.observations()
        for number in range(1000 if not models else 50):
            observation = msgspec.structs.replace(
                observations[number % len(observations)], memory=memory
            )
            decision = agent.decide(observation, models)
            memory = memory if decision.memory is None else decision.memory
        assert len(to_msgpack(memory)) <= MEMORY_LIMIT
        assert msgspec.json.decode(to_json(memory)) == memory

    @promise(Tier.SILVER)
    def test_touches_nothing(self, bench: AgentBench) -> None:
        """Deciding opens no file and no connection and starts no process."""
        agent, models = bench.agent(), bench.models()
        for observation in bench.observations():
            agent.decide(observation, models)  # whatever is imported late is imported here
        with _watched() as touched:
            for observation in bench.observations():
                agent.decide(observation, models)
        assert touched == []

    @promise(Tier.SILVER, AgentCapability.SAMPLES, AgentCapability.VERDICT)
    def test_bad_values_pass_nothing(self, bench: AgentBench) -> None:
        """A value that is bad, stale, absent or of another type never makes a part OK."""
        agent, models = bench.agent(), bench.models()
        needed = agent.needs().samples
        for observation in bench.observations():
            for role in sorted(needed & observation.samples.keys()):
                for worse in _worsened(observation.samples[role]):
                    seen = msgspec.structs.replace(
                        observation, samples={**observation.samples, role: worse}
                    )
                    decision = agent.decide(seen, models)
                    assert decision.verdict is not Verdict.OK, (role, worse)

    @promise(Tier.GOLD)
    def test_says_why(self, bench: AgentBench) -> None:
        """Every decision with a verdict has a reason that a person can read."""
        agent, models = bench.agent(), bench.models()
        for observation in bench.observations():
            decision = agent.decide(observation, models)
            if decision.verdict is not None:
                assert decision.reason.strip()
                assert "\n" not in decision.reason

    @promise(Tier.GOLD)
    def test_names_its_models(self, bench: AgentBench) -> None:
        """The models that a decision names are those that it was given."""
        agent, models = bench.agent(), bench.models()
        given = {role: model.package_id for role, model in models.items()}
        for observation in bench.observations():
            used: Mapping[str, str] = agent.decide(observation, models).models
            assert used.items() <= given.items()


def _worsened(sample: Sample) -> Iterator[Sample]:
    for quality in (Quality.BAD, Quality.STALE, Quality.DISCONNECTED):
        yield msgspec.structs.replace(sample, quality=quality)
    yield msgspec.structs.replace(sample, value=None, quality=Quality.BAD)
    yield msgspec.structs.replace(sample, value="?" if not isinstance(sample.value, str) else 1)


_hearing: list[list[str]] = []
_hooked = False


@contextmanager
def _watched() -> Iterator[list[str]]:
    """Collect what reaches outside during the block; the hook stays, Python takes none back."""
    global _hooked  # noqa: PLW0603  one hook for the process
    if not _hooked:
        sys.addaudithook(_hear)
        _hooked = True
    touched: list[str] = []
    _hearing.append(touched)
    try:
        yield touched
    finally:
        _hearing.pop()


def _hear(event: str, arguments: tuple[Any, ...]) -> None:
    if _hearing and event.startswith(_TOUCHES):
        _hearing[-1].append(f"{event} {arguments[:1]}")
