"""Pages set upright, places given back on the page as it came in, rules painted over."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from millhand.errors import ConfigError
from millhand_admin.made.companies import made_invoice
from millhand_admin.made.layouts import PLAIN
from millhand_admin.made.sheet import draw
from millhand_admin.paper.fact import Box
from millhand_admin.reading.ocr.prepare import without_rules
from millhand_admin.reading.ocr.straighten import skew, straightened
from millhand_admin.reading.page import Turn


@pytest.fixture(scope="module")
def sheet() -> np.ndarray:
    try:
        return np.asarray(draw(made_invoice("en", 3), PLAIN).resize((827, 1170)))
    except ConfigError as error:  # no font
        pytest.skip(str(error))


@pytest.mark.parametrize("degrees", [-4.0, -1.2, 0.0, 2.5])
def test_lines_are_made_level(sheet: np.ndarray, degrees: float) -> None:
    from PIL import Image

    askew = np.asarray(Image.fromarray(sheet).rotate(degrees, fillcolor=250))
    assert skew(askew) == pytest.approx(-degrees, abs=0.25)
    upright, turn = straightened(askew)
    assert abs(skew(upright)) <= 0.25
    assert (turn is None) is (degrees == 0.0)


@given(
    quarters=st.integers(0, 3),
    degrees=st.floats(-7, 7),
    aspect=st.floats(0.5, 2),
    x=st.floats(0.3, 0.6),
    y=st.floats(0.3, 0.6),
    wide=st.floats(0.02, 0.1),
    high=st.floats(0.005, 0.03),
)
def test_a_place_goes_there_and_back(
    quarters: int, degrees: float, aspect: float, x: float, y: float, wide: float, high: float
) -> None:
    turn = Turn(quarters, degrees, aspect)
    box = Box(left=x, right=x + wide, top=y, bottom=y + high)
    back = turn.redone(turn.undone(box))
    for name in ("left", "right", "top", "bottom"):
        assert getattr(back, name) == pytest.approx(getattr(box, name), abs=1e-6)


def test_a_quarter_turn_by_hand() -> None:
    # Turned once counterclockwise, what was at the upper right is at the upper left.
    box = Turn(1, 0.0, 1.4).undone(Box(left=0, right=0.1, top=0, bottom=0.2))
    assert (box.left, box.right) == pytest.approx((0.8, 1.0))
    assert (box.top, box.bottom) == pytest.approx((0.0, 0.1))


def test_rules_go_and_letters_stay() -> None:
    page = np.full((1000, 800), 250, np.uint8)
    page[200:203, 100:700] = 40  # a level rule
    page[200:600, 400:402] = 40  # an upright one
    page[300:320, 150:153] = 40  # a stroke of a letter
    clean = without_rules(page)
    assert clean[195:210, 120:390].min() > 200
    assert clean[300:590, 395:410].min() > 200
    assert clean[302:318, 150:153].max() < 60
