"""Group commit: one thread takes all that wait, chains them, commits once, answers each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from threading import Thread
from typing import NamedTuple

from structlog import get_logger

from millhand.errors import InternalError, MillhandError, Unavailable
from millhand.journal.answers import Answer, Ended, LoopAnswer, hand_over
from millhand.journal.chain import ChainHead, chain
from millhand.journal.entries import Entry, NewEntry, new_entry
from millhand.journal.records import Checkpoint, Signature
from millhand.journal.store import Store, Tail
from millhand.messages import tr

log = get_logger(__name__)

_WAITING_LIMIT = 4096
"""Calls that may wait while the database does not answer; more are refused at once."""


class _Call(NamedTuple):
    entries: Sequence[NewEntry]
    answer: Answer


class Writer:
    """The only thread that writes to the store.

    Args:
        store: opened for writing.
        tail: where its chain ends.
        boot: number of this start.
        segment_entries: after so many entries a checkpoint seals the segment.
        sign: signs the head that a checkpoint seals; None leaves it unsigned.
        publish: told of entries on disk, before their callers are.
    """

    def __init__(
        self,
        store: Store,
        *,
        tail: Tail,
        boot: int,
        segment_entries: int,
        sign: Callable[[ChainHead], Signature] | None,
        publish: Callable[[Sequence[Entry]], None],
    ) -> None:
        self.fault = ""
        """Why the last commit failed, for a person; empty while all is well."""
        self._store = store
        self._tail: Tail | None = tail
        self._boot = boot
        self._segment_entries = segment_entries
        self._sign = sign
        self._sealed_this_boot = False
        self._publish = publish
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._thread = Thread(target=self._run, name="millhand-journal", daemon=True)
        self._thread.start()

    def submit(self, entries: Sequence[NewEntry], answer: Answer) -> None:
        """Queue entries for the next commit; from any thread."""
        if not entries:
            answer.set_result([])
        elif self._calls.qsize() >= _WAITING_LIMIT:
            answer.set_exception(
                Unavailable(
                    tr("The journal {place} does not keep up.", place=self._store.place),
                    mend=tr("Check the disk or the database server."),
                )
            )
        else:
            self._calls.put(_Call(tuple(entries), answer))

    def stop(self) -> None:
        """Commit what waits, then end the thread. Blocks."""
        self._calls.put(None)
        self._thread.join()

    def _run(self) -> None:
        going = True
        while going:
            calls = self._take_all()
            if calls[-1] is None:
                going = False
            # A call that was cancelled while it waited leaves no trace.
            live = [
                call
                for call in calls
                if call is not None and call.answer.set_running_or_notify_cancel()
            ]
            if live:
                self._commit(live)
            self._store.maintain(idle=self._calls.empty())

    def _take_all(self) -> list[_Call | None]:
        calls = [self._calls.get()]
        while calls[-1] is not None:
            try:
                calls.append(self._calls.get_nowait())
            except Empty:
                break
        return calls

    def _commit(self, calls: Sequence[_Call]) -> None:
        try:
            tail = self._tail if self._tail is not None else self._store.tail()
            self._tail = None  # until the commit has succeeded, nobody knows where the chain ends
            seal = self._seal_if_due(tail)
            new = [entry for call in calls for entry in call.entries]
            entries = chain([*seal, *new], boot=self._boot, head=tail.head)
            self._store.append(entries)
        except Exception as error:  # noqa: BLE001  # whatever it is, nobody may wait for ever
            self._fail(calls, error)
            return
        last = entries[-1]
        head = ChainHead(cell=last.cell, seq=last.seq, hash=last.hash)
        if seal:
            self._sealed_this_boot = True
            tail = tail._replace(segment=tail.segment + 1, segment_first_seq=entries[0].seq)
        self._tail = tail._replace(head=head, boot=self._boot)
        self._succeed(calls, entries, skip=len(seal))

    def _seal_if_due(self, tail: Tail) -> list[NewEntry]:
        """Return the checkpoint that goes first: at a boot's first commit, and when it is full."""
        if tail.head.seq < tail.segment_first_seq:
            return []
        full = tail.head.seq - tail.segment_first_seq + 1 >= self._segment_entries
        if not full and (self._sealed_this_boot or tail.boot == self._boot):
            return []
        checkpoint = Checkpoint(
            segment=tail.segment + 1,
            first_seq=tail.segment_first_seq,
            last_seq=tail.head.seq,
            head=tail.head.hash,
            signature=None if self._sign is None else self._sign(tail.head),
        )
        name = f"{tail.head.cell}.{self._boot}.checkpoint.{checkpoint.segment}"
        return [new_entry(checkpoint, id=name, at_utc_ns=time.time_ns())]

    def _succeed(self, calls: Sequence[_Call], entries: list[Entry], *, skip: int) -> None:
        if self.fault:
            log.info("journal.resumed", place=self._store.place)
            self.fault = ""
        self._publish(entries)
        at = skip
        waiting: dict[asyncio.AbstractEventLoop, Ended] = {}
        for call in calls:
            end = at + len(call.entries)
            answer = call.answer
            if isinstance(answer, LoopAnswer):
                waiting.setdefault(answer.loop, []).append((answer, entries[at:end]))
            else:
                answer.set_result(entries[at:end])
            at = end
        for loop, ended in waiting.items():
            hand_over(loop, ended)

    def _fail(self, calls: Sequence[_Call], error: Exception) -> None:
        if not self.fault:
            log.error("journal.commit_failed", place=self._store.place, reason=str(error))
        self.fault = str(error)
        for call in calls:
            call.answer.set_exception(_answer_to(error))


def _answer_to(error: Exception) -> MillhandError:
    """Return an exception of its own for each caller, since raising one changes it."""
    answer: MillhandError
    if isinstance(error, MillhandError) and not isinstance(error, InternalError):
        answer = Unavailable(error.message, mend=error.mend)
    else:
        answer = InternalError(tr("The journal failed: {reason}.", reason=repr(error)))
    answer.__cause__ = error
    return answer
