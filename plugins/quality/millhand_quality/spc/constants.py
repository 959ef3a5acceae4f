"""Constants of control charts for samples from a normal distribution.

Mean and standard deviation of the range of ``n`` values of unit variance, as in ASTM MNL 7A,
"Manual on Presentation of Data and Control Chart Analysis", table 49, and ISO 7870-2:2013,
table 2; the factors A2, D3 and D4 follow from them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

LARGEST_SUBGROUP = 10
"""Beyond ten values a range tells little more of the spread; a standard deviation is due."""

_D2 = (1.12838, 1.69257, 2.05875, 2.32593, 2.53441, 2.70436, 2.84720, 2.97003, 3.07751)
_D3 = (0.85250, 0.88837, 0.87981, 0.86408, 0.84804, 0.83321, 0.81983, 0.80783, 0.79705)


@dataclass(frozen=True, slots=True)
class Factors:
    """What turns a mean range of ``n`` values into limits at three standard errors."""

    n: int
    d2: float
    """Mean of the range, in standard deviations of a value."""
    d3: float
    """Standard deviation of the range."""

    @property
    def a2(self) -> float:
        """Mean range to the distance of a mean's limits from its centre."""
        return 3 / (self.d2 * math.sqrt(self.n))

    @property
    def lower(self) -> float:
        """D3: mean range to the range's lower limit."""
        return max(0.0, 1 - 3 * self.d3 / self.d2)

    @property
    def upper(self) -> float:
        """D4: mean range to the range's upper limit."""
        return 1 + 3 * self.d3 / self.d2


def factors(n: int) -> Factors:
    """Return the factors for subgroups of ``n`` values; moving ranges are those of two.

    Raises:
        ValueError: ``n`` is not within 2 … 10.
    """
    if not 2 <= n <= LARGEST_SUBGROUP:
        raise ValueError(f"subgroups of {n} have no range chart")
    return Factors(n, _D2[n - 2], _D3[n - 2])
