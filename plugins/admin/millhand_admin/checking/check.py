"""All checks of one paper by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from pydantic import Field

from millhand.messages import tr
from millhand_admin.checking.finding import Finding, Severity
from millhand_admin.checking.sums import check_sums
from millhand_admin.checking.tax_numbers import NumberCheck, check_tax_number, normalised
from millhand_admin.checking.units import unit_code
from millhand_admin.paper.fact import Part
from millhand_admin.paper.paper import Kind, Paper, Party, SealStatus

_BILLS = frozenset({Kind.INVOICE, Kind.CREDIT_NOTE})


class CheckPolicy(Part):
    """What the house asks of a paper."""

    our_tax_numbers: tuple[str, ...] = Field(
        default=(), description="Ours; an invoice to somebody else is a finding."
    )
    vendors: tuple[str, ...] = Field(
        default=(), description="Tax numbers of known vendors; empty: every vendor is known."
    )
    oldest_days: int = Field(default=730, gt=0, description="Older papers are a finding.")
    seal_required: bool = Field(
        default=False, description="Whether a Vietnamese e-invoice must carry a valid signature."
    )


def check(paper: Paper, policy: CheckPolicy, today: date) -> tuple[Finding, ...]:
    """Check a paper; ``today`` is given, so that a replay finds the same."""
    return tuple(_all(paper, policy, today))


def _all(paper: Paper, policy: CheckPolicy, today: date) -> Iterator[Finding]:
    yield from _unread(paper)
    yield from _missing(paper)
    yield from check_sums(paper)
    yield from _dates(paper, policy, today)
    yield from _tax_numbers(paper)
    yield from _parties(paper, policy)
    yield from _units(paper)
    yield from _seals(paper, policy)


def _unread(paper: Paper) -> Iterator[Finding]:
    for one in paper.unread:
        yield Finding(
            rule="unread",
            severity=Severity.REVIEW,
            text=tr("“{text}” is not {what}.", text=one.text[:80], what=one.what),
        )


def _missing(paper: Paper) -> Iterator[Finding]:
    wanted: dict[str, object] = {"number": paper.number, "issued": paper.issued}
    if paper.kind in _BILLS:
        wanted |= {
            "seller.name": paper.seller.name,
            "currency": paper.currency,
            "totals.payable": paper.totals.payable or paper.totals.gross,
        }
    for path, value in wanted.items():
        if value is None:
            yield Finding(
                rule="missing",
                severity=Severity.REVIEW,
                text=tr("{field} is missing.", field=path),
                fields=(path,),
            )


def _dates(paper: Paper, policy: CheckPolicy, today: date) -> Iterator[Finding]:
    if paper.issued is None:
        return
    issued = paper.issued.value
    if issued > today + timedelta(days=1):
        yield _review(
            "date.future", tr("It is dated {day}, which is to come.", day=issued), "issued"
        )
    if issued < today - timedelta(days=policy.oldest_days):
        yield _review("date.old", tr("It is dated {day}, long ago.", day=issued), "issued")
    if paper.due is not None and paper.due.value < issued:
        text = tr("It is due on {due}, before its date {day}.", due=paper.due.value, day=issued)
        yield _review("date.due", text, "due")


def _tax_numbers(paper: Paper) -> Iterator[Finding]:
    for role, party in (("seller", paper.seller), ("buyer", paper.buyer)):
        number = party.tax_number
        if number is not None and check_tax_number(number.value) is NumberCheck.WRONG:
            text = tr("The tax number {number} has a wrong check digit.", number=number.value)
            yield _review("tax_number", text, f"{role}.tax_number")


def _parties(paper: Paper, policy: CheckPolicy) -> Iterator[Finding]:
    if paper.kind not in _BILLS:
        return
    if policy.our_tax_numbers and _known(paper.buyer, policy.our_tax_numbers) is False:
        text = tr("It is made out to somebody else.")
        yield Finding(rule="buyer", severity=Severity.REJECT, text=text,
                      fields=("buyer.tax_number",))  # fmt: skip
    if policy.vendors and not _known(paper.seller, policy.vendors):
        yield _review("vendor.unknown", tr("The vendor is not known."), "seller.tax_number")


def _known(party: Party, numbers: tuple[str, ...]) -> bool | None:
    if party.tax_number is None:
        return None
    return normalised(party.tax_number.value) in {normalised(number) for number in numbers}


def _units(paper: Paper) -> Iterator[Finding]:
    for number, line in enumerate(paper.lines):
        if line.unit is not None and not line.note and unit_code(line.unit.value) is None:
            yield Finding(
                rule="unit",
                severity=Severity.NOTE,
                text=tr("The unit “{unit}” is not known.", unit=line.unit.value[:20]),
                fields=(f"lines.{number}.unit",),
            )


def _seals(paper: Paper, policy: CheckPolicy) -> Iterator[Finding]:
    for seal in paper.seals:
        if seal.status is SealStatus.INVALID:
            yield Finding(
                rule="seal.invalid",
                severity=Severity.REJECT,
                text=tr("A signature does not hold: {why}", why=seal.detail),
            )
        elif seal.status in {SealStatus.WEAK, SealStatus.NOT_CHECKED}:
            text = tr("A signature proves little: {why}", why=seal.detail)
            yield Finding(rule="seal.weak", severity=Severity.NOTE, text=text)
    if policy.seal_required and not any(seal.status is SealStatus.VALID for seal in paper.seals):
        yield _review("seal.missing", tr("No signature of a trusted signer is on it."))


def _review(rule: str, text: str, *fields: str) -> Finding:
    return Finding(rule=rule, severity=Severity.REVIEW, text=text, fields=fields)
