"""What else is known of a part: verdicts of other agents, by which a decision is contradicted."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass

from millhand.contracts import Verdict

_PARTS = 256
"""Parts that are remembered; many more than travel between camera and gate."""
_VERDICTS = frozenset({Verdict.OK, Verdict.NOT_OK})


@dataclass(frozen=True, slots=True)
class Word:
    """What one agent said of a part."""

    agent: str
    verdict: Verdict
    decision: str


class Evidence:
    """Verdicts by part, of agents that are in control: what only watches contradicts nobody."""

    def __init__(self) -> None:
        self._parts: OrderedDict[str, dict[str, Word]] = OrderedDict()
        self._waiting: list[asyncio.Future[None]] = []

    def note(self, part: str, word: Word) -> list[Word]:
        """Note a verdict and return those of others that it contradicts."""
        if word.verdict not in _VERDICTS:
            return []
        words = self._parts.setdefault(part, {})
        self._parts.move_to_end(part)
        against = self.against(part, word.agent, word.verdict)
        words[word.agent] = word
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)
        while len(self._parts) > _PARTS:
            self._parts.popitem(last=False)
        return against

    def against(self, part: str, agent: str, verdict: Verdict) -> list[Word]:
        """Return what others said of a part that contradicts ``agent``."""
        words = self._parts.get(part)
        if not words or verdict not in _VERDICTS:
            return []
        return [w for w in words.values() if w.agent != agent and w.verdict is not verdict]

    def missing(self, part: str, agents: Collection[str]) -> list[str]:
        """Return which of some agents have not spoken of a part."""
        words = self._parts.get(part, {})
        return [agent for agent in agents if agent not in words]

    async def wait(self, part: str, agents: Collection[str], timeout_s: float) -> list[str]:
        """Wait until all have spoken of a part; return who has not when the time is over."""
        try:
            async with asyncio.timeout(timeout_s):
                while self.missing(part, agents):
                    heard: asyncio.Future[None] = asyncio.get_running_loop().create_future()
                    self._waiting.append(heard)
                    await heard
        except TimeoutError:
            return self.missing(part, agents)
        return []
