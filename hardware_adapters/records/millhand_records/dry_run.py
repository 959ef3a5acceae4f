"""``millhand records dry-run``: what delivering drafts would change, as a diff."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from millhand.cli.exits import ExitCode
from millhand.errors import ConfigError, MillhandError
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.contracts import DeliverRecord
    from millhand.journal.journal import Journal
    from millhand.journal.records import Intent
    from millhand.scenario.load import Scenario

_NEWEST = 200


@click.command(
    help=tr(
        "Show what delivering drafts would change at their receivers, as a diff in the receiver's "
        "own fields: of one decision or question, or of all that were not delivered yet.\n"
        "\n"
        "Receivers are only read. A scenario whose agents are in shadow is enough.\n"
        "\n"
        "\b\n"
        "  millhand records dry-run --at my-office\n"
        "  millhand records dry-run office.1.7.q1 --at my-office"
    )
)
@click.argument("about", default="")
@click.option("--at", "where", required=True, help=tr("Scenario."))
def dry_run(*, about: str, where: str) -> ExitCode:
    """Print the diffs."""
    from millhand.cli.places import find_journal
    from millhand.scenario.load import load

    scenario = load(where)
    with find_journal(where).open() as journal:
        drafts = list(_drafts(journal, about))
    if not drafts:
        click.echo(tr("No draft is left to deliver."))
        return ExitCode.FINE
    faults = asyncio.run(_print_all(scenario, drafts))
    return ExitCode.PROBLEMS if faults else ExitCode.FINE


def _drafts(journal: Journal, about: str) -> Iterator[tuple[str, str, DeliverRecord]]:
    """Yield decision, agent and record of what was not delivered, the oldest first."""
    from millhand.feedback.review import show
    from millhand.journal.records import Intent

    if about:
        case = show(journal, about)
        yield from _of(case.decision, case.intent)
        return
    for entry in reversed(journal.read(kinds=("intent",), limit=_NEWEST, newest_first=True)):
        if isinstance(entry.record, Intent) and not _delivered(journal, entry.id):
            yield from _of(entry.id, entry.record)


def _delivered(journal: Journal, decision: str) -> bool:
    from millhand.journal.records import Outcome, OutcomeStatus

    ends = [entry.record for entry in journal.read(kinds=("outcome",), id=decision)]
    done = {OutcomeStatus.CONFIRMED, OutcomeStatus.SENT, OutcomeStatus.REFUSED}
    return bool(ends) and isinstance(ends[-1], Outcome) and ends[-1].status in done


def _of(decision: str, intent: Intent) -> Iterator[tuple[str, str, DeliverRecord]]:
    from millhand.contracts import DeliverRecord, Propose

    for action in intent.decision.actions:
        record = action.action if isinstance(action, Propose) else action
        if isinstance(record, DeliverRecord):
            yield decision, intent.observation.agent, record


async def _print_all(scenario: Scenario, drafts: list[tuple[str, str, DeliverRecord]]) -> int:
    from contextlib import AsyncExitStack

    faults = 0
    devices: dict[str, Any] = {}
    async with AsyncExitStack() as stack:
        for decision, agent, record in drafts:
            try:
                name = _device(scenario, agent, record.to)
                if name not in devices:
                    devices[name] = await stack.enter_async_context(_built(scenario, name))
                text = await _difference(devices[name], record)
            except MillhandError as error:
                faults += 1
                text = tr("It would not be taken: {reason}", reason=str(error))
            click.echo(f"# {decision} {record.kind} {record.idempotency_key} -> {record.to}")
            click.echo(text or tr("It is there already; nothing would change."))
    return faults


def _device(scenario: Scenario, agent: str, role: str) -> str:
    form = scenario.file.agents.get(agent)
    target = None if form is None else form.may.get(role)
    if target is None:
        raise ConfigError(tr("{agent} may deliver nothing as {role}.", agent=agent, role=role))
    return target.partition(".")[0]


def _built(scenario: Scenario, name: str) -> Any:
    from millhand.plugins import Plugins
    from millhand.scenario.configured import configured_device

    return configured_device(scenario, Plugins.discover(), name).build(name)


async def _difference(device: Any, record: DeliverRecord) -> str:
    from millhand_records.preview import difference

    preview = getattr(device, "preview", None)
    if preview is None:
        raise ConfigError(tr("This receiver cannot say what would change."))
    return difference(await preview(record.kind, record.body, record.idempotency_key))
