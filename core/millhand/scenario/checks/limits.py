"""Whether times, modes and reactions are possible and safe together."""

from __future__ import annotations

from collections.abc import Iterator

from millhand.contracts import ActionKind, MachineAction, Mode, Needs, TriggerKind
from millhand.errors import Problem
from millhand.messages import tr
from millhand.scenario.agents import Agent
from millhand.scenario.checks.names import Names
from millhand.scenario.document import KeyPath
from millhand.scenario.expressions import Kind
from millhand.scenario.units import format_duration

REACTIONS = ("unsure", "late", "blind", "contradicted")


def check_limits(names: Names) -> Iterator[Problem]:
    """Check what needs no plugin: deadlines, machine requests, defaults, devices of a part."""
    for name, agent in names.scenario.file.agents.items():
        path: KeyPath = ("agents", name)
        yield from _deadline(names, path, agent)
        yield from _one_device(names, path, agent)
        yield from _late(names, path, agent)
        yield from _machine(names, path, agent)
        yield from _mode_of_channels(names, path, agent)
    yield from _machine_of_guard(names)


def check_modes(names: Names, name: str, needs: Needs) -> Iterator[Problem]:
    """Check an agent's highest mode against what it may act on."""
    agent = names.scenario.file.agents[name]
    path: KeyPath = ("agents", name)
    sends = any(kind is ActionKind.SEND_DISPOSITION for kind in needs.actions.values())
    if agent.bound_to_parts and sends and agent.max_mode is Mode.ADVISE:
        yield names.problem(
            (*path, "max_mode"),
            tr("A part cannot wait until a person has approved."),
            tr("shadow or control for an agent that is set to work by parts"),
            tr("Write max_mode: control, or shadow while you still watch it."),
        )
    if agent.max_mode.rank < Mode.ADVISE.rank:
        return
    for role, target in agent.may.items():
        if needs.actions.get(role) is not ActionKind.WRITE_TAG or target not in names.tags:
            continue
        rule = names.scenario.file.guard.get(target)
        numeric = names.tags[target] in {Kind.NUMBER, Kind.ANY}
        if rule is None or (numeric and rule.range is None):
            yield names.problem(
                (*path, "may", role),
                tr("The guard has no limits for {target}.", target=target),
                tr("limits for every tag that is written above the mode shadow"),
                tr("Add under guard: {target}: {{range: [smallest, largest]}}", target=target)
                if numeric
                else tr("Add under guard: {target}: {{only_if: …}}", target=target),
            )


def _deadline(names: Names, path: KeyPath, agent: Agent) -> Iterator[Problem]:
    for when in agent.when:
        trigger = names.triggers.get(when.source) if when.kind is TriggerKind.PART else None
        if trigger is not None and agent.deadline <= trigger.every:
            yield names.problem(
                (*path, "deadline"),
                tr(
                    "The deadline {deadline} has passed before the trigger is surely seen "
                    "(every {every}).",
                    deadline=format_duration(agent.deadline),
                    every=format_duration(trigger.every),
                ),
                tr("a deadline longer than the trigger's every"),
                tr("Lengthen the deadline, or shorten every of {name}.", name=when.source),
            )
    for target in agent.may.values():
        channel = names.channels.get(target)
        if channel is not None and agent.deadline < channel.tick_period:
            yield names.problem(
                (*path, "deadline"),
                tr(
                    "The deadline {deadline} is shorter than one tick of the PLC ({tick}).",
                    deadline=format_duration(agent.deadline),
                    tick=format_duration(channel.tick_period),
                ),
                tr("a deadline of several ticks"),
                tr("Lengthen the deadline, or correct tick_period of {name}.", name=target),
            )
    worker = names.scenario.file.workers.get(agent.worker or "")
    if worker is not None and worker.hang is not None and worker.hang < agent.deadline:
        yield names.problem(
            (*path, "deadline"),
            tr(
                "The worker {worker} aborts a decision after {hang}, before its deadline.",
                worker=agent.worker,
                hang=format_duration(worker.hang),
            ),
            tr("a worker's hang that is longer than the deadlines of its agents"),
            tr("Raise hang of the worker."),
        )


def _one_device(names: Names, path: KeyPath, agent: Agent) -> Iterator[Problem]:
    sources = {
        when.source.partition(".")[0] for when in agent.when if when.source in names.triggers
    }
    for role, target in agent.may.items():
        if sources and target in names.channels and target.partition(".")[0] not in sources:
            yield names.problem(
                (*path, "may", role),
                tr(
                    "The part's trigger comes from {trigger} and its result goes to {target}.",
                    trigger=", ".join(sorted(sources)),
                    target=target,
                ),
                tr("a channel of the device that triggers: valid_until counts in its ticks"),
                tr("Name a channel of {device}.", device=", ".join(sorted(sources))),
            )


def _late(names: Names, path: KeyPath, agent: Agent) -> Iterator[Problem]:
    if "part" not in agent.late.model_fields_set:
        return
    for target in agent.may.values():
        channel = names.channels.get(target)
        if channel is not None and channel.default is not agent.late.part:
            yield names.problem(
                (*path, "late", "part"),
                tr(
                    "A late result is not sent, so the PLC's default applies: {default}.",
                    default=channel.default.value,
                ),
                tr("part: {default}", default=channel.default.value),
                tr(
                    "Correct it, or the default of {target}, by the PLC's program.",
                    target=target,
                ),
            )


def _machine(names: Names, path: KeyPath, agent: Agent) -> Iterator[Problem]:
    for reaction in REACTIONS:
        wanted = getattr(agent, reaction).machine
        if wanted is not MachineAction.NONE and not _reaches_machine(names, agent):
            yield names.problem(
                (*path, reaction, "machine"),
                tr("No device of this agent takes requests to {what}.", what=wanted.value),
                tr("machine: the address of the request, in the device of the trigger or channel"),
                tr("Add machine: s=Cell.Machine (or its address) to the device."),
            )


def _reaches_machine(names: Names, agent: Agent) -> bool:
    references = [*agent.may.values(), *(when.source for when in agent.when)]
    devices = {reference.partition(".")[0] for reference in references}
    return any(
        device in names.devices and names.devices[device].machine is not None for device in devices
    )


def _machine_of_guard(names: Names) -> Iterator[Problem]:
    for target, rule in names.scenario.file.guard.items():
        device = names.devices.get(target.partition(".")[0])
        if rule.consecutive_rejects is not None and device is not None and device.machine is None:
            yield names.problem(
                ("guard", target, "consecutive_rejects"),
                tr("The device of {target} takes no requests to the machine.", target=target),
                tr("machine: the address of the request, in the same device"),
                tr("Add machine: s=Cell.Machine (or its address) to the device."),
            )


def _mode_of_channels(names: Names, path: KeyPath, agent: Agent) -> Iterator[Problem]:
    if agent.max_mode is not Mode.CONTROL:
        return
    for target in agent.may.values():
        device = names.devices.get(target.partition(".")[0])
        if target in names.channels and device is not None and device.lease is None:
            yield names.problem(
                (*path, "max_mode"),
                tr("{target} allows no control: its device has no lease.", target=target),
                tr("a lease, by which the PLC knows that Millhand lives and is in control"),
                tr("Add lease: s=Cell.Lease (or its addresses), or write max_mode: shadow."),
            )
