"""How tampering is found: walk the hash chain and report what does not fit."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol

from msgspec import Struct

from millhand.errors import NeedsPerson
from millhand.journal.chain import GENESIS, ChainHead, entry_hash
from millhand.journal.entries import Entry, kind_of
from millhand.journal.records import Checkpoint, Pruned, Record
from millhand.messages import tr

FAULTS_KEPT = 100
"""A report lists this many faults and counts the rest."""

_CHECKPOINT = kind_of(Checkpoint)
_PRUNED = kind_of(Pruned)


class FaultKind(StrEnum):
    """What can be wrong with a chain."""

    EDITED = "edited"
    """The content does not match its hash: changed, or moved from another place."""
    BROKEN = "broken"
    """It does not follow on the entry before it: one of the two was replaced."""
    MISSING = "missing"
    """Entries are not there."""
    FALSE_CHECKPOINT = "false_checkpoint"
    """A checkpoint states another chain than the one it stands in."""
    CUT_OFF = "cut_off"
    """The chain ends before the exported head."""
    REPLACED = "replaced"
    """The chain has another entry where the exported head was."""
    UNREADABLE = "unreadable"
    """The store could not be read from here on."""
    FALSE_SIGNATURE = "false_signature"
    """A checkpoint's signature is not that of a key that was given, for what it states."""
    UNSIGNED = "unsigned"
    """A signature is missing where there should be one."""


class Fault(Struct, frozen=True, kw_only=True):
    """One thing wrong, at these sequence numbers."""

    kind: FaultKind
    first_seq: int
    last_seq: int
    text: str

    @classmethod
    def at(cls, kind: FaultKind, seq: int, text: str) -> Fault:
        """Return a fault of one entry."""
        return cls(kind=kind, first_seq=seq, last_seq=seq, text=text)


class Witnessed(Struct, frozen=True, kw_only=True):
    """How far signatures prove a chain."""

    signatures: int
    """Found right, in the chain and among the exported ones."""
    last_seq: int
    """Up to here nothing can have been changed or cut off without the private key."""


class Proof(Protocol):
    """Compares a chain with what somebody has vouched for."""

    def begins(self, first: Entry) -> Iterable[Fault]:
        """Compare what is known of the entry before the first one present."""
        ...

    def entry(self, entry: Entry, checkpoint: Checkpoint | None) -> Iterable[Fault]:
        """Compare the next entry; ``checkpoint`` where it is one that states its place."""
        ...

    def ends(self, head: ChainHead) -> Iterable[Fault]:
        """Say what is missing at the end."""
        ...

    @property
    def witnessed(self) -> Witnessed:
        """How far it reaches."""
        ...


class VerifyReport(Struct, frozen=True, kw_only=True):
    """What walking a chain has shown.

    ``head`` is to be compared with, or kept as, an exported one: a tail that was cut off
    leaves a chain that is whole in itself.
    """

    head: ChainHead
    entries: int
    first_seq: int
    """Greater than 1 where sealed segments were pruned; 0 for an empty chain."""
    checkpoints: int
    faults: tuple[Fault, ...] = ()
    faults_total: int = 0
    compared: ChainHead | None = None
    """The exported head that was found in its place; None if none was given, or none found."""
    witnessed: Witnessed | None = None
    """What signatures prove; None without a public key."""

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong."""
        return not self.faults_total


class Verifier:
    """Walks entries in the order of ``seq`` and collects what is wrong with them."""

    def __init__(
        self, cell: str, against: ChainHead | None = None, proof: Proof | None = None
    ) -> None:
        self._cell = cell
        self._against = against
        self._proof = proof
        self._pruned_to = 0
        self._last: Entry | None = None
        self._first_seq = 0
        self._entries = 0
        self._checkpoints = 0
        self._faults: list[Fault] = []
        self._faults_total = 0
        self._compared: ChainHead | None = None

    def walk(self, entries: Iterable[Entry]) -> None:
        """Check the next entries."""
        for entry in entries:
            self._check_link(entry)
            checkpoint = self._check_content(entry)
            self._compare(entry.seq, entry.hash)
            if self._proof is not None:
                self._add(self._proof.entry(entry, checkpoint))
            self._last = entry
            self._entries += 1

    def unreadable(self, reason: str) -> None:
        """Note that the store gave up after the last entry walked."""
        after = self._last.seq if self._last else 0
        text = tr("After entry {seq} the store cannot be read: {reason}.", seq=after, reason=reason)
        self._fault(FaultKind.UNREADABLE, after + 1, after + 1, text)

    def report(self) -> VerifyReport:
        """Say what was found so far."""
        last = self._last
        head = ChainHead(
            cell=self._cell, seq=last.seq if last else 0, hash=last.hash if last else GENESIS
        )
        against = self._against
        if against is not None and self._compared is None and against.seq > head.seq:
            text = tr(
                "The chain ends at entry {last}, but the exported head is entry {seq}.",
                last=head.seq,
                seq=against.seq,
            )
            self._fault(FaultKind.CUT_OFF, head.seq + 1, against.seq, text)
        self._check_pruning()
        if self._proof is not None:
            self._add(self._proof.ends(head))
        return VerifyReport(
            head=head,
            entries=self._entries,
            first_seq=self._first_seq,
            checkpoints=self._checkpoints,
            faults=tuple(self._faults),
            faults_total=self._faults_total,
            compared=self._compared,
            witnessed=None if self._proof is None else self._proof.witnessed,
        )

    def _check_link(self, entry: Entry) -> None:
        last = self._last
        if last is None:
            self._check_beginning(entry)
        elif entry.seq != last.seq + 1:
            text = tr(
                "Entries {first} to {last} are missing.", first=last.seq + 1, last=entry.seq - 1
            )
            self._fault(FaultKind.MISSING, last.seq + 1, entry.seq - 1, text)
        elif entry.prev != last.hash:
            text = tr("Entry {seq} does not follow on entry {last}.", seq=entry.seq, last=last.seq)
            self._fault(FaultKind.BROKEN, entry.seq, entry.seq, text)

    def _check_beginning(self, entry: Entry) -> None:
        self._first_seq = entry.seq
        self._compare(entry.seq - 1, entry.prev)
        if self._proof is not None:
            self._add(self._proof.begins(entry))
        if entry.seq == 1 and entry.prev != GENESIS:
            text = tr("Entry 1 claims that another one was before it.")
            self._fault(FaultKind.BROKEN, 1, 1, text)

    def _check_pruning(self) -> None:
        """What is missing before the first entry must be said to be pruned by a later one."""
        missing_to = self._first_seq - 1
        if missing_to > self._pruned_to:
            text = tr(
                "Entries 1 to {last} are missing, and no entry says that they were pruned.",
                last=missing_to,
            )
            self._fault(FaultKind.MISSING, 1, missing_to, text)

    def _check_content(self, entry: Entry) -> Checkpoint | None:
        """Return the checkpoint that an entry is, where it is whole."""
        if not _matches_its_hash(entry):
            text = tr(
                "Entry {seq} does not match its hash: it was changed or moved.", seq=entry.seq
            )
            self._fault(FaultKind.EDITED, entry.seq, entry.seq, text)
        elif entry.kind == _PRUNED:
            pruned = _record(entry)
            if isinstance(pruned, Pruned):
                self._pruned_to = max(self._pruned_to, pruned.last_seq)
        elif entry.kind == _CHECKPOINT:
            self._checkpoints += 1
            checkpoint = _record(entry)
            if isinstance(checkpoint, Checkpoint) and _states_its_place(checkpoint, entry):
                return checkpoint
            text = tr(
                "The checkpoint at entry {seq} states another chain than the one it stands in.",
                seq=entry.seq,
            )
            self._fault(FaultKind.FALSE_CHECKPOINT, entry.seq, entry.seq, text)
        return None

    def _compare(self, seq: int, digest: str) -> None:
        against = self._against
        if against is None or seq != against.seq or self._compared is not None:
            return
        if digest == against.hash:
            self._compared = against
        else:
            text = tr("Entry {seq} is not the one whose hash was exported.", seq=seq)
            self._fault(FaultKind.REPLACED, seq, seq, text)

    def _fault(self, kind: FaultKind, first_seq: int, last_seq: int, text: str) -> None:
        self._add([Fault(kind=kind, first_seq=first_seq, last_seq=last_seq, text=text)])

    def _add(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self._faults_total += 1
            if len(self._faults) < FAULTS_KEPT:
                self._faults.append(fault)


def _matches_its_hash(entry: Entry) -> bool:
    try:
        return entry.hash == entry_hash(entry.cell, entry.boot, entry.seq, entry, entry.prev)
    except (TypeError, UnicodeEncodeError):  # a column was given a value of another type
        return False


def _record(entry: Entry) -> Record | None:
    try:
        return entry.record
    except NeedsPerson:
        return None


def _states_its_place(checkpoint: Checkpoint, entry: Entry) -> bool:
    return checkpoint.last_seq == entry.seq - 1 and checkpoint.head == entry.prev
