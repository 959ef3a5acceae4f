from __future__ import annotations

import io
import json
import sqlite3
from pathlib import Path

import pytest

from millhand.errors import ConfigError, Unavailable
from millhand.journal.export import read_export
from millhand.journal.journal import Journal
from millhand.journal.verifying import FaultKind, Verifier

from .conftest import make_alarm, make_entry


def test_an_export_reads_as_json_and_proves_itself(journal: Journal, tmp_path: Path) -> None:
    journal.append([make_entry(n, part="P\n1", text='"große" \\ \u2028') for n in range(3)])
    journal.append([make_alarm(1)]).result(10)
    target = tmp_path / "out.jsonl"
    head = journal.export(target)
    assert head == journal.chain_head()
    lines = [json.loads(line) for line in target.read_bytes().splitlines()]
    assert [line["seq"] for line in lines] == [1, 2, 3, 4]
    assert lines[0]["part"] == "P\n1"
    assert lines[0]["body"]["reason"] == '"große" \\ \u2028'
    assert list(read_export(target)) == journal.read()
    verifier = Verifier("cell-1", head)
    verifier.walk(read_export(target))
    assert verifier.report().ok
    assert not list(tmp_path.glob("*.part"))


def test_an_edited_export_is_found(journal: Journal, tmp_path: Path) -> None:
    journal.append([make_entry(n) for n in range(3)]).result(10)
    target = tmp_path / "out.jsonl"
    head = journal.export(target)
    target.write_bytes(target.read_bytes().replace(b'"decisions":1', b'"decisions":9'))
    verifier = Verifier("cell-1", head)
    verifier.walk(read_export(target))
    faults = verifier.report().faults
    assert [(fault.kind, fault.first_seq) for fault in faults] == [(FaultKind.EDITED, 2)]


def test_export_of_a_part_and_to_a_stream(journal: Journal) -> None:
    journal.append([make_entry(n) for n in range(5)]).result(10)
    stream = io.BytesIO()
    journal.export(stream, after=3)
    assert [json.loads(line)["seq"] for line in stream.getvalue().splitlines()] == [4, 5]
    empty = io.BytesIO()
    assert journal.export(empty, after=5).seq == 0
    assert empty.getvalue() == b""


@pytest.mark.parametrize("body", ["no json", "[1]", '{"a":\n1}', '"text"', "{", "x'ff'"])
def test_a_tampered_body_still_makes_one_line(file: Path, tmp_path: Path, body: str) -> None:
    with Journal(file, cell="c", synchronous="OFF") as journal:
        journal.append([make_entry(1), make_entry(2)]).result(10)
    connection = sqlite3.connect(file)
    raw = b"\xff" if body == "x'ff'" else body.encode()
    connection.execute("UPDATE entry SET body = CAST(? AS TEXT) WHERE seq = 1", (raw,))
    connection.commit()
    connection.close()
    target = tmp_path / "out.jsonl"
    with Journal.open_readonly(file) as journal:
        journal.export(target)
    assert [json.loads(line)["seq"] for line in target.read_bytes().splitlines()] == [1, 2]
    first, second = read_export(target)
    if body != "x'ff'":
        assert first.body == raw
    assert second.record.decisions == 2  # type: ignore[union-attr]


def test_targets_and_formats_that_cannot_be(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="pdf"):
        journal.export(tmp_path / "x", format="pdf")
    with pytest.raises(Unavailable, match="cannot be written"):
        journal.export(tmp_path / "missing" / "x")
    with pytest.raises(Unavailable, match="cannot be read"):
        list(read_export(tmp_path / "missing"))
    (tmp_path / "foreign").write_text('{"seq": 1}\n')
    with pytest.raises(ConfigError, match="Line 1 of"):
        list(read_export(tmp_path / "foreign"))


def test_a_failed_export_leaves_the_old_one(journal: Journal, tmp_path: Path) -> None:
    journal.append([make_entry(1)]).result(10)
    target = tmp_path / "out.jsonl"
    journal.export(target)
    before = target.read_bytes()
    journal.close()
    with pytest.raises(Unavailable):
        journal.export(target)
    assert target.read_bytes() == before
