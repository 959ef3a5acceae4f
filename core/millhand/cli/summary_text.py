"""The summary of a run as the terminal shows it."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from millhand.cli.output import table
from millhand.console.pages import fine, milliseconds, percent
from millhand.console.run_report import headline
from millhand.console.words import stage_word, word
from millhand.ledger.choices import ChoiceBook
from millhand.ledger.costs import Costs
from millhand.ledger.economy import Money
from millhand.ledger.payback import Payback
from millhand.ledger.score import Score
from millhand.ledger.summary import RunSummary
from millhand.messages import tr
from millhand.statistics.intervals import Share


def print_summary(summary: RunSummary, out: Console) -> None:
    """Print the run: books, score, times, money."""
    out.print()
    out.print(headline(summary), style="strong", markup=False)
    out.print()
    facts = Table.grid(padding=(0, 2))
    facts.add_column(justify="right")
    facts.add_column(overflow="fold")
    for count, text in _facts(summary):
        facts.add_row(count, text)
    out.print(facts)
    if summary.score is not None:
        out.print()
        _print_kinds(summary.score, out)
    if summary.stages:
        out.print()
        _print_times(summary, out)
    if summary.money is not None:
        out.print()
        _print_money(summary.money, out)
    if summary.costs is not None and summary.costs.lines:
        _print_costs(summary.costs, out)
    for book in summary.choices:
        _print_choices(book, out)
    if summary.payback is not None:
        _print_payback(summary.payback, out)


def _facts(summary: RunSummary) -> list[tuple[Text, Text]]:
    facts = [_parts(summary)]
    score = summary.score
    if score is not None:
        facts += [
            _counted(score.escapes, tr("escapes"), "bad" if score.escapes.count else "good"),
            _counted(score.false_rejects, tr("false rejects"), "quiet"),
        ]
        if score.below_limit.parts:
            text = tr(
                "defects below the limit ({area} px², {contrast}), {caught} of them rejected",
                area=f"{score.limit.area_px2:.0f}",
                contrast=percent(score.limit.contrast),
                caught=score.below_limit.caught,
            )
            facts.append((Text(str(score.below_limit.parts)), Text(text, style="quiet")))
        if score.challenges:
            text = tr("challenge parts, {caught} caught", caught=score.challenges_caught)
            style = "good" if score.challenges == score.challenges_caught else "bad"
            facts.append((Text(str(score.challenges)), Text(text, style=style)))
    facts.append(_counted(summary.undecided, tr("not decidable"), "unsure"))
    for count, text in (
        (summary.late, tr("late")),
        (summary.refused, tr("refused")),
        (summary.unknown, tr("unknown whether carried out")),
        (summary.open, tr("without an outcome")),
    ):
        facts.append((Text(str(count)), Text(text, style="bad" if count else "quiet")))
    facts.append((Text(f"{summary.decisions_per_s:.1f}"), Text(tr("decisions a second"))))
    return facts


def _parts(summary: RunSummary) -> tuple[Text, Text]:
    said = ", ".join(f"{word(name)} {count}" for name, count in summary.dispositions.items())
    text = Text(tr("parts: {dispositions}", dispositions=said))
    if summary.balanced:
        text.append("; " + tr("the PLC counted as many triggers"), style="good")
    elif summary.balanced is False:
        text.append("; " + tr("the PLC counted {count}", count=summary.plc_triggers), style="bad")
    return Text(str(summary.parts)), text


def _counted(share: Share, text: str, style: str) -> tuple[Text, Text]:
    interval = tr(
        "{rate} of {of}, between {low} and {high} at {confidence}",
        rate=percent(share.rate),
        of=share.of,
        low=percent(share.low),
        high=percent(share.high),
        confidence=percent(share.confidence),
    )
    said = Text(text, style=style)
    said.append(f" ({interval})", style="quiet")
    return Text(str(share.count)), said


def _print_kinds(score: Score, out: Console) -> None:
    rows = [
        (
            word(kind),
            str(line.parts),
            str(line.caught),
            str(line.undecided + line.unanswered),
            Text(str(line.escaped), style="bad" if line.escaped else ""),
        )
        for kind, line in score.kinds.items()
    ]
    headings = (tr("defect"), tr("parts"), tr("rejected"), tr("undecided"), tr("passed"))
    out.print(table(*headings, rows=rows, right=(1, 2, 3, 4)))


def _print_times(summary: RunSummary, out: Console) -> None:
    rows = [
        (
            stage_word(line.stage),
            milliseconds(line.took.p50_ms),
            milliseconds(line.took.p99_ms),
            milliseconds(line.ended.p50_ms),
            milliseconds(line.ended.p99_ms),
        )
        for line in summary.stages
    ]
    headings = (
        tr("stage"),
        tr("took p50 ms"),
        tr("p99"),
        tr("ended p50 ms"),
        tr("p99"),
    )
    out.print(table(*headings, rows=rows, right=(1, 2, 3, 4)))
    if summary.latency is not None:
        out.print(
            tr(
                "Trigger to accepted result: {p50} ms p50, {p99} ms p99, counted from when the "
                "trigger was seen; it can have stood {poll} ms before.",
                p50=milliseconds(summary.latency.p50_ms),
                p99=milliseconds(summary.latency.p99_ms),
                poll=milliseconds(summary.poll_delay_ms),
            ),
            markup=False,
        )


def _print_money(money: Money, out: Console) -> None:
    rows = [
        (
            Text(f"{line.amount:,.2f}", style=_money_style(line.amount)),
            f"{line.title}: {line.count} × {line.each:.2f}",
            Text(line.assumption, style="quiet"),
        )
        for line in money.lines
    ]
    rows.append((Text(f"{money.net:,.2f}", style=_money_style(money.net)), tr("Sum"), Text("")))
    out.print(table(money.currency, tr("What"), tr("Assumption"), rows=rows, right=(0,)))


def _print_costs(costs: Costs, out: Console) -> None:
    rows = [
        (Text(fine(line.amount)), line.title, Text(line.assumption, style="quiet"))
        for line in costs.lines
    ]
    each = tr("{count} decisions, {each} each", count=costs.decisions, each=fine(costs.each))
    rows.append((Text(fine(costs.total)), tr("Sum"), Text(each)))
    out.print(table(costs.currency, tr("Cost"), tr("Assumption"), rows=rows, right=(0,)))


def _print_choices(book: ChoiceBook, out: Console) -> None:
    out.print(
        tr(
            "{agent}: {made} decisions at {cost:,.2f} {currency} each, against {instead:,.2f} by "
            "“{method}”; {better} cost less, {worse} more.",
            agent=book.agent,
            made=book.made,
            cost=book.cost,
            currency=book.currency,
            instead=book.instead,
            method=book.method,
            better=book.better,
            worse=book.worse,
        ),
        markup=False,
    )


def _print_payback(payback: Payback, out: Console) -> None:
    if payback.years is None or payback.years_low is None:
        said = tr("In more than half of the draws it never pays back.")
    else:
        high = tr("never") if payback.years_high is None else f"{payback.years_high:.2f}"
        said = tr(
            "Against “{method}” it has paid for itself after {years:.2f} years ({low:.2f} to "
            "{high}, 90 of 100 draws); every assumption stands in the report.",
            method=payback.method,
            years=payback.years,
            low=payback.years_low,
            high=high,
        )
    out.print(said, markup=False)


def _money_style(amount: float) -> str:
    return "good" if amount > 0 else "bad" if amount < 0 else "quiet"
