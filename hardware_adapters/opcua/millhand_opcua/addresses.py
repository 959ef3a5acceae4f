"""Node ids as people write them: short ids in the device's namespace, or with the URI in full."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from millhand.messages import tr

if TYPE_CHECKING:
    from asyncua import ua

_FORM = re.compile(r"^(?:nsu=(?P<uri>[^;]+);)?(?P<kind>[sigb])=(?P<identifier>.+)$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Address:
    """A node id by namespace URI; an empty ``uri`` means the device's namespace."""

    uri: str
    kind: str
    """``s`` string, ``i`` number, ``g`` GUID, ``b`` base64."""
    identifier: str

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read ``s=Cell.State`` or ``nsu=urn:x;i=42``.

        Raises:
            ValueError: not a node id, or one with a namespace index, which servers reorder.
        """
        if text.startswith("ns="):
            raise ValueError(
                tr(
                    "{text} names a namespace by index, which may change when the server restarts; "
                    "write nsu=<URI>;… or a short id in the device's namespace",
                    text=text,
                )
            )
        match = _FORM.match(text)
        if match is None:
            raise ValueError(
                tr("{text} is not a node id; write s=…, i=… or nsu=<URI>;s=…", text=repr(text))
            )
        address = cls(match["uri"] or "", match["kind"], match["identifier"])
        address.native_identifier()
        return address

    def native_identifier(self) -> int | str | bytes | uuid.UUID:
        """Return the identifier as Python value.

        Raises:
            ValueError: it does not fit its kind.
        """
        try:
            if self.kind == "i":
                number = int(self.identifier)
                if 0 <= number < 2**32:
                    return number
            elif self.kind == "g":
                return uuid.UUID(self.identifier)
            elif self.kind == "b":
                return base64.b64decode(self.identifier, validate=True)
            else:
                return self.identifier
        except (ValueError, binascii.Error):
            pass
        raise ValueError(tr("{text} is not a node id: wrong identifier", text=str(self)))

    def node_id(self, namespace_index: int) -> ua.NodeId:
        """Return the node id for the index that the server gives the namespace now."""
        from asyncua import ua

        return ua.NodeId(self.native_identifier(), namespace_index)  # type: ignore[arg-type]

    def __str__(self) -> str:
        short = f"{self.kind}={self.identifier}"
        return f"nsu={self.uri};{short}" if self.uri else short


def standard_node(number: int) -> ua.NodeId:
    """Return a node of OPC UA's own namespace."""
    from asyncua import ua

    return ua.NodeId(number)  # type: ignore[arg-type]
