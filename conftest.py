"""For all tests: no run time may report to its maker, and Ctrl-C reaches what they start."""

import signal

from millhand.models.telemetry import silence

silence()
# A shell starts background jobs with SIGINT ignored, and the processes of tests would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
