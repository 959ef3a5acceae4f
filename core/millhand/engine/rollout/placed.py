"""A model at its agent, and the worker that a second one sits in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from millhand.contracts import Observation
from millhand.engine.care import AgentCare
from millhand.engine.cell import Cell
from millhand.engine.rollout.seat import Seat
from millhand.errors import ConfigError
from millhand.isolate.messages import AgentSpec, OpenedAgent, Rung
from millhand.journal.records import Stage
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.models.package import Package


@dataclass(slots=True)
class Placed:
    """A model at its agent: the live one, a candidate, or the one that was live before."""

    seat: Seat
    spec: AgentSpec
    package: str
    """Id of the package by which it differs from the one beside it; empty where there is none."""
    folder: str = ""
    folders: tuple[str, ...] = ()
    """All packages in it that stand in the place of the scenario's own."""
    stage: Stage = Stage.LIVE
    share: float = 0.0
    alone: bool = True
    """Whether no other agent lives in its worker, so that it may be ended."""
    busy: bool = False
    skipped: int = 0
    """Parts that it did not see, because it was at another one."""


class SecondCare:
    """Told what becomes of a worker that a second model sits in.

    While the model is not live, its troubles are its own: no part depends on it.
    """

    def __init__(self, cell: Cell, care: AgentCare, live: Callable[[], bool]) -> None:
        self._cell = cell
        self._care = care
        self._live = live

    def failed(self, agent: str, reason: str) -> None:
        """See :class:`~millhand.engine.resident.Care`."""
        if self._live():
            self._care.failed(agent, reason)
        else:
            self._cell.alarms.raise_("second_model_failed", agent, reason)

    def opened(self, agents: Sequence[OpenedAgent]) -> None:
        """See :class:`~millhand.engine.resident.Care`."""
        if self._live():
            self._care.opened(agents)

    def rungs_changed(self, rungs: Sequence[Rung]) -> None:
        """See :class:`~millhand.engine.resident.Care`."""
        if self._live():
            self._care.rungs_changed(rungs)

    def degraded(self, agents: Sequence[str], reason: str) -> None:
        """See :class:`~millhand.engine.resident.Care`."""
        if self._live():
            self._care.degraded(agents, reason)
            return
        for agent in agents:
            text = tr("The second model of {agent} was given up: {reason}", agent=agent,
                      reason=reason)  # fmt: skip
            self._cell.alarms.raise_("second_model_failed", agent, text)

    def restored(self, agents: Sequence[str]) -> None:
        """See :class:`~millhand.engine.resident.Care`."""
        self._care.restored(agents)
        for agent in agents:
            self._cell.alarms.clear("second_model_failed", agent)


def verified(base: Path, folder: str, trusted_keys: Sequence[bytes]) -> Package:
    """Open a package below the scenario's folder.

    Raises:
        ConfigError: it lies elsewhere.
        PackageError: it has a fault, or nobody trusted has signed it.
    """
    from millhand.models.package import open_package

    place = (base / folder).resolve()
    if not place.is_relative_to(base.resolve()):
        raise ConfigError(
            tr("{folder} does not lie in the scenario's folder.", folder=folder),
            mend=tr("Copy the package into it: what may run lies there."),
        )
    return open_package(place, trusted_keys=trusted_keys)


def still_used(spec: AgentSpec, base: Path, folders: tuple[str, ...]) -> tuple[str, ...]:
    """Return those of the folders whose package the worker has, in their order, each once."""
    used = {Path(model.folder).resolve() for model in spec.models}
    return tuple(one for one in dict.fromkeys(folders) if one and (base / one).resolve() in used)


def differs(other: Placed, observation: Observation) -> bool:
    """Whether another package than the observation's would decide it there."""
    return other.seat.pinned(observation).models != observation.models


def stands_beside(candidate: Placed, live: Placed) -> bool:
    """Whether a candidate differs from the live model by its own package alone."""
    pairs = zip(candidate.spec.models, live.spec.models, strict=True)
    own = Path(candidate.folder).parts
    return all(
        one.folder == other.folder or Path(one.folder).parts[-len(own) :] == own
        for one, other in pairs
    )


def changed(live: OpenedAgent, other: OpenedAgent) -> str:
    """Return the id of the live package in whose place the other one has come."""
    changed = {
        package for label, package in live.packages.items() if other.packages.get(label) != package
    }
    return next(iter(sorted(changed)), "")


async def end(placed: Placed) -> None:
    """End a model's worker, where nobody else lives in it."""
    if placed.alone:
        await placed.seat.thinker.stop()
