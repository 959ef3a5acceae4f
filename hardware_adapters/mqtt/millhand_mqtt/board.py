"""The last word on every tag, and who wants to hear the next one."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from millhand.batches import BatchQueue
from millhand.contracts import Health, Link, Quality, Sample
from millhand.messages import tr
from millhand_mqtt.config import MqttTag
from millhand_mqtt.payloads import parse, read
from millhand_mqtt.session import Message


class Board:
    """Holds a sample for each tag; lives on the loop, never waits.

    MQTT has no reading: what a tag is, its topic's last message says. A value of an earlier
    session is stale until a message comes, because what happened in between was not heard.
    """

    def __init__(self, tags: Mapping[str, MqttTag], queue_limit: int) -> None:
        self.dropped = 0
        self._tags = dict(tags)
        self._queue_limit = queue_limit
        self._by_topic: dict[str, list[str]] = defaultdict(list)
        for name, tag in self._tags.items():
            self._by_topic[tag.topic].append(name)
        self._samples: dict[str, Sample] = {}
        self._missing: set[str] = set()
        """Topics that sent nothing in this session."""
        self._all_heard = asyncio.Event()
        self._health = Health(link=Link.CONNECTING)
        self._epoch = 0
        self._up = False
        self._feeds: dict[BatchQueue, frozenset[str]] = {}

    @property
    def topics(self) -> Sequence[str]:
        """The topics of all tags."""
        return list(self._by_topic)

    # --- the link ---

    def begin(self, epoch: int) -> None:
        """Begin a session: what was known is of an earlier one."""
        self._epoch = epoch
        self._missing = set(self._by_topic)
        self._all_heard.clear()
        self._samples = {
            name: _aged(sample, tr("of an earlier connection"))
            for name, sample in self._samples.items()
        }

    async def settle(self, longest_s: float) -> None:
        """Return when all topics have sent what the broker kept, or in time."""
        if not self._missing:
            return
        try:
            async with asyncio.timeout(longest_s):
                await self._all_heard.wait()
        except TimeoutError:
            return

    def link_changed(self, health: Health) -> None:
        """Tell all feeds that the link went or came."""
        self._health = health
        up = health.link is Link.UP
        if up is self._up:
            return
        self._up = up
        for queue, names in self._feeds.items():
            queue.put(self.now(sorted(names), initial=up, gap=up))

    # --- messages ---

    def arrived(self, message: Message) -> None:
        """Take a message; whoever waits for one of its tags gets what changed."""
        names = self._by_topic.get(message.topic)
        if names is None:
            return
        document = parse(message.payload)
        changed: dict[str, Sample] = {}
        for name in names:
            sample = self._sample(name, message, document)
            before = self._samples.get(name)
            self._samples[name] = sample
            if before is None or _differs(before, sample):
                changed[name] = sample
        if message.topic in self._missing:
            self._missing.discard(message.topic)
            if not self._missing:
                self._all_heard.set()
        self._spread(changed)

    def _sample(self, name: str, message: Message, document: object) -> Sample:
        reading = read(self._tags[name], message.payload, document)
        return Sample(
            tag=name,
            value=reading.value,
            quality=reading.quality,
            note=reading.note,
            source_utc_ns=reading.source_utc_ns,
            received_utc_ns=message.utc_ns,
            received_monotonic_ns=message.monotonic_ns,
            initial=message.retained,
            epoch=self._epoch,
        )

    def grow_stale(self) -> None:
        """Tell of values that have become too old."""
        now = time.monotonic_ns()
        changed = {}
        for name, sample in self._samples.items():
            limit_s = self._tags[name].stale_after_s
            if limit_s is None or sample.quality not in (Quality.GOOD, Quality.UNCERTAIN):
                continue
            if now - sample.received_monotonic_ns > limit_s * 1e9:
                changed[name] = self._samples[name] = _aged(sample, tr("nothing came since"))
        self._spread(changed)

    @property
    def stale_period_s(self) -> float | None:
        """How often :meth:`grow_stale` should be called; None where no tag ages."""
        limits = [tag.stale_after_s for tag in self._tags.values() if tag.stale_after_s]
        return max(0.01, min(limits) / 4) if limits else None

    # --- readers ---

    def now(
        self, names: Sequence[str], *, initial: bool = False, gap: bool = False
    ) -> list[Sample]:
        """Return one sample for each name as things stand."""
        return [self._present(name, initial=initial, gap=gap) for name in names]

    def _present(self, name: str, *, initial: bool, gap: bool) -> Sample:
        known = self._samples.get(name)
        if known is None or not self._up:
            utc_ns, monotonic_ns = time.time_ns(), time.monotonic_ns()
            unknown = name not in self._tags
            quality = Quality.BAD if unknown or self._up else Quality.DISCONNECTED
            if unknown:
                note = tr("no such tag in the scenario")
            else:
                note = tr("no message came yet") if self._up else self._health.detail
            return Sample(
                tag=name,
                quality=quality,
                note=note,
                received_utc_ns=utc_ns,
                received_monotonic_ns=monotonic_ns,
                initial=initial,
                gap=gap,
                epoch=self._epoch,
            )
        limit_s = self._tags[name].stale_after_s
        age_ns = time.monotonic_ns() - known.received_monotonic_ns
        if limit_s is not None and known.good and age_ns > limit_s * 1e9:
            known = _aged(known, tr("nothing came since"))
        return replace(known, initial=initial, gap=gap, epoch=self._epoch)

    def follow(self, names: Sequence[str]) -> BatchQueue:
        """Return a queue that gets all ``names`` now and then what changes."""
        queue = BatchQueue(self._queue_limit)
        self._feeds[queue] = frozenset(names)
        queue.put(self.now(names, initial=True))
        return queue

    def leave(self, queue: BatchQueue) -> None:
        """Forget a queue."""
        if self._feeds.pop(queue, None) is not None:
            self.dropped += queue.dropped

    def close(self) -> None:
        """Let all readers end."""
        for queue in self._feeds:
            queue.close()

    @property
    def dropped_samples(self) -> int:
        """Samples lost so far because readers were slow."""
        return self.dropped + sum(queue.dropped for queue in self._feeds)

    def _spread(self, changed: Mapping[str, Sample]) -> None:
        if not changed or not self._up:
            return
        for queue, names in self._feeds.items():
            queue.put([sample for name, sample in changed.items() if name in names])


def _differs(before: Sample, after: Sample) -> bool:
    return (
        before.value != after.value
        or before.quality is not after.quality
        or before.note != after.note
        or type(before.value) is not type(after.value)
    )


def _aged(sample: Sample, note: str) -> Sample:
    if sample.quality in (Quality.GOOD, Quality.UNCERTAIN):
        return replace(sample, quality=Quality.STALE, note=note)
    return sample
