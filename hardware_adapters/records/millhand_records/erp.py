"""Delivering a draft to an ERP system: once by key, never repeated, never posted.

The same steps for every system: look whether a draft with the key is there, else make it, and when
no answer came look again. What cannot be told after that is UNKNOWN, and delivering the same key
again later is safe: it finds what is there.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from millhand.contracts import Link, Permit, Value, WriteResult, WriteStatus
from millhand.errors import NotAllowed, Unavailable
from millhand.messages import tr
from millhand_records.faces import DeliversOnly, ended, redeem
from millhand_records.json_http import JsonHttp, NoAnswer, NotSent
from millhand_records.preview import Preview, as_text


class Refused(Exception):
    """The system says no: nothing was changed."""


class ErpAdapter(DeliversOnly):
    """What the ERP adapters share (:class:`millhand.contracts.Records`)."""

    def __init__(self, name: str, http: JsonHttp, kinds: frozenset[str]) -> None:
        super().__init__(name)
        self._http = http
        self._kinds = kinds

    async def __aenter__(self) -> Self:
        """Be ready; the system is reached when something is delivered."""
        await self._http.open()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._http.close()
        self._report(Link.DOWN)

    @abstractmethod
    async def _find(self, key: str) -> str | None:
        """Return the name of the record with this key, None where there is none."""

    @abstractmethod
    async def _draft(self, kind: str, body: Mapping[str, Value], key: str) -> dict[str, Any]:
        """Return the draft in the system's own fields; what the system knows is asked for."""

    @abstractmethod
    async def _make(self, draft: Mapping[str, Any], key: str) -> str:
        """Make a draft and return its name."""

    @abstractmethod
    async def _there(self, name: str, draft: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the named record holds of a draft's fields."""

    async def preview(self, kind: str, body: Mapping[str, Value], idempotency_key: str) -> Preview:
        """Say what delivering would change. Reads, and writes nothing.

        Raises:
            NeedsPerson: the system refuses, or does not know the vendor.
            Unavailable: it is away.
        """
        try:
            draft = await self._draft(kind, body, idempotency_key)
            name = await self._find(idempotency_key)
            there = None if name is None else await self._there(name, draft)
        except (Refused, ValueError) as error:
            raise NotAllowed(str(error)) from error
        except (NotSent, NoAnswer) as error:
            raise Unavailable(str(error)) from error
        return Preview(name or kind, as_text(there), as_text(draft))

    async def deliver(
        self, permit: Permit, kind: str, body: Mapping[str, Value], idempotency_key: str
    ) -> WriteResult:
        """Make one draft; the same key again finds it and changes nothing."""
        if kind not in self._kinds:
            known = ", ".join(sorted(self._kinds))
            return ended(
                WriteStatus.REJECTED,
                tr("{device} takes no {kind}, only {known}.", device=self._name, kind=kind,
                   known=known),
            )  # fmt: skip
        try:
            redeem(permit, self._name, kind, idempotency_key)
        except NotAllowed as error:
            return ended(WriteStatus.NOT_SENT, str(error))
        try:
            found = await self._find(idempotency_key)
        except Refused as error:
            self._report(Link.REFUSED, str(error))
            return ended(WriteStatus.REJECTED, str(error))
        except (NotSent, NoAnswer) as error:
            self._report(Link.DOWN, str(error))
            return ended(WriteStatus.NOT_SENT, str(error))
        self._report(Link.UP)
        if found is not None:
            return ended(WriteStatus.APPLIED, tr("It was there already."), found)
        return await self._make_once(kind, body, idempotency_key)

    async def _make_once(self, kind: str, body: Mapping[str, Value], key: str) -> WriteResult:
        try:
            draft = await self._draft(kind, body, key)
            return ended(WriteStatus.APPLIED, "", await self._make(draft, key))
        except (Refused, ValueError) as error:
            return ended(WriteStatus.REJECTED, str(error))
        except NotSent as error:
            self._report(Link.DOWN, str(error))
            return ended(WriteStatus.NOT_SENT, str(error))
        except NoAnswer as error:
            self._report(Link.DOWN, str(error))
            return await self._look_again(key, str(error))

    async def _look_again(self, key: str, reason: str) -> WriteResult:
        try:
            found = await self._find(key)
        except (Refused, NotSent, NoAnswer):
            found = None
        if found is not None:
            return ended(WriteStatus.APPLIED, tr("The answer was lost; it is there."), found)
        return ended(WriteStatus.UNKNOWN, reason)


def refusal(status: int, body: Any) -> Refused:
    """Return what the peer gave as its reason, shortened."""
    return Refused(tr("It answers {status}: {text}", status=status, text=str(body)[:300]))
