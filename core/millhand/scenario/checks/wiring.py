"""Whether all references inside the scenario lead somewhere. Needs no plugin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from millhand.contracts import EventBody, TriggerKind
from millhand.errors import Problem
from millhand.messages import did_you_mean, tr
from millhand.scenario.agents import Agent, When
from millhand.scenario.checks.names import Names
from millhand.scenario.document import KeyPath
from millhand.scenario.envelope import GuardRule
from millhand.scenario.expressions import ExpressionError, Kind

AUTO = "auto"
"""The accelerator that measures and chooses."""

EVENTS = tuple(str(body.__struct_config__.tag) for body in get_args(EventBody))
"""Wire tags of the events that the core knows."""


def check_wiring(names: Names) -> Iterator[Problem]:
    """Check every reference of agents and guard."""
    for name, agent in names.scenario.file.agents.items():
        yield from _agent(names, name, agent)
    for target, rule in names.scenario.file.guard.items():
        yield from _rule(names, ("guard", target), target, rule)


def _accelerators(names: Names, path: KeyPath, agent: Agent) -> Iterator[Problem]:
    for accelerator in agent.accelerator:
        if accelerator != AUTO and accelerator not in names.devices:
            what = tr("a device that runs models, or auto")
            yield names.unknown((*path, "accelerator"), accelerator, what, names.devices)


def _agent(names: Names, name: str, agent: Agent) -> Iterator[Problem]:
    path: KeyPath = ("agents", name)
    for number, when in enumerate(agent.when):
        yield from _when(names, names.when_path(name, number), when)
    for role, reference in agent.see.items():
        if reference not in names.devices and reference not in names.tags:
            what = tr("a camera, or a tag as device.tag")
            known = [*names.devices, *names.tags]
            yield names.unknown((*path, "see", role), reference, what, known)
    for role, reference in agent.may.items():
        if reference in names.triggers or not names.what_is(reference):
            what = tr("a channel or a tag as device.name, or a device")
            known = [*names.channels, *names.tags, *names.devices]
            yield names.unknown((*path, "may", role), reference, what, known)
    for role, choice in agent.model.items():
        if choice.by is not None and names.tags.get(choice.by) not in {Kind.TEXT, Kind.ANY}:
            where = (*path, "model", role, "by") if role else (*path, "model", "by")
            what = tr("a tag that holds the product's name as a text")
            texts = [tag for tag, kind in names.tags.items() if kind in {Kind.TEXT, Kind.ANY}]
            yield names.unknown(where, choice.by, what, texts)
    yield from _accelerators(names, path, agent)
    workers = names.scenario.file.workers
    if agent.worker is not None and agent.worker not in workers:
        yield names.problem(
            (*path, "worker"),
            tr("There is no worker “{name}”.", name=agent.worker),
            tr("a name that stands under workers"),
            did_you_mean(agent.worker, workers)
            or tr("Add at the top level: workers: {{{name}: {{}}}}", name=agent.worker),
        )


def _when(names: Names, path: KeyPath, when: When) -> Iterator[Problem]:
    match when.kind:
        case TriggerKind.PART if when.source not in names.triggers:
            mend = ""
            if when.source in names.tags:
                mend = tr("Write “{tag} changes” for every change of the tag.", tag=when.source)
            found = names.unknown(path, when.source, tr("a trigger"), names.triggers)
            yield Problem(found.place, found.message, found.expected, mend or found.mend)
        case TriggerKind.EDGE if when.source not in names.tags:
            yield names.unknown(path, when.source, tr("a tag as device.tag"), names.tags)
        case TriggerKind.DOCUMENT if when.source not in names.devices:
            what = tr("a device that receives documents")
            yield names.unknown(path, when.source, what, names.devices)
        case TriggerKind.EVENT if when.source not in EVENTS and "." not in when.source:
            yield names.problem(
                path,
                tr("There is no event “{name}”.", name=when.source),
                tr("one of: {events}; or plugin.name/1", events=", ".join(EVENTS)),
                did_you_mean(when.source, EVENTS),
            )


def _rule(names: Names, path: KeyPath, target: str, rule: GuardRule) -> Iterator[Problem]:
    is_channel = target in names.channels
    if not is_channel and target not in names.tags:
        what = tr("a channel or tag that an agent may write, as device.name")
        yield names.unknown(path, target, what, [*names.channels, *names.tags])
        return
    yield from _misplaced(names, path, rule, is_channel=is_channel)
    if not is_channel and names.tags[target] not in {Kind.NUMBER, Kind.ANY}:
        for key in ("range", "rate", "budget"):
            if getattr(rule, key) is not None:
                yield names.problem(
                    (*path, key),
                    tr("The tag {tag} holds no number.", tag=target),
                    tr("{key} only for numbers", key=key),
                    tr("Remove {key}.", key=key),
                )
    if rule.only_if is not None:
        try:
            rule.only_if.check(names.tags)
        except ExpressionError as error:
            yield names.problem((*path, "only_if"), str(error), error.expected, error.mend)


def _misplaced(
    names: Names, path: KeyPath, rule: GuardRule, *, is_channel: bool
) -> Iterator[Problem]:
    wrong = ("range", "rate", "budget") if is_channel else ("consecutive_rejects",)
    for key in wrong:
        if getattr(rule, key) is None:
            continue
        if is_channel:
            message = tr("“{key}” limits a value, and a channel carries none.", key=key)
            expected = tr("{key} only for tags", key=key)
            mend = tr("Use writes: {at_most: …, within: …} to limit how often it is written.")
        else:
            message = tr("“{key}” is for channels, and this is a tag.", key=key)
            expected = tr("{key} only for channels", key=key)
            mend = tr("Move it to the channel that the dispositions go to.")
        yield names.key_problem((*path, key), message, expected, mend)
