"""A simulated plant: what a scenario's ``simulation:`` starts, and what really was so."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, ClassVar, Protocol, Self, runtime_checkable

from msgspec import Struct

from millhand.contracts.command import Answer, Command

if TYPE_CHECKING:
    from pydantic import BaseModel


class PartTruth(Struct, frozen=True, kw_only=True):
    """What a simulated part really is, known only to the plant and to those who score."""

    part_id: str
    product: str
    defect: str | None = None
    """Kind of defect, or None for a good part."""
    area_px2: float = 0.0
    contrast: float = 0.0
    """Mean absolute difference to the part without the defect, over its mean brightness."""
    challenge: bool = False
    """A known bad part put in on purpose to test the inspection."""


class PlantSummary(Struct, frozen=True, kw_only=True):
    """The PLC's own books at the end, to hold the engine's against."""

    triggers: int
    answers: dict[str, int]
    """How many answers of each code, by its name in lower case."""
    gate: dict[str, int]
    """How many parts took each way at the gate: pass, reject, divert."""


class PlantOutcome(Struct, frozen=True, kw_only=True):
    """What came of a run whose product is no inspected part: figures and pictures, in words."""

    headline: str
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    """As many cells as columns; the first names what the row is of."""
    pictures: tuple[tuple[str, str], ...] = ()
    """Heading and a picture as SVG, made by the plant itself."""
    notes: tuple[str, ...] = ()


class SimulatedPlant(Protocol):
    """A plant in processes of its own. Built as ``PlantClass(config, folder)``.

    Entering starts it and returns when its servers listen; leaving ends it. ``endpoints`` replace
    the ``url`` of the scenario's devices by name, so that a free port can be used.
    """

    Config: ClassVar[type[BaseModel]]

    def __init__(self, config: BaseModel, folder: Path) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...

    @property
    def endpoints(self) -> dict[str, str]:
        """Device name to URL."""
        ...

    async def start_line(self) -> None:
        """Let the parts come; called when the engine is ready."""
        ...

    async def finished(self) -> PlantSummary:
        """Return when the configured number of parts has left the gate."""
        ...

    def truth(self, part_ids: Iterable[str]) -> list[PartTruth]:
        """Say what parts really were."""
        ...


@runtime_checkable
class JudgedPlant(SimulatedPlant, Protocol):
    """A plant that itself says what came of a run; its report takes the place of the parts'."""

    @property
    def page(self) -> Path:
        """A page that shows the plant while it works; written once it does."""
        ...

    def outcome(self) -> PlantOutcome:
        """Return what came of the run, after :meth:`finished`."""
        ...


@runtime_checkable
class AttackablePlant(SimulatedPlant, Protocol):
    """What a simulated plant offers besides, so that `millhand attack` can attack a cell with it.

    A plant that lacks this runs demos; attacks on its cells are not applicable.
    """

    @property
    def pid(self) -> int | None:
        """Id of the process that plays the PLC, to be frozen or killed."""
        ...

    @property
    def faults(self) -> frozenset[str]:
        """Names of the faults that :meth:`set_fault` knows."""
        ...

    async def set_fault(self, name: str, *, on: bool) -> None:
        """Put a fault in, or take it out; those that strike one part take themselves out."""
        ...

    async def summary(self) -> PlantSummary:
        """Return the PLC's own books as they stand now."""
        ...

    def answers(self) -> list[Answer]:
        """Return every answer that the PLC has given since it started, oldest first."""
        ...

    async def command(self, command: Command) -> None:
        """Write a command record past the engine, as an intruder on the network would."""
        ...

    async def tick(self) -> int:
        """Return the PLC's tick."""
        ...

    async def revive(self) -> None:
        """Start the PLC again after its process was killed, at the same address."""
        ...
