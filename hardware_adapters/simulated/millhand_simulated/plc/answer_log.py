"""All answers that the PLC has given, in a file: what really had an effect, and how often."""

from __future__ import annotations

from pathlib import Path

import msgspec

from millhand_simulated.plc.logic import ANSWERS, Outputs


class AnswerLog:
    """Appends a line of JSON for each answer. A scan gives fewer answers than the ring holds."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("ab", buffering=0)
        self._count = 0

    def follow(self, outputs: Outputs) -> None:
        """Write what was answered since the last scan."""
        if outputs.answer_count == self._count:
            return
        new = range(self._count, outputs.answer_count)
        self._count = outputs.answer_count
        lines = [msgspec.json.encode(outputs.answers[number % ANSWERS]) + b"\n" for number in new]
        self._file.write(b"".join(lines))
