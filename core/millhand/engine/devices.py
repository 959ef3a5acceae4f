"""The devices of a cell: adapters opened, their command channels and leases bound."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

from millhand.contracts import Answer, Link, Mode
from millhand.engine import build
from millhand.engine.bindings import ChannelBinding
from millhand.engine.cell import Cell
from millhand.engine.handshake import CommandChannel
from millhand.engine.lease import Lease
from millhand.engine.runner import AgentRunner
from millhand.isolate.camera import IsolatedCamera, plain
from millhand.isolate.messages import CameraSpec
from millhand.journal.records import Gate
from millhand.plugins import Plugins
from millhand.scenario.configured import ConfiguredDevice, configured_device
from millhand.scenario.load import Scenario


class Devices:
    """Opens the devices of a cell and binds them to it.

    Args:
        scenario: names them.
        cell: gets them.
        runners: the agents, once they are bound: a lease speaks for those that command its device.
    """

    def __init__(self, scenario: Scenario, cell: Cell, runners: Mapping[str, AgentRunner]) -> None:
        self._scenario = scenario
        self._cell = cell
        self._runners = runners

    async def open(self, stack: AsyncExitStack, plugins: Plugins, given: Mapping[str, Any]) -> None:
        """Open the adapters; ``stack`` closes them, but for those given, which are open."""
        cell, devices = self._cell, self._scenario.file.devices
        built: dict[str, Any] = {}
        for name, device in devices.items():
            if name in given:
                cell.devices[name] = given[name]
            elif build.runs_in_engine(device, plugins):
                configured = configured_device(self._scenario, plugins, name)
                built[name] = (
                    configured.build(name)
                    if device.isolate is None
                    else self._isolated(name, configured)
                )
        for name, adapter in built.items():
            cell.devices[name] = await stack.enter_async_context(adapter)
        for name, device in devices.items():
            for target, binding in build.channel_bindings(name, device).items():
                cell.channels[target] = CommandChannel(
                    cell.devices[name], binding, on_gate=self._at_gate
                )
            if device.lease is not None:
                cell.leases[name] = self._lease(name)
        cell.machines = frozenset(name for name, device in devices.items() if device.machine)

    def _isolated(self, name: str, configured: ConfiguredDevice) -> IsolatedCamera:
        return IsolatedCamera(
            CameraSpec(
                name=name,
                target=configured.adapter.target,
                options=plain(dict(configured.options)),
                folder=str(self._scenario.folder.absolute()),
            )
        )

    def _lease(self, name: str) -> Lease:
        binding = build.lease_binding(name, self._scenario.file.devices[name])
        assert binding is not None
        return Lease(
            self._cell.devices[name],
            binding,
            ready=lambda: self._ready(name),
            in_control=lambda: self._in_control(name),
            permit=self._cell.issue,
        )

    def _at_gate(self, binding: ChannelBinding, answer: Answer) -> None:
        gate = Gate(channel=str(binding.target), answer=answer)
        self._cell.record(gate, subject=str(binding.target), part=answer.part_id)

    def _commanders(self, device: str) -> list[AgentRunner]:
        """Return the agents whose dispositions go to the device."""
        return [
            runner
            for runner in self._runners.values()
            if runner.binding.disposition is not None
            and runner.binding.disposition.device == device
        ]

    def _ready(self, device: str) -> bool:
        runners = self._commanders(device)
        needed = {camera for runner in runners for camera in runner.binding.frames.values()}
        up = all(self._cell.devices[name].health().link is Link.UP for name in needed)
        return bool(runners) and up and all(runner.ready for runner in runners)

    def _in_control(self, device: str) -> bool:
        modes = self._cell.modes
        return any(modes[runner.name] is Mode.CONTROL for runner in self._commanders(device))
