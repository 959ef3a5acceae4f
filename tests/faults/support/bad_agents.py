"""Agents that do what agents must not do, each in its own way, from the part that it is told."""

from __future__ import annotations

import ctypes
import time

from pydantic import BaseModel, ConfigDict, Field

from millhand.contracts import ActionKind, Decision, Needs, Observation, TriggerKind, Verdict

NAMES = ("good", "raises", "hangs", "blocks", "holds_the_gil", "leaks", "crashes")


class Config(BaseModel):
    """When it goes wrong."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    parts: tuple[int, int] = Field(default=(0, 0), description="First and last bad part.")


class Good:
    """Passes every part; the others are it until their bad parts come."""

    Config = Config

    def __init__(self, config: Config) -> None:
        self._first, self._last = config.parts

    def needs(self) -> Needs:
        """A part's trigger and a channel."""
        return Needs(
            triggers=frozenset({TriggerKind.PART}),
            actions={"disposition": ActionKind.SEND_DISPOSITION},
            light=True,
        )

    def decide(self, observation: Observation, models: object) -> Decision:
        """Pass, or go wrong."""
        del models
        if self._first <= observation.trigger.trigger_seq <= self._last:  # type: ignore[union-attr]
            self.go_wrong()
        return Decision(verdict=Verdict.OK)

    def go_wrong(self) -> None:
        """Do nothing wrong."""


class Raises(Good):
    """Raises."""

    def go_wrong(self) -> None:
        """Raise."""
        raise ZeroDivisionError("by design")


class Hangs(Good):
    """Never comes back."""

    def go_wrong(self) -> None:
        """Sleep for ever, giving the interpreter away."""
        while True:
            time.sleep(1)


class Blocks(Good):
    """Blocks whatever loop it is called in."""

    def go_wrong(self) -> None:
        """Sleep where nobody may sleep."""
        time.sleep(0.6)


class HoldsTheGil(Good):
    """Holds the interpreter's lock, so that no other thread of its process runs."""

    def go_wrong(self) -> None:
        """Sleep in C without giving the lock back."""
        ctypes.PyDLL(None).sleep(60)


class Leaks(Good):
    """Takes memory and keeps it."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._kept: list[bytearray] = []

    def go_wrong(self) -> None:
        """Take 32 MB for good."""
        self._kept.append(bytearray(b"x" * 32_000_000))


class Crashes(Good):
    """Crashes the interpreter."""

    def go_wrong(self) -> None:
        """Write where nothing is."""
        ctypes.memset(0, 1, 1)
