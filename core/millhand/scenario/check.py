"""``millhand check``: a scenario against the installed plugins, without touching hardware."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import TypeVar

from millhand.errors import ConfigError, Problem
from millhand.journal.places import signing_key
from millhand.messages import tr
from millhand.plugins import Plugins
from millhand.plugins.registrations import AdapterType
from millhand.scenario.checks.console import check_console
from millhand.scenario.checks.guarantees import guarantees
from millhand.scenario.checks.limits import check_limits, check_modes
from millhand.scenario.checks.names import Names
from millhand.scenario.checks.packages import check_packages
from millhand.scenario.checks.roles import check_faces, check_roles
from millhand.scenario.checks.tag_types import check_tag_types
from millhand.scenario.checks.wiring import AUTO, check_wiring
from millhand.scenario.configured import (
    configured_agent,
    configured_beside,
    configured_device,
    configured_plant,
)
from millhand.scenario.load import Scenario
from millhand.scenario.secrets import is_reference

__all__ = ["check", "guarantees", "require"]

T = TypeVar("T")


def check(scenario: Scenario, plugins: Plugins) -> list[Problem]:
    """Find everything that is wrong with a scenario, in the order of the file.

    Imports the plugins that the scenario names and reads its packages and secrets; opens no
    device and starts no process.
    """
    names = Names(scenario)
    found = [*_problems(names, plugins)]
    unique = {(str(problem.place), problem.message): problem for problem in found}
    return sorted(unique.values(), key=lambda one: (one.place.line or 0, one.place.column or 0))


def require(scenario: Scenario, plugins: Plugins) -> None:
    """Check a scenario before it runs.

    Raises:
        ConfigError: something is wrong; carries every problem found.
    """
    problems = check(scenario, plugins)
    if problems:
        raise ConfigError.of(tuple(problems))


def _problems(names: Names, plugins: Plugins) -> Iterator[Problem]:
    scenario = names.scenario
    yield from check_wiring(names)
    yield from check_limits(names)
    yield from check_tag_types(names)
    yield from check_packages(names)
    problems: list[Problem] = []
    if scenario.file.simulation is not None:
        _try(problems, partial(configured_plant, scenario, plugins))
        for name in scenario.file.simulation.beside:
            _try(problems, partial(configured_beside, scenario, plugins, name))
    adapters: dict[str, AdapterType] = {}
    for name, device in scenario.file.devices.items():
        _try(problems, partial(configured_device, scenario, plugins, name))
        if device.adapter in plugins.adapters:
            adapters[name] = plugins.adapters[device.adapter]
    yield from check_faces(names, adapters)
    for name in scenario.file.agents:
        agent = _try(problems, partial(configured_agent, scenario, plugins, name))
        if agent is not None:
            yield from check_roles(names, name, agent.needs, adapters)
            yield from check_modes(names, name, agent.needs)
    yield from problems
    yield from _automatic(names, plugins)
    yield from _journal(names)
    yield from check_console(names)


def _try(problems: list[Problem], do: Callable[[], T]) -> T | None:
    try:
        return do()
    except ConfigError as error:
        problems.extend(error.problems)
        return None


def _automatic(names: Names, plugins: Plugins) -> Iterator[Problem]:
    """Check that ``accelerator: auto`` has something to choose from."""
    for name, agent in names.scenario.file.agents.items():
        if agent.model and AUTO in agent.accelerator and AUTO not in names.devices:
            try:
                plugins.adapter(AUTO)
            except ConfigError as error:
                yield names.problem(
                    ("agents", name, "accelerator"),
                    tr("Nothing is installed that runs models."),
                    tr("an accelerator, or the adapter auto, which measures and chooses"),
                    error.mend,
                )


def _journal(names: Names) -> Iterator[Problem]:
    url = names.scenario.file.journal.url
    if url is not None and is_reference(url):
        try:
            names.scenario.secret(url)
        except ConfigError as error:
            yield names.problem(("journal", "url"), error.message, tr("a database"), error.mend)
    try:
        signing_key(names.scenario)
    except ConfigError as error:
        yield names.problem(("journal", "sign"), error.message, tr("a key"), error.mend)
