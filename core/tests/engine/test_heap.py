"""Memory that is freed goes back to the system: a busy minute does not leave a cell bigger."""

from __future__ import annotations

import subprocess
import sys

import pytest

BUSY = """
import random, sys, threading
from pathlib import Path
from millhand.heap import keep_heap_small

if sys.argv[1] == "kept-small":
    assert keep_heap_small()
kept = []

def work(seed):
    dice = random.Random(seed)
    for _ in range(15):
        pictures = [b"x" * dice.randrange(130_000, 3_000_000) for _ in range(6)]
        kept.append(b"y" * 5_000)  # what lives on between the pictures

for seed in range(2):
    threads = [threading.Thread(target=work, args=(seed * 8 + one,)) for one in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon")))
"""


def resident_kb(how: str) -> int:
    command = [sys.executable, "-c", BUSY, how]
    return int(subprocess.run(command, check=True, capture_output=True, timeout=120).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs glibc's settings")
def test_what_pictures_took_is_given_back() -> None:
    assert resident_kb("kept-small") < 0.5 * resident_kb("as-it-comes")
