"""Options of adapters, plants and agents, validated by their own models, with good errors.

``millhand check`` and the engine take the same road, so that what was checked is what runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, SecretStr, ValidationError

from millhand.contracts import Needs
from millhand.errors import ConfigError, MillhandError, Problem
from millhand.messages import tr
from millhand.plugins import Plugins
from millhand.plugins.paths import based_on
from millhand.plugins.registrations import (
    AdapterType,
    AgentType,
    Face,
    PlantType,
    Registration,
)
from millhand.scenario import secrets
from millhand.scenario.devices import Device
from millhand.scenario.document import KeyPath
from millhand.scenario.load import Scenario
from millhand.scenario.problems import problems_of
from millhand.scenario.schema import PlantBeside, Simulation


@dataclass(frozen=True, slots=True)
class ConfiguredDevice:
    """A device's adapter class with its validated options and tags, ready to be built."""

    adapter: AdapterType
    adapter_class: Any
    config: BaseModel
    tags: Mapping[str, BaseModel] | None
    """All tags, the handshake's too; None where the adapter has no ``Tags`` face."""
    options: Mapping[str, Any]
    """What ``config`` was made of, secrets read: what another process can be told."""

    def build(self, name: str) -> Any:
        """Build the adapter, not yet entered."""
        if self.tags is None:
            return self.adapter_class(name, self.config)
        return self.adapter_class(name, self.config, self.tags)


@dataclass(frozen=True, slots=True)
class ConfiguredAgent:
    """An agent's class with its validated settings and what it says it needs."""

    agent: AgentType
    agent_class: Any
    config: BaseModel
    needs: Needs


@dataclass(frozen=True, slots=True)
class ConfiguredPlant:
    """A simulated plant's class with its validated options."""

    plant: PlantType
    plant_class: Any
    config: BaseModel


def configured_device(
    scenario: Scenario, plugins: Plugins, name: str, replace: Mapping[str, Any] | None = None
) -> ConfiguredDevice:
    """Validate a device's options and tags by its adapter's own models.

    Args:
        scenario: the scenario.
        plugins: the plugins to find the adapter in.
        name: the device.
        replace: options that replace those in the file (the ``url`` of a simulated plant).

    Raises:
        ConfigError: with every problem found, each with its place.
    """
    device = scenario.file.devices[name]
    path: KeyPath = ("devices", name)
    adapter = _found(scenario, (*path, "adapter"), plugins.adapter, device.adapter)
    adapter_class = _loaded(scenario, (*path, "adapter"), adapter)
    options, problems = _with_secrets(scenario, device.options, path)
    options.update(replace or {})
    also = [key for key in Device.model_fields if key not in options]
    config = _collect(problems, scenario, adapter_class.Config, options, path, also)
    tags = None
    if Face.TAGS in adapter.faces:
        tags = _tags(problems, scenario, adapter_class.Tag, name)
    else:
        problems += _no_tags_here(scenario, name)
    problems += _not_isolated(scenario, name, adapter)
    if problems or config is None:
        raise ConfigError.of(tuple(problems))
    return ConfiguredDevice(adapter, adapter_class, config, tags, options)


def configured_agent(scenario: Scenario, plugins: Plugins, name: str) -> ConfiguredAgent:
    """Validate an agent's settings by its own model and ask what it needs.

    Raises:
        ConfigError: with every problem found, each with its place.
    """
    path: KeyPath = ("agents", name)
    entry = scenario.file.agents[name]
    agent = _found(scenario, (*path, "use"), plugins.agent, entry.use)
    agent_class = _loaded(scenario, (*path, "use"), agent)
    problems: list[Problem] = []
    config = _collect(problems, scenario, agent_class.Config, entry.config, (*path, "config"))
    if config is None:
        raise ConfigError.of(tuple(problems))
    try:
        needs = agent_class(config).needs()
    except ConfigError as error:
        problem = Problem(
            scenario.document.place((*path, "config")), error.message, mend=error.mend
        )
        raise ConfigError.of((problem,)) from error
    except Exception as error:  # a stranger's agent may raise anything
        raise _failed(scenario, (*path, "use"), entry.use, error) from error
    return ConfiguredAgent(agent, agent_class, config, needs)


def configured_plant(
    scenario: Scenario, plugins: Plugins, replace: Mapping[str, Any] | None = None
) -> ConfiguredPlant:
    """Validate the options of the scenario's simulated plant.

    Args:
        scenario: the scenario.
        plugins: the plugins to find the plant in.
        replace: options that replace those in the file.

    Raises:
        ConfigError: with every problem found, each with its place.
    """
    simulation = scenario.file.simulation
    assert simulation is not None, "only called for a scenario with a simulation"
    also = [key for key in Simulation.model_fields if key not in (replace or {})]
    return _plant(scenario, plugins, ("simulation",), simulation, also, replace or {})


def configured_beside(scenario: Scenario, plugins: Plugins, name: str) -> ConfiguredPlant:
    """Validate the options of a plant beside the main one.

    Raises:
        ConfigError: with every problem found, each with its place.
    """
    simulation = scenario.file.simulation
    assert simulation is not None, "only called for a scenario with a simulation"
    path: KeyPath = ("simulation", "beside", name)
    return _plant(scenario, plugins, path, simulation.beside[name], ["plant"], {})


def _plant(
    scenario: Scenario,
    plugins: Plugins,
    path: KeyPath,
    entry: Simulation | PlantBeside,
    also: Sequence[str],
    replace: Mapping[str, Any],
) -> ConfiguredPlant:
    plant = _found(scenario, (*path, "plant"), plugins.plant, entry.plant)
    plant_class = _loaded(scenario, (*path, "plant"), plant)
    options, problems = _with_secrets(scenario, entry.options, path)
    options.update(replace)
    config = _collect(problems, scenario, plant_class.Config, options, path, also)
    if problems or config is None:
        raise ConfigError.of(tuple(problems))
    return ConfiguredPlant(plant, plant_class, config)


def _found(scenario: Scenario, path: KeyPath, find: Any, name: str) -> Any:
    try:
        return find(name)
    except ConfigError as error:
        raise _placed(scenario, path, error) from error


def _loaded(scenario: Scenario, path: KeyPath, registration: Registration) -> Any:
    try:
        return registration.load()
    except ConfigError as error:
        raise _placed(scenario, path, error) from error
    except Exception as error:  # a stranger's import may raise anything
        raise _failed(scenario, path, registration.name, error) from error


def _placed(scenario: Scenario, path: KeyPath, error: MillhandError) -> ConfigError:
    place = scenario.document.place(path)
    expected = tr("something that is installed and works, as `millhand plugins` lists it")
    return ConfigError.of((Problem(place, error.message, expected, error.mend),))


def _failed(scenario: Scenario, path: KeyPath, name: str, error: Exception) -> ConfigError:
    message = tr(
        "{name} failed: {kind}: {error}", name=name, kind=type(error).__name__, error=error
    )
    expected = tr("a plugin that works")
    mend = tr("This is a fault in the plugin; tell its author, or use another version.")
    return ConfigError.of((Problem(scenario.document.place(path), message, expected, mend),))


def _collect(
    problems: list[Problem],
    scenario: Scenario,
    model: type[BaseModel],
    data: Any,
    path: KeyPath,
    also_known: Sequence[str] = (),
) -> BaseModel | None:
    try:
        config = model.model_validate(data)
    except ValidationError as error:
        problems.extend(problems_of(error, model, scenario.document, path, also_known))
        return None
    based: BaseModel = based_on(config, scenario.folder.absolute())
    return based


def _tags(
    problems: list[Problem], scenario: Scenario, model: type[BaseModel], name: str
) -> dict[str, BaseModel]:
    device = scenario.file.devices[name]
    places = {tag: ("tags", tag) for tag in device.tags}
    handshake = device.handshake()
    found: dict[str, BaseModel] = {}
    for tag, address in device.all_tags().items():
        path: KeyPath = ("devices", name, *(places.get(tag) or handshake[tag].path))
        valid = _collect(problems, scenario, model, address, path)
        if valid is not None:
            found[tag] = valid
    return found


def _no_tags_here(scenario: Scenario, name: str) -> list[Problem]:
    device = scenario.file.devices[name]
    given = {
        "tags": device.tags,
        "triggers": device.triggers,
        "channels": device.channels,
        "lease": device.lease,
        "machine": device.machine,
    }
    return [
        Problem(
            scenario.place("devices", name, key),
            tr("The adapter {adapter} has no tags.", adapter=device.adapter),
            tr("{key} only in a device whose adapter reads and writes tags", key=key),
            tr("Move it to the PLC's device."),
        )
        for key, value in given.items()
        if value
    ]


def _not_isolated(scenario: Scenario, name: str, adapter: AdapterType) -> list[Problem]:
    if scenario.file.devices[name].isolate is None or adapter.faces == frozenset({Face.CAMERA}):
        return []
    return [
        Problem(
            scenario.place("devices", name, "isolate"),
            tr("The adapter {adapter} is not only a camera.", adapter=adapter.name),
            tr("isolate: process only in a device that is a camera and nothing else"),
            tr("Leave the line out."),
        )
    ]


def _with_secrets(
    scenario: Scenario, options: dict[str, Any], path: KeyPath
) -> tuple[dict[str, Any], list[Problem]]:
    """Read the secrets; what cannot be had is a problem and stands empty meanwhile."""
    problems: list[Problem] = []

    def read(reference: str, where: KeyPath) -> SecretStr:
        try:
            return scenario.secret(reference)
        except ConfigError as error:
            place = scenario.document.place(where)
            expected = tr("a secret that can be read, and by nobody else")
            problems.append(Problem(place, error.message, expected, error.mend))
            return SecretStr("")

    filled: dict[str, Any] = secrets.fill(options, read, path)
    return filled, problems
