from __future__ import annotations

import json
import subprocess
import sys

import pytest

from millhand.contracts.modes import Mode
from millhand.errors import NeedsPerson
from millhand.journal.entries import Entry, NewEntry, new_entry
from millhand.journal.records import ModeChange, Stopped


def _entry(kind: str, body: bytes) -> Entry:
    return Entry("c", 1, 1, "i", kind, "", None, 0, body, "0" * 64, "0" * 64)


def test_record_comes_back_as_it_was() -> None:
    record = ModeChange(agent="inspector", before=None, now=Mode.CONTROL, by="Ümit", reason="漢")
    new = new_entry(record, id="m1", subject="inspector")
    assert new.kind == "mode"
    assert _entry(new.kind, new.body).record == record
    assert json.loads(new.body)["by"] == "Ümit"


def test_time_is_now_unless_given() -> None:
    record = Stopped(reason="", decisions=0)
    assert new_entry(record, id="x", at_utc_ns=7).at_utc_ns == 7
    assert new_entry(record, id="x").at_utc_ns > 1_600_000_000 * 10**9


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "a\0b"},
        {"id": "\ud800"},
        {"subject": "\0"},
        {"part": "p\0"},
        {"body": b"\xff"},
        {"body": b'{"a":"\0"}'},
        {"at_utc_ns": -1},
        {"at_utc_ns": 2**63},
    ],
)
def test_what_a_database_would_refuse_is_refused_at_once(fields: dict[str, object]) -> None:
    good: dict[str, object] = {"kind": "stopped", "id": "i", "at_utc_ns": 0, "body": b"{}"}
    NewEntry(**good)  # type: ignore[arg-type]
    with pytest.raises(ValueError):  # noqa: PT011  # the point is that the caller gets it
        NewEntry(**(good | fields))  # type: ignore[arg-type]


@pytest.mark.parametrize("body", [b'{"type":"from_the_future/9"}', b"{", b"\xff\xfe", b"[]"])
def test_unknown_record_is_a_clear_error(body: bytes) -> None:
    with pytest.raises(NeedsPerson, match="Entry 1 of kind future"):
        _ = _entry("future", body).record


def test_importing_the_journal_is_light() -> None:
    script = (
        "import sys, millhand.journal.journal, millhand.journal.blobs;"
        "heavy = ('alembic', 'PIL', 'numpy', 'sqlalchemy', 'filelock');"
        "print([name for name in heavy if name in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
