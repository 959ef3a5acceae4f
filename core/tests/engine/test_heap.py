"""Memory that is freed goes back to the system: a busy minute does not leave a cell bigger."""

from __future__ import annotations

import subprocess
import sys

import pytest

BUSY = """
import random, sys, threading, time
from pathlib import Path
from millhand.heap import keep_heap_small

kept = []

def resident_kb():
    status = Path("/proc/self/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon")))

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
after = resident_kb()
assert keep_heap_small(every_s=0.02)
while resident_kb() > 0.5 * after:
    time.sleep(0.02)
print(after, resident_kb())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs glibc")
def test_what_pictures_took_is_given_back() -> None:
    command = [sys.executable, "-c", BUSY]
    shown = subprocess.run(command, check=True, capture_output=True, timeout=60).stdout
    after, later = map(int, shown.split())
    assert later < 0.5 * after
