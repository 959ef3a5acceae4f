"""Plugins: hook specifications, discovery by entry points, the report of what was found."""

from millhand.plugins.catalogue import Plugins
from millhand.plugins.discovery import FoundPlugin
from millhand.plugins.hookspecs import API_VERSION, hookimpl, hookspec
from millhand.plugins.registrations import (
    AdapterType,
    AgentType,
    AttackType,
    Capabilities,
    CommandType,
    Face,
    GateType,
    PlantType,
    QuantiserType,
    Registration,
    StudentType,
    TeacherType,
)

__all__ = [
    "API_VERSION",
    "AdapterType",
    "AgentType",
    "AttackType",
    "Capabilities",
    "CommandType",
    "Face",
    "FoundPlugin",
    "GateType",
    "PlantType",
    "Plugins",
    "QuantiserType",
    "Registration",
    "StudentType",
    "TeacherType",
    "hookimpl",
    "hookspec",
]
