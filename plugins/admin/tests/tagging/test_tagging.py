"""Candidates and the tagger: what people write, what it means, which one it is."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millhand_admin.paper.fact import Box, Method
from millhand_admin.reading.page import Page, Word, lines_of
from millhand_admin.tagging.candidates import Field, candidates
from millhand_admin.tagging.tagger import fit_tagger
from millhand_admin.tagging.values import AMOUNT, DATE, amount_of, date_of


@pytest.mark.parametrize(
    "text",
    ["25/11/2026", "25-11-26", "25.11.2026", "25 NOV 2026", "25 November 2026", "2026-11-25",
     "2026年11月25", "20261125", "Nov 25, 2026", "25 - 11 - 2026"],
)  # fmt: skip
def test_dates_as_people_write_them(text: str) -> None:
    match = DATE.search(f"Date: {text} 10:31")
    assert match is not None
    assert date_of(match) == date(2026, 11, 25)


@pytest.mark.parametrize("text", ["32/11/2026", "12/13/2026", "30/02/2026", "25/xyz/2026"])
def test_dates_that_are_none(text: str) -> None:
    match = DATE.search(text)
    assert match is None or date_of(match) is None


@pytest.mark.parametrize(
    ("text", "right"),
    [("REG #19- 02/03/2018", "02/03/2018"), ("01  04-05-2018", "04-05-2018"),
     ("10-02  17/03/2017", "17/03/2017"), ("Due: 31July 2026", "31July 2026"),
     ("30 May, 2018", "30 May, 2018")],
)  # fmt: skip
def test_numbers_beside_a_date_are_no_part_of_it(text: str, right: str) -> None:
    assert [match.group() for match in DATE.finditer(text)] == [right]


@pytest.mark.parametrize(
    "text", ["TEL: + 6 03 2026 6386", "14  04/03", "1-04-05-2018-7", "01 01  03"]
)
def test_telephone_and_other_numbers_are_no_dates(text: str) -> None:
    assert DATE.search(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,234.50", "1234.50"), ("1.234,50", "1234.50"), ("9.00", "9.00"), ("12.431.500", "12431500"),
     ("1 234.50", "1234.50"), ("0,50", "0.50")],
)  # fmt: skip
def test_amounts_as_people_write_them(text: str, value: str) -> None:
    match = AMOUNT.search(f"RM {text} ")
    assert match is not None
    assert match.group() == text
    assert amount_of(match.group()) == Decimal(value)


@given(st.text(alphabet="0123456789/-.,: ab年月", max_size=60))
def test_nothing_that_is_written_breaks_the_patterns(text: str) -> None:
    for match in DATE.finditer(text):
        date_of(match)
    for match in AMOUNT.finditer(text):
        assert amount_of(match.group()) >= 0


def page(*rows: tuple[str, ...]) -> Page:
    words = [
        Word(text, Box(left=0.1 + 0.4 * column, right=0.1 + 0.4 * column + 0.02 * len(text),
                       top=0.05 * row, bottom=0.05 * row + 0.03))
        for row, cells in enumerate(rows, start=1)
        for column, text in enumerate(cells)
    ]  # fmt: skip
    return Page(1, 1.4, lines_of(words, 1.4), Method.OCR)


def receipt(random: Random) -> tuple[Page, date, Decimal]:
    day = date(2026, random.randint(1, 12), random.randint(1, 28))
    other = date(2026, random.randint(1, 12), random.randint(1, 28))
    prices = [Decimal(random.randrange(100, 9000)) / 100 for _ in range(3)]
    total = sum(prices, Decimal(0))
    paid = total + Decimal(random.randrange(1, 9000)) / 100
    rows = [("SHOP", ""), ("Member since", f"{other:%d/%m/%Y}"), ("Date", f"{day:%d/%m/%Y}"),
            *((f"item {n}", f"{price:.2f}") for n, price in enumerate(prices)),
            ("TOTAL", f"{total:.2f}"), ("CASH", f"{paid:.2f}"),
            ("CHANGE", f"{paid - total:.2f}")]  # fmt: skip
    return page(*rows), day, total


def test_candidates_have_their_places() -> None:
    one, day, total = receipt(Random(1))
    found = candidates([one], Field.DATE)
    assert [candidate.value for candidate in found][-1] == day
    amounts = candidates([one], Field.TOTAL)
    (right,) = [candidate for candidate in amounts if candidate.value == total]
    assert right.box.top == pytest.approx(0.35, abs=0.01)
    assert "btotal" in right.context


def test_the_tagger_learns_which_it_is() -> None:
    random = Random(2)
    taught = [receipt(random) for _ in range(60)]
    fresh = [receipt(random) for _ in range(40)]
    for field, place in ((Field.DATE, 1), (Field.TOTAL, 2)):
        tagger = fit_tagger(field, [([one[0]], one[place]) for one in taught])  # type: ignore[misc]
        right = 0
        for one in fresh:
            choice = tagger.choose([one[0]])
            assert choice is not None
            assert 0 <= choice.sure <= 1
            right += choice.candidate.value == one[place]
            fact = choice.fact()
            assert (fact.page, fact.method) == (1, Method.OCR)
            assert fact.confidence <= choice.sure
        assert right >= 39
        assert tagger.choose([page(("nothing", "here"))]) is None
