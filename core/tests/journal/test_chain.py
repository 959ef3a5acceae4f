from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from millhand.errors import ConfigError
from millhand.journal.chain import GENESIS, ChainHead, chain
from millhand.journal.entries import Entry, NewEntry
from millhand.journal.journal import Journal
from millhand.journal.verifying import FaultKind, Verifier, VerifyReport

from .conftest import make_entry

TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
NEW = st.builds(
    NewEntry,
    kind=st.sampled_from(["intent", "outcome", "alarm"]),
    id=TEXTS,
    subject=TEXTS,
    part=st.none() | TEXTS,
    at_utc_ns=st.integers(0, 2**63 - 1),
    body=TEXTS.map(lambda text: json.dumps({"text": text}).encode()),
)
CHAINS = st.lists(NEW, min_size=3, max_size=12).map(
    lambda new: chain(new, boot=3, head=ChainHead(cell="zelle", seq=0, hash=GENESIS))
)


def walk(entries: list[Entry], against: ChainHead | None = None) -> VerifyReport:
    verifier = Verifier("zelle", against)
    verifier.walk(entries)
    return verifier.report()


def head(entries: list[Entry]) -> ChainHead:
    return ChainHead(cell="zelle", seq=entries[-1].seq, hash=entries[-1].hash)


def kinds(report: VerifyReport) -> set[FaultKind]:
    return {fault.kind for fault in report.faults}


@given(CHAINS)
def test_anybody_can_compute_the_hashes_from_the_description(entries: list[Entry]) -> None:
    prev = "0" * 64
    for e in entries:
        columns = ["millhand-entry/1", "zelle", 3, e.seq, e.id, e.kind, e.subject, e.part]
        line = json.dumps([*columns, e.at_utc_ns, prev], separators=(",", ":"), ensure_ascii=False)
        prev = hashlib.sha256(line.encode() + b"\n" + e.body).hexdigest()
        assert e.hash == prev


@given(CHAINS)
def test_an_untouched_chain_is_whole(entries: list[Entry]) -> None:
    report = walk(entries, head(entries))
    assert report.ok
    assert (report.entries, report.first_seq, report.head) == (len(entries), 1, head(entries))
    assert report.compared == head(entries)


CHANGES: dict[str, object] = {
    "cell": "other",
    "boot": 4,
    "id": "forged",
    "kind": "forged",
    "subject": "forged",
    "part": "forged",
    "at_utc_ns": 123_456_789,
    "body": b'{"forged":1}',
}


@given(CHAINS, st.data())
def test_any_edit_is_found(entries: list[Entry], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(entries) - 1))
    column = data.draw(st.sampled_from(sorted(CHANGES)))
    changed = {name: getattr(entries[at], name) for name in Entry.__struct_fields__}
    if changed[column] == CHANGES[column]:
        return
    changed[column] = CHANGES[column]
    report = walk([*entries[:at], Entry(**changed), *entries[at + 1 :]])
    assert [(f.kind, f.first_seq) for f in report.faults] == [(FaultKind.EDITED, at + 1)]


@given(CHAINS, st.data())
def test_an_edit_with_a_hash_to_match_breaks_the_next_link(
    entries: list[Entry], data: st.DataObject
) -> None:
    at = data.draw(st.integers(0, len(entries) - 2))
    before = ChainHead(cell="zelle", seq=at, hash=entries[at].prev)
    (forged,) = chain([make_entry(text="forged")], boot=3, head=before)
    report = walk([*entries[:at], forged, *entries[at + 1 :]])
    assert [(f.kind, f.first_seq) for f in report.faults] == [(FaultKind.BROKEN, at + 2)]


@given(CHAINS, st.data())
def test_deletion_in_the_middle_is_found(entries: list[Entry], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(entries) - 2))
    last = data.draw(st.integers(first, len(entries) - 2))
    report = walk(entries[:first] + entries[last + 1 :])
    assert [(f.kind, f.first_seq, f.last_seq) for f in report.faults] == [
        (FaultKind.MISSING, first + 1, last + 1)
    ]


@given(CHAINS, st.data())
def test_reordering_is_found(entries: list[Entry], data: st.DataObject) -> None:
    one = data.draw(st.integers(0, len(entries) - 2))
    other = data.draw(st.integers(one + 1, len(entries) - 1))
    swapped = list(entries)
    for place, source in ((one, entries[other]), (other, entries[one])):
        columns = {name: getattr(source, name) for name in Entry.__struct_fields__}
        swapped[place] = Entry(**(columns | {"seq": place + 1}))
    assert FaultKind.EDITED in kinds(walk(swapped))


@given(CHAINS, st.data())
def test_a_cut_off_tail_is_found_against_an_exported_head(
    entries: list[Entry], data: st.DataObject
) -> None:
    keep = data.draw(st.integers(0, len(entries) - 1))
    assert walk(entries[:keep]).ok
    report = walk(entries[:keep], head(entries))
    assert [(f.kind, f.first_seq, f.last_seq) for f in report.faults] == [
        (FaultKind.CUT_OFF, keep + 1, len(entries))
    ]


@given(CHAINS)
def test_a_chain_written_anew_is_found_against_an_exported_head(entries: list[Entry]) -> None:
    new = [make_entry(number) for number in range(len(entries))]
    forged = chain(new, boot=3, head=ChainHead(cell="zelle", seq=0, hash=GENESIS))
    assert walk(forged).ok
    assert kinds(walk(forged, head(entries))) == {FaultKind.REPLACED}


def test_report_lists_some_faults_and_counts_all() -> None:
    new = [make_entry(number) for number in range(300)]
    entries = chain(new, boot=1, head=ChainHead(cell="zelle", seq=0, hash=GENESIS))
    report = walk(entries[::2])
    assert report.faults_total == 149
    assert len(report.faults) == 100
    assert not report.ok


# --- in the file ---


@pytest.fixture
def sealed(file: Path) -> Path:
    with Journal(file, cell="cell-1", synchronous="OFF", segment_entries=10) as journal:
        for number in range(35):
            journal.append([make_entry(number)]).result(10)
    return file


def tamper(file: Path, *statements: str) -> VerifyReport:
    connection = sqlite3.connect(file)
    with connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()
    with Journal.open_readonly(file) as journal:
        return journal.verify()


def test_whole_file(sealed: Path) -> None:
    report = tamper(sealed)
    assert report.ok
    assert report.entries == 38
    assert report.checkpoints == 3


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        (["UPDATE entry SET body = replace(body, 'halt', 'help') WHERE seq = 5"], {"edited"}),
        (["UPDATE entry SET body = x'ff00fe' WHERE seq = 5"], {"edited"}),
        (["UPDATE entry SET id = CAST(x'ff' AS TEXT) WHERE seq = 5"], {"edited"}),
        (["UPDATE entry SET at = 'noon' WHERE seq = 5"], {"edited"}),
        (["UPDATE entry SET part = 'P1' WHERE seq = 5"], {"edited"}),
        (["DELETE FROM entry WHERE seq = 5"], {"missing"}),
        (["DELETE FROM entry WHERE seq < 5"], {"missing"}),
        (["DELETE FROM entry WHERE seq < 11"], {"missing"}),  # a seal follows, no word of pruning
        (
            [
                "UPDATE entry SET seq = -1 WHERE seq = 5",
                "UPDATE entry SET seq = 5 WHERE seq = 6",
                "UPDATE entry SET seq = 6 WHERE seq = -1",
            ],
            {"edited", "broken"},
        ),
    ],
)
def test_tampering_with_the_file_is_found(
    sealed: Path, statements: list[str], expected: set[str]
) -> None:
    report = tamper(sealed, *statements)
    assert kinds(report) == expected
    assert min(fault.last_seq for fault in report.faults) in {4, 5, 10}


def test_cut_off_tail_of_the_file(sealed: Path) -> None:
    with Journal.open_readonly(sealed) as journal:
        exported = journal.chain_head()
    assert tamper(sealed, "DELETE FROM entry WHERE seq > 30").ok
    with Journal.open_readonly(sealed) as journal:
        assert kinds(journal.verify(exported)) == {FaultKind.CUT_OFF}


def test_sealed_segments_may_be_pruned(sealed: Path) -> None:
    with Journal.open_readonly(sealed) as journal:
        first, second, _ = journal.read(kinds=["checkpoint"])
        exported = ChainHead(cell="cell-1", seq=second.seq - 1, hash=second.prev)
        assert second.record.first_seq == first.seq  # type: ignore[union-attr]
    with Journal(sealed, cell="cell-1", synchronous="OFF") as journal:
        pruned = journal.prune(2**62, keep_from=second.seq)
        assert pruned is not None
        assert pruned.last_seq == second.seq - 1
    report = tamper(sealed)
    assert report.ok
    assert report.first_seq == second.seq
    with Journal.open_readonly(sealed) as journal:
        assert journal.verify(exported).compared == exported


def test_a_head_of_another_cell_is_refused(sealed: Path) -> None:
    with Journal.open_readonly(sealed) as journal, pytest.raises(ConfigError, match="cell-2"):
        journal.verify(ChainHead(cell="cell-2", seq=1, hash=GENESIS))


def test_a_page_that_cannot_be_read_is_a_fault_and_no_crash(sealed: Path) -> None:
    size = sealed.stat().st_size
    pages = sqlite3.connect(sealed)
    (root,) = pages.execute("SELECT rootpage FROM sqlite_master WHERE name = 'entry'").fetchone()
    pages.close()
    with Journal.open_readonly(sealed) as journal:
        assert journal.verify().ok
    with sealed.open("r+b") as raw:
        raw.seek((root - 1) * 4096)
        raw.write(b"\xde\xad\xbe\xef" * 1024)
    assert sealed.stat().st_size == size
    with Journal.open_readonly(sealed, cell="cell-1") as journal:
        assert kinds(journal.verify()) == {FaultKind.UNREADABLE}


def test_a_journal_with_a_tampered_checkpoint_still_opens(sealed: Path) -> None:
    update = "UPDATE entry SET body = '{}' WHERE kind = 'checkpoint'"
    assert FaultKind.EDITED in kinds(tamper(sealed, update))
    with Journal(sealed, cell="cell-1", synchronous="OFF") as journal:
        journal.append([make_entry(1)]).result(10)
        assert journal.read(kinds=["checkpoint"])[-1].record.segment == 4  # type: ignore[union-attr]
