"""Every hook there is, on one page.

Hooks only *register*: they are called once, when the plugins are discovered, in the engine's
process, before any scenario is opened; they return descriptions and import nothing heavy. All
are synchronous and optional. Implement them with::

    from millhand.plugins import hookimpl

in the module that the entry point names::

    [project.entry - points.millhand]
    quality = "millhand_quality"
"""

from __future__ import annotations

from collections.abc import Sequence

import pluggy

from millhand.plugins.registrations import (
    AdapterType,
    AgentType,
    AttackType,
    Capabilities,
    CommandType,
    GateType,
    PlantType,
    QuantiserType,
    StudentType,
    TeacherType,
)

API_VERSION = 1
"""Version of the hooks and contracts together; a plugin may state the range it works with."""

hookspec = pluggy.HookspecMarker("millhand")
hookimpl = pluggy.HookimplMarker("millhand")


@hookspec
def millhand_capabilities() -> Capabilities:  # type: ignore[empty-body]
    """Say what the plugin does to the world: network, hardware writes, subprocesses."""


@hookspec
def millhand_agents() -> Sequence[AgentType]:  # type: ignore[empty-body]
    """Register agents, named ``<plugin>.<agent>``."""


@hookspec
def millhand_adapters() -> Sequence[AdapterType]:  # type: ignore[empty-body]
    """Register hardware adapters with the faces they show."""


@hookspec
def millhand_plants() -> Sequence[PlantType]:  # type: ignore[empty-body]
    """Register simulated plants that a scenario may name under ``simulation:``."""


@hookspec
def millhand_teachers() -> Sequence[TeacherType]:  # type: ignore[empty-body]
    """Register teachers for distil plans."""


@hookspec
def millhand_students() -> Sequence[StudentType]:  # type: ignore[empty-body]
    """Register students for distil plans."""


@hookspec
def millhand_gates() -> Sequence[GateType]:  # type: ignore[empty-body]
    """Register gates for distil plans."""


@hookspec
def millhand_quantisers() -> Sequence[QuantiserType]:  # type: ignore[empty-body]
    """Register what makes int8 graphs for distil plans."""


@hookspec
def millhand_commands() -> Sequence[CommandType]:  # type: ignore[empty-body]
    """Register words for the command line; called when the command line starts."""


@hookspec
def millhand_attacks() -> Sequence[AttackType]:  # type: ignore[empty-body]
    """Register attacks for `millhand attack`, named ``<plugin>.<attack>``."""
