"""``millhand plan``, as a person calls it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from click.testing import CliRunner

from millhand_logistics.schedule.commands.plan import plan


@pytest.fixture
def shop_file(tmp_path: Path, shop_yaml: str) -> Path:
    file = tmp_path / "shop.yaml"
    file.write_text(shop_yaml, encoding="utf-8")
    return file


def run(*arguments: str | Path):
    return CliRunner().invoke(plan, [str(a) for a in arguments], standalone_mode=False)


def test_shows_the_plan_with_reasons(shop_file: Path) -> None:
    done = run(shop_file)
    assert done.return_value == 0
    lines = [" ".join(line.split()) for line in done.output.splitlines()]
    assert "Wed 25.11. 09:00 Wed 25.11. 10:00 mill A-1 mill waits for A-1/turn" in lines
    assert "Proposed by MWKR at a cost of 28.8." in done.output


def test_tells_what_is_late_and_what_is_not_planned(shop_file: Path, shop_yaml: str) -> None:
    late = shop_yaml.replace("due: 2026-11-25T16:00", "due: 2026-11-25T09:00")
    shop_file.write_text(late.replace("product: housing", "hold: drawing missing"))
    done = run(shop_file)
    assert done.return_value == 1
    assert "A-1 is late by 1.0 h. It could not be met even in an empty shop." in done.output
    assert "B-1 is not planned. Held: drawing missing" in done.output


def test_writes_a_picture_that_shows_every_operation(shop_file: Path) -> None:
    picture = shop_file.with_suffix(".svg")
    assert run(shop_file, "--gantt", picture).return_value == 0
    root = ET.fromstring(picture.read_text(encoding="utf-8"))
    titles = [e.text or "" for e in root.iter("{http://www.w3.org/2000/svg}title")]
    assert [t.split(":")[0] for t in titles] == ["A-1/turn", "A-1/mill", "B-1/turn", "B-1/mill"]


def test_json_for_machines(shop_file: Path) -> None:
    done = run(shop_file, "--json", "--now", "2026-11-25T12:00")
    record = json.loads(done.output)
    assert record["operations"][0]["begin"] == "2026-11-25T11:00:00+00:00"
    assert record["cost"] == min(record["tried"].values())


def test_a_hostile_name_stays_text_in_the_picture(shop_file: Path, shop_yaml: str) -> None:
    shop_file.write_text(shop_yaml.replace("id: A-1", "id: '<script>x</script>'"))
    picture = shop_file.with_suffix(".svg")
    run(shop_file, "--gantt", picture)
    assert "<script" not in picture.read_text(encoding="utf-8")
