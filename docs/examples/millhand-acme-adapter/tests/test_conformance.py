"""The kit for ``Tags``, on a toy scale in a process of its own."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from millhand_acme_adapter.adapter import Scale
from millhand_acme_adapter.config import ScaleConfig, ScaleTag

from millhand.contracts import Quality, Value
from millhand.testing import PeerProcess
from millhand.testing.conformance import TagCase, TagsBench, TagsCapability, TagsKit


class ScaleBench(TagsBench):
    device = "scale"
    cases: ClassVar[Mapping[str, TagCase]] = {
        "tare": TagCase("tare", (12.5, 100.0, 0.0), (-1.0, 1e9, math.nan, "12", True, None)),
        "weight": TagCase("weight", (500.0, -0.25), writable=False),
    }
    counter, second, judged = "tare", "weight", "weight"
    quick: ClassVar[Mapping[str, Any]] = {"timeout_s": 0.3}

    def __init__(self, peer: PeerProcess) -> None:
        self.peer = peer

    async def ready(self) -> None:
        self.peer.thaw()
        if not self.peer.alive:
            self.peer.start()
        self.peer.ask(do="forget")
        await self.set("weight", 500.0)

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.peer.port

    def adapter(
        self, tags: Mapping[str, Any], address: tuple[str, int] | None = None, **options: Any
    ) -> Scale:
        host, port = address or self.address
        valid = {name: ScaleTag.model_validate(tag) for name, tag in tags.items()}
        return Scale(self.device, ScaleConfig(host=host, port=port, **options), valid)

    async def set(self, tag: str, value: Value, quality: Quality = Quality.GOOD) -> None:
        self.peer.ask(do="set", tag=tag, value=value, quality=str(quality))

    async def written(self, tag: str) -> Sequence[Value]:
        (values,) = self.peer.ask(do="written")
        return values if tag == "tare" else []

    async def kill(self) -> None:
        self.peer.kill()

    async def restart(self, *, reordered: bool = False) -> None:
        self.peer.start()

    async def freeze(self) -> None:
        self.peer.freeze()

    async def thaw(self) -> None:
        self.peer.thaw()


class TestScale(TagsKit):
    subject, peer = "acme.scale", "a toy scale in a process of its own"
    lacks: ClassVar[Mapping[str, str]] = {
        TagsCapability.SEVERAL: "only the tare can be written",
        TagsCapability.NOT_FINITE: "the protocol writes numbers as digits",
        TagsCapability.GHOST: "every scale has the two values there are",
        TagsCapability.REORDER: "a scale has no names that could be numbered anew",
        TagsCapability.SECURITY: "the protocol has neither users nor certificates",
    }

    @pytest.fixture
    def bench(self, scale_process: PeerProcess) -> ScaleBench:
        return ScaleBench(scale_process)


@pytest.fixture(scope="module")
def scale_process() -> Iterator[PeerProcess]:
    peer = PeerProcess(sys.executable, str(Path(__file__).parent / "toy_scale.py"))
    yield peer
    peer.kill()
