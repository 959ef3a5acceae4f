"""The thread that keeps a live camera's pictures flowing, so that none is older than it seems."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Lock, Thread
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from millhand.errors import Unavailable
from millhand_cameras.config import LiveConfig
from millhand_cameras.decode import to_pixels
from millhand_cameras.source import unreadable
from millhand_cameras.stream_clock import StreamClock


class Stream(Protocol):
    """An open camera. Used from one thread only; all methods block."""

    def grab(self) -> bool:
        """Wait for the next picture; False where none comes any more."""
        ...

    def position_ms(self) -> float:
        """Return the picture's time in the stream; 0 where it has none."""
        ...

    def retrieve(self) -> NDArray[np.uint8]:
        """Return the picture grabbed last, ``(height, width, 3)`` RGB."""
        ...

    def close(self) -> None:
        """Let go of the camera."""
        ...


class Shot(NamedTuple):
    """A picture that was asked for."""

    pixels: NDArray[np.uint8]
    exposed_utc_ns: int
    exposed_monotonic_ns: int
    lost: int
    """Pictures lost since the one before that was asked for."""


@dataclass(slots=True, eq=False)
class Wish:
    """Somebody who waits for a picture that is no older than ``not_before_ns``."""

    not_before_ns: int
    deliver: Callable[[Shot | Exception], None]
    """Called once, from the thread."""


class Grabber:
    """Grabs every picture of a stream and hands out those that are wished for, one to a wish."""

    def __init__(self, name: str, config: LiveConfig) -> None:
        self._config = config
        self._wishes: deque[Wish] = deque()
        self._lock = Lock()
        self._stop = Event()
        self._latency_ns = int(config.latency_ms * 1e6)
        self._name = name
        self._thread: Thread | None = None

    def start(self, work: Callable[[], None], ended: Callable[[], None]) -> None:
        """Run ``work`` in the thread, then ``ended``."""

        def run() -> None:
            try:
                work()
            finally:
                ended()

        self._thread = Thread(target=run, name=f"camera-{self._name}", daemon=True)
        self._thread.start()

    @property
    def stopping(self) -> bool:
        """Whether the thread shall end."""
        return self._stop.is_set()

    def stop(self) -> None:
        """Let the thread end after the picture that it waits for."""
        self._stop.set()

    def pause(self, seconds: float) -> None:
        """Wait in the thread, but not longer than until it shall end."""
        self._stop.wait(seconds)

    def wish(self, wish: Wish) -> None:
        """Wish for a picture."""
        with self._lock:
            self._wishes.append(wish)

    def forget(self, wish: Wish) -> None:
        """Take a wish back."""
        with self._lock:
            if wish in self._wishes:
                self._wishes.remove(wish)

    def follow(self, stream: Stream, came: Callable[[], None]) -> None:
        """Grab until the stream ends or the thread shall; ``came`` is called at each picture."""
        clock = StreamClock()
        while not self.stopping:
            asked_ns = time.monotonic_ns()
            if not stream.grab():
                return
            arrived_ns = time.monotonic_ns()
            left_ns = clock.exposed_ns(arrived_ns, stream.position_ms(), arrived_ns - asked_ns)
            came()
            if left_ns is None:
                continue
            exposed_ns = left_ns - self._latency_ns
            wish = self._due(exposed_ns)
            if wish is not None:
                lost, clock.lost = clock.lost, 0
                wish.deliver(self._shot(stream, exposed_ns, lost))

    def _due(self, exposed_ns: int) -> Wish | None:
        with self._lock:
            if self._wishes and exposed_ns >= self._wishes[0].not_before_ns:
                return self._wishes.popleft()
        return None

    def _shot(self, stream: Stream, exposed_ns: int, lost: int) -> Shot | Exception:
        exposed_utc_ns = time.time_ns() - (time.monotonic_ns() - exposed_ns)
        try:
            pixels = to_pixels(Image.fromarray(stream.retrieve()), self._config)
        except Unavailable as error:
            return error
        except (ValueError, OSError) as error:
            return unreadable(self._name, error)
        return Shot(pixels, exposed_utc_ns, exposed_ns, lost)
