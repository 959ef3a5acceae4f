"""What the plugins of one engine register, by name, with errors that say what to install."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from millhand.errors import ConfigError
from millhand.messages import did_you_mean, tr
from millhand.plugins.discovery import KINDS, FoundPlugin, discover
from millhand.plugins.registrations import (
    AdapterType,
    AgentType,
    AttackType,
    CommandType,
    GateType,
    PlantType,
    QuantiserType,
    Registration,
    StudentType,
    TeacherType,
)

OWN_DISTRIBUTIONS = {
    "folder": "millhand-cameras",
    "video": "millhand-cameras",
    "auto": "millhand-accelerators",
    "onnxruntime": "millhand-accelerators",
    "openvino": "millhand-accelerators",
}
"""Names that are not called like the distribution they come in."""

R = TypeVar("R", bound=Registration)


@dataclass(frozen=True, slots=True)
class Plugins:
    """All plugins of one engine or command. There is no global one."""

    found: tuple[FoundPlugin, ...] = ()
    agents: Mapping[str, AgentType] = field(default_factory=dict)
    adapters: Mapping[str, AdapterType] = field(default_factory=dict)
    plants: Mapping[str, PlantType] = field(default_factory=dict)
    teachers: Mapping[str, TeacherType] = field(default_factory=dict)
    students: Mapping[str, StudentType] = field(default_factory=dict)
    gates: Mapping[str, GateType] = field(default_factory=dict)
    quantisers: Mapping[str, QuantiserType] = field(default_factory=dict)
    commands: Mapping[str, CommandType] = field(default_factory=dict)
    attacks: Mapping[str, AttackType] = field(default_factory=dict)
    clashes: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    """Kind and name that several plugins claim, with their names; none of them is used."""

    @classmethod
    def discover(cls, plugins: Sequence[object] = (), *, entry_points: bool = True) -> Plugins:
        """Find plugins and ask them what they register. Never raises for a broken plugin.

        Args:
            plugins: modules or objects with hooks, given by hand.
            entry_points: whether the installed distributions are asked too.
        """
        found = discover(plugins, entry_points=entry_points)
        return cls._of(found)

    @classmethod
    def _of(cls, found: Sequence[FoundPlugin]) -> Plugins:
        owners: dict[tuple[str, str], list[str]] = {}
        for plugin in found:
            for kind, registration in plugin.provides:
                owners.setdefault((kind, registration.key), []).append(plugin.name)
        clashes = {key: tuple(names) for key, names in owners.items() if len(names) > 1}
        tables: dict[str, Any] = {kind: {} for kind in KINDS}
        for plugin in found:
            for kind, registration in plugin.provides:
                if (kind, registration.key) not in clashes:
                    tables[kind][registration.key] = registration
        return cls(tuple(found), clashes=clashes, **tables)

    def agent(self, name: str) -> AgentType:
        """Return the agent of this name. Raises ConfigError with near names and the mend."""
        return self._get("agents", self.agents, name)

    def adapter(self, name: str) -> AdapterType:
        """Return the adapter of this name. Raises ConfigError with near names and the mend."""
        return self._get("adapters", self.adapters, name)

    def plant(self, name: str) -> PlantType:
        """Return the simulated plant of this name. Raises ConfigError as the others."""
        return self._get("plants", self.plants, name)

    def teacher(self, name: str) -> TeacherType:
        """Return the teacher of this name. Raises ConfigError as the others."""
        return self._get("teachers", self.teachers, name)

    def student(self, name: str) -> StudentType:
        """Return the student of this name. Raises ConfigError as the others."""
        return self._get("students", self.students, name)

    def gate(self, name: str) -> GateType:
        """Return the gate of this name. Raises ConfigError as the others."""
        return self._get("gates", self.gates, name)

    def quantiser(self, name: str) -> QuantiserType:
        """Return the quantiser of this name. Raises ConfigError as the others."""
        return self._get("quantisers", self.quantisers, name)

    def _get(self, kind: str, table: Mapping[str, R], name: str) -> R:
        if name in table:
            return table[name]
        claimed = self.clashes.get((kind, name))
        if claimed:
            raise ConfigError(
                tr(
                    "“{name}” is registered by {plugins}.", name=name, plugins=" and ".join(claimed)
                ),
                mend=tr("Uninstall one of them."),
            )
        raise ConfigError(
            tr("There is no “{name}” among the {kind}.", name=name, kind=_kind_words()[kind]),
            mend=self._mend(table, name),
        )

    def _mend(self, table: Mapping[str, Registration], name: str) -> str:
        prefix = name.partition(".")[0]
        distribution = OWN_DISTRIBUTIONS.get(name, f"millhand-{prefix}".replace("_", "-"))
        for plugin in self.found:
            if plugin.error and (plugin.name == prefix or plugin.distribution == distribution):
                return tr(
                    "Its plugin {plugin} is broken: {error}", plugin=plugin.name, error=plugin.error
                )
        hint = did_you_mean(name, table)
        if hint.endswith("?"):
            return hint
        install = tr("Install it: pip install {name}", name=distribution)
        return f"{hint} {install}".strip()


def _kind_words() -> dict[str, str]:
    return {
        "agents": tr("agents"),
        "adapters": tr("adapters"),
        "plants": tr("simulated plants"),
        "teachers": tr("teachers"),
        "students": tr("students"),
        "gates": tr("gates"),
        "quantisers": tr("quantisers"),
        "commands": tr("commands"),
        "attacks": tr("attacks"),
    }
