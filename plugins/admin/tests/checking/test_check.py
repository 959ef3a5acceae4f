"""Checks of one paper: right ones have no finding, every seeded mistake has its own."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal

import pytest

from millhand_admin.checking.check import CheckPolicy, check
from millhand_admin.checking.duplicates import Seen, check_duplicate
from millhand_admin.checking.finding import Finding, Severity, worst
from millhand_admin.checking.units import convert, unit_code
from millhand_admin.made.companies import US, made_invoice
from millhand_admin.made.paper import MadePaper
from millhand_admin.made.xml_forms import as_cii, as_ubl, as_vietnamese
from millhand_admin.paper.fact import Part
from millhand_admin.paper.paper import Paper, Seal, SealStatus
from millhand_admin.reading.read import read

TODAY = date(2026, 11, 25)
WRITERS = {"en": as_cii, "vi": as_vietnamese, "zh": as_ubl}


def paper(language: str, seed: int, **changes: object) -> Paper:
    made: MadePaper = made_invoice(language, seed).but(**changes)
    return read(WRITERS[language](made)).papers[0]


def found(one: Paper, policy: CheckPolicy | None = None) -> tuple[Finding, ...]:
    return check(one, policy or CheckPolicy(), TODAY)


def rules(one: Paper, policy: CheckPolicy | None = None) -> set[str]:
    return {finding.rule for finding in found(one, policy)}


@pytest.mark.parametrize("language", ["en", "vi", "zh"])
def test_right_papers_have_no_finding(language: str) -> None:
    policy = CheckPolicy(our_tax_numbers=(US[language].tax_number,))
    for seed in range(60):
        assert found(paper(language, seed), policy) == (), seed


def changed(one: Part, path: str, change: Callable[[object], object]) -> Part:
    """Return a copy with the value at ``path`` changed."""
    head, _, rest = path.partition(".")
    if head.isdecimal():
        raise AssertionError(path)
    inner = getattr(one, head)
    if isinstance(inner, tuple):
        index, _, rest = rest.partition(".")
        items = list(inner)
        items[int(index)] = changed(items[int(index)], rest, change)
        return one.model_copy(update={head: tuple(items)})
    if rest:
        return one.model_copy(update={head: changed(inner, rest, change)})
    return one.model_copy(update={head: inner.having(change(inner.value))})


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("lines.0.quantity", "sum.line"),
        ("lines.0.net", "sum.line"),
        ("lines.0.net", "sum.lines"),
        ("taxes.0.amount", "tax.rate"),
        ("taxes.0.amount", "sum.taxes"),
        ("totals.net", "sum.gross"),
        ("totals.tax", "sum.gross"),
        ("totals.gross", "sum.gross"),
        ("totals.payable", "sum.payable"),
    ],
)
@pytest.mark.parametrize("language", ["en", "vi", "zh"])
def test_every_changed_amount_is_found(language: str, path: str, rule: str) -> None:
    for seed in range(10):
        wrong = changed(paper(language, seed), path, lambda value: value + 10)  # type: ignore[operator]
        assert isinstance(wrong, Paper)
        assert rule in rules(wrong), seed


def test_dates() -> None:
    later = paper("en", 1, issued=TODAY + timedelta(days=5), due=None)
    assert rules(later) == {"date.future"}
    assert rules(paper("en", 1, issued=date(2020, 1, 1), due=None)) == {"date.old"}
    one = made_invoice("en", 1)
    assert rules(paper("en", 1, due=one.issued - timedelta(days=1))) == {"date.due"}


def test_who_sends_and_who_pays() -> None:
    one = paper("en", 1)
    somebody = CheckPolicy(our_tax_numbers=("DE224538323",))
    assert rules(one, somebody) == {"buyer"}
    assert worst(found(one, somebody)) is Severity.REJECT
    assert rules(one, CheckPolicy(vendors=("GB991390785",))) == {"vendor.unknown"}
    wrong = changed(one, "seller.tax_number", lambda _: "DE136695970")
    assert isinstance(wrong, Paper)
    assert rules(wrong) == {"tax_number"}


def test_what_is_missing_and_unread() -> None:
    one = paper("en", 1).model_copy(update={"number": None})
    assert [finding.fields for finding in found(one)] == [("number",)]


def test_seals() -> None:
    one = paper("vi", 1)
    broken = one.model_copy(update={"seals": (Seal(status=SealStatus.INVALID),)})
    assert rules(broken) == {"seal.invalid"}
    assert worst(found(broken)) is Severity.REJECT
    assert rules(one, CheckPolicy(seal_required=True)) == {"seal.missing"}
    good = one.model_copy(update={"seals": (Seal(status=SealStatus.VALID),)})
    assert rules(good, CheckPolicy(seal_required=True)) == set()


def test_duplicates() -> None:
    first = Seen.of(paper("en", 1), "a" * 64)
    again = Seen.of(paper("en", 1), "b" * 64)
    other = Seen.of(paper("en", 2), "c" * 64)
    assert check_duplicate(other, (first,)) is None
    same = check_duplicate(first, (first,))
    number = check_duplicate(again, (other, first))
    assert same is not None
    assert number is not None
    assert (same.rule, number.rule) == ("duplicate.bytes", "duplicate.number")
    dearer = check_duplicate(again.model_copy(update={"amount": "1"}), (first,))
    assert dearer is not None
    assert dearer.severity is Severity.REVIEW


def test_units() -> None:
    assert unit_code("Cái") == unit_code("pcs.") == unit_code("个") == "C62"
    assert unit_code("furlong") is None
    assert convert(Decimal("1.5"), "tấn", "kg") == 1500
    assert convert(Decimal(1), "kg", "pcs") is None
    assert convert(Decimal(2), "furlong", "Furlong") == 2
