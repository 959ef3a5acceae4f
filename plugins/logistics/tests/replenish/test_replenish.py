"""Stock: forecasts that hold on periods held out, orders by hand, and what is wrong by line."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from millhand.errors import ConfigError
from millhand_logistics.replenish.commands.replenish import replenish
from millhand_logistics.replenish.forecast import Outlook, outlook
from millhand_logistics.replenish.model import Stock
from millhand_logistics.replenish.order import propose_all
from millhand_logistics.replenish.reading import load_stock

STORE = """\
millhand_stock: 1
name: spares
demand: demand.csv
service: 95 %
articles:
  - {id: P-1, on_hand: 40, on_order: 20, lead_time: 3, pack: 10, price: 2.5}
  - {id: P-2, on_hand: 5000, lead_time: 1}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "stock.yaml").write_text(STORE)
    draw = np.random.default_rng(1)
    rows = ["article,date,quantity"]
    for week in range(80):
        day = date(2025, 5, 5) + timedelta(weeks=week, days=int(draw.integers(0, 5)))
        for part in draw.integers(5, 15, 2):
            rows.append(f"P-1,{day},{part}")  # noqa: PERF401  two bookings a week
        rows.append(f"P-2,{day},{int(draw.integers(80, 120))}")
    (tmp_path / "demand.csv").write_text("\n".join(rows))
    return tmp_path


def families(seed: int, periods: int) -> dict[str, np.ndarray]:
    draw = np.random.default_rng(seed)
    t = np.arange(periods)
    return {
        "level": np.maximum(0, draw.normal(50, 10, periods)),
        "trend": np.maximum(0, draw.normal(20 + 0.5 * t, 8)),
        "walk": np.maximum(0, 100 + np.cumsum(draw.normal(0, 4, periods))),
        "sparse": draw.poisson(6, periods) * (draw.random(periods) < 0.3),
        "counts": draw.poisson(3, periods).astype(float),
    }


@pytest.mark.parametrize("kind", ["level", "trend", "walk", "sparse", "counts"])
def test_demand_held_out_stays_within_what_was_said(kind: str) -> None:
    inside, errors, naive = [], [], []
    for seed in range(120):
        series = families(seed, 108)[kind].astype(float)
        past, future = series[:104], float(series[104:].sum())
        found = outlook(past, 4)
        inside.append(future <= found.upto(0.9) + 1e-9)
        errors.append(abs(found.mean - future))
        naive.append(abs(4 * past[-1] - future))
    # 90 % were promised; less three sigma of a binomial on 120 series.
    assert np.mean(inside) > 0.82
    # Of a random walk nothing is known but its last value.
    assert np.mean(errors) < np.mean(naive) * (1.1 if kind == "walk" else 1.0)


def test_finite_samples_are_allowed_for() -> None:
    found = Outlook("x", 0.0, np.arange(1.0, 20.0))
    assert found.upto(0.95) == 19.0
    assert found.upto(0.5) == 10.0
    assert found.beyond(19.0) == 0.0
    assert found.beyond(9.5) == 10 / 19


@pytest.mark.parametrize(
    "history", [[], [3.0], [0.0] * 40, [5.0] * 40, [0, 0, 9] * 12, list(range(40))]
)
def test_odd_histories_give_finite_numbers(history: list[float]) -> None:
    found = outlook(np.array(history, float), 4)
    assert np.isfinite(found.totals).all()
    assert np.isfinite(found.mean)
    assert found.mean >= 0
    assert found.upto(0.95) >= 0


def test_an_order_by_hand() -> None:
    stock = Stock.model_validate(
        {"millhand_stock": 1, "demand": "d.csv", "service": "95 %", "review": 1,
         "articles": [{"id": "a", "on_hand": 30, "reserved": 5, "lead_time": 2, "pack": 12,
                       "price": 2}]}
    )  # fmt: skip
    (found,) = propose_all(stock, {"a": np.full(50, 10.0)})
    # Ten a week, three weeks: below 30 an order is due, up to 40: 15 more, which are two packs.
    assert (found.position, found.reorder_below) == (25.0, pytest.approx(30.0))
    assert (found.order, found.value) == (24.0, 48.0)
    assert (found.risk, found.risk_if_waiting) == (0.0, 1.0)


def test_weeks_begin_on_monday_and_gaps_are_zero(folder: Path) -> None:
    rows = ["article;date;quantity", "P-1;2026-11-22;1", "P-1;2026-11-23;2", "P-1;2026-11-29;3",
            "P-1;2026-12-07;4", "X;2026-12-07;9"]  # fmt: skip
    (folder / "demand.csv").write_text("\n".join(rows))
    _, demand = load_stock(folder / "stock.yaml")
    assert demand["P-1"].tolist() == [1.0, 5.0, 0.0, 4.0]
    assert demand["P-2"].tolist() == []


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "words"),
    [
        ("stock.yaml", "lead_time: 3", "lead_time: -3", 6, "at least 0"),
        ("stock.yaml", "id: P-2", "id: P-1", 7, "P-1 stands here twice"),
        ("stock.yaml", "pack: 10", "pack: 0", 6, "above 0"),
        ("stock.yaml", "95 %", "95", 4, "no unit"),
        ("demand.csv", "article,date", "article,day", 1, "“day” is not known"),
        ("demand.csv", "P-1,2025-05-", "P-1,2025-13-", 2, "no date"),
    ],
)
def test_what_is_wrong_is_told_by_line(
    folder: Path, file: str, old: str, new: str, line: int, words: str
) -> None:
    path = folder / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError) as caught:
        load_stock(folder / "stock.yaml")
    first = caught.value.problems[0]
    assert (Path(first.place.file).name, first.place.line) == (file, line)
    assert words in str(first)


def test_negative_demand_and_paths_out_are_refused(folder: Path) -> None:
    (folder / "demand.csv").write_text("article,date,quantity\nP-1,2026-11-23,-4\n")
    with pytest.raises(ConfigError, match="below 0"):
        load_stock(folder / "stock.yaml")
    (folder / "stock.yaml").write_text(STORE.replace("demand.csv", "../demand.csv"))
    with pytest.raises(ConfigError, match="leads out"):
        load_stock(folder / "stock.yaml")


def test_articles_may_stand_in_csv(folder: Path) -> None:
    (folder / "stock.yaml").write_text(
        STORE.split("articles:", maxsplit=1)[0] + "articles_from: articles.csv\n"
    )
    (folder / "articles.csv").write_text("id,on_hand,lead_time\nP-1,40,3\nP-2,10,1\n")
    stock, _ = load_stock(folder / "stock.yaml")
    assert [a.lead_time for a in stock.articles] == [3, 1]
    (folder / "articles.csv").write_text("id,on_hand,lead_time\nP-1,40,3\nP-2,-1,1\n")
    with pytest.raises(ConfigError, match=r"articles\.csv:3"):
        load_stock(folder / "stock.yaml")


def run(folder: Path, *arguments: str) -> Any:
    return CliRunner().invoke(
        replenish, [str(folder / "stock.yaml"), *arguments], standalone_mode=False
    )


def test_the_command_shows_what_to_order(folder: Path) -> None:
    done = run(folder)
    assert "P-1" in done.output
    assert "P-2" not in done.output
    assert "1 article to order" in done.output
    assert "P-2" in run(folder, "--all").output
    records = [json.loads(line) for line in run(folder, "--json").output.splitlines()]
    first = next(r for r in records if r["article"] == "P-1")
    assert first["order"] % 10 == 0
    assert first["order"] >= first["reorder_below"] - first["position"]
    sheet = folder / "orders.csv"
    run(folder, "--csv", str(sheet))
    (row,) = csv.DictReader(sheet.read_text(encoding="utf-8").splitlines())
    assert (row["article"], float(row["order"])) == ("P-1", first["order"])


def test_no_cell_becomes_a_formula(folder: Path) -> None:
    (folder / "stock.yaml").write_text(STORE.replace("id: P-1", "id: '=1+1'"))
    demand = (folder / "demand.csv").read_text()
    (folder / "demand.csv").write_text(demand.replace("P-1", "=1+1"))
    sheet = folder / "orders.csv"
    run(folder, "--csv", str(sheet))
    assert "\n'=1+1," in sheet.read_text(encoding="utf-8").replace("\r\n", "\n")
