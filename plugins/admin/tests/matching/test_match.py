"""Three-way match: what fits, what does not, and properties over thousands of made-up cases."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millhand.errors import InternalError
from millhand_admin.matching.keys import confusion_key, number_key, same_number
from millhand_admin.matching.match import Match, VarianceKind, match
from millhand_admin.matching.open_items import OpenItems, OrderLine, ReceiptLine
from millhand_admin.matching.policy import MatchPolicy, Side, Tolerance
from millhand_admin.matching.similarity import overlap
from millhand_admin.paper.fact import Fact, Method
from millhand_admin.paper.paper import Form, Kind, Line, Number, Paper, Party, Text

D = Decimal
VENDOR = "DE224538323"


def text(value: str) -> Text:
    return Fact[str](value=value, method=Method.XML)


def number(value: str | Decimal) -> Number:
    return Fact[Decimal](value=D(value), method=Method.XML)


def line(item: str, quantity: str | Decimal, price: str = "2", unit: str = "pcs", rate: str = "19",
         description: str = "", order_line: str = "") -> Line:  # fmt: skip
    return Line(
        item=text(item) if item else None,
        description=text(description) if description else None,
        quantity=number(quantity),
        unit=text(unit) if unit else None,
        price=number(price),
        tax_rate=number(rate),
        order_line=text(order_line) if order_line else None,
    )


def bill(*lines: Line, orders: tuple[str, ...] = ("PO-100",), vendor: str = VENDOR) -> Paper:
    return Paper(
        kind=Kind.INVOICE,
        form=Form.UBL,
        number=text("INV-1"),
        issued=Fact[date](value=date(2026, 11, 1), method=Method.XML),
        seller=Party(tax_number=text(vendor)),
        orders=tuple(map(text, orders)),
        lines=lines,
    )


def ordered(item: str, quantity: str, price: str = "2", order: str = "PO-100", number: str = "1",
            unit: str = "C62", description: str = "") -> OrderLine:  # fmt: skip
    return OrderLine(id=f"{order}/{number}", order=order, number=number, vendor=VENDOR, item=item,
                     description=description, unit=unit, quantity=D(quantity), price=D(price),
                     tax_rate=D(19))  # fmt: skip


def received(item: str, quantity: str, receipt: str = "GR-1", order: str = "PO-100",
             order_line: str = "1", unit: str = "C62",
             blocked: str = "") -> ReceiptLine:  # fmt: skip
    return ReceiptLine(id=f"{receipt}/{order_line}/{item}", receipt=receipt, order=order,
                       order_line=order_line, item=item, unit=unit, quantity=D(quantity),
                       blocked=blocked)  # fmt: skip


def items(*lines: OrderLine | ReceiptLine) -> OpenItems:
    return OpenItems(
        orders=tuple(one for one in lines if isinstance(one, OrderLine)),
        receipts=tuple(one for one in lines if isinstance(one, ReceiptLine)),
    )


def kinds(found: Match, *, tolerated: bool | None = None) -> list[VarianceKind]:
    return [one.kind for one in found.variances if tolerated in (None, one.tolerated)]


STANDARD = MatchPolicy()


def test_what_fits_is_clean_and_closes_the_lines() -> None:
    open_ = items(ordered("A-1", "10"), received("A-1", "10"))
    found = match(bill(line("A-1", "10")), open_, STANDARD)
    assert found.clean
    assert found.variances == ()
    left = found.book(open_)
    assert left.orders[0].open == 0
    assert left.receipts[0].open == 0


def test_the_same_bill_again_finds_nothing_left() -> None:
    open_ = items(ordered("A-1", "10"), received("A-1", "10"))
    one = bill(line("A-1", "10"))
    left = match(one, open_, STANDARD).book(open_)
    again = match(one, left, STANDARD)
    assert again.allocations == ()
    assert kinds(again) == [VarianceKind.OVER_ORDERED]
    assert not again.clean


def test_many_receipts_cover_one_line_the_oldest_first() -> None:
    open_ = items(ordered("A-1", "10"), received("A-1", "4", "GR-1"), received("A-1", "8", "GR-2"))
    found = match(bill(line("A-1", "10")), open_, STANDARD)
    assert found.clean
    (allocation,) = found.allocations
    assert allocation.receipts == (("GR-1/1/A-1", D(4)), ("GR-2/1/A-1", D(6)))


def test_one_line_bills_two_orders_and_two_lines_bill_one_order() -> None:
    open_ = items(
        ordered("A-1", "6", order="PO-100"), ordered("A-1", "6", order="PO-200"),
        received("A-1", "12", order="", order_line=""),
    )  # fmt: skip
    both = match(bill(line("A-1", "12"), orders=("PO-100", "PO-200")), open_, STANDARD)
    assert both.clean
    assert {one.order_line for one in both.allocations} == {"PO-100/1", "PO-200/1"}
    parts = match(bill(line("A-1", "2"), line("A-1", "4")), open_, STANDARD)
    assert parts.clean
    assert [one.order_line for one in parts.allocations] == ["PO-100/1", "PO-100/1"]


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (line("A-1", "11"), [VarianceKind.OVER_ORDERED]),
        (line("A-1", "10", price="2.10"), [VarianceKind.PRICE]),
        (line("A-1", "10", rate="7"), [VarianceKind.TAX]),
        (line("B-9", "10"), [VarianceKind.NO_ORDER]),
        (line("A-1", "10", unit="kg"), [VarianceKind.NO_ORDER]),
        (line("A-1", "0"), [VarianceKind.UNREAD]),
        (line("A-1", "-3"), [VarianceKind.UNREAD]),
    ],
)
def test_each_difference_is_its_own_variance(one: Line, expected: list[VarianceKind]) -> None:
    open_ = items(ordered("A-1", "10"), received("A-1", "10"))
    found = match(bill(one), open_, STANDARD)
    assert kinds(found, tolerated=False) == expected
    assert not found.clean


def test_variances_say_what_they_are_worth() -> None:
    open_ = items(ordered("A-1", "10"), received("A-1", "7"))
    found = match(bill(line("A-1", "10", price="3")), open_, STANDARD)
    by_kind = {one.kind: one for one in found.variances}
    assert by_kind[VarianceKind.NOT_RECEIVED].quantity == 3
    assert by_kind[VarianceKind.NOT_RECEIVED].money == 9
    assert by_kind[VarianceKind.PRICE].money == 10


def test_blocked_goods_are_not_paid() -> None:
    open_ = items(ordered("A-1", "10"), received("A-1", "10", blocked="NCR-7 is open"))
    found = match(bill(line("A-1", "10")), open_, STANDARD)
    assert kinds(found, tolerated=False) == [VarianceKind.BLOCKED]
    assert "NCR-7" in found.variances[0].text
    assert found.allocations[0].receipts == ()


def test_tolerances_have_two_sides() -> None:
    policy = MatchPolicy(
        price=Tolerance(over=Side(percent=D(2), at_most=D("0.30")), under=Side(percent=D(50))),
        quantity=Tolerance(over=Side(percent=D(10))),
    )
    open_ = items(ordered("A-1", "10"), received("A-1", "11"))
    assert match(bill(line("A-1", "10", price="2.02")), open_, policy).clean
    assert not match(bill(line("A-1", "10", price="2.04")), open_, policy).clean
    assert match(bill(line("A-1", "10", price="1.10")), open_, policy).clean
    assert not match(bill(line("A-1", "10", price="0.90")), open_, policy).clean
    assert match(bill(line("A-1", "11")), open_, policy).clean
    assert not match(bill(line("A-1", "11.1")), open_, policy).clean


def test_a_tolerated_excess_is_not_given_twice() -> None:
    policy = MatchPolicy(quantity=Tolerance(over=Side(percent=D(10))), receipt_needed=False)
    open_ = items(ordered("A-1", "10"))
    left = match(bill(line("A-1", "11")), open_, policy).book(open_)
    assert not match(bill(line("A-1", "1")), left, policy).clean


def test_units_convert() -> None:
    open_ = items(ordered("A-1", "1.5", price="900", unit="TNE"),
                  received("A-1", "1500", unit="kg"))  # fmt: skip
    found = match(bill(line("A-1", "1500", price="0.90", unit="千克")), open_, STANDARD)
    assert found.clean
    assert found.book(open_).receipts[0].open == 0


def test_look_alike_numbers_are_found_and_not_called_exact() -> None:
    open_ = items(ordered("BOLT-80", "10", order="PO-1005"), received("BOLT-80", "10",
                                                                     order="PO-1005"))  # fmt: skip
    found = match(bill(line("B0LT-8O", "10"), orders=("P0-IOO5",)), open_, STANDARD)
    assert found.variances == ()
    assert len(found.allocations) == 1
    assert not found.allocations[0].exact
    assert not found.clean


def test_without_article_numbers_the_words_decide_and_a_person_looks() -> None:
    open_ = items(
        ordered("", "10", description="Bu lông lục giác M8x25 mạ kẽm", number="1"),
        ordered("", "10", description="Phớt trục 22 x 35 x 7", number="2"),
        received("x", "10", order_line="1"),
    )  # fmt: skip
    found = match(bill(line("", "10", description="bu long luc giac M8 x 25 ma kem")), open_,
                  STANDARD)  # fmt: skip
    assert [one.order_line for one in found.allocations] == ["PO-100/1"]


def test_another_vendors_order_is_not_touched() -> None:
    open_ = items(ordered("A-1", "10"), received("A-1", "10"))
    found = match(bill(line("A-1", "10"), vendor="GB916701139"), open_, STANDARD)
    assert kinds(found) == [VarianceKind.NO_ORDER]


def test_the_line_that_the_bill_names_goes_first() -> None:
    open_ = items(ordered("A-1", "10", number="1"), ordered("A-1", "10", number="2"),
                  received("A-1", "10", order_line="1"),
                  received("A-1", "10", "GR-2", order_line="2"))  # fmt: skip
    found = match(bill(line("A-1", "10", order_line="2")), open_, STANDARD)
    assert [one.order_line for one in found.allocations] == ["PO-100/2"]


def test_booking_refuses_what_is_not_there() -> None:
    open_ = items(ordered("A-1", "10"), received("A-1", "10"))
    with pytest.raises(InternalError):
        open_.booked([], [("GR-1/1/A-1", D(11))])
    with pytest.raises(InternalError):
        open_.booked([("nothing", D(1))], [])
    with pytest.raises(InternalError):
        open_.booked([], [("GR-1/1/A-1", D(-1))])


def test_keys() -> None:
    assert number_key("ＰＯ－１００ / a") == "PO100A"
    assert confusion_key("lO0-Z5B") == "1002 58".replace(" ", "")
    assert same_number("PO 100", "P0-lOO")
    assert not same_number("", "-")
    assert overlap("六角螺栓 M8", "M8 六角螺栓") > 0.7
    assert overlap("seal", "bolt") == 0


# --- properties ---

UNCOVERED = (VarianceKind.NO_ORDER, VarianceKind.OVER_ORDERED)
ITEMS = ("A-1", "B-2", "C-3")
quantities = st.decimals(min_value=D("0.1"), max_value=D(500), places=1)
order_lines = st.lists(
    st.tuples(st.sampled_from(ITEMS), st.sampled_from(("PO-1", "PO-2")), quantities),
    min_size=1, max_size=6,
)  # fmt: skip
receipts = st.lists(
    st.tuples(st.sampled_from(ITEMS), st.sampled_from(("PO-1", "PO-2", "")), quantities), max_size=8
)
bills = st.lists(
    st.lists(st.tuples(st.sampled_from((*ITEMS, "X-9")), quantities), min_size=1, max_size=5),
    min_size=1, max_size=5,
)  # fmt: skip
policies = st.builds(
    lambda over, needed: MatchPolicy(
        quantity=Tolerance(over=Side(percent=over)), receipt_needed=needed
    ),
    st.sampled_from((D(0), D(5), D(25))),
    st.booleans(),
)


@settings(max_examples=300, deadline=None)
@given(order_lines, receipts, bills, policies)
def test_nothing_is_ever_allocated_twice(
    orders: list[tuple[str, str, Decimal]],
    arrived: list[tuple[str, str, Decimal]],
    billed: list[list[tuple[str, Decimal]]],
    policy: MatchPolicy,
) -> None:
    open_ = OpenItems(
        orders=tuple(
            ordered(item, str(quantity), order=order, number=str(n))
            for n, (item, order, quantity) in enumerate(orders, start=1)
        ),
        receipts=tuple(
            received(item, str(quantity), f"GR-{n}", order, order_line="")
            for n, (item, order, quantity) in enumerate(arrived, start=1)
        ),
    )
    first = open_
    taken: dict[str, Decimal] = {}
    for lines in billed:
        one = bill(*(line(item, quantity) for item, quantity in lines), orders=())
        found = match(one, open_, policy)
        assert found == match(one, open_, policy)
        for index, (_, quantity) in enumerate(lines):
            pieces = [a.quantity for a in found.allocations if a.line == index]
            uncovered = [v.quantity for v in found.variances
                         if v.line == index and v.kind in UNCOVERED]  # fmt: skip
            assert sum(pieces, D(0)) + sum(uncovered, D(0)) == quantity
        for allocation in found.allocations:
            covered = sum((q for _, q in allocation.receipts), D(0))
            missing = any(v.kind is VarianceKind.NOT_RECEIVED for v in found.variances)
            assert covered <= allocation.quantity
            assert covered == allocation.quantity or missing or not policy.receipt_needed
            for receipt, quantity in allocation.receipts:
                taken[receipt] = taken.get(receipt, D(0)) + quantity
        open_ = found.book(open_)
    for receipt in first.receipts:
        assert taken.get(receipt.id, D(0)) <= receipt.quantity
    over = policy.quantity.over.percent
    for before, after in zip(first.orders, open_.orders, strict=True):
        assert after.billed <= before.quantity * (1 + over / 100)
