"""For all tests: no run time may report to its maker."""

from millhand.models.telemetry import silence

silence()
