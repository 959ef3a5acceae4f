"""What a person reads when a shop is wrong: the line, and the words that matter."""

from __future__ import annotations

import pytest

from millhand.errors import ConfigError
from millhand_logistics.shop.reading import shop_text

MILL = "time: 60 min}"
CASES = {
    "an unknown key": ("product: impeller", "produkt: impeller", "Did you mean product?"),
    "no unit": (MILL, "time: 60}", "has no unit"),
    "no time": (MILL, "time: 0 min}", "greater than zero"),
    "a negative time": (MILL, "time: -60 min}", "not a quantity"),
    "an unknown machine": ("machine: mill, time: 60 min}", "machine: mil, time: 1 h}", "mill?"),
    "an unknown alternative": ("lathe_2: 120 min", "lathe_3: 120 min", "Did you mean lathe"),
    "no machine": ("machine: mill, time: 60 min}", "family: steel}", "no machine"),
    "two ways": ("machines: {lathe_1: 90", "machine: mill, machines: {lathe_1: 90", "both"),
    "a cycle": ("needs: {bar: 8}}", "after: [mill]}", "A-1 these wait for each other: turn"),
    "an unknown predecessor": (MILL, "time: 1 h, after: [trun]}", "turn?"),
    "an order twice": ("id: B-1", "id: A-1", "A-1 stands here twice"),
    "an operation twice": ("id: turn, machines", "id: mill, machines", "mill stands twice"),
    "no time zone": ("Europe/Berlin", "Berlin", "is no time zone"),
    "no moment": ("due: 2026-11-25T16:00", "due: tomorrow", "tomorrow"),
    "a time left out": ("due: 2026-11-25T16:00", "due: 2026-03-29T02:30", "does not exist"),
    "a time that comes twice": ("due: 2026-11-25T16:00", "due: 2026-10-25T02:30", "twice"),
    "due before release": (
        "due: 2026-11-25T16:00",
        "due: 2026-11-25T16:00\n    release: 2026-11-26",
        "due before it is released",
    ),
    "no days": ("days: mon-fri", "days: always", "names no days"),
    "an unknown calendar": ("{calendar: two_shifts}", "{calendar: to_shifts}", "two_shifts?"),
    "a breakdown backwards": ("to: 2026-11-25T13:00", "to: 2026-11-25T09:00", "ends before"),
    "an unknown material": ("bar: 8}}", "bra: 8}}", "bar?"),
    "nothing needed": ("needs: {bar: 8}}", "needs: {bar: 0}}", "above 0"),
    "pinned elsewhere": (MILL, "time: 1 h, pinned: {machine: lathe_1, at: 2027-01-01}}", "cannot"),
    "remaining of nothing": (MILL, "time: 1 h, remaining: 5 min}", "has not started"),
    "a goal of nothing": ("calendars:", "goal: {makespan: 0, tardiness: 0}\ncalendars:", "bett"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_names_the_line_and_the_mend(case: str, shop_yaml: str) -> None:
    old, new, words = CASES[case]
    line = 1 + shop_yaml[: shop_yaml.index(old)].count("\n")
    with pytest.raises(ConfigError) as caught:
        shop_text(shop_yaml.replace(old, new, 1))
    first = caught.value.problems[0]
    assert first.place.line == line
    assert words in str(first)


def test_a_calendar_without_working_time(shop_yaml: str) -> None:
    closed = shop_yaml.replace(
        '"22:00"}', '"22:00"}\n    closed: [{from: 2026-01-01, to: 2030-01-01}]'
    )
    with pytest.raises(ConfigError, match=r"shop\.yaml:7:.*no working time"):
        shop_text(closed)


def test_all_problems_are_told_at_once(shop_yaml: str) -> None:
    wrong = shop_yaml.replace("machine: mill", "machine: mil").replace("bar: 8", "bra: 8")
    with pytest.raises(ConfigError) as caught:
        shop_text(wrong)
    assert len(caught.value.problems) == 4
