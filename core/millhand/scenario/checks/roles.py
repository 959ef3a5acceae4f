"""Whether each agent gets what it needs, from and to devices that fit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from millhand.contracts import ActionKind, Needs, TriggerKind
from millhand.errors import Problem
from millhand.messages import did_you_mean, tr
from millhand.plugins.registrations import AdapterType, Face
from millhand.scenario.agents import ONLY_ROLE, Agent
from millhand.scenario.checks.names import Names
from millhand.scenario.checks.wiring import AUTO
from millhand.scenario.document import KeyPath

Adapters = Mapping[str, AdapterType]
"""The adapter of each device that has one installed."""


def check_roles(names: Names, name: str, needs: Needs, adapters: Adapters) -> Iterator[Problem]:
    """Check one agent's ``when``, ``see``, ``model`` and ``may`` against its needs."""
    agent = names.scenario.file.agents[name]
    path: KeyPath = ("agents", name)
    yield from _triggers(names, name, agent, needs)
    yield from _see(names, path, agent, needs, adapters)
    yield from _models(names, path, agent, needs)
    yield from _may(names, path, agent, needs, adapters)
    if agent.light and not needs.light:
        yield names.problem(
            (*path, "light"),
            tr("{use} is not made to run inside the engine.", use=agent.use),
            tr("light only for agents that allow it"),
            tr("Remove light, so that it runs in a worker."),
        )


def check_faces(names: Names, adapters: Adapters) -> Iterator[Problem]:
    """Check that accelerators run models and that documents come from what receives them."""
    for name, agent in names.scenario.file.agents.items():
        path: KeyPath = ("agents", name)
        for accelerator in agent.accelerator:
            if accelerator != AUTO:
                where = (*path, "accelerator")
                yield from _face(names, where, accelerator, Face.ACCELERATOR, adapters)
        for number, when in enumerate(agent.when):
            if when.kind is TriggerKind.DOCUMENT:
                where = names.when_path(name, number)
                yield from _face(names, where, when.source, Face.RECORDS, adapters)


def _face(
    names: Names, path: KeyPath, device: str, face: Face, adapters: Adapters
) -> Iterator[Problem]:
    adapter = adapters.get(device)
    if adapter is None or face in adapter.faces:
        return
    fitting = _showing(face, adapters)
    yield names.problem(
        path,
        tr(
            "The adapter {adapter} of {device} shows: {faces}.",
            adapter=adapter.name,
            device=device,
            faces=", ".join(sorted(adapter.faces)) or "—",
        ),
        tr("a device whose adapter shows: {face}", face=face),
        tr("Name one of: {names}.", names=", ".join(fitting))
        if fitting
        else tr("Add a device with such an adapter."),
    )


def _showing(face: Face, adapters: Adapters) -> list[str]:
    return [device for device, adapter in adapters.items() if face in adapter.faces]


def _triggers(names: Names, name: str, agent: Agent, needs: Needs) -> Iterator[Problem]:
    for number, when in enumerate(agent.when):
        path = names.when_path(name, number)
        if when.kind not in needs.triggers:
            yield names.problem(
                path,
                tr("{use} is not set to work by “{when}”.", use=agent.use, when=when.text),
                tr("one of: {kinds}", kinds=", ".join(_shapes(needs))),
                tr("Write one of these, or use another agent."),
            )
        elif when.kind is TriggerKind.EVENT and when.source not in needs.events:
            yield names.problem(
                path,
                tr("{use} does not know the event {name}.", use=agent.use, name=when.source),
                tr("one of: {events}", events=_list(needs.events)),
                tr("Write one of these, or use another agent."),
            )


def _shapes(needs: Needs) -> list[str]:
    """Write the kinds of triggers as they are written in the file."""
    shapes = {
        TriggerKind.PART: tr("device.trigger"),
        TriggerKind.EDGE: tr("device.tag changes"),
        TriggerKind.TIMER: tr("every 5 min"),
        TriggerKind.DOCUMENT: tr("document device"),
        TriggerKind.EVENT: tr("event name/1"),
    }
    return [shape for kind, shape in shapes.items() if kind in needs.triggers]


def _see(
    names: Names, path: KeyPath, agent: Agent, needs: Needs, adapters: Adapters
) -> Iterator[Problem]:
    wanted = needs.frames | needs.samples | needs.documents
    yield from _open_roles(names, (*path, "see"), agent.use, set(agent.see), wanted)
    known = wanted | needs.optional_samples
    for role, reference in agent.see.items():
        where = (*path, "see", role)
        if role not in known:
            yield _unknown_role(names, where, agent.use, role, known)
        elif role in needs.frames and reference in names.devices:
            yield from _face(names, where, reference, Face.CAMERA, adapters)
        elif role in needs.documents and reference in names.devices:
            yield from _face(names, where, reference, Face.RECORDS, adapters)
        elif role in needs.frames or role in needs.documents:
            face = Face.CAMERA if role in needs.frames else Face.RECORDS
            what = tr("a device whose adapter shows: {face}", face=face)
            yield names.unknown(where, reference, what, _showing(face, adapters))
        elif reference in names.devices:
            yield names.unknown(where, reference, tr("a tag as device.tag"), names.tags)


def _models(names: Names, path: KeyPath, agent: Agent, needs: Needs) -> Iterator[Problem]:
    where = (*path, "model")
    if ONLY_ROLE in agent.model:
        if len(needs.models) != 1:
            yield names.problem(
                where,
                tr("{use} has {n} roles for models.", use=agent.use, n=len(needs.models)),
                tr("model: {{role: …}} with the roles: {roles}", roles=_list(needs.models))
                if needs.models
                else tr("no model"),
                tr("Name the package of each role.") if needs.models else tr("Remove it."),
            )
        return
    yield from _open_roles(names, where, agent.use, set(agent.model), needs.models)
    for role in agent.model:
        if role not in needs.models:
            yield _unknown_role(names, (*where, role), agent.use, role, needs.models)


def _may(
    names: Names, path: KeyPath, agent: Agent, needs: Needs, adapters: Adapters
) -> Iterator[Problem]:
    where = (*path, "may")
    bound = {role for role, kind in needs.actions.items() if kind is not ActionKind.PROPOSE}
    yield from _open_roles(names, where, agent.use, set(agent.may), bound)
    for role, target in agent.may.items():
        here = (*where, role)
        match needs.actions.get(role):
            case None | ActionKind.PROPOSE:
                yield _unknown_role(names, here, agent.use, role, bound)
            case ActionKind.SEND_DISPOSITION if target not in names.channels:
                what = tr("a channel, because a disposition is sent")
                yield names.unknown(here, target, what, names.channels)
            case ActionKind.WRITE_TAG if target not in names.tags:
                yield names.unknown(here, target, tr("a tag as device.tag"), names.tags)
            case ActionKind.PERFORM_SKILL:
                yield from _device(names, here, target, Face.ROBOT, adapters)
            case ActionKind.DELIVER_RECORD:
                yield from _device(names, here, target, Face.RECORDS, adapters)


def _device(
    names: Names, path: KeyPath, target: str, face: Face, adapters: Adapters
) -> Iterator[Problem]:
    if target not in names.devices:
        what = tr("a device whose adapter shows: {face}", face=face)
        yield names.unknown(path, target, what, _showing(face, adapters))
    else:
        yield from _face(names, path, target, face, adapters)


def _open_roles(
    names: Names, path: KeyPath, use: str, bound: set[str], wanted: set[str] | frozenset[str]
) -> Iterator[Problem]:
    for role in sorted(wanted - bound):
        yield names.problem(
            path,
            tr("{use} needs “{role}” under {key}.", use=use, role=role, key=path[-1]),
            tr("{key}: {{{role}: …}}", key=path[-1], role=role),
            tr("Add “{role}: …” under {key}.", role=role, key=path[-1]),
        )


def _unknown_role(
    names: Names, path: KeyPath, use: str, role: str, known: set[str] | frozenset[str]
) -> Problem:
    expected = tr("one of: {roles}", roles=_list(known)) if known else tr("nothing here")
    hint = did_you_mean(role, known)
    return names.key_problem(
        path,
        tr("{use} has no role “{role}” here.", use=use, role=role),
        expected,
        hint if hint.endswith("?") else tr("Remove it."),
    )


def _list(roles: set[str] | frozenset[str]) -> str:
    return ", ".join(sorted(roles))
