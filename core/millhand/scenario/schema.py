"""The whole of ``scenario.yaml``."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, field_validator

from millhand.contracts import Disposition
from millhand.messages import tr
from millhand.scenario.agents import Agent
from millhand.scenario.console import Console
from millhand.scenario.devices import Device
from millhand.scenario.economy import Economy
from millhand.scenario.envelope import GuardRule
from millhand.scenario.parts import (
    Flag,
    InnerPath,
    Name,
    Part,
    Reference,
    Whole,
    refusal,
)
from millhand.scenario.secrets import is_reference
from millhand.scenario.units import Duration, Size
from millhand.scenario.words import shown

FORMAT_VERSION = 1


def _format(value: Any) -> Any:
    if value == FORMAT_VERSION and not isinstance(value, bool):
        return value
    raise refusal(
        tr("The format {value} is not known to this version.", value=shown(value)),
        expected=tr("millhand: 1"),
        mend=tr(
            "Write millhand: 1, or install the version of Millhand that the file was made for."
        ),
    )


class Site(Part):
    """Where the cell stands (ISA-95)."""

    enterprise: str = Field(default="", description="Company.")
    site: str = Field(default="", description="Plant.")
    area: str = Field(default="", description="Area of the plant.")
    line: str = Field(default="", description="Line.")
    cell: str = Field(default="", description="Work cell.")


class PlantBeside(Part):
    """Another simulated plant, started before the main one and ended after it.

    Keys that are not listed here are its own options.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    plant: str = Field(description="The plant, as `millhand plugins` lists it.")

    @property
    def options(self) -> dict[str, Any]:
        """The plant's own options, as written."""
        return dict(self.model_extra or {})


class Simulation(Part):
    """A simulated plant that is started together with the engine.

    Keys that are not listed here are the plant's own options.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    plant: str = Field(description="The plant, as `millhand plugins` lists it.")
    always: Flag = Field(
        default=False,
        description="`millhand run` starts the plant without --simulate: the scenario has no "
        "real devices.",
    )
    beside: dict[Name, PlantBeside] = Field(
        default_factory=dict,
        description="More plants by name: vehicles that serve the machines, for example.",
    )

    @property
    def options(self) -> dict[str, Any]:
        """The plant's own options, as written."""
        return dict(self.model_extra or {})


class Pictures(Part):
    """How long pictures and documents are kept."""

    quota: Size = Field(
        default=10_000_000_000, description="Room on disk; the oldest go first when it is full."
    )
    keep: dict[Disposition, Duration] = Field(
        default_factory=lambda: {
            Disposition.PASS: 7 * 86400.0,
            Disposition.PASS_FLAGGED: 90 * 86400.0,
            Disposition.DIVERT: 90 * 86400.0,
            Disposition.REJECT: 90 * 86400.0,
        },
        description="How long, by what became of the part: pass, pass_flagged, divert, reject.",
    )


class Journal(Part):
    """Where the journal lies and how long it is kept."""

    folder: InnerPath = Field(
        default="journal", description="Folder below the scenario's for journal and pictures."
    )
    url: str | None = Field(
        default=None,
        description="Database in place of the SQLite file, as SQLAlchemy writes it; a secret "
        "reference (env:MILLHAND_JOURNAL) where it holds a password.",
    )
    keep: Duration | None = Field(
        default=None,
        description="How long sealed segments are kept, then removed whole; for ever where left "
        "out.",
    )
    sign: str | None = Field(
        default=None,
        description="Private key that signs checkpoints, as a reference: file:secrets/journal.key. "
        "`millhand journal keygen` makes one.",
    )
    checkpoints: str | None = Field(
        default=None,
        description="File that gets the signed checkpoints, a line each, best on another machine's "
        "share; checkpoints.jsonl beside the journal where left out.",
    )
    pictures: Pictures = Field(default_factory=Pictures, description="Pictures and documents.")

    @field_validator("sign")
    @classmethod
    def _by_reference(cls, value: str | None) -> str | None:
        if value is None or is_reference(value):
            return value
        raise refusal(
            tr("A key stands in the file itself."),
            expected=tr("a reference: file:secrets/journal.key"),
            mend=tr("Make a key and name its file: millhand journal keygen"),
        )


class Restarts(Part):
    """How often a worker may be started again before its agents are degraded."""

    at_most: Whole = Field(default=5, ge=0, description="Number of restarts.")
    within: Duration = Field(default=600.0, description="The time that they are counted over.")


class Worker(Part):
    """A worker process: its limits. Agents share it by naming it under ``worker``."""

    memory: Size = Field(default=2_000_000_000, description="Most memory; more ends the worker.")
    hang: Duration | None = Field(
        default=None,
        description="A decision that takes longer is aborted and the worker restarted; where left "
        "out, five seconds more than its agents' longest deadline.",
    )
    spare: Flag | None = Field(
        default=None,
        description="Keep one started worker in reserve, which takes as much memory again; where "
        "left out, only where one of its agents may be in control.",
    )
    restarts: Restarts = Field(default_factory=Restarts, description="Restart budget.")


class Models(Part):
    """Whose model packages may be run."""

    signed_by: tuple[InnerPath, ...] = Field(
        default=(),
        description="Public keys, as files below the scenario's folder; with any, only packages "
        "that one of their owners signed are run. `millhand models keygen` makes one.",
    )

    @field_validator("signed_by", mode="before")
    @classmethod
    def _one_or_many(cls, value: Any) -> Any:
        return (value,) if isinstance(value, str) else value


class Andon(Part):
    """Who is called when an agent cannot settle a part alone."""

    owner: str = Field(default="", description="Who is called where a reaction names nobody.")
    within: Duration | None = Field(
        default=None, description="How soon they are to respond; later, there is an alarm."
    )


class ScenarioFile(Part):
    """A cell: its devices, its agents, their limits, and what things cost."""

    millhand: Annotated[Literal[1], BeforeValidator(_format)] = Field(
        description="Version of this format: 1."
    )
    name: str = Field(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$",
        description="Name of the cell: letters, digits, hyphens.",
    )
    description: str = Field(default="", description="What this cell does, for people.")
    site: Site = Field(default_factory=Site, description="Where the cell stands (ISA-95).")
    simulation: Simulation | None = Field(
        default=None, description="A simulated plant in place of real devices."
    )
    devices: dict[Name, Device] = Field(
        default_factory=dict, description="Devices by name: PLCs, cameras, accelerators."
    )
    agents: dict[Name, Agent] = Field(default_factory=dict, description="Agents by name.")
    workers: dict[Name, Worker] = Field(
        default_factory=dict, description="Worker processes that agents share, by name."
    )
    guard: dict[Reference, GuardRule] = Field(
        default_factory=dict,
        description="Limits for what may be written, by device.channel or device.tag.",
    )
    models: Models = Field(
        default_factory=Models, description="Whose model packages may be run; anybody's if empty."
    )
    andon: Andon = Field(default_factory=Andon, description="Who is called, and how soon.")
    economy: Economy | None = Field(default=None, description="What things cost.")
    journal: Journal = Field(default_factory=Journal, description="Where the journal lies.")
    console: Console | None = Field(
        default=None, description="Health and metrics over HTTP; none where left out."
    )
