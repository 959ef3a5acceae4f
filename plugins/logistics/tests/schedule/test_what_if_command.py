"""``millhand what-if``, as a person calls it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from millhand.errors import ConfigError
from millhand_logistics.schedule.commands.what_if import what_if


@pytest.fixture
def run(tmp_path: Path, shop_yaml: str) -> Any:
    file = tmp_path / "shop.yaml"
    file.write_text(shop_yaml, encoding="utf-8")

    def call(*arguments: str) -> Any:
        return CliRunner().invoke(what_if, [str(file), *arguments], standalone_mode=False)

    return call


def test_a_stopped_machine_moves_what_it_was_to_do(run: Any, tmp_path: Path) -> None:
    done = run("--down", "lathe_1=4 h", "--gantt", str(tmp_path / "both.svg"))
    lines = [" ".join(line.split()) for line in done.output.splitlines()]
    assert (
        "A-1 turn lathe_1 Wed 25.11. 07:30 lathe_2 Wed 25.11. 07:30 "
        "lathe_1 does not work then; now it can begin then" in lines
    )
    root = ET.fromstring((tmp_path / "both.svg").read_text(encoding="utf-8"))
    titles = [e.text or "" for e in root.iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == 2 * 4


def test_a_held_lot_leaves_its_orders_out(run: Any) -> None:
    assert "not planned: A-1" in run("--hold", "L1").output
    assert "not planned: B-1" in run("--hold", "B-1").output


def test_json_for_machines(run: Any) -> None:
    record = json.loads(run("--down", "mill=1 d", "--json").output)
    assert record["scores"]["moved"] == len(record["moves"]) > 0
    assert record["scores"]["cost"] <= record["scores"]["right_shift_cost"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--down", "mil=2 h"), "Did you mean mill"),
        (("--down", "mill"), "quantity|no unit"),
        (("--down", "mill=2"), "has no unit"),
        (("--hold", "L2"), "no lot and no order"),
        (("--frozen", "soon"), "not a quantity"),
    ],
)
def test_what_is_wrong_is_told(run: Any, arguments: tuple[str, ...], words: str) -> None:
    done = run(*arguments)
    assert isinstance(done.exception, ConfigError)
    with pytest.raises(ConfigError, match=words):
        raise done.exception
