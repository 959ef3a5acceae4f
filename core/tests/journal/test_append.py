from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path

import pytest

from millhand.errors import ConfigError, InternalError, NotAllowed, Unavailable
from millhand.journal.entries import Entry
from millhand.journal.journal import Journal
from millhand.journal.records import Checkpoint

from .conftest import make_alarm, make_entry


def test_entries_of_a_call_are_consecutive_and_chained(journal: Journal) -> None:
    entries = journal.append([make_entry(n, part=f"P{n}") for n in range(3)]).result(10)
    assert [(e.cell, e.boot, e.seq, e.id, e.part) for e in entries] == [
        ("cell-1", 1, 1, "d0", "P0"),
        ("cell-1", 1, 2, "d1", "P1"),
        ("cell-1", 1, 3, "d2", "P2"),
    ]
    assert journal.read() == entries
    assert journal.head == 3
    assert journal.verify().ok


def test_nothing_to_append_is_done_at_once(journal: Journal) -> None:
    assert journal.append([]).result(0) == []
    assert journal.head == 0


def test_concurrent_callers_get_whole_calls_in_one_chain(journal: Journal) -> None:
    results: list[list[Entry]] = []

    def work(name: int) -> None:
        for number in range(40):
            size = 1 + (name + number) % 4
            calls = [make_entry(n, subject=f"worker{name}") for n in range(size)]
            results.append(journal.append(calls).result(30))

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for entries in results:
        seqs = [entry.seq for entry in entries]
        assert seqs == list(range(seqs[0], seqs[0] + len(seqs)))
        assert [entry.id for entry in entries] == [f"d{n}" for n in range(len(seqs))]
    assert sorted(e.seq for entries in results for e in entries) == list(range(1, journal.head + 1))
    assert journal.count() == journal.head
    assert journal.verify().ok


class Held:
    """While it is on, the writer's thread stands still after the commit of one entry."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._entered, self._gate = threading.Event(), threading.Event()

    def hear(self, _: Sequence[Entry]) -> None:
        self._entered.set()
        self._gate.wait(20)

    def end(self) -> None: ...

    def __enter__(self) -> None:
        self._journal.listen(self)
        self._journal.append([make_entry()])
        assert self._entered.wait(20)

    def __exit__(self, *_: object) -> None:
        self._gate.set()


async def test_all_that_wait_go_into_one_commit(file: Path) -> None:
    with Journal(file, cell="c", synchronous="OFF") as journal:
        heads: set[int] = set()
        with Held(journal):
            waiting = [journal.append([make_entry(n), make_entry(n)]) for n in range(50)]
            for future in waiting:
                future.add_done_callback(lambda _: heads.add(journal.head))
        await asyncio.gather(*(asyncio.wrap_future(future) for future in waiting))
        assert journal.head == 101
        assert heads == {101}  # 50 calls, one commit


async def test_append_durable(journal: Journal) -> None:
    (entry,) = await journal.append_durable([make_entry(text="größer")])
    assert journal.read() == [entry]
    assert entry.record == journal.read()[0].record


def test_a_call_cancelled_in_time_leaves_no_trace(journal: Journal) -> None:
    with Held(journal):
        cancelled = journal.append([make_entry(1)])
        kept = journal.append([make_entry(2)])
        assert cancelled.cancel()
    assert kept.result(10)[0].seq == 2
    assert [entry.id for entry in journal.read()] == ["d0", "d2"]


def test_boots_are_counted_and_sealed(file: Path) -> None:
    for boot in (1, 2, 3):
        with Journal(file, cell="c", synchronous="OFF") as journal:
            assert journal.boot == boot
            journal.append([make_entry(boot)]).result(10)
            journal.append([make_entry(boot)]).result(10)
            assert journal.verify().ok
    with Journal.open_readonly(file) as journal:
        assert [(e.boot, e.kind) for e in journal.read()] == [
            (1, "stopped"),
            (1, "stopped"),
            (2, "checkpoint"),
            (2, "stopped"),
            (2, "stopped"),
            (3, "checkpoint"),
            (3, "stopped"),
            (3, "stopped"),
        ]


def test_full_segments_are_sealed(file: Path) -> None:
    with Journal(file, cell="c", synchronous="OFF", segment_entries=5) as journal:
        for number in range(14):
            journal.append([make_entry(number)]).result(10)
        found = [entry.record for entry in journal.read(kinds=["checkpoint"])]
        hashes = {entry.seq: entry.hash for entry in journal.read()}
    assert found == [
        Checkpoint(segment=1, first_seq=1, last_seq=5, head=hashes[5]),
        Checkpoint(segment=2, first_seq=6, last_seq=10, head=hashes[10]),
        Checkpoint(segment=3, first_seq=11, last_seq=15, head=hashes[15]),
    ]


def test_two_cells_in_one_file_have_chains_of_their_own(file: Path) -> None:
    for cell in ("a", "b", "a"):
        with Journal(file, cell=cell, synchronous="OFF") as journal:
            journal.append([make_entry()]).result(10)
            assert journal.verify().ok
    with pytest.raises(ConfigError, match="2 cells: a, b"):
        Journal.open_readonly(file)
    with Journal.open_readonly(file, cell="a") as journal:
        assert (journal.cell, journal.head, journal.count("stopped")) == ("a", 3, 2)


def test_closing_commits_what_waits_and_refuses_more(file: Path) -> None:
    journal = Journal(file, cell="c", synchronous="OFF").open()
    futures: list[Future[list[Entry]]] = [journal.append([make_entry(n)]) for n in range(100)]
    journal.close()
    journal.close()
    assert [future.result(0)[0].seq for future in futures] == list(range(1, 101))
    with pytest.raises(Unavailable, match="not open"):
        journal.append([make_entry()]).result(0)
    with pytest.raises(Unavailable, match="not open"):
        journal.read()


def test_reading_only_refuses_to_append(file: Path) -> None:
    with (
        Journal(file, cell="c", synchronous="OFF"),
        Journal.open_readonly(file, cell="c") as reader,
    ):
        with pytest.raises(NotAllowed, match="reading only"):
            reader.append([make_entry()]).result(0)
        assert reader.head == 0
        assert not reader.live


@pytest.mark.parametrize(
    "url", [":memory:", "sqlite://", "mysql://x/y", "://", "sqlite:///:memory:"]
)
def test_places_that_cannot_hold_a_journal(url: str) -> None:
    with pytest.raises(ConfigError):
        Journal(url, cell="c").open()


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match="sometimes"):
        Journal("x", cell="c", synchronous="sometimes")
    with pytest.raises(ConfigError, match="name of its cell"):
        Journal("x", cell="")


def test_the_file_may_be_named_by_url_and_with_odd_characters(tmp_path: Path) -> None:
    for name in ("a b?c#d%41.db", "Zelle Süd.db"):
        with Journal(tmp_path / name, cell="c", synchronous="OFF") as journal:
            journal.append([make_entry()]).result(10)
        assert (tmp_path / name).is_file()
    url = f"sqlite:///{tmp_path / 'by-url.db'}"
    with Journal(url, cell="c", synchronous="OFF") as journal:
        journal.append([make_alarm()]).result(10)
    assert (tmp_path / "by-url.db").is_file()


def test_size(journal: Journal) -> None:
    before = journal.size()
    journal.append([make_entry(text="x" * 100_000)]).result(10)
    after = journal.size()
    assert after.used >= before.used + 100_000
    assert after.free is not None
    assert after.free > 0


async def test_a_coroutine_cancelled_in_time_leaves_no_trace(journal: Journal) -> None:
    with Held(journal):
        task = asyncio.create_task(journal.append_durable([make_entry(1)]))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        kept = asyncio.create_task(journal.append_durable([make_entry(2)]))
        await asyncio.sleep(0)
    assert (await kept)[0].seq == 2
    assert [entry.id for entry in journal.read()] == ["d0", "d2"]


async def test_a_coroutine_learns_that_its_commit_failed(file: Path) -> None:
    journal = Journal(file, cell="c", synchronous="OFF")
    with pytest.raises(Unavailable, match="not open"):
        await journal.append_durable([make_entry()])
    with journal:
        journal._writer._store.append = _refuse  # type: ignore[method-assign, union-attr]
        with pytest.raises(Unavailable, match="no more"):
            await journal.append_durable([make_entry()])


def _refuse(_: object) -> None:
    raise Unavailable("no more")


def test_a_bug_in_the_writer_reaches_its_caller_and_does_not_end_it(journal: Journal) -> None:
    append = journal._store.append  # type: ignore[union-attr]
    journal._store.append = _break  # type: ignore[method-assign, union-attr]
    with pytest.raises(InternalError, match="ZeroDivision"):
        journal.append([make_entry()]).result(10)
    journal._store.append = append  # type: ignore[method-assign, union-attr]
    assert journal.append([make_entry()]).result(10)[0].seq == 1


def _break(_: object) -> None:
    raise ZeroDivisionError


def test_a_commit_that_happened_though_it_was_said_to_fail(journal: Journal) -> None:
    """As when the connection to the server breaks while it answers."""
    append = journal._store.append  # type: ignore[union-attr]

    def commit_and_lose_the_answer(entries: list[Entry]) -> None:
        append(entries)
        raise Unavailable("connection lost")

    journal._store.append = commit_and_lose_the_answer  # type: ignore[method-assign, union-attr]
    with pytest.raises(Unavailable, match="connection lost"):
        journal.append([make_entry(1)]).result(10)
    assert journal.fault == "connection lost"
    journal._store.append = append  # type: ignore[method-assign, union-attr]
    assert journal.append([make_entry(2)]).result(10)[0].seq == 2
    assert [entry.id for entry in journal.read()] == ["d1", "d2"]
    assert journal.verify().ok
