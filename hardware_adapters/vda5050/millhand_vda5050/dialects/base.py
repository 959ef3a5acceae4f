"""What every version has: a header, a clock, and the same eleven translations."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from msgspec import UNSET, Struct, UnsetType

from millhand.messages import tr
from millhand_vda5050.model import (
    Action,
    Limits,
    Order,
    Presence,
    VehicleState,
)
from millhand_vda5050.wire.codec import Malformed, Topic, Version, decode, encode

_T = TypeVar("_T")


class Header(Struct, frozen=True, kw_only=True):
    """Who a message is from or to; ``header_id`` counts the messages of one topic."""

    header_id: int
    manufacturer: str
    serial: str
    timestamp: str = ""
    """RFC 3339 in UTC; empty takes the present."""


def now() -> str:
    """Return the present moment as the protocol writes it: UTC, milliseconds."""
    return moment(datetime.now(UTC))


def moment(when: datetime) -> str:
    """Write a moment: ``2026-11-25T02:10:00.123Z``."""
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{when.microsecond // 1000:03d}Z"


def seconds_of(timestamp: str) -> int | None:
    """Return a timestamp as UTC in ns, or None where it is no moment."""
    try:
        return round(datetime.fromisoformat(timestamp).timestamp() * 1e9)
    except (ValueError, OverflowError):
        return None


def given(value: _T | UnsetType, default: _T) -> _T:
    """Return an optional value of the wire, or ``default`` where it is absent."""
    return default if isinstance(value, UnsetType) else value


def maybe(value: _T | None) -> _T | UnsetType:
    """Return ``value`` for the wire; None is left out."""
    return UNSET if value is None else value


def parameters(pairs: Any) -> dict[str, Any]:
    """Read the key and value pairs of an action."""
    return {pair.key: pair.value for pair in given(pairs, [])}


def references(pairs: Any) -> dict[str, str]:
    """Read the references of an error."""
    return {pair.reference_key: pair.reference_value for pair in given(pairs, [])}


class Dialect(ABC):
    """One version of the protocol. Stateless."""

    version: Version

    # --- from fleet control to vehicle ---

    @abstractmethod
    def order(self, header: Header, order: Order) -> bytes:
        """Write an order."""

    @abstractmethod
    def instant_actions(self, header: Header, actions: Sequence[Action]) -> bytes:
        """Write instant actions."""

    @abstractmethod
    def read_order(self, payload: bytes) -> tuple[Header, Order]:
        """Read an order.

        Raises:
            Malformed: the schema does not allow it.
        """

    @abstractmethod
    def read_instant_actions(self, payload: bytes) -> tuple[Header, tuple[Action, ...]]:
        """Read instant actions.

        Raises:
            Malformed: the schema does not allow it.
        """

    # --- from vehicle to fleet control ---

    @abstractmethod
    def state(self, header: Header, state: VehicleState) -> bytes:
        """Write a state."""

    @abstractmethod
    def read_state(self, payload: bytes) -> VehicleState:
        """Read a state.

        Raises:
            Malformed: the schema does not allow it.
        """

    @abstractmethod
    def connection(self, header: Header, presence: Presence) -> bytes:
        """Write what stands on the connection topic."""

    @abstractmethod
    def read_connection(self, payload: bytes) -> tuple[Header, Presence]:
        """Read what stands on the connection topic.

        Raises:
            Malformed: the schema does not allow it.
        """

    @abstractmethod
    def factsheet(self, header: Header, limits: Limits) -> bytes:
        """Write a factsheet of a forklift that keeps ``limits``."""

    @abstractmethod
    def read_factsheet(self, payload: bytes) -> Limits:
        """Read what bounds an order.

        Raises:
            Malformed: the schema does not allow it.
        """

    @abstractmethod
    def visualization(self, header: Header, state: VehicleState) -> bytes:
        """Write where the vehicle is, for pictures."""

    # --- shared ---

    def _common(self, header: Header) -> dict[str, Any]:
        return {
            "header_id": header.header_id,
            "timestamp": header.timestamp or now(),
            "version": self.version.value,
            "manufacturer": header.manufacturer,
            "serial_number": header.serial,
        }

    def _decode(self, topic: Topic, payload: bytes) -> Any:
        """Return a message of this version.

        Raises:
            Malformed: the schema does not allow it, or it says that it is of another major version.
        """
        found = decode(self.version, topic, payload)
        said = str(getattr(found, "version", self.version.value))
        if said.partition(".")[0] != self.version.value.partition(".")[0]:
            raise Malformed(
                tr(
                    "{topic} says that it is of VDA 5050 {said}; {version} was agreed on.",
                    topic=topic,
                    said=said[:20],
                    version=self.version.value,
                )
            )
        return found

    def _encode(self, message: Any) -> bytes:
        return encode(message)


def header_of(message: Any) -> Header:
    """Read the header of any message."""
    return Header(
        header_id=given(message.header_id, 0),
        manufacturer=given(message.manufacturer, ""),
        serial=given(message.serial_number, ""),
        timestamp=given(message.timestamp, ""),
    )


def action_pairs(kind: Any, values: Mapping[str, Any]) -> Any:
    """Write an action's parameters; none leaves them out."""
    return [kind(key=key, value=value) for key, value in values.items()] or UNSET


def supported(actions: Any) -> frozenset[str] | None:
    """Read which actions a factsheet lists; an empty list says nothing."""
    names: Iterable[str] = [action.action_type for action in actions]
    return frozenset(names) or None
