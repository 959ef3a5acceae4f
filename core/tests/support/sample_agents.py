"""Small agents for the engine's tests. Built in workers too, so they live in a module."""

from __future__ import annotations

import os
import time
import zlib

from pydantic import BaseModel, ConfigDict

from millhand.contracts import (
    ActionKind,
    Decision,
    DeliverRecord,
    Hold,
    MachineState,
    Needs,
    Observation,
    PackMLState,
    TagEdge,
    TriggerKind,
    Verdict,
    WriteTag,
)

NAMES = ("alternates", "passes", "rejects", "abstains", "raises", "sleeps", "dies", "counts",
         "holds", "heeds", "steers", "beats", "infinite", "reads", "dozes",
         "measures")  # fmt: skip


class NoConfig(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Passes:
    Config = NoConfig
    verdict = Verdict.OK

    def __init__(self, config: NoConfig) -> None:
        pass

    def needs(self) -> Needs:
        return Needs(
            triggers=frozenset({TriggerKind.PART}),
            actions={"disposition": ActionKind.SEND_DISPOSITION},
            light=True,
        )

    def decide(self, observation: Observation, models: object) -> Decision:
        return Decision(verdict=self.verdict)


class Rejects(Passes):
    verdict = Verdict.NOT_OK


class Abstains(Passes):
    verdict = Verdict.NOT_DECIDABLE


class Raises(Passes):
    def decide(self, observation: Observation, models: object) -> Decision:
        raise ZeroDivisionError("by design")


class Infinite(Passes):
    def decide(self, observation: Observation, models: object) -> Decision:
        return Decision(verdict=Verdict.OK, scores={"score": float("inf")})


class Measures(Passes):
    """Passes all; its score is a number from 0 to 1, from part 61 on one from 1 to 2."""

    def decide(self, observation: Observation, models: object) -> Decision:
        seq = observation.trigger.trigger_seq
        score = zlib.crc32(str(seq).encode()) / 2**32 + (seq > 60)
        return Decision(verdict=Verdict.OK, scores={"score": score}, models={"model": "p@1"})


class Sleeps(Passes):
    def decide(self, observation: Observation, models: object) -> Decision:
        time.sleep(0.4)
        return Decision(verdict=Verdict.OK)


class Dies(Passes):
    def decide(self, observation: Observation, models: object) -> Decision:
        os._exit(1)


class Counts(Passes):
    def decide(self, observation: Observation, models: object) -> Decision:
        count = int(observation.memory.get("count", 0)) + 1
        return Decision(verdict=Verdict.OK, memory={"count": count})


class Alternates(Passes):
    """Rejects every other part, and remembers how many it has seen."""

    def decide(self, observation: Observation, models: object) -> Decision:
        count = int(observation.memory.get("count", 0)) + 1
        verdict = Verdict.NOT_OK if count % 2 else Verdict.OK
        return Decision(verdict=verdict, memory={"count": count})


class Reads(Passes):
    """Delivers what a document holds, backwards; dies of the word ``die`` once it has begun."""

    def needs(self) -> Needs:
        return Needs(
            triggers=frozenset({TriggerKind.DOCUMENT}),
            documents=frozenset(),
            actions={"record": ActionKind.DELIVER_RECORD},
            light=True,
        )

    def decide(self, observation: Observation, models: object) -> Decision:
        document = observation.documents["document"]
        if document.content == b"die":
            os._exit(3)
        draft = DeliverRecord(
            to="record",
            kind="note",
            body={"text": document.content[::-1].decode(), "name": document.ref.name},
            idempotency_key=document.ref.sha256,
        )
        return Decision(verdict=self.verdict, actions=(draft,))


class Holds(Passes):
    def decide(self, observation: Observation, models: object) -> Decision:
        return Decision(verdict=Verdict.NOT_OK, events=(Hold(subject="lot 7", reason="pits"),))


class Heeds(Passes):
    """Wants the speed down when a lot is held."""

    def needs(self) -> Needs:
        return Needs(
            triggers=frozenset({TriggerKind.EVENT}),
            events=frozenset({"hold/1"}),
            actions={"speed": ActionKind.WRITE_TAG},
            light=True,
        )

    def decide(self, observation: Observation, models: object) -> Decision:
        return Decision(actions=(WriteTag(to="speed", value=80.0),), reason="slow down")


class Steers(Heeds):
    """Raises the speed by five whenever the state changes."""

    def needs(self) -> Needs:
        return Needs(
            triggers=frozenset({TriggerKind.EDGE}),
            samples=frozenset({"speed"}),
            actions={"speed": ActionKind.WRITE_TAG},
            light=True,
        )

    def decide(self, observation: Observation, models: object) -> Decision:
        speed = observation.samples["speed"].value
        return Decision(actions=(WriteTag(to="speed", value=float(speed) + 5.0),))


class Beats(Passes):
    """Says at each tick that the machine runs."""

    def needs(self) -> Needs:
        return Needs(triggers=frozenset({TriggerKind.TIMER}), light=True)

    def decide(self, observation: Observation, models: object) -> Decision:
        return Decision(events=(MachineState(machine="m", state=PackMLState.EXECUTE),))


class Dozes(Passes):
    """Is slow, and says what it was woken by."""

    def needs(self) -> Needs:
        return Needs(triggers=frozenset({TriggerKind.EDGE}))

    def decide(self, observation: Observation, models: object) -> Decision:
        time.sleep(0.4)
        assert isinstance(observation.trigger, TagEdge)
        return Decision(reason=f"{observation.trigger.source} {observation.trigger.now.value}")
