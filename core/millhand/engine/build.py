"""From a loaded scenario to what the engine runs: specs, bindings, limits. Pure but for imports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from millhand.contracts import Mode, Needs, TriggerKind
from millhand.engine.bindings import (
    AgentBinding,
    AndonPolicy,
    ChannelBinding,
    Confirm,
    Jidoka,
    LeaseBinding,
    ModelChoice,
    Reaction,
    RejectLimit,
    Target,
    TriggerBinding,
)
from millhand.engine.restarts import WorkerLimits
from millhand.errors import ConfigError, Problem
from millhand.guard import Allowance, Limits
from millhand.isolate.messages import AcceleratorSpec, AgentSpec, ModelSpec
from millhand.messages import tr
from millhand.plugins import Plugins
from millhand.plugins.registrations import AdapterType, Face
from millhand.scenario.agents import ONLY_ROLE, Agent, Fallback, When
from millhand.scenario.devices import Channel, Device
from millhand.scenario.envelope import Change, GuardRule
from millhand.scenario.load import Scenario
from millhand.scenario.schema import Worker as WorkerForm
from millhand.scenario.trust import trusted_keys

_AUTO = "auto"
_HANG_PAST_DEADLINE_S = 5.0


def nanoseconds(seconds: float) -> int:
    """Round seconds to whole nanoseconds."""
    return round(seconds * 1e9)


def target_of(reference: str) -> Target:
    """Read ``device`` or ``device.item``."""
    device, _, item = reference.partition(".")
    return Target(device, item)


# --- devices ---


def runs_in_engine(device: Device, plugins: Plugins) -> bool:
    """Whether a device is opened by the engine; accelerators are opened by the workers."""
    return plugins.adapter(device.adapter).faces != frozenset({Face.ACCELERATOR})


def channel_bindings(device_name: str, device: Device) -> dict[str, ChannelBinding]:
    """The device's command channels by ``device.channel``."""
    return {
        f"{device_name}.{name}": _channel(Target(device_name, name), channel)
        for name, channel in device.channels.items()
    }


def _channel(target: Target, channel: Channel) -> ChannelBinding:
    return ChannelBinding(
        target=target,
        confirm=Confirm(channel.confirm),
        default=channel.default,
        tick_ns=nanoseconds(channel.tick_period),
    )


def lease_binding(device_name: str, device: Device) -> LeaseBinding | None:
    """The device's lease, where it has one."""
    if device.lease is None:
        return None
    return LeaseBinding(device_name, device.lease.every)


# --- agents ---


def agent_spec(scenario: Scenario, name: str, plugins: Plugins) -> AgentSpec:
    """Say to a worker how to build an agent."""
    agent = scenario.file.agents[name]
    models = tuple(
        ModelSpec(role=role, product=product or None, folder=str(scenario.folder / folder))
        for role, choice in agent.model.items()
        for product, folder in choice.packages.items()
    )
    return AgentSpec(
        name=name,
        target=plugins.agent(agent.use).target,
        config=agent.config,
        folder=str(scenario.folder.absolute()),
        models=models,
        accelerators=_accelerators(scenario, agent, plugins) if models else (),
        trusted_keys=trusted_keys(scenario) if models else (),
    )


def _accelerators(
    scenario: Scenario, agent: Agent, plugins: Plugins
) -> tuple[AcceleratorSpec, ...]:
    """The rungs of the agent's ladder; one device with a ladder of its own is several."""
    specs = [_accelerator(scenario, name, plugins) for name in agent.accelerator]
    return tuple(rung for spec in specs for rung in _rungs(spec))


def _rungs(spec: AcceleratorSpec) -> list[AcceleratorSpec]:
    ladder = spec.config.get("ladder")
    if not isinstance(ladder, list | tuple) or len(ladder) < 2:
        return [spec]
    return [
        AcceleratorSpec(
            name=f"{spec.name}.{rung}",
            target=spec.target,
            config={**spec.config, "ladder": list(ladder[number:])},
        )
        for number, rung in enumerate(ladder)
    ]


def _accelerator(scenario: Scenario, name: str, plugins: Plugins) -> AcceleratorSpec:
    device = scenario.file.devices.get(name)
    if device is None and name != _AUTO:
        raise ConfigError(
            tr("There is no accelerator {name}.", name=name),
            mend=tr("Name a device under devices, or write accelerator: auto."),
        )
    adapter: AdapterType = plugins.adapter(_AUTO if device is None else device.adapter)
    options = {} if device is None else scenario.device_options(name)
    return AcceleratorSpec(name=name, target=adapter.target, config=options)


def agent_binding(scenario: Scenario, name: str, needs: Needs) -> AgentBinding:
    """Bind an agent's roles to the scenario's names.

    Raises:
        ConfigError: a role that the agent needs is not bound.
    """
    agent = scenario.file.agents[name]
    _check_roles(scenario, name, agent, needs)
    return AgentBinding(
        name=name,
        type_name=agent.use,
        needs=needs,
        max_mode=agent.max_mode,
        triggers=tuple(_trigger(scenario, when) for when in agent.when),
        frames={role: agent.see[role] for role in needs.frames},
        samples={
            role: target_of(agent.see[role])
            for role in needs.samples | needs.optional_samples
            if role in agent.see
        },
        models={
            _role(role, needs): ModelChoice(
                folders={product or None: folder for product, folder in choice.packages.items()},
                by=None if choice.by is None else target_of(choice.by),
            )
            for role, choice in agent.model.items()
        },
        actions={role: target_of(target) for role, target in agent.may.items()},
        deadline_ns=nanoseconds(agent.deadline),
        queue=agent.queue.bound,
        latest=agent.queue.latest,
        jidoka=_jidoka(agent),
        heeds=agent.contradicted.by,
        books=_books(scenario, agent),
    )


def _books(scenario: Scenario, agent: Agent) -> bool:
    """Whether an agent books parts: it has a channel, or none that shares its triggers has one."""
    channels = {
        f"{device}.{channel}"
        for device, form in scenario.file.devices.items()
        for channel in form.channels
    }
    disposing = [one for one in scenario.file.agents.values() if channels & set(one.may.values())]
    sources = _part_sources(agent)
    return agent in disposing or not any(sources & _part_sources(one) for one in disposing)


def _part_sources(agent: Agent) -> set[str]:
    return {when.source for when in agent.when if when.kind is TriggerKind.PART}


def _role(role: str, needs: Needs) -> str:
    return next(iter(needs.models)) if role == ONLY_ROLE and len(needs.models) == 1 else role


def _check_roles(scenario: Scenario, name: str, agent: Agent, needs: Needs) -> None:
    bound = {_role(role, needs) for role in agent.model}
    missing = [
        *((role, "see") for role in sorted((needs.frames | needs.samples) - agent.see.keys())),
        *((role, "model") for role in sorted(needs.models - bound)),
    ]
    problems = tuple(
        Problem(
            scenario.place("agents", name),
            tr("{use} needs {role} under {key}.", use=agent.use, role=role, key=key),
        )
        for role, key in missing
    )
    if problems:
        raise ConfigError.of(problems)


def _trigger(scenario: Scenario, when: When) -> TriggerBinding:
    match when.kind:
        case TriggerKind.PART:
            target = target_of(when.source)
            record = scenario.file.devices[target.device].triggers[target.item]
            return TriggerBinding(when.kind, when.source, target, every_s=record.every)
        case TriggerKind.EDGE | TriggerKind.DOCUMENT:
            return TriggerBinding(when.kind, when.source, target_of(when.source))
        case TriggerKind.TIMER:
            return TriggerBinding(when.kind, when.source, every_s=when.every_s or 1.0)
        case TriggerKind.EVENT:
            return TriggerBinding(when.kind, when.source, event=when.source)


def _jidoka(agent: Agent) -> Jidoka:
    return Jidoka(
        unsure=_reaction(agent.unsure),
        late=_reaction(agent.late),
        blind=_reaction(agent.blind),
        contradicted=_reaction(agent.contradicted),
    )


def _reaction(fallback: Fallback) -> Reaction:
    return Reaction(
        fallback.part, fallback.machine, fallback.review, fallback.call, fallback.within
    )


def andon_policy(scenario: Scenario) -> AndonPolicy:
    """Who is called where a reaction names nobody."""
    andon = scenario.file.andon
    return AndonPolicy(andon.owner, andon.within)


def worker_groups(scenario: Scenario) -> dict[str, list[str]]:
    """Worker name to the agents that live in it; light agents are left out."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name, agent in scenario.file.agents.items():
        if not agent.light:
            groups[agent.worker or name].append(name)
    return dict(groups)


def worker_limits(scenario: Scenario, worker: str) -> WorkerLimits:
    """The limits of a worker; the scenario's defaults where it does not name the worker."""
    stated = scenario.file.workers.get(worker) or WorkerForm()
    named = scenario.file.agents.items()
    agents = [agent for name, agent in named if (agent.worker or name) == worker]
    deadline = max((agent.deadline for agent in agents), default=0.0)
    in_control = any(agent.max_mode is Mode.CONTROL for agent in agents)
    return WorkerLimits(
        memory=stated.memory,
        hang_s=stated.hang or deadline + _HANG_PAST_DEADLINE_S,
        spare=in_control if stated.spare is None else stated.spare,
        restarts=stated.restarts.at_most,
        within_s=stated.restarts.within,
        yields=not in_control,
    )


def allowed_modes(scenario: Scenario) -> dict[str, Mode]:
    """``max_mode`` by agent."""
    return {name: agent.max_mode for name, agent in scenario.file.agents.items()}


# --- the guard ---


def limits(scenario: Scenario) -> dict[str, Limits]:
    """The guard's limits by target."""
    return {target: _limits(rule) for target, rule in scenario.file.guard.items()}


def _limits(rule: GuardRule) -> Limits:
    condition = rule.only_if
    return Limits(
        only_if=None if condition is None else condition.evaluate,
        only_if_text="" if condition is None else condition.text,
        only_if_tags=() if condition is None else tuple(sorted(condition.names)),
        max_age_ns=nanoseconds(rule.max_age),
        minimum=None if rule.range is None else rule.range.minimum,
        maximum=None if rule.range is None else rule.range.maximum,
        rate=_allowance(rule.rate),
        budget=_allowance(rule.budget),
        writes=(
            None
            if rule.writes is None
            else Allowance(rule.writes.at_most, nanoseconds(rule.writes.within))
        ),
    )


def _allowance(change: Change | None) -> Allowance | None:
    return None if change is None else Allowance(change.change, nanoseconds(change.within))


def reject_limits(scenario: Scenario) -> dict[str, RejectLimit]:
    """Channels with a bound on rejects in a row."""
    return {
        target: RejectLimit(rule.consecutive_rejects.more_than, rule.consecutive_rejects.machine)
        for target, rule in scenario.file.guard.items()
        if rule.consecutive_rejects is not None
    }


def monitored_tags(scenario: Scenario) -> Mapping[str, tuple[list[str], float]]:
    """Device to the tags that the guard must know, and how often they must be read, in seconds."""
    tags: dict[str, set[str]] = defaultdict(set)
    every: dict[str, float] = {}
    for target, rule in scenario.file.guard.items():
        wanted = set() if rule.only_if is None else set(rule.only_if.names)
        if rule.rate is not None or rule.budget is not None:
            wanted.add(target)
        for reference in wanted:
            found = target_of(reference)
            tags[found.device].add(found.item)
            every[found.device] = min(every.get(found.device, 1.0), rule.max_age / 4)
    return {device: (sorted(names), every[device]) for device, names in tags.items()}
