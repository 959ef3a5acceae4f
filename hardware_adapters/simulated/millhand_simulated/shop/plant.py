"""The job shop as a scenario's ``simulation:`` starts it: its server in a process of its own."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import msgspec
from pydantic import BaseModel

from millhand.contracts.plant import PartTruth, PlantOutcome, PlantSummary
from millhand.errors import InternalError, Unavailable
from millhand.isolate.server_process import ServerProcess
from millhand.messages import tr
from millhand_simulated.shop.config import JobShopConfig

_POLL_S = 0.1


class JobShop:
    """A job shop for each planner (:class:`~millhand.contracts.plant.JudgedPlant`), one clock.

    It opens by itself, once every planner has written a plan.
    """

    Config: ClassVar[type[BaseModel]] = JobShopConfig

    def __init__(self, config: BaseModel, folder: Path) -> None:
        if not isinstance(config, JobShopConfig):
            raise InternalError("the job shop was given another plant's options")
        given = config
        self._outcome = (given.outcome or folder / "outcome.json").resolve()
        self._config = given.model_copy(update={"outcome": self._outcome})
        self._process = ServerProcess(self._config, folder, module="millhand_simulated.shop")

    async def __aenter__(self) -> Self:
        self._outcome.unlink(missing_ok=True)
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
        """The URL of the shop's server under the name of the scenario's device."""
        return {self._config.device: self._process.url}

    @property
    def page(self) -> Path:
        """A page that shows the shops while they work."""
        return self._outcome.with_name("live.html")

    async def start_line(self) -> None:
        """Do nothing: the shop opens when every planner has a plan."""

    async def finished(self) -> PlantSummary:
        """Wait until every order in every shop is done.

        Raises:
            Unavailable: the process went away before.
        """
        while not self._outcome.exists():
            if await self._process.ended_within(_POLL_S):
                raise Unavailable(tr("The simulated shop has ended before its orders were done."))
        return PlantSummary(triggers=0, answers={}, gate={})

    def truth(self, part_ids: Iterable[str]) -> list[PartTruth]:
        """Return nothing: a job shop has no inspected parts."""
        del part_ids
        return []

    def outcome(self) -> PlantOutcome:
        """Return what came of the run.

        Raises:
            Unavailable: it was stopped before its end.
        """
        try:
            return msgspec.json.decode(self._outcome.read_bytes(), type=PlantOutcome)
        except FileNotFoundError as error:
            raise Unavailable(tr("The shop was stopped before its orders were done.")) from error
