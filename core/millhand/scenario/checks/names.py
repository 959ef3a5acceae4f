"""What the names in a scenario stand for, and what is said where they stand for nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from millhand.errors import Problem
from millhand.messages import did_you_mean, tr
from millhand.scenario.devices import Channel, TriggerRecord
from millhand.scenario.document import KeyPath
from millhand.scenario.expressions import Kind
from millhand.scenario.load import Scenario

_KINDS = {
    "bool": Kind.TRUTH,
    "string": Kind.TEXT,
    "text": Kind.TEXT,
    "int": Kind.NUMBER,
    "uint": Kind.NUMBER,
    "float": Kind.NUMBER,
    "double": Kind.NUMBER,
    "real": Kind.NUMBER,
    "byte": Kind.NUMBER,
    "sbyte": Kind.NUMBER,
    "word": Kind.NUMBER,
    "dint": Kind.NUMBER,
}
"""Beginnings of type names in the adapters' long forms, which are each adapter's own."""


def kind_of_type(type_name: object) -> Kind:
    """Say what a tag of a type holds; ``ANY`` where the name says nothing."""
    if not isinstance(type_name, str) or not type_name:
        return Kind.ANY
    name = type_name.casefold()
    if name.endswith("]"):
        return Kind.LIST
    for beginning, kind in _KINDS.items():
        if name.startswith(beginning):
            return kind
    return Kind.ANY


class Names:
    """Everything that can be referred to: ``camera``, ``plc.state``, ``plc.result``."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        devices = scenario.file.devices
        self.devices = devices
        self.triggers: dict[str, TriggerRecord] = {
            f"{device}.{name}": trigger
            for device, entry in devices.items()
            for name, trigger in entry.triggers.items()
        }
        self.channels: dict[str, Channel] = {
            f"{device}.{name}": channel
            for device, entry in devices.items()
            for name, channel in entry.channels.items()
        }
        self.tags: dict[str, Kind] = {
            f"{device}.{name}": _kind_of_address(address)
            for device, entry in devices.items()
            for name, address in entry.tags.items()
        }

    def problem(self, path: KeyPath, message: str, expected: str = "", mend: str = "") -> Problem:
        """Return a problem at a key path of the scenario."""
        return Problem(self.scenario.document.place(path), message, expected, mend)

    def key_problem(
        self, path: KeyPath, message: str, expected: str = "", mend: str = ""
    ) -> Problem:
        """Return a problem with the key itself rather than with its value."""
        place = self.scenario.document.place(path, of_key=True)
        return Problem(place, message, expected, mend)

    def unknown(self, path: KeyPath, reference: str, what: str, known: Iterable[str]) -> Problem:
        """Return the problem of a reference that leads nowhere, or to something of another kind."""
        known = list(known)
        is_something = self.what_is(reference)
        if is_something:
            message = tr("“{name}” is {kind}.", name=reference, kind=is_something)
            mend = tr("Name one of: {names}.", names=", ".join(known)) if known else ""
        else:
            message = tr("There is no “{name}”.", name=reference)
            mend = did_you_mean(reference, known)
        if not mend:
            device = reference.partition(".")[0]
            if device not in self.devices:
                mend = did_you_mean(device, self.devices)
            else:
                mend = tr("Add it to the device {device}.", device=device)
        return self.problem(path, message, what, mend)

    def when_path(self, agent: str, number: int) -> KeyPath:
        """Return where the agent's ``when`` of this number stands, in a list or alone."""
        path: KeyPath = ("agents", agent, "when")
        listed = isinstance(self.scenario.document.at(path), list)
        return (*path, number) if listed else path

    def what_is(self, reference: str) -> str:
        """Say what a reference stands for; empty where it stands for nothing."""
        kinds: tuple[tuple[Any, str], ...] = (
            (self.devices, tr("a device")),
            (self.tags, tr("a tag")),
            (self.triggers, tr("a trigger")),
            (self.channels, tr("a channel")),
        )
        return next((word for table, word in kinds if reference in table), "")


def _kind_of_address(address: Any) -> Kind:
    return kind_of_type(address.get("type")) if isinstance(address, dict) else Kind.ANY
