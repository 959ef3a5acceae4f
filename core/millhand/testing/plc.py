"""A PLC that is played in memory: its side of the handshake, answering at once."""

from __future__ import annotations

from typing import Any

from millhand.contracts import AnswerCode, Write
from millhand.engine.handshake import RING
from millhand.testing.memory import MemoryTags


class PlayedPlc(MemoryTags):
    """Plays the PLC's side of ``docs/reference/plc-handshake.md``: answers each command once.

    Its tags are named as in the engine: ``trigger.seq``, ``result.id``,
    ``result.answers.code``, ``lease.counter``, ``machine.request``; besides ``state``, ``speed``
    and ``product``. ``answer`` is what it answers; None stays silent.
    """

    def __init__(
        self, *, answer: AnswerCode | None = AnswerCode.ACCEPTED, name: str = "plc"
    ) -> None:
        super().__init__(
            name,
            values={
                "state": 6,
                "speed": 100.0,
                "product": "impeller",
                "trigger.seq": 0,
                "trigger.part_id": "",
                "trigger.product": "impeller",
                "trigger.tick": 0,
                "result.answers.count": 0,
                "result.answers.command_id": [0] * RING,
                "result.answers.part_id": [""] * RING,
                "result.answers.code": [0] * RING,
                "result.answers.tick": [0] * RING,
            },
            on_write=self._take,
        )
        self.answer = answer

    @property
    def commands(self) -> list[dict[str, Any]]:
        """Whole command records in the order in which their ids arrived."""
        found: list[dict[str, Any]] = []
        record: dict[str, Any] = {}
        for write in self.written:
            if write.tag.startswith("result."):
                record[write.tag.removeprefix("result.")] = write.value
                if write.tag == "result.id":
                    found.append(record)
                    record = {}
        return found

    async def part(self, seq: int, part_id: str | None = None, **changes: Any) -> None:
        """Put a part before the camera."""
        record = {"part_id": part_id or f"P{seq}", "tick": seq * 50, **changes, "seq": seq}
        await self.set(**{f"trigger__{name}": value for name, value in record.items()})

    def put_answer(self, command_id: int, part_id: str, code: AnswerCode) -> None:
        """Write one answer into the ring."""
        count = self._count
        record = {"command_id": command_id, "part_id": part_id, "code": int(code), "tick": 1}
        for name, value in record.items():
            ring = list(self._ring(name))
            ring[count % RING] = value
            self.values[f"result.answers.{name}"] = ring
        self.values["result.answers.count"] = count + 1

    def _take(self, write: Write) -> None:
        if write.tag == "result.id" and self.answer is not None:
            assert isinstance(write.value, int)
            self.put_answer(write.value, str(self.values["result.part_id"]), self.answer)

    @property
    def _count(self) -> int:
        count = self.values["result.answers.count"]
        assert isinstance(count, int)
        return count

    def _ring(self, name: str) -> list[Any]:
        ring = self.values[f"result.answers.{name}"]
        assert isinstance(ring, list)
        return ring
