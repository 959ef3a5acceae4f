"""The Tags face: what vehicles said, as samples."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence

from millhand.batches import BatchQueue
from millhand.contracts import Quality, Sample, TagInfo, Value
from millhand.messages import tr
from millhand_vda5050.columns import ALWAYS, COLUMNS, known, value
from millhand_vda5050.config import Vda5050Tag
from millhand_vda5050.control import FleetControl

FLEET = "fleet"


class Reader:
    """Answers reads from what was heard; asks nobody."""

    def __init__(self, control: FleetControl, tags: Mapping[str, Vda5050Tag]) -> None:
        self._control = control
        self._addresses = {name: _split(tag.address) for name, tag in tags.items()}

    def vehicles_of(self, names: Sequence[str]) -> frozenset[str]:
        """Return the vehicles that some tags speak of."""
        found: set[str] = set()
        for name in names:
            vehicle, _ = self._addresses.get(name, ("", ""))
            found |= set(self._control.tracks) if vehicle == FLEET else {vehicle}
        return frozenset(found)

    def read(
        self, names: Sequence[str], *, initial: bool = False, gap: bool = False
    ) -> list[Sample]:
        """Return one sample for each name as things stand."""
        return [self._sample(name, initial=initial, gap=gap) for name in names]

    def _sample(self, name: str, *, initial: bool, gap: bool) -> Sample:
        found, quality, note, heard = self._look(name)
        return Sample(
            tag=name,
            value=found,
            quality=quality,
            note=note,
            received_utc_ns=time.time_ns(),
            received_monotonic_ns=heard or time.monotonic_ns(),
            initial=initial,
            gap=gap,
            epoch=self._control.link.epoch,
        )

    def _look(self, name: str) -> tuple[Value, Quality, str, int]:
        address = self._addresses.get(name)
        if address is None:
            return None, Quality.BAD, tr("no such tag in the scenario"), 0
        vehicle, column = address
        if not known(column) or (vehicle != FLEET and vehicle not in self._control.tracks):
            return None, Quality.BAD, tr("there is no {address}", address=".".join(address)), 0
        if not self._control.link.up:
            return None, Quality.DISCONNECTED, self._control.link.health.detail, 0
        if vehicle == FLEET:
            return [self._value(one, column) for one in self._control.tracks], Quality.GOOD, "", 0
        return self._one(vehicle, column)

    def _one(self, vehicle: str, column: str) -> tuple[Value, Quality, str, int]:
        track = self._control.tracks[vehicle]
        found = self._value(vehicle, column)
        if column in ALWAYS:
            return found, Quality.GOOD, "", 0
        if track.state is None:
            return None, Quality.BAD, tr("the vehicle has said nothing yet"), 0
        if not self._control.online(vehicle):
            return found, Quality.STALE, tr("the vehicle is not heard"), track.heard_ns
        return found, Quality.GOOD, "", track.heard_ns

    def _value(self, vehicle: str, column: str) -> None | bool | int | float | str:
        return value(self._control.tracks[vehicle], column, online=self._control.online(vehicle))

    def browse(self) -> list[TagInfo]:
        """List what can be read."""
        kinds = dict(ALWAYS) | {name: column.type for name, column in COLUMNS.items()}
        found = []
        for vehicle in (FLEET, *self._control.tracks):
            for name, kind in kinds.items():
                column = COLUMNS.get(name)
                found.append(
                    TagInfo(
                        address=f"{vehicle}.{name}",
                        type=f"{kind}[]" if vehicle == FLEET else kind,
                        writable=False,
                        description=column.description if column else "",
                        unit=column.unit if column else "",
                    )
                )
        return found


class Watch:
    """What one reader of ``subscribe`` gets: at most one batch each interval, what changed."""

    def __init__(
        self, reader: Reader, names: Sequence[str], interval_s: float, queue_limit: int
    ) -> None:
        self.queue = BatchQueue(queue_limit)
        self._reader = reader
        self._names = list(names)
        self._vehicles = reader.vehicles_of(names)
        self._interval_s = interval_s
        self._last: dict[str, Sample] = {}
        self._dirty = asyncio.Event()

    def news(self, vehicle: str) -> None:
        """Something of a vehicle has changed."""
        if vehicle in self._vehicles:
            self._dirty.set()

    def link_changed(self, *, up: bool) -> None:
        """The link went or came: all tags, at once."""
        first = not self._last
        samples = self._reader.read(self._names, initial=up or first, gap=up and not first)
        self._last = {sample.tag: sample for sample in samples}
        self.queue.put(samples)

    async def run(self, silent_after_s: float) -> None:
        """Fill the queue until cancelled; looks by itself now and then, for who went silent."""
        try:
            samples = self._reader.read(self._names, initial=True)
            self._last = {sample.tag: sample for sample in samples}
            self.queue.put(samples)
            while True:
                try:
                    async with asyncio.timeout(max(self._interval_s, silent_after_s / 4)):
                        await self._dirty.wait()
                except TimeoutError:
                    pass
                self._dirty.clear()
                self._put_changes()
                await asyncio.sleep(self._interval_s)
        finally:
            self.queue.close()

    def _put_changes(self) -> None:
        changed = []
        for sample in self._reader.read(self._names):
            before = self._last.get(sample.tag)
            if (
                before is None
                or before.value != sample.value
                or before.quality is not sample.quality
            ):
                self._last[sample.tag] = sample
                changed.append(sample)
        self.queue.put(changed)


def _split(address: str) -> tuple[str, str]:
    vehicle, _, column = address.rpartition(".")
    return vehicle, column
