"""A log that cannot be written stops nobody."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="Linux has a device that is full")
def test_a_log_on_a_full_disk_fails_nobody() -> None:
    code = (
        "from millhand.cli.logs import configure_logs\n"
        "import logging, structlog\n"
        "configure_logs(verbose=True)\n"
        "for _ in range(3000): structlog.get_logger().warning('full', x='y' * 100)\n"
        "logging.getLogger().warning('full too')\n"
        "print('went on')\n"
    )
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=full, text=True,
            timeout=60, check=False,
        )  # fmt: skip
    assert done.stdout == "went on\n"
