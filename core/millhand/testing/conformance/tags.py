"""The conformance kit for ``Tags``: what every adapter to a controller must do.

Subclass :class:`TagsKit`, name the subject, give it a ``bench``, and pytest runs the rest::

    class TestScale(TagsKit):
        subject, peer = "acme.scale", "a scale in a process of its own"
        lacks = {TagsCapability.REORDER: "a scale has no names that could be numbered"}

        @pytest.fixture
        def bench(self, scale_process):
            return ScaleBench(scale_process)
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, ClassVar

import pytest

from millhand.contracts import Link, Quality, Sample, Value, WriteStatus
from millhand.contracts.codec import to_json, to_msgpack
from millhand.errors import NotAllowed
from millhand.testing.conformance.feeds import following, until_link
from millhand.testing.conformance.kit import Kit
from millhand.testing.conformance.promises import Tier, promise
from millhand.testing.conformance.tags_bench import TagsBench, TagsCapability
from millhand.testing.permits import permit_for, worthless_permits
from millhand.testing.residue import Residue

C = TagsCapability
_QUICK_S = 0.02
_SLOW_S = 0.2
_TAKEN = (WriteStatus.SENT, WriteStatus.APPLIED)


class TagsTools(Kit):
    """What the tests of the kit share."""

    kit: ClassVar[str] = "tags"
    Capability = TagsCapability
    pytestmark: ClassVar[Any] = pytest.mark.asyncio

    @pytest.fixture
    def bench(self) -> TagsBench:
        """Return the bench; a subclass must say which."""
        raise NotImplementedError(f"{type(self).__name__} needs a fixture named bench")

    @asynccontextmanager
    async def up(self, bench: TagsBench, **options: Any) -> AsyncIterator[Any]:
        """Yield an adapter with all of the bench's tags whose link is up."""
        await bench.ready()
        tags = {name: case.address for name, case in bench.cases.items()}
        if C.GHOST not in self.lacks:
            tags["ghost"] = bench.ghost
        async with bench.adapter(tags, **options) as adapter:
            await until_link(adapter, Link.UP, bench.patience_s)
            yield adapter

    async def value_of(self, adapter: Any, tag: str) -> Value:
        """Read one tag, which must be good."""
        (sample,) = await adapter.read([tag])
        assert sample.good, sample
        value: Value = sample.value
        return value

    async def write(self, bench: TagsBench, adapter: Any, tag: str, value: Value) -> Any:
        """Write one value with a permit of its own."""
        return await adapter.write(permit_for(bench.device, (tag, value)))


class TagsReading(TagsTools):
    """Reading: one sample for each tag, whatever happens."""

    @promise(Tier.BRONZE)
    async def test_one_sample_for_each(self, bench: TagsBench) -> None:
        """A read gives one sample for each tag asked, in order, repeated ones too."""
        async with self.up(bench) as adapter:
            asked = [*bench.cases, *reversed(list(bench.cases)), "no such tag"]
            samples = await adapter.read(asked)
            assert [sample.tag for sample in samples] == asked
            assert all(isinstance(sample, Sample) for sample in samples)
            assert list(await adapter.read([])) == []

    @promise(Tier.BRONZE)
    async def test_unknown_is_bad_alone(self, bench: TagsBench) -> None:
        """A tag that the scenario does not have is bad, and its neighbours in the batch are not."""
        async with self.up(bench) as adapter:
            first, unknown, last = await adapter.read([bench.counter, "no such tag", bench.second])
            assert (first.good, unknown.quality, last.good) == (True, Quality.BAD, True)
            assert unknown.value is None

    @promise(Tier.BRONZE, C.GHOST)
    async def test_ghost_is_bad_alone(self, bench: TagsBench) -> None:
        """A tag that the device does not have is bad, read and subscribed, and nothing else is."""
        async with self.up(bench) as adapter:
            ghost, other = await adapter.read(["ghost", bench.counter])
            assert (ghost.quality, ghost.value, other.good) == (Quality.BAD, None, True)
            tags = ["ghost", bench.counter]
            async with following(adapter, tags, _SLOW_S, bench.patience_s) as feed:
                await feed.until(lambda latest: len(latest) == 2)
                assert feed.latest["ghost"].quality is Quality.BAD
                assert feed.latest[bench.counter].good

    @promise(Tier.BRONZE)
    async def test_every_type_exactly(self, bench: TagsBench) -> None:
        """Values of every type are read as they are, at their limits too."""
        async with self.up(bench) as adapter:
            for tag, case in bench.cases.items():
                for value in case.values:
                    await bench.set(tag, value)
                    found = await self.value_of(adapter, tag)
                    assert (found, type(found)) == (value, type(value)), tag

    @promise(Tier.GOLD, C.NOT_FINITE)
    async def test_not_finite_fools_nobody(self, bench: TagsBench) -> None:
        """NaN and the infinities are bad samples without a value, and say what they are."""
        async with self.up(bench) as adapter:
            for value in (math.nan, math.inf, -math.inf):
                await bench.set(bench.floating, value)
                (sample,) = await adapter.read([bench.floating])
                assert (sample.value, sample.quality) == (None, Quality.BAD)
                assert sample.note == str(value)

    @promise(Tier.GOLD, C.BAD)
    async def test_bad_survives(self, bench: TagsBench) -> None:
        """A bad value stays bad in a read, in a batch and in a subscription."""
        await self._survives(bench, Quality.BAD)

    @promise(Tier.GOLD, C.UNCERTAIN)
    async def test_uncertain_survives(self, bench: TagsBench) -> None:
        """An uncertain value stays uncertain in a read, in a batch and in a subscription."""
        await self._survives(bench, Quality.UNCERTAIN)

    async def _survives(self, bench: TagsBench, quality: Quality) -> None:
        judged = bench.judged or bench.counter
        other = bench.counter if judged == bench.second else bench.second
        value = bench.cases[judged].values[0]
        async with self.up(bench) as adapter:
            for interval_s in (_QUICK_S, _SLOW_S):
                await bench.set(judged, value)
                tags = [judged, other]
                async with following(adapter, tags, interval_s, bench.patience_s) as feed:
                    await feed.until(lambda latest: latest[judged].good)
                    await bench.set(judged, value, quality)
                    (alone,) = await adapter.read([judged])
                    in_batch, neighbour = await adapter.read([judged, other])
                    assert (alone.quality, in_batch.quality) == (quality, quality)
                    assert neighbour.good
                    await feed.until(lambda latest: latest[judged].quality is quality)
                    assert feed.latest[other].good
                await bench.set(judged, value)

    @promise(Tier.BRONZE)
    async def test_serialisable(self, bench: TagsBench) -> None:
        """All that crosses the face is serialisable, so that it may run in another process."""
        async with self.up(bench) as adapter:
            samples = await adapter.read([*bench.cases, "no such tag"])
            for record in (*samples, adapter.health()):
                assert to_msgpack(record)
                assert to_json(record)
            assert isinstance(adapter.effective_interval_s(0.1), float)

    @promise(Tier.SILVER, C.BROWSE)
    async def test_browse_is_ready_to_use(self, bench: TagsBench) -> None:
        """What browsing finds can be put under tags as it stands, and reads well."""
        async with self.up(bench) as adapter:
            for tag, case in bench.cases.items():
                await bench.set(tag, case.values[0])
            found = await adapter.browse()
            assert len(found) >= len(bench.cases)
            addresses = {f"t{number}": info.address for number, info in enumerate(found)}
            for info in found:
                type(adapter).Tag.model_validate(info.address)
                assert info.type
        async with bench.adapter(addresses) as adapter:
            await until_link(adapter, Link.UP, bench.patience_s)
            samples = await adapter.read(list(addresses))
            assert sum(sample.good for sample in samples) >= len(bench.cases)


class TagsWriting(TagsTools):
    """Writing: only by permit, only what fits, once."""

    @promise(Tier.BRONZE, C.WRITE)
    async def test_every_type_arrives(self, bench: TagsBench) -> None:
        """Values of every writable type arrive as they are, at their limits too."""
        async with self.up(bench) as adapter:
            for tag, case in bench.cases.items():
                for value in case.values if case.writable else ():
                    result = await self.write(bench, adapter, tag, value)
                    assert result.status in _TAKEN, (tag, value, result)
                    assert result.sent == (value,)
                    found = (await bench.written(tag))[-1]
                    assert (found, type(found)) == (value, type(value)), tag

    @promise(Tier.BRONZE, C.WRITE)
    async def test_misfits_stay_here(self, bench: TagsBench) -> None:
        """A value of another type or beyond the limits is rejected, unsent, the permit unspent."""
        async with self.up(bench) as adapter:
            for tag, case in bench.cases.items():
                for value in case.misfits:
                    permit = permit_for(bench.device, (tag, value))
                    result = await adapter.write(permit)
                    assert result.status is WriteStatus.REJECTED, (tag, value, result)
                    assert result.detail, "a rejection says why"
                    assert permit.redeem(bench.device), "the permit was spent"
                    assert list(await bench.written(tag)) == []

    @promise(Tier.BRONZE, C.WRITE)
    async def test_read_only_stays(self, bench: TagsBench) -> None:
        """A write to what can only be read is rejected, here or there, and changes nothing."""
        async with self.up(bench) as adapter:
            for tag, case in bench.cases.items():
                if case.writable:
                    continue
                await bench.set(tag, case.values[0])
                result = await self.write(bench, adapter, tag, case.values[1])
                assert result.status is WriteStatus.REJECTED, (tag, result)
                assert await self.value_of(adapter, tag) == case.values[0]

    @promise(Tier.BRONZE, C.WRITE)
    async def test_permits_count_once(self, bench: TagsBench) -> None:
        """A permit that is spent, expired, another device's, forged or changed writes nothing."""
        value = bench.cases[bench.counter].values[1]
        async with self.up(bench) as adapter:
            spent = permit_for(bench.device, (bench.counter, value))
            assert (await adapter.write(spent)).status in _TAKEN
            worthless = worthless_permits(bench.device, (bench.counter, value))
            for permit in (spent, *worthless.values()):
                with pytest.raises(NotAllowed):
                    await adapter.write(permit)
            assert list(await bench.written(bench.counter)) == [value]

    @promise(Tier.BRONZE, C.WRITE, C.SEVERAL)
    async def test_last_one_last(self, bench: TagsBench) -> None:
        """The writes of one permit arrive in order, the last one after all others."""
        names = [name for name, case in bench.cases.items() if case.writable]
        names = [name for name in names if name != bench.counter] + [bench.counter]
        writes = [(name, bench.cases[name].values[1]) for name in names]
        async with self.up(bench) as adapter:
            result = await adapter.write(permit_for(bench.device, *writes))
            assert result.status in _TAKEN, result
            assert result.sent == tuple(value for _, value in writes)
            arrived = list(await bench.order_written())
            assert sorted(arrived) == sorted(names)
            assert arrived[-1] == bench.counter

    @promise(Tier.BRONZE, C.WRITE, C.SEVERAL)
    async def test_one_misfit_sends_nothing(self, bench: TagsBench) -> None:
        """One value that does not fit keeps all others of the permit back."""
        tag, case = next((tag, case) for tag, case in bench.cases.items() if case.misfits)
        other = bench.second if tag == bench.counter else bench.counter
        good = (other, bench.cases[other].values[1])
        async with self.up(bench) as adapter:
            permit = permit_for(bench.device, good, (tag, case.misfits[0]))
            assert (await adapter.write(permit)).status is WriteStatus.REJECTED
            assert list(await bench.order_written()) == []


class TagsFollowing(TagsTools):
    """Subscriptions: all at first, then what changes, and how stale it can be."""

    @promise(Tier.BRONZE)
    async def test_first_is_all_and_old_news(self, bench: TagsBench) -> None:
        """The first batch holds all tags, marked as initial; later ones only what changed."""
        low, high = bench.cases[bench.counter].values[:2]
        async with self.up(bench) as adapter:
            for interval_s in (_QUICK_S, _SLOW_S):
                await bench.set(bench.counter, low)
                tags = [bench.counter, bench.second]
                async with following(adapter, tags, interval_s, bench.patience_s) as feed:
                    first = await feed.next()
                    assert [sample.tag for sample in first] == tags
                    assert all(sample.initial and not sample.gap for sample in first)
                    assert first[0].value == low
                    await bench.set(bench.counter, high)
                    (changed,) = await feed.next()
                    assert (changed.tag, changed.value) == (bench.counter, high)
                    assert (changed.initial, changed.gap) == (False, False)

    @promise(Tier.BRONZE)
    async def test_every_change_in_order(self, bench: TagsBench) -> None:
        """Changes slower than the interval are all told, in order, with rising time."""
        low, high = bench.cases[bench.counter].values[:2]
        told: list[Value] = []
        async with self.up(bench) as adapter:
            await bench.set(bench.counter, low)
            async with following(adapter, [bench.counter], _QUICK_S, bench.patience_s) as feed:
                await feed.next()
                for value in [high, low] * 5:
                    await bench.set(bench.counter, value)
                    told += [sample.value for sample in await feed.next()]
                assert told == [high, low] * 5
                times = [sample.received_monotonic_ns for sample in feed.seen]
                assert times == sorted(times)

    @promise(Tier.GOLD)
    async def test_honest_interval(self, bench: TagsBench) -> None:
        """A change is told within the interval that the adapter itself calls effective."""
        low, high = bench.cases[bench.counter].values[:2]
        async with self.up(bench) as adapter:
            for interval_s in (_QUICK_S, 0.1, _SLOW_S):
                assert adapter.effective_interval_s(interval_s) >= interval_s
                await bench.set(bench.counter, low)
                async with following(
                    adapter, [bench.counter], interval_s, bench.patience_s
                ) as feed:
                    await feed.next()
                    delays = []
                    for value in [high, low] * 3:
                        started = asyncio.get_running_loop().time()
                        await bench.set(bench.counter, value)
                        await feed.next()
                        delays.append(asyncio.get_running_loop().time() - started)
                # The quickest of six: a busy machine makes any one of them late, not all.
                assert min(delays) <= adapter.effective_interval_s(interval_s) + 0.05

    @promise(Tier.SILVER)
    async def test_slow_reader_ends_in_the_present(self, bench: TagsBench) -> None:
        """A slow reader loses history in a bounded queue, counted, never the present value."""
        low, high = bench.cases[bench.counter].values[:2]
        async with self.up(bench, **bench.small_queue) as adapter:
            await bench.set(bench.counter, low)
            async with following(adapter, [bench.counter], _QUICK_S, bench.patience_s) as feed:
                await feed.next()
                for value in [high, low] * 20 + [high]:
                    await bench.set(bench.counter, value)
                    await asyncio.sleep(2 * _QUICK_S)
                batches = 0
                while feed.latest[bench.counter].value != high or batches == 0:
                    await feed.next()
                    batches += 1
                if getattr(adapter, "dropped_samples", 0):
                    assert any(sample.gap for sample in feed.seen)
                    assert batches < 41


class TagsFaults(TagsTools):
    """Faults: the device goes, freezes, is cut off, and comes back."""

    @promise(Tier.SILVER, C.KILL)
    async def test_away_at_start(self, bench: TagsBench) -> None:
        """A device away at the start is no error: said, not raised, and found when it comes."""
        await bench.ready()
        await bench.kill()
        tags = {bench.counter: bench.cases[bench.counter].address}
        async with (
            bench.adapter(tags) as adapter,
            following(adapter, [bench.counter], _QUICK_S, bench.patience_s) as feed,
        ):
            (away,) = await feed.next()
            assert away.quality is Quality.DISCONNECTED
            (read,) = await adapter.read([bench.counter])
            assert (read.quality, read.value) == (Quality.DISCONNECTED, None)
            health = await until_link(adapter, Link.DOWN, bench.patience_s)
            assert health.detail, "health says what is in the way"
            await bench.restart()
            await feed.until(lambda latest: latest[bench.counter].good)
            assert feed.latest[bench.counter].initial
            assert adapter.health().link is Link.UP
            assert adapter.health().epoch == 1

    @promise(Tier.SILVER, C.KILL)
    async def test_killed_and_back(self, bench: TagsBench) -> None:
        """A device killed and restarted comes back by itself: said once, then all anew."""
        await self._comes_back(bench, reordered=False)

    @promise(Tier.GOLD, C.KILL, C.REORDER)
    async def test_reordered_and_back(self, bench: TagsBench) -> None:
        """Names numbered anew by a restart are found again, for reads and for writes."""
        await self._comes_back(bench, reordered=True)

    async def _comes_back(self, bench: TagsBench, *, reordered: bool) -> None:
        tags = [bench.counter, bench.second]
        async with (
            self.up(bench) as adapter,
            following(adapter, tags, _QUICK_S, bench.patience_s) as feed,
        ):
            await feed.next()
            await bench.kill()
            gone = await feed.until(
                lambda latest: latest[bench.counter].quality is Quality.DISCONNECTED
            )
            assert [sample.tag for sample in gone] == tags
            assert {sample.quality for sample in gone} == {Quality.DISCONNECTED}
            await until_link(adapter, Link.DOWN, bench.patience_s)
            await self._writes_nothing(bench, adapter)
            await bench.restart(reordered=reordered)
            back = await feed.next()
            assert [sample.tag for sample in back] == tags
            assert all(sample.good and sample.initial and sample.gap for sample in back)
            assert {sample.epoch for sample in back} == {2}
            if C.WRITE not in self.lacks:
                assert list(await bench.written(bench.counter)) == [], "a write was repeated"
                value = bench.cases[bench.counter].values[1]
                assert (await self.write(bench, adapter, bench.counter, value)).status in _TAKEN
                assert list(await bench.written(bench.counter)) == [value]

    async def _writes_nothing(self, bench: TagsBench, adapter: Any) -> None:
        if C.WRITE in self.lacks:
            return
        permit = permit_for(bench.device, (bench.counter, bench.cases[bench.counter].values[1]))
        assert (await adapter.write(permit)).status is WriteStatus.NOT_SENT
        assert permit.redeem(bench.device), "the permit was spent on nothing"

    @promise(Tier.SILVER, C.FREEZE, C.WRITE)
    async def test_frozen_in_a_write(self, bench: TagsBench) -> None:
        """A freeze in the middle of a write ends as unknown, and it is never sent again."""
        value = bench.cases[bench.counter].values[1]
        async with self.up(bench, **bench.quick) as adapter:
            await bench.freeze()
            result = await self.write(bench, adapter, bench.counter, value)
            assert result.status is WriteStatus.UNKNOWN, result
            assert result.sent == (value,)
            await bench.thaw()
            await self._until_epoch(bench, adapter, 2)
            assert list(await bench.written(bench.counter)) in ([], [value])

    @promise(Tier.SILVER, C.PROXY, C.WRITE)
    async def test_answer_lost_on_the_way(self, bench: TagsBench) -> None:
        """A write whose answer is lost on the way is unknown, was carried out once, not twice."""
        value = bench.cases[bench.counter].values[1]
        async with self.through_proxy(bench, **bench.quick) as (adapter, proxy):
            proxy.black_hole(to_device=False)
            result = await self.write(bench, adapter, bench.counter, value)
            assert result.status is WriteStatus.UNKNOWN, result
            proxy.lift()
            await self._until_epoch(bench, adapter, 2)
            assert list(await bench.written(bench.counter)) == [value]

    @promise(Tier.SILVER, C.PROXY)
    async def test_silence_is_noticed(self, bench: TagsBench) -> None:
        """A connection that is open and silent is noticed without being asked, and replaced."""
        async with (
            self.through_proxy(bench, **bench.quick) as (adapter, proxy),
            following(adapter, [bench.counter], _QUICK_S, bench.patience_s) as feed,
        ):
            await feed.next()
            proxy.black_hole()
            await feed.until(lambda latest: latest[bench.counter].quality is Quality.DISCONNECTED)
            proxy.lift()
            await feed.until(lambda latest: latest[bench.counter].good)
            assert feed.latest[bench.counter].gap

    @promise(Tier.SILVER, C.PROXY)
    async def test_reset_and_back(self, bench: TagsBench) -> None:
        """Connections that are reset again and again come back, each as a new session."""
        async with (
            self.through_proxy(bench) as (adapter, proxy),
            following(adapter, [bench.counter], _QUICK_S, bench.patience_s) as feed,
        ):
            await feed.next()
            for epoch in (2, 3, 4):
                proxy.reset()
                await feed.until(
                    lambda latest: latest[bench.counter].quality is Quality.DISCONNECTED
                )
                await feed.until(lambda latest: latest[bench.counter].good)
                assert feed.latest[bench.counter].epoch == epoch

    @promise(Tier.SILVER, C.PROXY)
    async def test_slow_is_not_lost(self, bench: TagsBench) -> None:
        """A slow line is slow, not lost: values stay good in one session."""
        async with self.through_proxy(bench) as (adapter, proxy):
            proxy.delay_s = 0.05
            for _ in range(3):
                (sample,) = await adapter.read([bench.counter])
                assert (sample.quality, sample.epoch) == (Quality.GOOD, 1)

    @promise(Tier.SILVER, C.PROXY)
    async def test_dead_device_delays_no_other(self, bench: TagsBench) -> None:
        """While one device is silent, another one is read as if nothing were."""
        async with (
            self.up(bench) as other,
            self.through_proxy(bench) as (adapter, proxy),
        ):
            proxy.black_hole()
            waiting = asyncio.create_task(adapter.read([bench.counter]))
            await asyncio.sleep(0)
            for _ in range(5):
                assert (await other.read([bench.counter]))[0].good
            assert not waiting.done(), "the silent device was not waited for at all"
            proxy.lift()
            await waiting

    @promise(Tier.GOLD, C.SECURITY)
    async def test_refusals_are_clear(self, bench: TagsBench) -> None:
        """What trust, protection or log-in refuses says so, with class and mend, and no secret."""
        await bench.ready()
        for what, (make, fault) in bench.refusals().items():
            async with make() as adapter:
                health = await until_link(adapter, Link.REFUSED, bench.patience_s)
                assert health.fault is fault, (what, health)
                assert health.detail, what
                assert health.mend, what
                for secret in bench.secrets:
                    assert secret not in health.detail + health.mend
                (sample,) = await adapter.read([bench.counter])
                assert sample.quality is Quality.DISCONNECTED

    @promise(Tier.GOLD, C.KILL)
    async def test_names_the_fault(self, bench: TagsBench) -> None:
        """Where nobody answers, health calls it a fault of the network."""
        await bench.ready()
        await bench.kill()
        async with bench.adapter({}) as adapter:
            health = await until_link(adapter, Link.DOWN, bench.patience_s)
            assert health.fault == "network", health

    @asynccontextmanager
    async def through_proxy(self, bench: TagsBench, **options: Any) -> AsyncIterator[Any]:
        """Yield an adapter whose link is up, and the proxy that it goes through."""
        from millhand.testing.proxy import FaultProxy

        await bench.ready()
        tags = {name: case.address for name, case in bench.cases.items()}
        async with (
            FaultProxy(*bench.address) as proxy,
            bench.adapter(tags, proxy.address, **options) as adapter,
        ):
            await until_link(adapter, Link.UP, bench.patience_s)
            yield adapter, proxy

    async def _until_epoch(self, bench: TagsBench, adapter: Any, epoch: int) -> None:
        async with asyncio.timeout(bench.patience_s):
            while (adapter.health().epoch, adapter.health().link) != (epoch, Link.UP):
                await adapter.read([bench.counter])
                await asyncio.sleep(0.02)


class TagsLeaving(TagsTools):
    """Leaving: nothing stays behind, whenever it is."""

    @promise(Tier.BRONZE)
    async def test_leaves_nothing(self, bench: TagsBench) -> None:
        """Leaving ends subscriptions and leaves no task, socket or thread."""
        await self._use(bench)
        before = Residue.now()
        await self._use(bench)
        assert await before.wait_none_added() == []

    async def _use(self, bench: TagsBench) -> None:
        async with self.up(bench) as adapter:
            feeds = [adapter.subscribe([bench.counter], each) for each in (_QUICK_S, _SLOW_S)]
            for feed in feeds:
                async with asyncio.timeout(bench.patience_s):
                    await anext(feed)
            await adapter.read([bench.counter])
        for feed in feeds:
            await feed.aclose()

    @promise(Tier.BRONZE)
    async def test_cancelled_leaves_nothing(self, bench: TagsBench) -> None:
        """Cancelled at any moment, it ends, and leaves no task, socket or thread."""
        await self._use(bench)
        for after_s in (0.0, 0.003, 0.01, 0.03, 0.1, 0.3):
            before = Residue.now()
            using = asyncio.create_task(self._use_for_ever(bench))
            await asyncio.sleep(after_s)
            using.cancel()
            async with asyncio.timeout(bench.patience_s):
                await asyncio.gather(using, return_exceptions=True)
            assert using.cancelled(), using.exception()
            del using
            assert await before.wait_none_added() == [], f"after {after_s} s"

    async def _use_for_ever(self, bench: TagsBench) -> None:
        tags = {bench.counter: bench.cases[bench.counter].address}
        async with bench.adapter(tags) as adapter:
            feed = adapter.subscribe([bench.counter], _QUICK_S)
            try:
                while True:
                    await adapter.read([bench.counter])
                    await anext(feed)
                    await bench.set(bench.counter, _another(bench, await self._now(adapter, bench)))
            finally:
                await feed.aclose()

    async def _now(self, adapter: Any, bench: TagsBench) -> Value:
        (sample,) = await adapter.read([bench.counter])
        value: Value = sample.value
        return value

    @promise(Tier.SILVER, C.FREEZE)
    async def test_leaving_a_frozen_device(self, bench: TagsBench) -> None:
        """Leaving a frozen device does not hang, and leaves nothing behind either."""
        await self._use(bench)
        before = Residue.now()
        async with asyncio.timeout(bench.patience_s):
            async with self.up(bench, **bench.quick):
                await bench.freeze()
        await bench.thaw()
        assert await before.wait_none_added() == []


def _another(bench: TagsBench, value: Value) -> Value:
    values: Sequence[Value] = bench.cases[bench.counter].values
    return values[1] if value == values[0] else values[0]


class TagsKit(TagsReading, TagsWriting, TagsFollowing, TagsFaults, TagsLeaving):
    """All that an adapter with the face ``Tags`` promises."""
