"""What a person means by a device on the command line: an address, or a device of a scenario."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from millhand.errors import ConfigError
from millhand.messages import did_you_mean, tr

if TYPE_CHECKING:
    from millhand.plugins import AdapterType, Plugins
    from millhand.scenario.configured import ConfiguredDevice

NEW_DEVICE = "device"
"""Name of a device that was given by its address."""


@dataclass(frozen=True, slots=True)
class DeviceTarget:
    """One device to be tried."""

    name: str
    configured: ConfiguredDevice
    url: str
    options: dict[str, Any]
    """As they stand in the scenario, or as the command line gave them."""

    def build(self) -> Any:
        """Build its adapter, not yet entered."""
        return self.configured.build(self.name)


def find_devices(
    target: str, device: str | None, settings: Sequence[str], plugins: Plugins
) -> list[DeviceTarget]:
    """Find the devices that a command line names.

    Args:
        target: an address such as ``opc.tcp://127.0.0.1:4840``, or a scenario's folder or file.
        device: the scenario's device, all of them where left out.
        settings: ``key=value``, dots for keys within keys, added to the device's options.
        plugins: where adapters are found.

    Raises:
        ConfigError: nothing fits the address, or an option is wrong.
    """
    from millhand.scenario.configured import configured_device
    from millhand.scenario.load import load

    options = _options(settings)
    if "://" in target:
        return [_of_address(target, options, plugins)]
    scenario = load(target)
    names = [device] if device else list(scenario.file.devices)
    for name in names:
        if name not in scenario.file.devices:
            raise ConfigError(
                tr("{scenario} has no device {name}.", scenario=scenario.path, name=name),
                mend=did_you_mean(name, scenario.file.devices),
            )
    found = []
    for name in names:
        configured = configured_device(scenario, plugins, name, replace=options)
        if not hasattr(configured.adapter_class, "health"):
            continue  # an accelerator is no device with a link
        written = scenario.file.devices[name].options
        found.append(DeviceTarget(name, configured, str(written.get("url", "")), written))
    return found


def _of_address(url: str, options: dict[str, Any], plugins: Plugins) -> DeviceTarget:
    from millhand.scenario.configured import configured_device
    from millhand.scenario.load import load_text

    adapter = _speaks(url.partition("://")[0], plugins)
    device = {"adapter": adapter.name, "url": url, **options}
    text = to_yaml({"millhand": 1, "name": "new-cell", "devices": {NEW_DEVICE: device}})
    scenario = load_text(text, Path.cwd() / tr("(command line)"))
    configured = configured_device(scenario, plugins, NEW_DEVICE)
    return DeviceTarget(NEW_DEVICE, configured, url, device)


def _speaks(scheme: str, plugins: Plugins) -> AdapterType:
    known = {one: adapter for adapter in plugins.adapters.values() for one in adapter.schemes}
    if scheme not in known:
        raise ConfigError(
            tr("No adapter that is installed takes addresses with {scheme}://.", scheme=scheme),
            mend=did_you_mean(scheme, known)
            or tr("Install its adapter, such as: pip install millhand-opcua"),
        )
    return known[scheme]


def _options(settings: Sequence[str]) -> dict[str, Any]:
    """Turn ``security.user=operator`` into nested options; values are read as YAML."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    options: dict[str, Any] = {}
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not key or not equals:
            raise ConfigError(
                tr("{setting} is no setting.", setting=setting), mend=tr("Write KEY=VALUE.")
            )
        try:
            value = YAML(typ="safe", pure=True).load(text) if text else ""
        except YAMLError:
            value = text
        *outer, last = key.split(".")
        inner = options
        for part in outer:
            inner = inner.setdefault(part, {})
            if not isinstance(inner, dict):
                raise ConfigError(tr("{key} is set twice.", key=part))
        inner[last] = value
    return options


def to_yaml(data: Any) -> str:
    """Write plain data as YAML that a person would write."""
    from ruamel.yaml import YAML

    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 4096
    stream = io.StringIO()
    yaml.dump(data, stream)
    return stream.getvalue()
