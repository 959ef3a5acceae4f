"""Signed checkpoints: with the public key, whatever was done to the record is found."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from millhand.errors import ConfigError
from millhand.journal.chain import GENESIS, ChainHead, chain
from millhand.journal.entries import Entry, NewEntry
from millhand.journal.journal import Journal
from millhand.journal.proof import SignedProof
from millhand.journal.signing import PublicKey, SignedHead, SigningKey, make_key, read_heads
from millhand.journal.store import insert_statement
from millhand.journal.verifying import FaultKind, VerifyReport

from .conftest import make_entry


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    private = tmp_path / "secrets" / "journal.key"
    make_key(private)
    return SigningKey(private.read_text())


@pytest.fixture
def exported(tmp_path: Path) -> Path:
    return tmp_path / "checkpoints.jsonl"


@pytest.fixture
def signed(file: Path, key: SigningKey, exported: Path) -> Path:
    """A journal of two starts with signed seals, its heads exported."""
    for _ in range(2):
        journal = Journal(file, cell="c", synchronous="OFF", segment_entries=10, key=key,
                          witness=exported)  # fmt: skip
        with journal:
            for number in range(25):
                journal.append([make_entry(number)]).result(10)
    return file


def heads(exported: Path) -> list[SignedHead]:
    return [head for head in read_heads(exported) if isinstance(head, SignedHead)]


def verify(file: Path, key: PublicKey, exported: Path | None) -> VerifyReport:
    known = heads(exported) if exported is not None else []
    with Journal.open_readonly(file) as journal:
        return journal.verify(proof=SignedProof([key], known))


def kinds(report: VerifyReport) -> set[FaultKind]:
    return {fault.kind for fault in report.faults}


def test_an_untouched_journal_is_proven_to_its_last_exported_head(signed, key, exported) -> None:
    report = verify(signed, key.public, exported)
    assert report.ok
    assert report.witnessed is not None
    assert report.witnessed.last_seq == report.head.seq
    assert [head.seq for head in heads(exported)][-1] == report.head.seq
    assert report.witnessed.signatures == report.checkpoints + len(heads(exported))


def rewrite(file: Path, change: Callable[[list[Entry]], list[NewEntry]]) -> None:
    """Write the whole chain anew with right hashes, as somebody who knows how it is made."""
    with Journal.open_readonly(file) as journal:
        entries = journal.read(limit=None)
    forged: list[Entry] = []
    for new in change(entries):
        last = forged[-1] if forged else None
        head = ChainHead(cell="c", seq=last.seq if last else 0, hash=last.hash if last else GENESIS)
        forged += chain([new], boot=1, head=head)
    connection = sqlite3.connect(file)
    with connection:
        connection.execute("DELETE FROM entry")
        from sqlalchemy.dialects import sqlite

        connection.executemany(insert_statement(sqlite.dialect()), [_row(e) for e in forged])
    connection.close()


def _row(entry: Entry) -> tuple[object, ...]:
    columns = [getattr(entry, name) for name in Entry.__struct_fields__]
    return tuple(value.decode() if isinstance(value, bytes) else value for value in columns)


def again(entry: Entry, body: bytes | None = None) -> NewEntry:
    return NewEntry(
        kind=entry.kind,
        id=entry.id,
        subject=entry.subject,
        part=entry.part,
        at_utc_ns=entry.at_utc_ns,
        body=entry.body if body is None else body,
    )


def edit(entries: list[Entry]) -> list[NewEntry]:
    body = entries[4].body.replace(b"halt", b"help")
    return [again(e, body if e.seq == 5 else None) for e in entries]


def delete(entries: list[Entry]) -> list[NewEntry]:
    return [again(entry) for entry in entries if entry.seq != 5]


def reorder(entries: list[Entry]) -> list[NewEntry]:
    return [again(e) for e in [*entries[:4], entries[5], entries[4], *entries[6:]]]


def drop_seals(entries: list[Entry]) -> list[NewEntry]:
    return [again(entry) for entry in entries if entry.kind != "checkpoint"]


def cut(entries: list[Entry]) -> list[NewEntry]:
    return [again(entry) for entry in entries[:5]]


@pytest.mark.parametrize("change", [edit, delete, reorder, drop_seals, cut])
def test_a_chain_written_anew_with_right_hashes_is_found(signed, key, exported, change) -> None:
    rewrite(signed, change)
    report = verify(signed, key.public, exported)
    assert not report.ok
    expected = FaultKind.CUT_OFF if change is cut else FaultKind.REPLACED
    if change is not drop_seals:
        assert expected in kinds(report)


@pytest.mark.parametrize("change", [edit, delete, reorder, drop_seals])
def test_the_seals_in_the_chain_alone_find_it_too(signed, key, change) -> None:
    rewrite(signed, change)
    assert not verify(signed, key.public, None).ok


@pytest.mark.parametrize("gone", [1, 3, 30])
def test_a_cut_off_tail_is_found_by_the_exported_heads(signed, key, exported, gone) -> None:
    connection = sqlite3.connect(signed)
    with connection:
        connection.execute(
            "DELETE FROM entry WHERE seq > (SELECT max(seq) FROM entry) - ?", (gone,)
        )
    connection.close()
    with Journal.open_readonly(signed) as journal:
        assert journal.verify().ok, "what is left is whole in itself"
    assert FaultKind.CUT_OFF in kinds(verify(signed, key.public, exported))


def test_a_stranger_cannot_seal(signed, key, exported, tmp_path) -> None:
    make_key(tmp_path / "other.key")
    stranger = SigningKey((tmp_path / "other.key").read_text())
    rewrite(signed, edit)
    with Journal(signed, cell="c", synchronous="OFF", key=stranger, witness=exported) as journal:
        journal.append([make_entry(1)]).result(10)
    report = verify(signed, key.public, exported)
    assert FaultKind.FALSE_SIGNATURE in kinds(report)


def test_a_signature_is_worth_nothing_for_another_entry(signed, key, exported) -> None:
    last = heads(exported)[-1]
    for changed in (
        {"seq": last.seq - 1},
        {"hash": "0" * 64},
        {"cell": "other"},
    ):
        head = ChainHead(**{"cell": last.cell, "seq": last.seq, "hash": last.hash, **changed})
        assert not key.public.fits(head, last.signature)


def test_an_unsigned_journal_is_no_proof(file, key, exported) -> None:
    with Journal(file, cell="c", synchronous="OFF") as journal:
        journal.append([make_entry(1)]).result(10)
    exported.touch()
    assert kinds(verify(file, key.public, exported)) == {FaultKind.UNSIGNED}


def test_a_seal_without_a_signature_after_signed_ones_is_found(signed, key) -> None:
    for number in range(2):
        with Journal(signed, cell="c", synchronous="OFF") as journal:  # its key was taken away
            journal.append([make_entry(number)]).result(10)
    assert FaultKind.UNSIGNED in kinds(verify(signed, key.public, None))


def test_pruned_and_signed(signed, key, exported) -> None:
    with Journal(signed, cell="c", synchronous="OFF", key=key, witness=exported) as journal:
        assert journal.prune(2**62) is not None
    report = verify(signed, key.public, exported)
    assert report.ok
    assert report.first_seq > 1


def test_a_damaged_journal_takes_its_exported_heads_aside_with_it(signed, key, exported) -> None:
    before = exported.read_bytes()
    with signed.open("r+b") as raw:
        raw.write(os.urandom(8192))
    with Journal(signed, cell="c", synchronous="OFF", key=key, witness=exported) as journal:
        assert journal.recovered_from is not None
        journal.append([make_entry(1)]).result(10)
    assert verify(signed, key.public, exported).ok
    (aside,) = exported.parent.glob("checkpoints.jsonl.corrupt-*")
    assert aside.read_bytes() == before
    assert aside.name.rpartition(".")[2] in str(journal.recovered_from)


# --- keys ---


def test_the_private_key_is_its_owners_alone_and_never_replaced(tmp_path: Path) -> None:
    private = tmp_path / "new" / "journal.key"
    public = make_key(private)
    if os.name == "posix":
        assert private.stat().st_mode & 0o777 == 0o600
    before = private.read_bytes(), public.read_bytes()
    with pytest.raises(ConfigError, match="already"):
        make_key(private)
    assert (private.read_bytes(), public.read_bytes()) == before


@pytest.mark.parametrize("text", ["", "key", "-----BEGIN PRIVATE KEY-----\n"])
def test_what_is_no_key_is_refused(text: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Ed25519"):
        SigningKey(text)
    (tmp_path / "x.pub").write_text(text)
    with pytest.raises(ConfigError, match="public key"):
        PublicKey.read(tmp_path / "x.pub")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
def test_openssl_agrees(signed, exported, tmp_path) -> None:
    """The statement is what the module's page says, and anybody can check it."""
    last = heads(exported)[-1]
    sign = last.signature
    fields = f'"{last.cell}",{last.seq},"{last.hash}",{sign.at_utc_ns},"{sign.key}"'
    (tmp_path / "statement").write_text(f'["millhand-checkpoint/1",{fields}]')
    (tmp_path / "signature").write_bytes(bytes.fromhex(sign.value))
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-rawin"]
    files = ["-inkey", str(tmp_path / "secrets" / "journal.pub"), "-in",
             str(tmp_path / "statement"), "-sigfile", str(tmp_path / "signature")]  # fmt: skip
    done = subprocess.run([*command, *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


# --- exporting ---


def test_a_torn_line_spoils_only_itself(signed, key, exported) -> None:
    exported.write_bytes(exported.read_bytes()[:-40])  # as a power cut may leave it
    with Journal(signed, cell="c", synchronous="OFF", key=key, witness=exported) as journal:
        journal.append([make_entry(1)]).result(10)
    report = verify(signed, key.public, exported)
    assert report.ok
    assert [head.seq for head in heads(exported)][-1] == report.head.seq
    exported.write_bytes(b"no head at all")
    with pytest.raises(ConfigError, match="no head"):
        read_heads(exported)


def test_a_head_is_exported_after_so_many_entries_and_at_the_end(file, key, exported) -> None:
    from millhand.journal.witness import Witness

    with Journal(file, cell="c", synchronous="OFF") as journal:
        witness = Witness(key, exported, every_entries=10, every_s=3600)
        journal.listen(witness)
        for number in range(10):
            journal.append([make_entry(number)]).result(10)
        deadline = time.monotonic() + 20
        while not exported.exists() and time.monotonic() < deadline:
            time.sleep(0.005)
        for number in range(5):
            journal.append([make_entry(number)]).result(10)
        witness.end()
    assert [head.seq for head in heads(exported)] == [10, 15]


def test_a_share_that_is_gone_costs_no_commit_and_is_told(file, key, tmp_path) -> None:
    gone = tmp_path / "share" / "checkpoints.jsonl"
    with Journal(file, cell="c", synchronous="OFF", key=key, witness=gone) as journal:
        witness = journal._witness
        assert witness is not None
        witness._every_entries = 1
        journal.append([make_entry(1)]).result(10)
        deadline = 200
        while not journal.witness_fault and deadline:
            deadline -= 1
            journal.append([make_entry(2)]).result(10)
        assert "No such file" in journal.witness_fault
        gone.parent.mkdir()
        journal.append([make_entry(3)]).result(10)
    assert journal._witness is not None
    assert journal._witness.fault == ""
    assert [head.seq for head in heads(gone)]
