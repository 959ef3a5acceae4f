"""One way to drive the Python program and the structured text, by the names of the tags."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from millhand.contracts.command import AnswerCode
from millhand_simulated.plc.logic import Inputs, Outputs, Program, Settings
from millhand_simulated.plc.packml import Way

from . import structured_text

SHIPPED = Path(__file__).parents[2] / "structured_text"
FUNCTION_BLOCK = SHIPPED / "FB_MillhandCell.st"

INPUTS: dict[str, str] = {
    "PartAtCamera": "part_at_camera",
    "PartId": "part_id",
    "Product": "product",
    "PartAtGate": "part_at_gate",
    "GateSeen": "gate_seen",
    "EStop": "estop",
    "Start": "start",
    "Reset": "reset",
    "Cell.Command.PartId": "command_part_id",
    "Cell.Command.Result": "command_result",
    "Cell.Command.ValidUntil": "command_valid_until",
    "Cell.Command.Id": "command_id",
    "Cell.Lease.Counter": "lease_counter",
    "Cell.Lease.Ready": "ready",
    "Cell.Lease.InControl": "in_control",
    "Cell.Machine.Request": "request",
}
"""Tag or input of the function block, and the field of the Python program."""

OUTPUTS: dict[str, str] = {
    "Cell.Tick": "tick",
    "Cell.PackML.State": "state",
    "Cell.Product": "product",
    "Cell.Trigger.Seq": "trigger_seq",
    "Cell.Trigger.PartId": "trigger_part_id",
    "Cell.Trigger.Product": "trigger_product",
    "Cell.Trigger.Tick": "trigger_tick",
    "Cell.Answers.Count": "answer_count",
    "Cell.Machine.Request": "request",
    "Conveyor": "conveyor",
    "GateWay": "gate_way",
    "GateMark": "gate_mark",
    "LeaseLive": "lease_live",
    "AgentReady": "agent_ready",
    "InFlight": "in_flight",
    "Fault": "fault",
    "Purged": "purged",
}

Image = dict[str, Any]
"""All outputs after a scan, by name."""


class Subject(Protocol):
    """A program under test."""

    def __init__(self, settings: dict[str, int]) -> None: ...
    def scan(self, inputs: dict[str, Any]) -> Image: ...


class PythonProgram:
    """The program that the simulated PLC runs."""

    def __init__(self, settings: dict[str, int]) -> None:
        names = {
            "LeaseTimeout": "lease_timeout",
            "GateTimeout": "gate_timeout",
            "DefaultWay": "default_way",
            "FirstTick": "first_tick",
        }
        given: dict[str, Any] = {names[name]: value for name, value in settings.items()}
        if "default_way" in given:
            given["default_way"] = Way(given["default_way"])
        self._program = Program(Settings(**given))

    def scan(self, inputs: dict[str, Any]) -> Image:
        outputs = self._program.scan(
            Inputs(**{INPUTS[name]: value for name, value in inputs.items()})
        )
        return self._image(outputs)

    def _image(self, outputs: Outputs) -> Image:
        counters, ring = self._program.counters, outputs.answers
        image = {name: _plain(getattr(outputs, field)) for name, field in OUTPUTS.items()}
        return image | {
            "Cell.Answers.CommandId": [answer.command_id for answer in ring],
            "Cell.Answers.PartId": [answer.part_id for answer in ring],
            "Cell.Answers.Code": [int(answer.code) for answer in ring],
            "Cell.Answers.Tick": [answer.plc_tick for answer in ring],
            "Books.Answer": [counters.answers[code] for code in AnswerCode if code],
            "Books.Way": [counters.gate[way] for way in Way if way],
        }


class StructuredText:
    """The function block as it is shipped."""

    _program = structured_text.Program.load(FUNCTION_BLOCK)

    def __init__(self, settings: dict[str, int]) -> None:
        self._block = self._program.instance("FB_MillhandCell")
        settings = dict(settings)
        if "FirstTick" in settings:
            self._block["Cell.Tick"] = settings.pop("FirstTick")
        self._settings = settings

    def scan(self, inputs: dict[str, Any]) -> Image:
        for name, value in inputs.items():
            if name.startswith("Cell."):
                self._block[name] = value
        wired = {name: value for name, value in inputs.items() if not name.startswith("Cell.")}
        self._block.scan(**wired, **self._settings)
        rings = (f"Cell.Answers.{name}" for name in ("CommandId", "PartId", "Code", "Tick"))
        return {name: self._block[name] for name in (*OUTPUTS, *rings, "Books.Answer", "Books.Way")}


def _plain(value: Any) -> Any:
    return int(value) if isinstance(value, int) and not isinstance(value, bool) else value


def at_rest() -> dict[str, Any]:
    """All inputs as they are with nobody there."""
    return {name: getattr(Inputs(), field) for name, field in INPUTS.items()}
