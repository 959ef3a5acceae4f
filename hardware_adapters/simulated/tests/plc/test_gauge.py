"""The gauge: the same part has the same bore, spread as asked, and a tool that wears."""

from __future__ import annotations

from statistics import fmean, stdev

import pytest

from millhand_simulated.plc.gauge import Gauge, GaugeConfig
from millhand_simulated.plc.line import LineConfig, LinePlan

LINE = LinePlan(LineConfig(parts=4000))


def bores(gauge: Gauge, product: str) -> list[float]:
    parts = (LINE.part(number) for number in range(1, 4001))
    return [gauge.bore(part) for part in parts if part.product == product]


def test_bores_spread_about_their_product_as_asked() -> None:
    gauge = Gauge(GaugeConfig(sigma=0.004))
    for product, nominal in (("impeller", 12.0), ("housing", 40.0)):
        found = bores(gauge, product)
        assert fmean(found) == pytest.approx(nominal, abs=4 * 0.004 / len(found) ** 0.5)
        assert stdev(found) == pytest.approx(0.004, rel=0.08)


def test_a_part_has_one_bore() -> None:
    first, second = Gauge(GaugeConfig()), Gauge(GaugeConfig())
    parts = [LINE.part(number) for number in (1, 2, 3, 1)]
    assert [first.bore(part) for part in parts] == [second.bore(part) for part in parts]
    assert first.bore(parts[0]) == first.bore(parts[3])


def test_a_worn_tool_moves_the_bore_from_its_part_on() -> None:
    sharp = Gauge(GaugeConfig())
    worn = Gauge(GaugeConfig(worn_from=101, wear_per_part=-0.001))
    moved = [worn.bore(LINE.part(n)) - sharp.bore(LINE.part(n)) for n in (1, 100, 101, 110)]
    assert moved == pytest.approx([0, 0, -0.001, -0.010], abs=1e-9)
