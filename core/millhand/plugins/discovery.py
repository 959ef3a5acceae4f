"""Finding plugins: by entry points and by hand, each on its own, so that none can stop another.

Every plugin gets a pluggy manager of its own: an import that fails, a hook that raises or is
misspelt, a version that does not fit are noted in :class:`FoundPlugin` and are never fatal.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import entry_points as installed_entry_points

import pluggy

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.plugins import hookspecs
from millhand.plugins.registrations import (
    AdapterType,
    AgentType,
    AttackType,
    Capabilities,
    CommandType,
    GateType,
    PlantType,
    QuantiserType,
    Registration,
    StudentType,
    TeacherType,
)

GROUP = "millhand"
KINDS: dict[str, type[Registration]] = {
    "agents": AgentType,
    "adapters": AdapterType,
    "plants": PlantType,
    "teachers": TeacherType,
    "students": StudentType,
    "gates": GateType,
    "quantisers": QuantiserType,
    "commands": CommandType,
    "attacks": AttackType,
}
"""What there is to register: the hook is ``millhand_<kind>``."""


@dataclass(frozen=True, slots=True)
class FoundPlugin:
    """A plugin that was found, whether it works or not."""

    name: str
    """Of its entry point, or of the module where it was given by hand."""
    distribution: str
    """Empty where it was given by hand."""
    version: str
    capabilities: Capabilities = field(default_factory=Capabilities)
    error: str = ""
    """Why it cannot be used, with the mend; empty where it can."""
    provides: tuple[tuple[str, Registration], ...] = ()
    """Kind (``agents``) and registration of everything that it registers."""


def discover(plugins: Sequence[object] = (), *, entry_points: bool = True) -> list[FoundPlugin]:
    """Find plugins and ask each what it registers. Never raises for a broken plugin.

    Args:
        plugins: modules or objects with hooks, given by hand.
        entry_points: whether the installed distributions are asked too.
    """
    found = [_ask(_name_of(plugin), "", "", plugin) for plugin in plugins]
    return found + list(_installed(set(map(id, plugins)))) if entry_points else found


def _name_of(plugin: object) -> str:
    return str(getattr(plugin, "__name__", type(plugin).__name__))


def _installed(given: set[int]) -> Iterator[FoundPlugin]:
    for point in sorted(installed_entry_points(group=GROUP), key=lambda point: point.name):
        distribution, version = "", ""
        if point.dist is not None:
            distribution, version = point.dist.name, point.dist.version
        try:
            plugin = point.load()
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's import may raise anything
            yield FoundPlugin(point.name, distribution, version, error=_broken(error, distribution))
            continue
        if id(plugin) not in given:
            yield _ask(point.name, distribution, version, plugin)


def _broken(error: BaseException, distribution: str) -> str:
    said = tr("{kind}: {error}.", kind=type(error).__name__, error=str(error).rstrip("."))
    if not distribution:
        return said
    again = tr("Reinstall it: pip install --force-reinstall {name}", name=distribution)
    return f"{said} {again}"


def _ask(name: str, distribution: str, version: str, plugin: object) -> FoundPlugin:
    """Register one plugin in a manager of its own and call its hooks."""
    capabilities = Capabilities()
    try:
        manager = pluggy.PluginManager(GROUP)
        manager.add_hookspecs(hookspecs)
        manager.register(plugin, name)
        manager.check_pending()
        _check_marked(plugin)
        for stated in manager.hook.millhand_capabilities():
            capabilities = stated
        _check_version(capabilities)
        provides = tuple(_registrations(manager))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a stranger's hook may raise anything
        return FoundPlugin(name, distribution, version, capabilities, _broken(error, distribution))
    return FoundPlugin(name, distribution, version, capabilities, provides=provides)


def _check_marked(plugin: object) -> None:
    """Refuse a function that is named like a hook and is none, which pluggy passes over."""
    for attribute, value in inspect.getmembers(plugin, inspect.isroutine):
        if attribute.startswith("millhand_") and not hasattr(value, "millhand_impl"):
            raise ConfigError(
                tr("{name} is not marked as a hook.", name=attribute),
                mend=tr("Put @hookimpl above it (from millhand.plugins import hookimpl)."),
            )


def _check_version(capabilities: Capabilities) -> None:
    oldest, newest = capabilities.api
    if not oldest <= hookspecs.API_VERSION <= newest:
        raise ConfigError(
            tr(
                "It works with plugin API {oldest} to {newest}, and this Millhand has {version}.",
                oldest=oldest,
                newest=newest,
                version=hookspecs.API_VERSION,
            ),
            mend=tr("Install versions of both that fit."),
        )


def _registrations(manager: pluggy.PluginManager) -> Iterator[tuple[str, Registration]]:
    for kind, wanted in KINDS.items():
        hook = f"millhand_{kind}"
        seen: set[str] = set()
        for answer in getattr(manager.hook, hook)():
            for item in answer:
                if not isinstance(item, wanted):
                    raise ConfigError(
                        tr("{hook} returned {item}.", hook=hook, item=repr(item)[:80]),
                        mend=tr("Return a list of {wanted}.", wanted=wanted.__name__),
                    )
                if item.key in seen:
                    raise ConfigError(
                        tr("{hook} registers “{name}” twice.", hook=hook, name=item.key)
                    )
                seen.add(item.key)
                yield kind, item
