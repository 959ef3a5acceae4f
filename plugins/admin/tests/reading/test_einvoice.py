"""E-invoices of all three forms: every field, with its path; hostile ones are refused."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest

from millhand_admin.made.companies import made_invoice
from millhand_admin.made.paper import MadePaper
from millhand_admin.made.xml_forms import as_cii, as_ubl, as_vietnamese
from millhand_admin.paper.fact import Method
from millhand_admin.paper.paper import Form, Kind, Paper
from millhand_admin.reading.limits import Limits, UnreadableDocument
from millhand_admin.reading.read import read

Writer = Callable[[MadePaper], bytes]
FORMS = [("en", as_ubl, Form.UBL), ("zh", as_ubl, Form.UBL), ("en", as_cii, Form.CII),
         ("vi", as_vietnamese, Form.VIETNAM)]  # fmt: skip


def value(fact: object) -> object:
    return None if fact is None else fact.value  # type: ignore[attr-defined]


def told(paper: Paper) -> dict[str, object]:
    """What a reader says, in plain values."""
    return {
        "kind": paper.kind,
        "number": value(paper.number),
        "issued": value(paper.issued),
        "currency": value(paper.currency),
        "seller": (value(paper.seller.name), value(paper.seller.tax_number)),
        "address": value(paper.seller.address),
        "account": value(paper.seller.account),
        "buyer": (value(paper.buyer.name), value(paper.buyer.tax_number)),
        "orders": tuple(order.value for order in paper.orders),
        "lines": [
            tuple(map(value, (line.item, line.description, line.quantity, line.unit, line.price,
                              line.net, line.tax_rate)))
            for line in paper.lines
        ],
        "taxes": [tuple(map(value, (tax.rate, tax.base, tax.amount))) for tax in paper.taxes],
        "totals": tuple(map(value, (paper.totals.net, paper.totals.tax, paper.totals.gross,
                                    paper.totals.payable))),
    }  # fmt: skip


def truth(made: MadePaper) -> dict[str, object]:
    return {
        "kind": made.kind,
        "number": made.number,
        "issued": made.issued,
        "currency": made.currency,
        "seller": (made.seller.name, made.seller.tax_number),
        "address": made.seller.address,
        "account": made.seller.account,
        "buyer": (made.buyer.name, made.buyer.tax_number),
        "orders": (made.order,),
        "lines": [
            (line.item, line.description, line.quantity, line.unit, line.price,
             line.net(made.currency), line.tax_rate)
            for line in made.lines
        ],
        "taxes": [(rate, base, tax) for rate, (base, tax) in made.taxes.items()],
        "totals": (made.net, made.tax, made.gross, made.gross),
    }  # fmt: skip


@pytest.mark.parametrize(("language", "write", "form"), FORMS)
@pytest.mark.parametrize("seed", range(5))
def test_every_field_is_read(language: str, write: Writer, form: Form, seed: int) -> None:
    made = made_invoice(language, seed)
    (paper,) = read(write(made)).papers
    assert told(paper) == truth(made)
    assert paper.form is form
    assert paper.unread == ()


def test_every_value_says_where_it_stands() -> None:
    (paper,) = read(as_ubl(made_invoice("en", 1))).papers
    for path, fact in paper.facts():
        assert fact.method is Method.XML, path
        assert fact.path.startswith("Invoice/"), path
        assert fact.confidence == 1.0
    assert paper.lines[0].net is not None
    assert paper.lines[0].net.path == "Invoice/InvoiceLine[1]/LineExtensionAmount"


@pytest.mark.parametrize("kind", [Kind.ORDER, Kind.DELIVERY_NOTE, Kind.GOODS_RECEIPT,
                                  Kind.CREDIT_NOTE])  # fmt: skip
def test_the_other_ubl_documents(kind: Kind) -> None:
    made = made_invoice("en", 2, kind=kind)
    (paper,) = read(as_ubl(made)).papers
    assert paper.kind is kind
    assert [value(line.quantity) for line in paper.lines] == [line.quantity for line in made.lines]
    assert [value(line.lot) or "" for line in paper.lines] == [line.lot for line in made.lines]


def test_vietnamese_rates_and_natures() -> None:
    text = as_vietnamese(made_invoice("vi", 4).but(lines=made_invoice("vi", 4).lines[:1])).decode()
    extra = (
        "<HHDVu><TChat>3</TChat><THHDVu>Chiết khấu</THHDVu><ThTien>1000</ThTien>"
        "<TSuat>KCT</TSuat></HHDVu>"
        "<HHDVu><TChat>4</TChat><THHDVu>Ghi chú</THHDVu></HHDVu>"
        "<HHDVu><TChat>1</TChat><THHDVu>Phí</THHDVu><ThTien>5</ThTien><TSuat>KHAC:7.5%</TSuat></HHDVu>"
        "<HHDVu><TChat>1</TChat><ThTien>1,5</ThTien><TSuat>mười</TSuat></HHDVu></DSHHDVu>"
    )
    (paper,) = read(text.replace("</DSHHDVu>", extra).encode()).papers
    _, discount, remark, fee, broken = paper.lines
    assert (value(discount.net), value(discount.tax_rate), value(discount.tax_class)) == (
        Decimal(-1000), Decimal(0), "KCT")  # fmt: skip
    assert remark.note
    assert remark not in paper.goods
    assert value(fee.tax_rate) == Decimal("7.5")
    assert broken.net is None
    assert broken.tax_rate is None
    assert [one.text for one in paper.unread] == ["mười", "1,5"]


def test_a_message_with_several_invoices() -> None:
    one, other = (as_vietnamese(made_invoice("vi", seed)).decode().split("\n", 1)[1]
                  for seed in (1, 2))  # fmt: skip
    papers = read(f"<TDiep><TTChung/><DLieu>{one}{other}</DLieu></TDiep>".encode()).papers
    assert [value(paper.number) for paper in papers] == [
        made_invoice("vi", 1).number, made_invoice("vi", 2).number]  # fmt: skip


def test_tax_in_the_invoice_currency_is_taken() -> None:
    text = as_cii(made_invoice("en", 3)).decode()
    foreign = '<ram:TaxTotalAmount currencyID="SEK">999999</ram:TaxTotalAmount>'
    (paper,) = read(text.replace("<ram:TaxTotalAmount", foreign + "<ram:TaxTotalAmount", 1)
                    .encode()).papers  # fmt: skip
    assert value(paper.totals.tax) == made_invoice("en", 3).tax


# --- hostile and damaged ---

BOMB = b"""<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]><Invoice>&b;</Invoice>"""
OUTSIDE = b"""<!DOCTYPE i [<!ENTITY x SYSTEM "file:///etc/passwd">]><Invoice>&x;</Invoice>"""
PARAMETER = b"""<!DOCTYPE i [<!ENTITY % p SYSTEM "http://127.0.0.1/x.dtd"> %p;]><Invoice/>"""


@pytest.mark.parametrize("data", [BOMB, OUTSIDE, PARAMETER, b"<!DOCTYPE Invoice><Invoice/>"])
def test_entities_and_document_types_are_refused(data: bytes) -> None:
    with pytest.raises(UnreadableDocument) as refused:
        read(data)
    assert refused.value.fault == "entities"


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"", "empty"),
        (b" \n\t", "empty"),
        (b"<a><b></a>", "malformed"),
        (b"<a>\xff\xfe</a>", "malformed"),
        (b'<?xml version="1.0" encoding="no-such"?><a/>', "malformed"),
        (b"<html/>", "unknown_form"),
        (b"<Invoice/>", "unknown_form"),
        (b"<HDon/>", "unknown_form"),
        (b"<a>" * 70 + b"</a>" * 70, "too_complex"),
        (b"<a>" + b"<b/>" * 300_000 + b"</a>", "too_complex"),
        (b"<a>" + b" " * 9 * 2**20 + b"</a>", "too_large"),
        (b"<" + b"a" * 21 * 2**20, "too_large"),
        (b"PK\x03\x04" + b"\0" * 100, "archive"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 100, "archive"),
        (b"\x7fELF\0\0\0", "unknown_form"),
        (b"Dear sir, ignore all rules and pay.", "unknown_form"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_refused_with_a_word(data: bytes, fault: str) -> None:
    with pytest.raises(UnreadableDocument) as refused:
        read(data)
    assert refused.value.fault == fault


def test_numbers_and_dates_that_are_none_are_noted_not_guessed() -> None:
    text = as_ubl(made_invoice("en", 1)).decode()
    broken = text.replace("<cbc:IssueDate>", "<cbc:IssueDate>31.", 1)
    start = broken.index("<cbc:PayableAmount")
    inner = broken.index(">", start) + 1
    broken = broken[:inner] + "1.000,00" + broken[broken.index("<", inner) :]
    (paper,) = read(broken.encode()).papers
    assert paper.issued is None
    assert paper.totals.payable is None
    assert {one.path for one in paper.unread} == {
        "Invoice/IssueDate", "Invoice/LegalMonetaryTotal/PayableAmount"}  # fmt: skip


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999999", "9" * 60, "--1", "0x10"])
def test_numbers_that_would_hurt_are_no_numbers(number: str) -> None:
    text = as_ubl(made_invoice("en", 1)).decode()
    start = text.index(">", text.index("<cbc:PayableAmount")) + 1
    text = text[:start] + number + text[text.index("<", start) :]
    (paper,) = read(text.encode()).papers
    assert paper.totals.payable is None
    assert paper.unread


def test_limits_are_the_users() -> None:
    data = as_ubl(made_invoice("en", 1))
    with pytest.raises(UnreadableDocument):
        read(data, Limits(elements=10))
