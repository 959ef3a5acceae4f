"""``millhand replenish``: what to order, from stock and past demand."""

from __future__ import annotations

import csv
from pathlib import Path

import click
from rich.text import Text

from millhand.cli.exits import ExitCode
from millhand.cli.output import console, json_option, show_json, table
from millhand.messages import tr, trn
from millhand_logistics.replenish.order import Proposal, propose_all
from millhand_logistics.replenish.reading import load_stock

_FIELDS = ("article", "order", "value", "position", "expected", "reorder_below", "risk")
_RISKY = 0.05


@click.command(
    help=tr(
        "Propose what to order, from stock and past demand. Nothing is sent anywhere: a person "
        "decides.\n"
        "\n"
        "\b\n"
        "  millhand replenish stock.yaml\n"
        "  millhand replenish stock.yaml --csv orders.csv\n"
        "\n"
        "Shows articles that are to be ordered or may run out; --all shows every one."
    )
)
@click.argument("stock", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--all", "everything", is_flag=True, help=tr("Show every article."))
@click.option(
    "--csv", "sheet", type=click.Path(path_type=Path), help=tr("Write the orders there as CSV.")
)
@json_option
def replenish(stock: Path, everything: bool, sheet: Path | None, as_json: bool) -> ExitCode:
    """Forecast, and propose."""
    store, demand = load_stock(stock)
    proposals = propose_all(store, demand)
    if sheet is not None:
        _write(sheet, proposals)
    if as_json:
        for proposal in proposals:
            show_json(proposal)
        return ExitCode.FINE
    shown = [p for p in proposals if everything or p.order > 0 or p.risk > _RISKY]
    _show(shown)
    ordered = [p for p in proposals if p.order > 0]
    console().print(
        trn(
            "{count} article to order, for {value:,.2f}.",
            "{count} articles to order, for {value:,.2f}.",
            len(ordered),
            value=sum(p.value for p in ordered),
        )
    )
    return ExitCode.FINE


def _show(proposals: list[Proposal]) -> None:
    rows = [
        (
            p.article,
            f"{p.position:g}",
            f"{p.expected:.1f}",
            f"{p.reorder_below:.1f}",
            Text(f"{100 * p.risk:.0f} %", style="bad" if p.risk > _RISKY else ""),
            f"{100 * p.risk_if_waiting:.0f} %",
            f"{p.order:g}" if p.order else "",
            f"{p.value:,.2f}" if p.value else "",
            p.method,
        )
        for p in proposals
    ]
    heads = (
        tr("article"),
        tr("position"),
        tr("expected"),
        tr("reorder below"),
        tr("risk"),
        tr("if waiting"),
        tr("order"),
        tr("value"),
        tr("method"),
    )
    if rows:
        console().print(table(*heads, rows=rows, right=(1, 2, 3, 4, 5, 6, 7)))


def _write(path: Path, proposals: list[Proposal]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(_FIELDS)
        for p in proposals:
            if p.order > 0:
                writer.writerow([_plain(getattr(p, name)) for name in _FIELDS])


def _plain(value: object) -> str:
    """Write a cell; a text that a spreadsheet would take for a formula is kept a text."""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = str(value)
    return f"'{text}" if text.startswith(("=", "+", "-", "@")) else text
