"""An agent that looks at a picture, and one that does not."""

from __future__ import annotations

from bad_agents import Config, Good

from millhand.contracts import ActionKind, Decision, Needs, Observation, TriggerKind, Verdict


class Looks(Good):
    """Passes what it saw."""

    Config = Config

    def needs(self) -> Needs:
        """A part's trigger, its picture and a channel."""
        return Needs(
            triggers=frozenset({TriggerKind.PART}),
            frames=frozenset({"frame"}),
            actions={"disposition": ActionKind.SEND_DISPOSITION},
        )

    def decide(self, observation: Observation, models: object) -> Decision:
        """Say how bright the picture is on the whole."""
        del models
        mean = float(observation.frames["frame"].pixels.mean())
        return Decision(verdict=Verdict.OK, scores={"mean": mean})
