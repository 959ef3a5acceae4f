from __future__ import annotations

import sqlite3
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from millhand.journal.entries import Entry
from millhand.journal.journal import Journal

from .conftest import make_alarm, make_entry

SUBJECTS = st.sampled_from(["", "inspector", "plc"])
PARTS = st.none() | st.sampled_from(["P1", "P2"])


class ReadingAgreesWithAList(RuleBasedStateMachine):
    """Whatever is asked, the store answers as a list of the acknowledged entries would."""

    @initialize()
    def begin(self) -> None:
        self.folder = TemporaryDirectory()
        self.file = Path(self.folder.name) / "j.db"
        self.known: list[Entry] = []
        self.journal = self.reopened()

    def reopened(self) -> Journal:
        return Journal(self.file, cell="c", synchronous="OFF", segment_entries=7).open()

    def teardown(self) -> None:
        self.journal.close()
        self.folder.cleanup()

    @rule(number=st.integers(0, 3), subject=SUBJECTS, part=PARTS, count=st.integers(1, 4))
    def append_stops(self, number: int, subject: str, part: str | None, count: int) -> None:
        self.append([make_entry(number, subject=subject, part=part)] * count)

    @rule(number=st.integers(0, 3), subject=SUBJECTS)
    def append_alarm(self, number: int, subject: str) -> None:
        self.append([make_alarm(number, subject=subject)])

    def append(self, new: list[object]) -> None:
        entries = self.journal.append(new).result(10)  # type: ignore[arg-type]
        seals = self.journal.read(len(self.known), before=entries[0].seq)
        assert [seal.kind for seal in seals] in ([], ["checkpoint"])
        self.known += seals + entries

    @rule()
    def restart(self) -> None:
        self.journal.close()
        self.journal = self.reopened()

    @rule(
        after=st.integers(0, 20),
        before=st.none() | st.integers(0, 30),
        kinds=st.none() | st.lists(st.sampled_from(["stopped", "alarm", "checkpoint", "x"])),
        subject=st.none() | SUBJECTS,
        part=PARTS,
        id_=st.none() | st.sampled_from(["d0", "d1", "a0", "nobody"]),
        limit=st.none() | st.integers(1, 10),
        newest_first=st.booleans(),
    )
    def read(
        self,
        after: int,
        before: int | None,
        kinds: list[str] | None,
        subject: str | None,
        part: str | None,
        id_: str | None,
        limit: int | None,
        newest_first: bool,
    ) -> None:
        expected = [
            entry
            for entry in (reversed(self.known) if newest_first else self.known)
            if entry.seq > after
            and (before is None or entry.seq < before)
            and (kinds is None or entry.kind in kinds)
            and (subject is None or entry.subject == subject)
            and (part is None or entry.part == part)
            and (id_ is None or entry.id == id_)
        ]
        found = self.journal.read(
            after,
            before=before,
            kinds=kinds,
            subject=subject,
            part=part,
            id=id_,
            limit=limit,
            newest_first=newest_first,
        )
        assert found == expected[:limit]

    @rule(kind=st.sampled_from(["stopped", "alarm"]), subject=st.none() | SUBJECTS)
    def last_and_count(self, kind: str, subject: str | None) -> None:
        matching = [
            entry
            for entry in self.known
            if entry.kind == kind and (subject is None or entry.subject == subject)
        ]
        assert self.journal.last(kind, subject) == (matching[-1] if matching else None)
        assert self.journal.count(kind, subject) == len(matching)

    @invariant()
    def is_whole(self) -> None:
        assert self.journal.head == len(self.known)
        assert self.journal.count() == len(self.known)
        assert self.journal.verify().ok


TestReadingAgreesWithAList = ReadingAgreesWithAList.TestCase
TestReadingAgreesWithAList.settings = settings(
    max_examples=10, stateful_step_count=20, deadline=None
)


def test_anybody_can_ask_the_file_by_sql(file: Path) -> None:
    with Journal(file, cell="c", synchronous="OFF") as journal:
        journal.append([make_entry(n) for n in range(3)]).result(10)
        foreign = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True)
        rows = foreign.execute(
            "SELECT seq, json_extract(body, '$.decisions') FROM entry WHERE kind = 'stopped'"
        ).fetchall()
        foreign.close()
    assert rows == [(1, 0), (2, 1), (3, 2)]


def test_questions_use_their_index(file: Path) -> None:
    """Each of these is asked of journals of many millions of entries."""
    with Journal(file, cell="c", synchronous="OFF") as journal:
        statements: list[str] = []
        from sqlalchemy import event

        engine = journal._store._readers  # type: ignore[union-attr]

        def note(_c: object, _u: object, sql: str, values: tuple[object, ...], *_: object) -> None:
            statements.append(sql)
            plan = reader.execute("EXPLAIN QUERY PLAN " + sql, values).fetchall()
            plans.append(" | ".join(row[3] for row in plan))

        reader = sqlite3.connect(file)
        plans: list[str] = []
        event.listen(engine, "before_cursor_execute", note)
        journal.read(5)
        journal.last("alarm")
        journal.last("mode", "inspector")
        journal.read(id="x", kinds=["intent"])
        journal.read(part="x", kinds=["intent", "outcome"], subject="s")
        journal.read(kinds=["alarm", "mode"], newest_first=True, limit=3)
        reader.close()
    expected = [
        "sqlite_autoindex_entry_1 (cell=? AND seq>?)",
        "entry_by_kind (cell=? AND kind=? AND seq>?)",
        "entry_by_subject (cell=? AND kind=? AND subject=? AND seq>?)",
        "entry_by_id (cell=? AND id=? AND seq>?)",
        "entry_by_part (cell=? AND part=? AND seq>?)",
        "entry_by_kind (cell=? AND kind=? AND seq>?)",
    ]
    for plan, index in zip(plans, expected, strict=True):
        assert index in plan
    assert all("TEMP B-TREE" not in plan for plan in plans[:5])
