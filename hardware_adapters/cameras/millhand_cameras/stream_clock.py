"""When a picture of a running stream was exposed, told from its own time and when it came."""

from __future__ import annotations

_DRIFT_PPM = 200
"""How far the clocks of camera and computer may run apart."""
_WAITED_SHARE = 0.25
"""A picture that had to be waited for, so much of a period, was not lying in a buffer."""
_LOST_FROM = 1.5
"""A step of so many periods between two pictures means that some between were lost."""


class StreamClock:
    """Lays a stream's time over this computer's clock.

    Pictures come late and never early, so that the least distance seen between arrival and stream
    time is the truest one (the lower envelope of one-way delays, as in RFC 5905, section 10, with
    drift allowed for). Pictures of a backlog, right after opening or after a stall, are so known to
    be old, although they come now.
    """

    def __init__(self) -> None:
        self.lost = 0
        """Pictures that are missing by the stream's own times, since it was last set to 0."""
        self._least_ns: float | None = None
        self._last_ns = 0
        self._last_ms = 0.0
        self._period_ms = 0.0
        self._flowing = False

    def exposed_ns(self, arrived_ns: int, at_ms: float, waited_ns: int) -> int | None:
        """Return when a picture left the camera, None where a backlog is still being drained.

        Args:
            arrived_ns: monotonic time of its arrival.
            at_ms: its time in the stream; 0 or less where the stream has none.
            waited_ns: how long it was waited for.
        """
        if at_ms <= 0 and self._last_ms <= 0:
            # The first picture of a stream with times also stands at 0; the second tells.
            first, self._last_ns = self._last_ns == 0, arrived_ns
            return None if first else arrived_ns
        self._count(at_ms)
        if waited_ns >= _WAITED_SHARE * self._period_ms * 1e6 > 0:
            self._flowing = True
        distance = arrived_ns - at_ms * 1e6
        drift_ns = (arrived_ns - self._last_ns) * _DRIFT_PPM / 1e6
        before = distance if self._least_ns is None else self._least_ns + drift_ns
        self._least_ns = min(distance, before)
        self._last_ns = arrived_ns
        return round(min(arrived_ns, self._least_ns + at_ms * 1e6)) if self._flowing else None

    def _count(self, at_ms: float) -> None:
        step_ms, self._last_ms = at_ms - self._last_ms, at_ms
        if step_ms <= 0:
            return
        if self._period_ms and step_ms > _LOST_FROM * self._period_ms:
            self.lost += round(step_ms / self._period_ms) - 1
        else:
            self._period_ms = step_ms
