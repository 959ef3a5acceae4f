from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millhand.batches import BatchQueue
from millhand.contracts import Quality, Sample
from millhand.errors import InternalError


def sample(tag: str, value: int, *, initial: bool = False) -> Sample:
    return Sample(
        tag=tag,
        value=value,
        quality=Quality.GOOD,
        received_utc_ns=0,
        received_monotonic_ns=0,
        initial=initial,
    )


async def drain(queue: BatchQueue) -> list[list[Sample]]:
    queue.close()
    batches = []
    while (batch := await queue.get()) is not None:
        batches.append(list(batch))
    return batches


changes = st.lists(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=3, unique=True), min_size=1, max_size=60
)


@given(changes, st.integers(2, 6))
def test_a_slow_reader_loses_history_but_never_the_present_value(
    batches: list[list[str]], limit: int
) -> None:
    queue = BatchQueue(limit)
    put = 0
    present: dict[str, int] = {}
    for tags in batches:
        batch = []
        for tag in tags:
            put += 1
            present[tag] = put
            batch.append(sample(tag, put))
        queue.put(batch)
    got = asyncio.run(drain(queue))
    assert len(got) <= limit
    samples = [each for batch in got for each in batch]
    assert len(samples) + queue.dropped == put
    assert {each.tag: each.value for each in samples} == present
    values = {tag: [each.value for each in samples if each.tag == tag] for tag in present}
    assert all(seen == sorted(seen) for seen in values.values())
    assert any(each.gap for each in samples) == bool(queue.dropped)


async def test_the_first_value_stays_old_news_when_it_was_merged_away() -> None:
    queue = BatchQueue(2)
    queue.put([sample("a", 1, initial=True)])
    queue.put([sample("a", 2)])
    queue.put([sample("a", 3)])
    (merged,), (last,) = await drain(queue)
    assert (merged.value, merged.initial, merged.gap) == (2, True, True)
    assert (last.value, last.initial, last.gap) == (3, False, False)


async def test_a_reader_gets_what_is_left_and_then_the_error() -> None:
    queue = BatchQueue(2)
    queue.put([sample("a", 1)])
    queue.close(InternalError("broken"))
    assert await queue.get() is not None
    with pytest.raises(InternalError):
        await queue.get()


async def test_get_waits_for_a_batch() -> None:
    queue = BatchQueue(2)
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    queue.put([sample("a", 1)])
    assert await waiting is not None
