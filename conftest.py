"""For all tests: no run time may report to its maker, and Ctrl-C reaches what they start."""

import signal
from collections.abc import Callable, MutableMapping
from types import ModuleType
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from millhand.models.telemetry import silence

silence()
# A shell starts background jobs with SIGINT ignored, and the processes of tests would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def logged(
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[ModuleType], list[MutableMapping[str, Any]]]:
    """Return what gives all that a module logs from now on, however structlog was configured."""

    def of(module: ModuleType) -> list[MutableMapping[str, Any]]:
        capture = LogCapture()
        log = structlog.wrap_logger(
            None,
            processors=[capture],
            wrapper_class=structlog.BoundLogger,
            context_class=dict,
            cache_logger_on_first_use=False,
        )
        monkeypatch.setattr(module, "log", log)
        return capture.entries

    return of
