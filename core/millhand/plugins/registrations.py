"""What a plugin's hooks return: frozen descriptions, nothing imported yet.

A description names its class as ``"package.module:Class"``. It is imported where it is used:
an agent in its worker, an accelerator in its worker, a command when it is called. So that
``millhand plugins`` and ``millhand check`` are quick and a heavy import never stops a neighbour.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from millhand.errors import ConfigError


class Face(StrEnum):
    """The faces an adapter may show (:mod:`millhand.contracts.adapters`)."""

    TAGS = "tags"
    CAMERA = "camera"
    ROBOT = "robot"
    RECORDS = "records"
    ACCELERATOR = "accelerator"


@dataclass(frozen=True, slots=True)
class Registration:
    """Common to all kinds: a name unique in its kind, where the class is, one line on it."""

    name: str
    target: str
    summary: str

    @property
    def key(self) -> str:
        """What must be unique among its kind."""
        return self.name

    def load(self) -> Any:
        """Import and return the object named by ``target``.

        Raises:
            ConfigError: the module or the object in it cannot be imported.
        """
        module, _, attribute = self.target.partition(":")
        try:
            found: Any = importlib.import_module(module)
            for part in attribute.split("."):
                found = getattr(found, part)
        except (ImportError, AttributeError) as error:
            raise ConfigError(
                f"{self.name} cannot be loaded from {self.target}: {error}",
                mend="Install the missing package or reinstall the plugin.",
            ) from error
        return found


@dataclass(frozen=True, slots=True)
class AgentType(Registration):
    """An agent: ``quality.inspect``. ``target`` is the Agent class."""


@dataclass(frozen=True, slots=True)
class AdapterType(Registration):
    """An adapter: ``opcua``. ``target`` is the class; ``faces`` say what it can be used as.

    ``schemes`` are those of the URLs that its option ``url`` takes (``opc.tcp``), so that
    ``millhand connect`` and ``millhand discover`` find it by an address alone.
    """

    faces: frozenset[Face] = frozenset()
    schemes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlantType(Registration):
    """A simulated plant: ``simulated.conveyor_cell``. ``target`` is a :class:`SimulatedPlant`."""


@dataclass(frozen=True, slots=True)
class TeacherType(Registration):
    """A teacher that a distil plan may name. ``target`` follows ``millhand.distil.Teacher``."""


@dataclass(frozen=True, slots=True)
class StudentType(Registration):
    """A student that a distil plan may name. ``target`` follows ``millhand.distil.Student``."""


@dataclass(frozen=True, slots=True)
class GateType(Registration):
    """A gate that a distil plan may name. ``target`` follows ``millhand.distil.Gate``."""


@dataclass(frozen=True, slots=True)
class QuantiserType(Registration):
    """What makes an int8 graph; ``target`` follows ``millhand.distil.roles.Quantiser``."""


@dataclass(frozen=True, slots=True)
class CommandType(Registration):
    """A command line word. ``target`` is a ``click.Command``; ``group`` nests it under a word."""

    group: str = ""

    @property
    def key(self) -> str:
        """``inspect fit``: two groups may each have a word of the same name."""
        return f"{self.group} {self.name}".strip()


@dataclass(frozen=True, slots=True)
class AttackType(Registration):
    """An attack on a running cell: ``simulated.estop``. ``target`` follows ``millhand.attack``."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a plugin says of itself, shown before it is used."""

    network: bool = False
    writes_hardware: bool = False
    subprocess: bool = False
    api: tuple[int, int] = (1, 1)
    """Oldest and newest version of the hooks (``millhand.plugins.API_VERSION``) it works with."""
    notes: str = field(default="")
