"""Simulated fleets as a scenario's ``simulation: {beside: …}`` starts them, in their process."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from pydantic import BaseModel

from millhand.contracts.plant import PartTruth, PlantSummary
from millhand.errors import InternalError
from millhand.isolate.server_process import ServerProcess
from millhand_vda5050.simulated.fleets import FleetsConfig, check_fleets


class SimulatedFleets:
    """Vehicles for one or several devices (:class:`~millhand.contracts.plant.SimulatedPlant`).

    What they really did is in ``fleets.json`` when they have ended.
    """

    Config: ClassVar[type[BaseModel]] = FleetsConfig

    def __init__(self, config: BaseModel, folder: Path) -> None:
        if not isinstance(config, FleetsConfig):
            raise InternalError("the fleets were given another plant's options")
        deeds = (config.deeds or folder / "fleets.json").resolve()
        self._config = config.model_copy(update={"deeds": deeds})
        self._process = ServerProcess(self._config, folder, "millhand_vda5050.simulated")

    async def __aenter__(self) -> Self:
        check_fleets(self._config)
        await self._process.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._process.__aexit__(kind, error, trace)

    @property
    def endpoints(self) -> dict[str, str]:
        """The broker's URL for each device."""
        return dict.fromkeys(self._config.fleets, self._process.url)

    async def start_line(self) -> None:
        """Do nothing: vehicles wait for orders."""

    async def finished(self) -> PlantSummary:
        """Return at once: vehicles are never through."""
        return PlantSummary(triggers=0, answers={}, gate={})

    def truth(self, part_ids: Iterable[str]) -> list[PartTruth]:
        """Return nothing: vehicles carry loads, not inspected parts."""
        del part_ids
        return []
