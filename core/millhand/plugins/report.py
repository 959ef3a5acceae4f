"""What ``millhand plugins`` shows: every plugin found, what it registers, what it may do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from millhand.messages import tr
from millhand.plugins.catalogue import Plugins
from millhand.plugins.discovery import FoundPlugin
from millhand.plugins.hookspecs import API_VERSION
from millhand.plugins.registrations import AdapterType


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table."""

    plugin: str
    version: str
    kind: str
    """``agents``, ``adapters`` …; empty for a plugin that is broken or registers nothing."""
    name: str
    summary: str
    touches: str
    """What the plugin says it does to the world."""


def rows(plugins: Plugins) -> list[Row]:
    """Return the table's lines: one for each registration, one for each plugin without any."""
    table: list[Row] = []
    for plugin in plugins.found:
        touches = ", ".join(capability_words(plugin))
        if plugin.error or not plugin.provides:
            note = plugin.error or tr("registers nothing")
            table.append(Row(plugin.name, plugin.version, "", "", note, touches))
        for kind, registration in plugin.provides:
            claimed = plugins.clashes.get((kind, registration.key))
            note = registration.summary
            if claimed:
                note = tr("not used: registered by {plugins}", plugins=" and ".join(claimed))
            table.append(Row(plugin.name, plugin.version, kind, registration.key, note, touches))
    return table


def capability_words(plugin: FoundPlugin) -> list[str]:
    """Name what a plugin does to the world, for people."""
    stated = plugin.capabilities
    words = [
        (stated.network, tr("network")),
        (stated.writes_hardware, tr("writes to hardware")),
        (stated.subprocess, tr("starts processes")),
        (bool(stated.notes), stated.notes),
    ]
    return [word for said, word in words if said]


def as_json(plugins: Plugins) -> dict[str, Any]:
    """Return the same as plain data for ``millhand plugins --json``."""
    return {
        "api_version": API_VERSION,
        "plugins": [_plugin(plugin) for plugin in plugins.found],
        "clashes": [
            {"kind": kind, "name": name, "plugins": list(owners)}
            for (kind, name), owners in plugins.clashes.items()
        ],
    }


def _plugin(plugin: FoundPlugin) -> dict[str, Any]:
    stated = plugin.capabilities
    provides: dict[str, list[dict[str, Any]]] = {}
    for kind, registration in plugin.provides:
        entry: dict[str, Any] = {"name": registration.key, "summary": registration.summary}
        if isinstance(registration, AdapterType):
            entry["faces"] = sorted(registration.faces)
        provides.setdefault(kind, []).append(entry)
    return {
        "name": plugin.name,
        "distribution": plugin.distribution,
        "version": plugin.version,
        "capabilities": {
            "network": stated.network,
            "writes_hardware": stated.writes_hardware,
            "subprocess": stated.subprocess,
            "notes": stated.notes,
            "api": list(stated.api),
        },
        "error": plugin.error,
        "provides": provides,
    }
