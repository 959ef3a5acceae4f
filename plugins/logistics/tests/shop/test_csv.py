"""Orders in CSV, as they come out of an ERP or a spreadsheet."""

from __future__ import annotations

from pathlib import Path

import pytest

from millhand.errors import ConfigError
from millhand_logistics.shop.reading import load_shop

SHOP = """\
millhand_shop: 1
time_zone: UTC
machines: {m1: {}, m2: {}}
orders_from: orders.csv
"""
ORDERS = """\
order;operation;machine;time;due;weight;family;after
A;cut;m1|m2;30 min|45 min;2026-12-01T12:00;2;;
A;bend;m2;1 h;;;hot;
B;cut;m1;20 min;2026-12-02;;;
B;weld;m2;10 min;;;;-
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop.yaml").write_text(SHOP, encoding="utf-8")
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8-sig")
    return tmp_path


def test_rows_become_orders(folder: Path) -> None:
    shop = load_shop(folder / "shop.yaml")
    first, second = shop.orders
    assert (first.id, first.weight, first.due.isoformat()) == ("A", 2.0, "2026-12-01T12:00:00")  # type: ignore[union-attr]
    assert first.operations[0].alternatives == {"m1": 1800.0, "m2": 2700.0}
    assert first.operations[1].family == "hot"
    assert first.operations[1].after is None
    assert second.operations[1].after == ()


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("B;cut;m1;20 min", "B;cut;m3;20 min", 4, "machine “m3”"),
        ("B;cut;m1;20 min", "B;cut;m1;20", 4, "no unit"),
        ("B;cut;m1;20 min", "B;cut;m1;0 s", 4, "greater than zero"),
        ("2026-12-02;;;", "soon;;;", 4, "soon"),
        ("12:00;2;;", "12:00;heavy;;", 2, "a number"),
        ("30 min|45 min", "30 min|45 min|1 h", 2, "2 machines, but 3 times"),
        ("operation;machine", "operation;maschine", 1, "Did you mean machine?"),
        ("B;weld;m2;10 min;;;;-", "B;weld;m2;10 min;", 5, "cells"),
        ("B;weld;m2", "A;weld;m2", 5, "A stands here twice"),
    ],
)
def test_errors_name_file_and_line(folder: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in ORDERS
    (folder / "orders.csv").write_text(ORDERS.replace(old, new), encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_shop(folder / "shop.yaml")
    first = caught.value.problems[0]
    assert (Path(first.place.file).name, first.place.line) == ("orders.csv", line)
    assert words in str(first)


def test_a_path_out_of_the_folder_is_refused(folder: Path) -> None:
    (folder / "shop.yaml").write_text(SHOP.replace("orders.csv", "../orders.csv"))
    with pytest.raises(ConfigError, match="leads out of the folder"):
        load_shop(folder / "shop.yaml")


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"order;operation\n"])
def test_what_is_no_csv_of_orders_is_refused(folder: Path, content: bytes) -> None:
    (folder / "orders.csv").write_bytes(content)
    with pytest.raises(ConfigError):
        load_shop(folder / "shop.yaml")
