"""Configuration of the conveyor cell: its line, its distances, its PLC, its server."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from millhand.messages import tr
from millhand_simulated.plc.faults import FaultTag
from millhand_simulated.plc.gauge import GaugeConfig
from millhand_simulated.plc.line import LineConfig
from millhand_simulated.plc.logic import REGISTER_SIZE, Settings
from millhand_simulated.plc.packml import Way

SCAN_MS = 10
"""Time of one scan of the PLC task at speed 1."""


class ScheduledFault(BaseModel):
    """A fault that strikes by itself, so that a run with faults can be repeated."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fault: FaultTag = Field(description="Which fault.")
    at_part: int = Field(gt=0, description="Sets in when this part, counted from 1, comes.")
    ticks: int = Field(default=100, gt=0, description="How long it lasts, unless it strikes once.")


class CellConfig(LineConfig):
    """A conveyor cell. Times in ticks are scans of the PLC; see ``speed`` for their length."""

    device: str = Field(
        default="plc", description="Device of the scenario that gets the server's URL."
    )
    takt_ticks: int = Field(
        default=50, ge=4, description="Ticks from one part at the camera to the next."
    )
    camera_to_gate_ticks: int = Field(
        default=175, ge=1, description="Ticks that a part takes from the camera to the gate."
    )
    gate_sensor_ticks: int = Field(
        default=3, ge=1, description="Ticks from the gate to the sensor behind it."
    )
    gate_timeout_ticks: int = Field(
        default=25, ge=2, description="Ticks after which an unseen part stops the conveyor."
    )
    lease_timeout_ms: int = Field(
        default=300, gt=0, description="Time without a new lease counter after which it lapses."
    )
    default_way: Literal["reject", "divert"] = Field(
        default="reject", description="Where a part without a valid result goes."
    )
    operator_ticks: int | None = Field(
        default=100,
        ge=1,
        description="Ticks after which the operator resets or restarts a standing cell; null "
        "leaves it standing.",
    )
    speed: float = Field(
        default=1.0, gt=0, le=50, description="Scans run so many times faster than every 10 ms."
    )
    faults: tuple[ScheduledFault, ...] = Field(default=(), description="Faults to strike.")
    gauge: GaugeConfig = Field(
        default=GaugeConfig(), description="The gauge that measures each part's bore."
    )
    log: Path | None = Field(
        default=None,
        description="File that gets each answer of the PLC as a line of JSON, when it is given: "
        "the ring holds 16.",
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: int = Field(default=0, ge=0, le=65535, description="Port; 0 takes a free one.")
    user: str | None = Field(
        default=None, description="User name that clients must give; null allows anonymous ones."
    )
    password_file: Path | None = Field(
        default=None, description="File that holds the user's password."
    )
    secure: bool = Field(
        default=False,
        description="Only Basic256Sha256 with signature and encryption, under a certificate of "
        "the server's own.",
    )

    @model_validator(mode="after")
    def _feasible(self) -> CellConfig:
        tracked = self.camera_to_gate_ticks / self.takt_ticks
        if tracked > REGISTER_SIZE - 1:
            raise ValueError(
                tr(
                    "{parts:.0f} parts between camera and gate are more than the PLC can track "
                    "({size})",
                    parts=tracked,
                    size=REGISTER_SIZE - 1,
                )
            )
        if self.gate_sensor_ticks >= min(self.takt_ticks - 1, self.gate_timeout_ticks):
            raise ValueError(
                tr("gate_sensor_ticks must be below takt_ticks − 1 and gate_timeout_ticks")
            )
        if (self.user is None) != (self.password_file is None):
            raise ValueError(tr("user and password_file go together"))
        return self

    @property
    def scan_s(self) -> float:
        """Seconds from one scan to the next."""
        return SCAN_MS / 1000 / self.speed

    def plc_settings(self) -> Settings:
        """Return what the PLC program needs, in ticks."""
        return Settings(
            lease_timeout=max(2, round(self.lease_timeout_ms / 1000 / self.scan_s)),
            gate_timeout=self.gate_timeout_ticks,
            default_way=Way[self.default_way.upper()],
        )
