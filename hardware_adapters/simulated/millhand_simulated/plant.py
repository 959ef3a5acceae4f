"""The conveyor cell as a scenario's ``simulation:`` starts it: the PLC in a process of its own."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

import msgspec
from pydantic import BaseModel, Field

from millhand.contracts.command import Answer, Command
from millhand.contracts.plant import PartTruth, PlantSummary
from millhand.errors import InternalError, Unavailable
from millhand.isolate.server_process import ServerProcess
from millhand.messages import tr
from millhand_simulated.parts.truth import StationConfig, part_truth
from millhand_simulated.plc.config import CellConfig
from millhand_simulated.plc.control import Control
from millhand_simulated.plc.faults import FaultTag
from millhand_simulated.plc.line import LinePlan
from millhand_simulated.plc.tags import ANSWER_COUNTERS

_decode_answer = msgspec.json.Decoder(Answer).decode
_WAYS = ("Pass", "Reject", "Divert")
_POLL_S = 0.05
_MODULE = "millhand_simulated.plc"


class ConveyorCellConfig(CellConfig):
    """A conveyor cell with the camera station over it."""

    station: StationConfig = Field(
        default=StationConfig(), description="Light and picture of the camera station."
    )


class ConveyorCell:
    """Camera, gate and PLC on a conveyor (:class:`millhand.contracts.plant.SimulatedPlant`)."""

    Config: ClassVar[type[BaseModel]] = ConveyorCellConfig

    def __init__(self, config: BaseModel, folder: Path) -> None:
        self._config = ConveyorCellConfig.model_validate(config.model_dump())
        self._answers = self._config.log or folder.resolve() / "answers.jsonl"
        self._folder = folder
        self._process = ServerProcess(_cell(self._config, self._answers), folder, _MODULE)
        self._control: Control | None = None
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            url = await stack.enter_async_context(self._process)
            control = Control(url, self._config, self._process.folder)
            self._control = await stack.enter_async_context(control)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._control = None
        await self._stack.aclose()

    @property
    def endpoints(self) -> dict[str, str]:
        """The URL of the PLC's server under the name of the scenario's device."""
        return {self._config.device: self._process.url}

    @property
    def config(self) -> ConveyorCellConfig:
        """What the cell was built with."""
        return self._config

    @property
    def pid(self) -> int | None:
        """Id of the PLC's process while it runs."""
        return self._process.pid

    @property
    def control(self) -> Control:
        """The buttons, gauges and faults of the simulation."""
        if self._control is None:
            raise InternalError("the plant is used outside its context")
        return self._control

    async def start_line(self) -> None:
        """Press Start: the cell goes to *Execute* and parts come."""
        await self.control.write("Sim.Run", True)

    async def finished(self) -> PlantSummary:
        """Wait until all parts have left the gate; return the PLC's own books.

        Raises:
            Unavailable: the PLC went away before.
        """
        while not await self.control.read("Sim.Finished"):
            if await self._process.ended_within(_POLL_S):
                raise Unavailable(tr("The simulated PLC has ended before its line was through."))
        return await self.summary()

    async def summary(self) -> PlantSummary:
        """Return the PLC's books as they stand now.

        Raises:
            Unavailable: the PLC has gone away.
        """
        triggers, *counts = await self.control.read_all(
            "Cell.Counters.Triggers",
            *ANSWER_COUNTERS.values(),
            *(f"Cell.Counters.{way}" for way in _WAYS),
        )
        answers, gate = counts[: len(ANSWER_COUNTERS)], counts[len(ANSWER_COUNTERS) :]
        return PlantSummary(
            triggers=triggers,
            answers={
                code.name.lower(): n for code, n in zip(ANSWER_COUNTERS, answers, strict=True)
            },
            gate={way.lower(): n for way, n in zip(_WAYS, gate, strict=True)},
        )

    # --- to be attacked: millhand.contracts.plant.AttackablePlant ---

    @property
    def faults(self) -> frozenset[str]:
        """The faults that can be put in by their tags."""
        return frozenset(FaultTag)

    async def set_fault(self, name: str, *, on: bool) -> None:
        """Put a fault in, or take it out.

        Raises:
            Unavailable: the PLC has gone away.
        """
        await self.control.write(f"Fault.{FaultTag(name)}", on)

    def answers(self) -> list[Answer]:
        """Return every answer that the PLC has given, over its restarts too."""
        try:
            lines = self._answers.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        return [_decode_answer(line) for line in lines]

    async def command(self, command: Command) -> None:
        """Write a command record, its id last."""
        await self.control.write_all(
            Cell__Command__PartId=command.part_id,
            Cell__Command__Result=command.result,
            Cell__Command__ValidUntil=command.valid_until,
            Cell__Command__Id=command.id,
        )

    async def tick(self) -> int:
        """Return the PLC's tick."""
        return int(await self.control.read("Cell.Tick"))

    async def revive(self) -> None:
        """Start the PLC again at the same address, its memory lost, and let parts come."""
        await self._stack.aclose()
        port = int(self._process.url.rstrip("/").rpartition(":")[2])
        self._process = ServerProcess(
            _cell(self._config, self._answers, port), self._folder, _MODULE
        )
        await self.__aenter__()
        await self.start_line()

    def truth(self, part_ids: Iterable[str]) -> list[PartTruth]:
        """Say what parts really were. Renders the defective ones, some 50 ms each.

        Raises:
            ConfigError: an id is not of this line.
        """
        plan = LinePlan(self._config)
        return [part_truth(plan.by_id(part_id), self._config.station) for part_id in part_ids]


def _cell(config: ConveyorCellConfig, log: Path, port: int | None = None) -> CellConfig:
    """Return what the PLC's process needs: all but the camera's station."""
    changed = {"log": log} if port is None else {"log": log, "port": port}
    return CellConfig.model_validate(config.model_dump(exclude={"station"}) | changed)
