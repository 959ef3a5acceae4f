"""Replay: recorded observations through an agent and its models, compared with what was decided.

An intent holds its whole observation, the memory before, and the package ids; the blob store
holds the pixels. Nothing else is needed. The agent runs in this process, as it does in a worker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
from numpy.typing import NDArray

from millhand.contracts import Decision, Frame, FrameRef, Observation
from millhand.errors import PackageError
from millhand.isolate.worker import ResidentAgent
from millhand.journal.entries import Entry
from millhand.journal.records import Cause, Intent
from millhand.messages import tr

LoadFrame = Callable[[FrameRef], NDArray[np.uint8]]
"""Returns a frame's pixels: :meth:`millhand.journal.blobs.BlobReader.load_frame`."""

_AGENT_DECIDED = frozenset({Cause.DECIDED, Cause.UNSURE})


@dataclass(frozen=True, slots=True)
class Replayed:
    """One decision, then and now."""

    entry: Entry
    then: Decision
    now: Decision

    @property
    def same(self) -> bool:
        """Whether the two are equal in everything: verdict, scores, explanations, memory."""
        return self.then == self.now


def replay(
    entries: Iterable[Entry], agent: ResidentAgent, load_frame: LoadFrame
) -> Iterator[Replayed]:
    """Decide again each intent of the agent that it once decided.

    Intents that the engine settled without the agent (late, blind, missed) are passed over.

    Raises:
        PackageError: the agent has another package open than the one recorded (fault ``id``).
        Unavailable, PackageError: a picture is no longer kept, or is damaged.
    """
    for entry in entries:
        intent = entry.record
        if not isinstance(intent, Intent) or intent.cause not in _AGENT_DECIDED:
            continue
        if intent.observation.agent != agent.opened.name:
            continue
        _check_packages(intent.observation, agent)
        observation = _with_pixels(intent.observation, load_frame)
        yield Replayed(entry, intent.decision, agent.decide(observation))


def _check_packages(observation: Observation, agent: ResidentAgent) -> None:
    for role, package_id in observation.models.items():
        if package_id not in agent.models.get(role, {}):
            raise PackageError(
                tr("{role} was decided by {package}, which is not open.", role=role,
                   package=package_id),
                fault="id",
                mend=tr("Open the package that the journal names."),
            )  # fmt: skip


def _with_pixels(observation: Observation, load_frame: LoadFrame) -> Observation:
    frames = {role: Frame(frame.ref, load=load_frame) for role, frame in observation.frames.items()}
    return msgspec.structs.replace(observation, frames=frames)
