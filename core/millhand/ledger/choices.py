"""Decisions that say themselves what they will cost: held against what the scenario names instead.

A plan, a route, an order have no truth that a simulation could know, but their agent prices what it
decided and what it would have come to otherwise, both as expected when it was decided. The scenario
says which two of the agent's scores those are. Savings of one agent's decisions add up only where
each is held against going on as decided before; where it does not say so, no sum is made.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from msgspec import Struct

from millhand.contracts.modes import Mode
from millhand.journal.records import Cause, OutcomeStatus
from millhand.ledger.economy import MoneyLine
from millhand.ledger.run import Unbound
from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.scenario.economy import Choices, Economy

_SHOWN = 12


class Choice(Struct, frozen=True, kw_only=True):
    """One decision and its two costs."""

    id: str
    at_utc_ns: int
    reason: str
    cost: float
    """In the currency."""
    instead: float
    """What it would have come to otherwise."""

    @property
    def saved(self) -> float:
        """What the decision saves, as was expected when it was made."""
        return self.instead - self.cost


class ChoiceBook(Struct, frozen=True, kw_only=True):
    """What one agent's decisions were worth, by its own prices."""

    agent: str
    currency: str
    method: str
    """What they are held against."""
    made: int
    """Decisions that were carried out."""
    watched: int
    """Decisions that state both costs and were not carried out: they count for nothing here."""
    better: int
    """Of those made: how many cost less than what they are held against."""
    worse: int
    cost: float
    """Of a decision made, in the mean."""
    instead: float
    saved: float | None
    """All decisions made together; None where they do not add up."""
    low: float | None
    high: float | None
    """Likewise, over the range of what a unit is worth."""
    assumption: str
    most: tuple[Choice, ...]
    """The decisions made that saved most, most first."""

    @property
    def share(self) -> float:
        """Mean saving as a share of the mean of what it is held against."""
        return 1 - self.cost / self.instead if self.instead else 0.0


def choice_books(decisions: Iterable[Unbound], economy: Economy) -> tuple[ChoiceBook, ...]:
    """Hold the decisions of each agent that the economy names against what it names instead."""
    by_agent: dict[str, list[Unbound]] = {agent: [] for agent in economy.choices}
    for decision in decisions:
        if decision.agent in by_agent:
            by_agent[decision.agent].append(decision)
    books = (
        _book(agent, found, economy.choices[agent], economy.currency)
        for agent, found in by_agent.items()
    )
    return tuple(book for book in books if book is not None)


def _book(
    agent: str, decisions: list[Unbound], choices: Choices, currency: str
) -> ChoiceBook | None:
    stated = [
        one
        for one in decisions
        if one.cause is Cause.DECIDED and {choices.cost, choices.instead} <= one.scores.keys()
    ]
    made = [_choice(one, choices) for one in stated if _carried_out(one)]
    if not stated:
        return None
    count = max(1, len(made))
    saved = sum(one.saved for one in made) if choices.adds_up else None
    ends = _ends(saved, choices)
    return ChoiceBook(
        agent=agent,
        currency=currency,
        method=choices.method,
        made=len(made),
        watched=len(stated) - len(made),
        better=sum(one.saved > 0 for one in made),
        worse=sum(one.saved < 0 for one in made),
        cost=sum(one.cost for one in made) / count,
        instead=sum(one.instead for one in made) / count,
        saved=saved,
        low=None if ends is None else min(ends),
        high=None if ends is None else max(ends),
        assumption=_assumption(choices, currency),
        most=tuple(sorted(made, key=lambda one: -one.saved)[:_SHOWN]),
    )


def _ends(saved: float | None, choices: Choices) -> list[float] | None:
    if saved is None or not choices.unit.amount:
        return None if saved is None else [0.0, 0.0]
    return [saved * end / choices.unit.amount for end in choices.unit.range]


def _carried_out(decision: Unbound) -> bool:
    """Whether it was made in control, the guard let it out, and it did not fail on its way."""
    if decision.mode is not Mode.CONTROL or decision.status is None:
        return False
    if not decision.asked:  # told to others as events: nothing had to be sent
        return True
    return decision.status in (OutcomeStatus.CONFIRMED, OutcomeStatus.SENT)


def _choice(decision: Unbound, choices: Choices) -> Choice:
    unit = choices.unit.amount
    return Choice(
        id=decision.id,
        at_utc_ns=decision.at_utc_ns,
        reason=decision.reason,
        cost=decision.scores[choices.cost] * unit,
        instead=decision.scores[choices.instead] * unit,
    )


def _assumption(choices: Choices, currency: str) -> str:
    said = tr(
        "As expected when each was decided, by the agent's own “{cost}” and “{instead}”; one unit "
        "is {amount:g} {currency}",
        cost=choices.cost,
        instead=choices.instead,
        amount=choices.unit.amount,
        currency=currency,
    )
    why = choices.unit.assumption.rstrip(".")
    return f"{said} ({why})." if why else f"{said}."


def money_lines(books: Iterable[ChoiceBook]) -> list[MoneyLine]:
    """Return a line for each agent whose decisions add up."""
    return [
        MoneyLine(
            name=f"choices:{book.agent}",
            title=tr("{agent}: saved by its decisions", agent=book.agent),
            count=book.made,
            each=round(book.saved / book.made, 2),
            amount=round(book.saved, 2),
            assumption=tr("Against: {method}.", method=book.method) + " " + book.assumption,
        )
        for book in books
        if book.saved is not None and book.made
    ]
