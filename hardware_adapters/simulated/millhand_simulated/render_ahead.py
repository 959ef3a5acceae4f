"""Pictures of the line's next parts, rendered in a thread before they are asked for.

A real camera takes no processor time from the cell's computer. So the next parts are rendered
while nothing else is going on: not at once after an exposure, when the agent decides.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from concurrent.futures import Future, InvalidStateError
from contextlib import suppress
from threading import Condition, Thread
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from structlog import get_logger

from millhand.errors import Unavailable
from millhand.journal.blobs import frame_hash
from millhand.messages import tr
from millhand_simulated.parts.truth import StationConfig, photograph
from millhand_simulated.plc.line import LinePlan

log = get_logger(__name__)


class Shot(NamedTuple):
    """A picture with its name."""

    pixels: NDArray[np.uint8]
    sha256: str


class RenderAhead:
    """Renders the parts of a line, those asked for first, then those that come next.

    Args:
        plan: the line.
        station: light and picture.
        ahead: how many parts beyond the last one asked for are kept ready.
        pause_s: rest after each asking before rendering ahead.
    """

    def __init__(
        self, plan: LinePlan, station: StationConfig, *, ahead: int, pause_s: float
    ) -> None:
        self._plan = plan
        self._station = station
        self._ahead = ahead
        self._pause_s = pause_s
        self._changed = Condition()
        self._shots: OrderedDict[int, Future[Shot]] = OrderedDict()
        self._asked: OrderedDict[int, None] = OrderedDict()
        self._next: OrderedDict[int, None] = OrderedDict()
        self._rest_until = 0.0
        self._closing = False
        self._thread = Thread(target=self._work, name="render-ahead", daemon=True)

    def start(self) -> None:
        """Begin with the first parts of the line."""
        self._follow(0)
        self._thread.start()

    def close(self) -> None:
        """End the thread and give up what was not rendered; returns when the thread has ended."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        if self._thread.ident is not None:
            self._thread.join()
        for shot in self._shots.values():
            _settle(shot, Unavailable(tr("The camera was closed.")))
        self._shots.clear()

    def ask(self, number: int) -> Future[Shot]:
        """Return the picture of a part, rendered next if it is not there yet. Does not block."""
        with self._changed:
            shot = self._shots.get(number)
            if shot is None:
                shot = self._shots[number] = Future()
                self._asked[number] = None
            elif number in self._next:
                self._asked[number] = None
            self._follow(number)
            self._rest_until = time.monotonic() + self._pause_s
            self._changed.notify()
        return shot

    def _follow(self, number: int) -> None:
        """Move the window of pictures that are kept so that it follows the part ``number``."""
        window = range(number + 1, min(number + self._ahead, len(self._plan)) + 1)
        kept = {number, *window, *self._asked}
        for old in [known for known in self._shots if known not in kept]:
            del self._shots[old]
        self._next.clear()
        for known in window:
            if known not in self._shots:
                self._shots[known] = Future()
            if not self._shots[known].done() and known not in self._asked:
                self._next[known] = None

    def _take(self) -> tuple[int, Future[Shot]] | None:
        """Wait for the next part to render; None when closing."""
        with self._changed:
            while not self._closing:
                rest = self._rest_until - time.monotonic()
                if self._asked:
                    number, _ = self._asked.popitem(last=False)
                elif self._next and rest <= 0:
                    number, _ = self._next.popitem(last=False)
                else:
                    self._changed.wait(rest if self._next else None)
                    continue
                shot = self._shots.get(number)
                if shot is not None and not shot.done():
                    return number, shot
            return None

    def _work(self) -> None:
        while (task := self._take()) is not None:
            number, shot = task
            try:
                pixels = photograph(self._plan.part(number), self._station)
                _settle(shot, Shot(pixels, frame_hash(pixels)))
            except Exception as error:
                log.exception("part cannot be rendered", number=number)
                _settle(shot, error)


def _settle(shot: Future[Shot], outcome: Shot | Exception) -> None:
    """Give a future its outcome, unless closing has already given it one."""
    with suppress(InvalidStateError):
        if isinstance(outcome, Exception):
            shot.set_exception(outcome)
        else:
            shot.set_result(outcome)
