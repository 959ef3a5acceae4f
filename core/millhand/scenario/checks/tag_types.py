"""Whether the types stated for the handshake's tags fit what the handshake needs."""

from __future__ import annotations

from collections.abc import Iterator

from millhand.errors import Problem
from millhand.messages import tr
from millhand.scenario.checks.names import Names, kind_of_type
from millhand.scenario.expressions import Kind

_WANTED = {"int32": Kind.NUMBER, "string": Kind.TEXT, "bool": Kind.TRUTH}


def check_tag_types(names: Names) -> Iterator[Problem]:
    """Check every handshake address that is written in its long form with a type."""
    for device, entry in names.devices.items():
        for name, tag in entry.handshake().items():
            if not isinstance(tag.address, dict):
                continue
            stated = tag.address.get("type")
            kind = kind_of_type(stated)
            wanted = Kind.LIST if tag.array else _WANTED[tag.type]
            if kind not in {Kind.ANY, wanted}:
                written = f"{tag.type}[]" if tag.array else tag.type
                yield names.problem(
                    ("devices", device, *tag.path, "type"),
                    tr("{name} is stated as {stated}.", name=name, stated=stated),
                    written,
                    tr("Write type: {type}, and let the PLC's variable be one.", type=written),
                )
