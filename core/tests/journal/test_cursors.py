from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millhand.journal.chain import GENESIS, ChainHead, chain
from millhand.journal.cursors import Follower, Gap
from millhand.journal.entries import Entry
from millhand.journal.journal import Journal

from .conftest import make_alarm, make_entry


async def take(source: AsyncIterator[Entry | Gap], count: int) -> list[int | Gap]:
    """Return the next items, entries as their sequence numbers."""
    async with asyncio.timeout(10):
        items = [await anext(source) for _ in range(count)]
    return [item.seq if isinstance(item, Entry) else item for item in items]


async def silent(source: AsyncIterator[Entry | Gap]) -> bool:
    """Whether nothing comes."""
    try:
        async with asyncio.timeout(0.05):
            await anext(source)
    except TimeoutError:
        return True
    return False


async def test_follower_gets_history_and_then_what_comes(journal: Journal) -> None:
    await journal.append_durable([make_entry(n) for n in range(3)])
    follower = journal.follow(after=1)
    assert await take(follower, 2) == [2, 3]
    assert await silent(follower)
    waiting = asyncio.create_task(take(follower, 3))
    await asyncio.sleep(0)
    await journal.append_durable([make_entry(n) for n in range(3)])
    assert await waiting == [4, 5, 6]
    assert follower.dropped == 0


async def test_long_history_comes_in_order_without_seam(journal: Journal) -> None:
    await journal.append_durable([make_entry(n) for n in range(1_200)])
    follower = journal.follow()
    assert await take(follower, 1) == [1]
    await journal.append_durable([make_entry(n) for n in range(5)])
    assert await take(follower, 1_204) == list(range(2, 1_206))


async def test_follower_of_some_kinds(journal: Journal) -> None:
    await journal.append_durable([make_entry(1), make_alarm(1), make_entry(2)])
    follower = journal.follow(kinds=["alarm"])
    assert await take(follower, 1) == [2]
    await journal.append_durable([make_entry(1), make_alarm(1), make_entry(2)])
    assert await take(follower, 1) == [5]
    assert await silent(follower)


async def test_slow_follower_gets_a_gap_that_names_what_it_missed(journal: Journal) -> None:
    follower = journal.follow(capacity=3)
    other = journal.follow()
    for number in range(10):
        await journal.append_durable([make_entry(number)])
    assert await take(follower, 4) == [Gap(1, 7), 8, 9, 10]
    assert follower.dropped == 7
    assert await take(other, 10) == list(range(1, 11))
    await journal.append_durable([make_entry(n) for n in range(4)])
    assert await take(follower, 4) == [Gap(11, 11), 12, 13, 14]
    assert follower.dropped == 8


async def test_follower_of_another_life_of_the_journal(journal: Journal) -> None:
    await journal.append_durable([make_entry(1), make_entry(2)])
    follower = journal.follow(after=100)
    assert await take(follower, 1) == [Gap(3, 100)]
    await journal.append_durable([make_entry(3)])
    assert await take(follower, 1) == [3]


class _Quiet:
    """A journal with nothing in it yet."""

    head = 0
    live = True
    closed = False

    def read(self, *_: object, **__: object) -> list[Entry]:
        return []

    def listen(self, _: object) -> int:
        return 0


@settings(deadline=None)
@given(
    capacity=st.integers(1, 5),
    steps=st.lists(st.integers(1, 6) | st.just(0), max_size=30),
)
def test_entries_and_gaps_together_are_everything_in_order(capacity: int, steps: list[int]) -> None:
    """Whatever the interleaving of commits (numbers) and taking (zeros)."""

    async def scenario() -> None:
        follower = Follower(_Quiet(), capacity=capacity)
        head = ChainHead(cell="c", seq=0, hash=GENESIS)
        expected, dropped = 1, 0

        def check(item: Entry | Gap | None) -> None:
            nonlocal expected, dropped
            if isinstance(item, Gap):
                assert item.first_seq == expected
                dropped += item.last_seq - item.first_seq + 1
                expected = item.last_seq + 1
            elif item is not None:
                assert item.seq == expected
                expected += 1

        for step in steps:
            if step:
                entries = chain([make_entry()] * step, boot=1, head=head)
                head = ChainHead(cell="c", seq=entries[-1].seq, hash=entries[-1].hash)
                follower.hear(entries)
            else:
                check(follower._take())
        while (item := follower._take()) is not None:
            check(item)
        assert expected == head.seq + 1
        assert follower.dropped == dropped

    asyncio.run(scenario())


async def test_cursor_misses_nothing_however_slow(journal: Journal) -> None:
    cursor = journal.cursor()
    for number in range(30):
        await journal.append_durable([make_entry(number)] * 50)
    assert await take(cursor, 1_500) == list(range(1, 1_501))
    assert cursor.position == 1_500
    assert await silent(cursor)
    waiting = asyncio.create_task(take(cursor, 1))
    await asyncio.sleep(0.01)
    await journal.append_durable([make_entry(1)])
    assert await waiting == [1_501]


async def test_cursor_goes_on_from_a_kept_position_after_a_restart(file: Path) -> None:
    with Journal(file, cell="c", synchronous="OFF") as journal:
        await journal.append_durable([make_alarm(n) for n in range(5)])
        cursor = journal.cursor(kinds=["alarm"])
        assert await take(cursor, 3) == [1, 2, 3]
        position = cursor.position
    with Journal(file, cell="c", synchronous="OFF") as journal:
        await journal.append_durable([make_entry(1), make_alarm(9)])
        cursor = journal.cursor(position, kinds=["alarm"])
        assert await take(cursor, 3) == [4, 5, 8]  # 6 is the checkpoint, 7 a stop


async def test_cursor_of_a_kind_is_not_woken_by_others(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = journal.cursor(kinds=["alarm"])
    reads = 0
    read = journal.read

    def counted(*args: object, **named: object) -> list[Entry]:
        nonlocal reads
        reads += 1
        return read(*args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(journal, "read", counted)
    waiting = asyncio.create_task(take(cursor, 1))
    for number in range(20):
        await journal.append_durable([make_entry(number)])
    assert reads <= 1
    await journal.append_durable([make_alarm(1)])
    assert await waiting == [21]


@pytest.mark.parametrize("kind", ["follow", "cursor"])
async def test_both_end_when_the_journal_closes(file: Path, kind: str) -> None:
    journal = Journal(file, cell="c", synchronous="OFF").open()
    await journal.append_durable([make_entry(1)])
    source: AsyncIterator[Entry | Gap] = getattr(journal, kind)()
    waiting = asyncio.create_task(_all_of(source))
    await asyncio.sleep(0.05)
    await asyncio.to_thread(journal.close)
    async with asyncio.timeout(5):
        assert [item.seq for item in await waiting if isinstance(item, Entry)] == [1]


async def _all_of(source: AsyncIterator[Entry | Gap]) -> list[Entry | Gap]:
    return [item async for item in source]


async def test_a_forgotten_follower_is_let_go(journal: Journal) -> None:
    follower = journal.follow(capacity=1)
    assert len(journal._listeners) == 1
    del follower
    gc.collect()
    assert len(journal._listeners) == 0
    await journal.append_durable([make_entry(1)])


@pytest.mark.parametrize("kind", ["follow", "cursor"])
async def test_following_from_beside_the_engine(file: Path, kind: str) -> None:
    with (
        Journal(file, cell="c", synchronous="OFF") as journal,
        Journal.open_readonly(file, cell="c") as reader,
    ):
        await journal.append_durable([make_entry(1)])
        source: AsyncIterator[Entry | Gap] = getattr(reader, kind)()
        assert await take(source, 1) == [1]
        waiting = asyncio.create_task(take(source, 2))
        await journal.append_durable([make_entry(2), make_entry(3)])
        assert await waiting == [2, 3]
