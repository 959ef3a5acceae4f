"""What the decisions of a run cost: energy, computer, people. Each line with its assumption.

Energy is estimated: what the scenario says the computer draws, idle for the whole run and busy for
the time that models worked in it, by the journal. Where the scenario names a measurement as the
figure's source, it is that measurement's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from millhand.messages import tr

if TYPE_CHECKING:
    from millhand.scenario.economy import Computer, Economy, Figure

HOURS_A_YEAR = 8766
_JOULES_A_KWH = 3.6e6


class Effort(Struct, frozen=True, kw_only=True):
    """What a run took, by the journal."""

    decisions: int
    seconds: float
    """From its start to its last entry."""
    busy_s: float
    """Of these, how long models worked, one after another."""
    answers: int
    """Given by people."""
    undecided: int
    """Parts that a person has to look at."""


class CostLine(Struct, frozen=True, kw_only=True):
    """One kind of cost, in the economy's currency, and what it stands on."""

    name: str
    """Stable word: ``idle_energy``, ``busy_energy``, ``computer``, ``people``."""
    title: str
    amount: float
    low: float
    high: float
    assumption: str


class Costs(Struct, frozen=True, kw_only=True):
    """What the decisions of a run cost."""

    currency: str
    decisions: int
    lines: tuple[CostLine, ...]
    kwh: float
    """Energy of the run, kilowatt hours."""

    @property
    def total(self) -> float:
        """Sum of the lines."""
        return sum(line.amount for line in self.lines)

    @property
    def each(self) -> float:
        """Of one decision."""
        return self.total / self.decisions if self.decisions else 0.0


def costs_of(effort: Effort, economy: Economy) -> Costs:
    """Price a run's effort. What the scenario does not state leaves its line out."""
    lines: list[CostLine] = []
    kwh = 0.0
    if economy.computer is not None:
        lines += _computer(effort, economy.computer)
        if economy.kwh is not None:
            energy, kwh = _energy(effort, economy.computer, economy.kwh)
            lines += energy
    if economy.operator_hour is not None:
        lines.append(_people(effort, economy.answer_seconds, economy.operator_hour))
    return Costs(currency=economy.currency, decisions=effort.decisions, lines=tuple(lines), kwh=kwh)


def _energy(effort: Effort, computer: Computer, kwh: Figure) -> tuple[list[CostLine], float]:
    idle, busy = computer.idle_watts, computer.busy_watts
    idle_kwh = idle.amount * effort.seconds / _JOULES_A_KWH
    more = max(0.0, busy.amount - idle.amount) * effort.busy_s / _JOULES_A_KWH
    lines = [
        _line(
            "idle_energy",
            tr("Energy, idle"),
            (idle, effort.seconds / _JOULES_A_KWH),
            (kwh, 1.0),
            tr("{watts:g} W for {hours:.3g} h", watts=idle.amount, hours=effort.seconds / 3600),
        ),
        CostLine(
            name="busy_energy",
            title=tr("Energy, while deciding"),
            amount=more * kwh.amount,
            low=max(0.0, busy.range[0] - idle.range[1]) * effort.busy_s / _JOULES_A_KWH
            * kwh.range[0],
            high=max(0.0, busy.range[1] - idle.range[0]) * effort.busy_s / _JOULES_A_KWH
            * kwh.range[1],
            assumption=_because(
                tr(
                    "{watts:g} W instead, for the {seconds:.3g} s that models worked",
                    watts=busy.amount,
                    seconds=effort.busy_s,
                ),
                busy,
                kwh,
            ),
        ),
    ]  # fmt: skip
    return lines, idle_kwh + more


def _computer(effort: Effort, computer: Computer) -> list[CostLine]:
    share = effort.seconds / 3600 / HOURS_A_YEAR
    price, years = computer.price, computer.years
    return [
        CostLine(
            name="computer",
            title=tr("Computer, its share"),
            amount=price.amount / years.amount * share,
            low=price.range[0] / years.range[1] * share,
            high=price.range[1] / years.range[0] * share,
            assumption=_because(
                tr(
                    "{price:g} over {years:g} years, day and night",
                    price=price.amount,
                    years=years.amount,
                ),
                price,
                years,
            ),
        )
    ]


def _people(effort: Effort, seconds: Figure, hour: Figure) -> CostLine:
    looks = effort.answers + effort.undecided
    return _line(
        "people",
        tr("People's time"),
        (seconds, looks / 3600),
        (hour, 1.0),
        tr(
            "{answers} answers and {undecided} parts that were not decidable, {seconds:g} s each",
            answers=effort.answers,
            undecided=effort.undecided,
            seconds=seconds.amount,
        ),
    )


def _line(
    name: str,
    title: str,
    amount: tuple[Figure, float],
    price: tuple[Figure, float],
    assumption: str,
) -> CostLine:
    """A product of two figures and their factors, with its range."""
    (one, factor), (other, more) = amount, price
    scale = factor * more
    return CostLine(
        name=name,
        title=title,
        amount=one.amount * other.amount * scale,
        low=one.range[0] * other.range[0] * scale,
        high=one.range[1] * other.range[1] * scale,
        assumption=_because(assumption, one, other),
    )


def _because(text: str, *figures: Figure) -> str:
    """Put the sources of figures behind a sentence."""
    sources = [figure.assumption.rstrip(".") for figure in figures if figure.assumption]
    return f"{text} ({'; '.join(sources)})." if sources else f"{text}."
