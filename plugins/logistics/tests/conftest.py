"""Shops to plan."""

from __future__ import annotations

import pytest

SHOP = """\
millhand_shop: 1
name: pumps
time_zone: Europe/Berlin
now: 2026-11-25T07:30
calendars:
  two_shifts:
    shifts:
      - {days: mon-fri, from: "06:00", to: "22:00"}
machines:
  lathe_1: {calendar: two_shifts, family: steel}
  lathe_2: {calendar: two_shifts}
  mill: {calendar: two_shifts, down: [{from: 2026-11-25T10:00, to: 2026-11-25T13:00, why: spindle}]}
setups:
  - {from: steel, to: brass, time: 30 min}
  - {from: brass, to: steel, time: 45 min}
materials:
  bar: {unit: m, on_hand: 10, receipts: [{at: 2026-11-26T08:00, quantity: 20}]}
orders:
  - id: A-1
    product: impeller
    due: 2026-11-25T16:00
    weight: 2
    lot: L1
    operations:
      - {id: turn, machines: {lathe_1: 90 min, lathe_2: 120 min}, family: steel, needs: {bar: 8}}
      - {id: mill, machine: mill, time: 60 min}
  - id: B-1
    product: housing
    due: 2026-11-27T16:00
    operations:
      - {id: turn, machine: lathe_1, time: 200 min, family: brass, needs: {bar: 8}}
      - {id: mill, machine: mill, time: 60 min, interruptible: false}
"""


@pytest.fixture
def shop_yaml() -> str:
    return SHOP
