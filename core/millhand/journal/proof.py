"""What signatures prove of a chain: that it is the one that the cell's key has seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from millhand.journal.chain import ChainHead
from millhand.journal.entries import Entry
from millhand.journal.records import Checkpoint, Signature
from millhand.journal.signing import PublicKey, SignedHead
from millhand.journal.verifying import Fault, FaultKind, Witnessed
from millhand.messages import tr


class SignedProof:
    """Holds a chain against signed checkpoints, those in it and those exported from it.

    Args:
        keys: public keys; a signature of any other counts for nothing.
        exported: heads that were exported while the chain grew.
    """

    def __init__(self, keys: Iterable[PublicKey], exported: Iterable[SignedHead] = ()) -> None:
        self._keys: Mapping[str, PublicKey] = {key.name: key for key in keys}
        self._false: list[SignedHead] = []
        self._expected: dict[int, str] = {}
        self._met = 0
        self._signed_to = 0
        self._since_signed = False
        for head in exported:
            if self._fits(ChainHead(cell=head.cell, seq=head.seq, hash=head.hash), head.signature):
                self._expected[head.seq] = head.hash
            else:
                self._false.append(head)

    def begins(self, first: Entry) -> Iterator[Fault]:
        """Compare what is known of the entry before the first one present."""
        yield from self._compare(first.seq - 1, first.prev)

    def entry(self, entry: Entry, checkpoint: Checkpoint | None) -> Iterator[Fault]:
        """Compare an entry, and check the signature where it is a checkpoint."""
        yield from self._compare(entry.seq, entry.hash)
        if checkpoint is None:
            return
        signature = checkpoint.signature
        if signature is None:
            if self._since_signed:
                text = tr("The checkpoint at entry {seq} is not signed.", seq=entry.seq)
                yield Fault.at(FaultKind.UNSIGNED, entry.seq, text)
            return
        self._since_signed = True
        head = ChainHead(cell=entry.cell, seq=checkpoint.last_seq, hash=checkpoint.head)
        if self._fits(head, signature):
            self._note(checkpoint.last_seq)
        else:
            text = tr(
                "The checkpoint at entry {seq} is not signed by a key that was given.",
                seq=entry.seq,
            )
            yield Fault.at(FaultKind.FALSE_SIGNATURE, entry.seq, text)

    def ends(self, head: ChainHead) -> Iterator[Fault]:
        """Say what is missing at the end."""
        for false in self._false:
            text = tr(
                "The exported checkpoint of entry {seq} is not signed by a key that was given.",
                seq=false.seq,
            )
            yield Fault.at(FaultKind.FALSE_SIGNATURE, false.seq, text)
        last = max(self._expected, default=0)
        if last > head.seq:
            text = tr(
                "The chain ends at entry {last}, but entry {seq} was signed.",
                last=head.seq,
                seq=last,
            )
            yield Fault(kind=FaultKind.CUT_OFF, first_seq=head.seq + 1, last_seq=last, text=text)
        if not self._met and not self._expected and head.seq:
            text = tr("Nothing in this journal is signed with the key that was given.")
            yield Fault(kind=FaultKind.UNSIGNED, first_seq=1, last_seq=head.seq, text=text)

    @property
    def witnessed(self) -> Witnessed:
        """How far the signatures that were found right reach."""
        return Witnessed(signatures=self._met, last_seq=self._signed_to)

    def _compare(self, seq: int, digest: str) -> Iterator[Fault]:
        expected = self._expected.get(seq)
        if expected == digest:
            self._note(seq)
        elif expected is not None:
            text = tr("Entry {seq} is not the one whose hash was signed.", seq=seq)
            yield Fault.at(FaultKind.REPLACED, seq, text)

    def _note(self, seq: int) -> None:
        self._met += 1
        self._signed_to = max(self._signed_to, seq)

    def _fits(self, head: ChainHead, signature: Signature) -> bool:
        key = self._keys.get(signature.key)
        return key is not None and key.fits(head, signature)
