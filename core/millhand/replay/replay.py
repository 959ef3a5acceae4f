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

from millhand.contracts import Decision, Document, Frame, FrameRef, Observation
from millhand.errors import PackageError
from millhand.isolate.worker import ResidentAgent
from millhand.journal.entries import Entry
from millhand.journal.records import Cause, Intent
from millhand.messages import tr

LoadFrame = Callable[[FrameRef], NDArray[np.uint8]]
"""Returns a frame's pixels: :meth:`millhand.journal.blobs.BlobReader.load_frame`."""

LoadDocument = Callable[[str], bytes]
"""Returns a document's bytes by hash: :meth:`millhand.journal.blobs.BlobReader.load_document`."""

_AGENT_DECIDED = frozenset({Cause.DECIDED, Cause.UNSURE, Cause.VOID})


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

    @property
    def turned(self) -> bool:
        """Whether the verdict is another."""
        return self.then.verdict is not self.now.verdict


def decided_by(agent: str, entries: Iterable[Entry]) -> Iterator[Entry]:
    """Yield the intents that the agent itself once decided.

    Intents that the engine settled without it (late, blind, missed) are passed over.
    """
    for entry in entries:
        intent = entry.record
        if (
            isinstance(intent, Intent)
            and intent.cause in _AGENT_DECIDED
            and intent.observation.agent == agent
        ):
            yield entry


def decide_again(
    entry: Entry,
    agent: ResidentAgent,
    load_frame: LoadFrame,
    *,
    load_document: LoadDocument | None = None,
    candidate: bool = False,
) -> Replayed:
    """Let the agent decide a recorded observation again.

    Args:
        entry: an intent that the agent decided.
        agent: the agent with its packages open.
        load_frame: gives the pixels.
        load_document: gives the bytes of documents.
        candidate: whether the packages that are open take the place of those recorded.

    Raises:
        PackageError: the recorded package is not open (fault ``id``), or none for the product is.
        Unavailable, PackageError: a picture is no longer kept, or is damaged.
    """
    intent = entry.record
    assert isinstance(intent, Intent)
    observation = intent.observation
    if candidate:
        observation = msgspec.structs.replace(observation, models=_open_for(observation, agent))
    else:
        _check_packages(observation, agent)
    loaded = _loaded(observation, load_frame, load_document)
    return Replayed(entry, intent.decision, agent.decide(loaded))


def replay(
    entries: Iterable[Entry],
    agent: ResidentAgent,
    load_frame: LoadFrame,
    load_document: LoadDocument | None = None,
) -> Iterator[Replayed]:
    """Decide again each intent of the agent that it once decided; see :func:`decide_again`."""
    for entry in decided_by(agent.opened.name, entries):
        yield decide_again(entry, agent, load_frame, load_document=load_document)


def _open_for(observation: Observation, agent: ResidentAgent) -> dict[str, str]:
    packages = agent.opened.packages
    pinned: dict[str, str] = {}
    for role in observation.models:
        found = packages.get(f"{role}.{observation.product}", packages.get(role))
        if found is None:
            raise PackageError(
                tr("No package is open for {role} and product {product}.", role=role,
                   product=observation.product),
                fault="id",
                mend=tr("Name one that was made for it."),
            )  # fmt: skip
        pinned[role] = found
    return pinned


def _check_packages(observation: Observation, agent: ResidentAgent) -> None:
    for role, package_id in observation.models.items():
        if package_id not in agent.models.get(role, {}):
            raise PackageError(
                tr("{role} was decided by {package}, which is not open.", role=role,
                   package=package_id),
                fault="id",
                mend=tr("Open the package that the journal names."),
            )  # fmt: skip


def _loaded(
    observation: Observation, load_frame: LoadFrame, load_document: LoadDocument | None
) -> Observation:
    return msgspec.structs.replace(
        observation,
        frames={
            role: Frame(frame.ref, load=load_frame) for role, frame in observation.frames.items()
        },
        documents={
            role: Document(document.ref, load=load_document)
            for role, document in observation.documents.items()
        },
    )
