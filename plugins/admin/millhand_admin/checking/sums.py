"""Arithmetic of a paper: lines, sums, taxes. :class:`~decimal.Decimal` throughout.

A line may be off by one of the currency's smallest coins, a sum by half of one for each line,
because sellers round at either place (EN 16931, BR-CO-10 to BR-CO-17).
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from millhand.messages import tr
from millhand_admin.checking.finding import Finding, Severity
from millhand_admin.paper.paper import Line, Number, Paper

_WHOLE = frozenset({"VND", "JPY", "KRW", "CLP", "ISK", "UGX", "HUF"})
_ONE = Decimal(1)


def coin(currency: str) -> Decimal:
    """Return the smallest coin of a currency."""
    return _ONE if currency.upper() in _WHOLE else Decimal("0.01")


def check_sums(paper: Paper) -> Iterator[Finding]:
    """Yield what does not add up. What is not printed is not checked."""
    unit = coin("" if paper.currency is None else paper.currency.value)
    for number, line in enumerate(paper.lines):
        yield from _check_line(number, line, unit)
    yield from _check_lines(paper, unit)
    yield from _check_taxes(paper, unit)
    yield from _check_totals(paper, unit)


def _check_line(number: int, line: Line, unit: Decimal) -> Iterator[Finding]:
    if line.note or line.quantity is None or line.price is None or line.net is None:
        return
    per = line.price_quantity.value if line.price_quantity and line.price_quantity.value else _ONE
    exact = line.quantity.value * line.price.value / per - _or_zero(line.allowance)
    if abs(exact - line.net.value) > unit:
        yield _wrong(
            "sum.line",
            tr(
                "Line {number}: {quantity} at {price} is {exact}, not {net}.",
                number=number + 1,
                quantity=line.quantity.value,
                price=line.price.value,
                exact=_shown(exact, unit),
                net=line.net.value,
            ),
            *(f"lines.{number}.{name}" for name in ("quantity", "price", "net")),
        )


def _check_lines(paper: Paper, unit: Decimal) -> Iterator[Finding]:
    nets = [line.net for line in paper.goods if line.net is not None]
    totals = paper.totals
    if not nets or len(nets) != len(paper.goods):
        return
    total = sum((net.value for net in nets), Decimal(0))
    if totals.lines is not None:
        wanted, path = totals.lines, "totals.lines"
    elif totals.net is not None:
        wanted, path = totals.net, "totals.net"
        total += _or_zero(totals.charge) - _or_zero(totals.allowance)
    else:
        return
    bound = unit * len(nets) / 2 + unit / 2
    with_discount_lines = total + _or_zero(totals.allowance)
    if min(abs(total - wanted.value), abs(with_discount_lines - wanted.value)) > bound:
        yield _wrong(
            "sum.lines",
            tr("The lines add up to {sum}, not {stated}.", sum=total, stated=wanted.value),
            path,
        )


def _check_taxes(paper: Paper, unit: Decimal) -> Iterator[Finding]:
    for number, tax in enumerate(paper.taxes):
        if tax.rate is None or tax.base is None or tax.amount is None:
            continue
        exact = tax.base.value * tax.rate.value / 100
        count = sum(
            1 for line in paper.goods
            if line.tax_rate is not None and line.tax_rate.value == tax.rate.value
        )  # fmt: skip
        if abs(exact - tax.amount.value) > unit * max(count, 2) / 2:
            yield _wrong(
                "tax.rate",
                tr(
                    "{rate} % of {base} is {exact}, not {amount}.",
                    rate=tax.rate.value,
                    base=tax.base.value,
                    exact=_shown(exact, unit),
                    amount=tax.amount.value,
                ),
                f"taxes.{number}.amount",
            )
    amounts = [tax.amount.value for tax in paper.taxes if tax.amount is not None]
    stated = paper.totals.tax
    if amounts and stated is not None and len(amounts) == len(paper.taxes):
        total = sum(amounts, Decimal(0))
        if abs(total - stated.value) > unit * len(amounts) / 2:
            yield _wrong(
                "sum.taxes",
                tr("The taxes add up to {sum}, not {stated}.", sum=total, stated=stated.value),
                "totals.tax",
            )


def _check_totals(paper: Paper, unit: Decimal) -> Iterator[Finding]:
    totals = paper.totals
    if totals.lines is not None and totals.net is not None:
        net = totals.lines.value - _or_zero(totals.allowance) + _or_zero(totals.charge)
        if abs(net - totals.net.value) > unit:
            yield _wrong(
                "sum.net",
                tr("The amount without tax should be {sum}, not {stated}.", sum=net,
                   stated=totals.net.value),
                "totals.net",
            )  # fmt: skip
    if totals.net is not None and totals.gross is not None and totals.tax is not None:
        gross = totals.net.value + totals.tax.value
        fees = _or_zero(totals.charge) if totals.lines is None else Decimal(0)
        if min(abs(gross - totals.gross.value), abs(gross + fees - totals.gross.value)) > unit:
            yield _wrong(
                "sum.gross",
                tr("{net} and {tax} tax are {sum}, not {stated}.", net=totals.net.value,
                   tax=totals.tax.value, sum=gross, stated=totals.gross.value),
                "totals.net", "totals.tax", "totals.gross",
            )  # fmt: skip
    if totals.gross is not None and totals.payable is not None:
        payable = totals.gross.value - _or_zero(totals.prepaid) + _or_zero(totals.rounding)
        if abs(payable - totals.payable.value) > unit:
            yield _wrong(
                "sum.payable",
                tr("{sum} should be left to pay, not {stated}.", sum=payable,
                   stated=totals.payable.value),
                "totals.payable",
            )  # fmt: skip


def _or_zero(number: Number | None) -> Decimal:
    return Decimal(0) if number is None else number.value


def _shown(amount: Decimal, unit: Decimal) -> Decimal:
    return amount.quantize(unit) if abs(amount) < Decimal("1e20") else amount


def _wrong(rule: str, text: str, *fields: str) -> Finding:
    return Finding(rule=rule, severity=Severity.REVIEW, text=text, fields=fields)
