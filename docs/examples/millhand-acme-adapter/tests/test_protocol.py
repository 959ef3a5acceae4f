"""Lines of the scale, read."""

from __future__ import annotations

import pytest
from millhand_acme_adapter.protocol import answer

from millhand.contracts import Quality


@pytest.mark.parametrize(
    ("line", "value", "quality"),
    [
        (b"S S     500.00 g\r\n", 500.0, Quality.GOOD),
        (b"S D     499.20 g\r\n", 499.2, Quality.UNCERTAIN),
        (b"S +\r\n", None, Quality.BAD),
        (b"S I\r\n", None, Quality.BAD),
        (b"S S 0.50 kg\r\n", None, Quality.BAD),
        (b"S S nan g\r\n", None, Quality.BAD),
        (b"TA A 0.00 g\r\n", None, Quality.BAD),
        (b"\xff\xfe\r\n", None, Quality.BAD),
        (b"", None, Quality.BAD),
    ],
)
def test_an_answer_is_a_value_with_its_quality(line, value, quality) -> None:
    assert answer("weight", line, "g")[:2] == (value, quality)
