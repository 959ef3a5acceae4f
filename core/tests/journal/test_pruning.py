"""Old segments go, the rest stays proven, and whoever removes something without a word is found."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from millhand.journal.chain import ChainHead
from millhand.journal.journal import Journal
from millhand.journal.store import Store
from millhand.journal.verifying import FaultKind

from .conftest import make_entry

EVER = 2**62
"""Later than any entry of these tests."""


@pytest.fixture
def sealed(file: Path) -> Path:
    with Journal(file, cell="c", synchronous="OFF", segment_entries=10) as journal:
        for number in range(45):
            journal.append([make_entry(number)]).result(10)
    return file


def seals(journal: Journal) -> list[int]:
    return [entry.seq for entry in journal.read(kinds=["checkpoint"])]


def test_whole_segments_go_and_the_chain_is_whole_from_the_seal_on(sealed: Path) -> None:
    with Journal(sealed, cell="c", synchronous="OFF") as journal:
        *_, last = seals(journal)
        pruned = journal.prune(EVER)
        assert pruned is not None
        assert (pruned.first_seq, pruned.last_seq) == (1, last - 1)
        assert journal.read(limit=1)[0].seq == last
        before = ChainHead(cell="c", seq=pruned.last_seq, hash=pruned.head)
        report = journal.verify(before)
        assert report.ok
        assert report.compared == before
        journal.append([make_entry(99)]).result(10)
    with Journal(sealed, cell="c", synchronous="OFF") as journal:
        journal.append([make_entry(100)]).result(10)
        assert journal.verify().ok
        assert journal.prune(EVER) is not None, "the restart has sealed another one"
        assert journal.prune(EVER) is None, "nothing more is old enough"
        assert journal.verify().ok


def test_what_is_younger_or_to_be_kept_stays(sealed: Path) -> None:
    with Journal(sealed, cell="c", synchronous="OFF") as journal:
        first, second, third, *_ = seals(journal)
        oldest = journal.read(first - 1, limit=1)[0].at_utc_ns
        assert journal.prune(oldest) is None
        assert journal.read(limit=1)[0].seq == 1
        pruned = journal.prune(EVER, keep_from=third - 1)
        assert pruned is not None
        assert journal.read(limit=1)[0].seq == second


def test_nothing_is_sealed_so_nothing_goes(file: Path) -> None:
    with Journal(file, cell="c", synchronous="OFF") as journal:
        assert journal.prune(EVER) is None
        journal.append([make_entry(1)]).result(10)
        assert journal.prune(EVER) is None
        assert journal.count() == 1


def test_the_neighbour_in_the_same_database_keeps_everything(sealed: Path) -> None:
    with Journal(sealed, cell="other", synchronous="OFF", segment_entries=10) as other:
        for number in range(25):
            other.append([make_entry(number)]).result(10)
    with Journal(sealed, cell="c", synchronous="OFF") as journal:
        assert journal.prune(EVER) is not None
    with Journal.open_readonly(sealed, cell="other") as other:
        assert other.count() == 27
        assert other.verify().ok


def test_commits_go_on_while_old_entries_are_removed(file: Path) -> None:
    with Journal(file, cell="c", synchronous="OFF", segment_entries=3000) as journal:
        journal.append([make_entry(n) for n in range(3000)]).result(10)
        journal.append([make_entry(3000)]).result(10)
        began = time.monotonic()
        futures = []
        while journal.prune(EVER, keep_from=None) is not None or not futures:
            futures += [journal.append([make_entry(n)]) for n in range(50)]
        for future in futures:
            future.result(10)
        assert time.monotonic() - began < 60
        assert journal.verify().ok


KILLED = """
import os, sys
from millhand.journal import store
from millhand.journal.journal import Journal

remove = store.Store.remove_before
def once(self, seq, at_most):
    remove(self, seq, 7)
    os._exit(9)
store.Store.remove_before = once
Journal(sys.argv[1], cell="c").open().prune(2**62)
"""


def test_an_engine_that_died_while_removing_is_no_fault_and_the_next_one_goes_on(
    sealed: Path,
) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(sealed)], check=False, timeout=60)
    assert done.returncode == 9
    with Journal.open_readonly(sealed) as journal:
        assert journal.read(limit=1)[0].seq == 8
        assert journal.verify().ok
    with Journal(sealed, cell="c", synchronous="OFF") as journal:
        last = journal.last("pruned")
        assert last is not None
        journal.prune(0)
        assert journal.read(limit=1)[0].seq == last.record.last_seq + 1  # type: ignore[union-attr]
        assert journal.verify().ok


def test_a_word_of_pruning_covers_what_it_names_and_no_more(sealed: Path) -> None:
    with Journal(sealed, cell="c", synchronous="OFF") as journal:
        second = seals(journal)[1]
        journal.prune(EVER, keep_from=second)
        store: Store = journal._store  # type: ignore[assignment]
        store.remove_before(seals(journal)[1], 1000)
        assert {fault.kind for fault in journal.verify().faults} == {FaultKind.MISSING}
