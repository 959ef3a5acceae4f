"""Drafts as SAP IDocs in a folder: one file of type INVOIC02, message INVOIC, for each.

The form is that of SAP's XML port (control record EDI_DC40, one element a segment). The idempotency
key stands in ARCKEY of the control record. Whether an incoming INVOIC is parked or posted is set in
SAP: the process that takes these files must park.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree as ET

from pydantic import BaseModel, ConfigDict, Field

from millhand.contracts import Value
from millhand.messages import tr
from millhand_records.body import lines_of, text_of
from millhand_records.drop import DropAdapter, DropConfig

_KINDS = {"bill": "INVO", "credit_note": "CRME"}
_PARTNER = r"^[A-Z0-9_-]{1,10}$"


class IdocConfig(BaseModel):
    """A folder that an SAP system's XML port reads, and the names of the two ends."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path = Field(description="The folder; made when missing.")
    client: str = Field(default="100", pattern=r"^\d{3}$", description="SAP client (MANDT).")
    sender: str = Field(default="MILLHAND", pattern=_PARTNER, description="Logical system of ours.")
    receiver: str = Field(pattern=_PARTNER, description="Logical system of SAP.")
    receiver_port: str = Field(pattern=_PARTNER, description="Its port, as SAPPRD.")


class IdocAdapter(DropAdapter):
    """Puts drafts into a folder as IDocs (:class:`millhand.contracts.Records`)."""

    Config: ClassVar[type[BaseModel]] = IdocConfig
    _suffix = ".xml"

    def __init__(self, name: str, config: IdocConfig) -> None:
        super().__init__(name, DropConfig(path=config.path))
        self._idoc = config

    def _main(self, kind: str, body: Mapping[str, Value], key: str) -> bytes:
        return idoc(kind, body, key, self._idoc)

    def _beside(self, body: Mapping[str, Value]) -> Mapping[str, bytes]:
        del body
        return {}


def idoc(kind: str, body: Mapping[str, Value], key: str, config: IdocConfig) -> bytes:
    """Return a draft as an IDoc in XML.

    Raises:
        ValueError: SAP has no message for the kind, or a date is none.
    """
    if kind not in _KINDS:
        raise ValueError(tr("An IDoc is made of bills and credit notes, not of {kind}.", kind=kind))
    root = ET.Element("INVOIC02")
    document = ET.SubElement(root, "IDOC", BEGIN="1")
    _segment(document, "EDI_DC40", {
        "TABNAM": "EDI_DC40", "MANDT": config.client, "DIRECT": "2", "IDOCTYP": "INVOIC02",
        "MESTYP": "INVOIC", "SNDPOR": config.sender, "SNDPRT": "LS", "SNDPRN": config.sender,
        "RCVPOR": config.receiver_port, "RCVPRT": "LS", "RCVPRN": config.receiver, "ARCKEY": key,
    })  # fmt: skip
    _head(document, kind, body)
    orders = body.get("orders")
    order = str(orders[0]) if isinstance(orders, list) and len(orders) == 1 else ""
    for number, line in enumerate(lines_of(body), start=1):
        _line(document, number, line, order)
    currency = text_of(body, "currency")
    for code, name in (("010", "net"), ("005", "tax"), ("011", "payable")):
        amount = {"SUMID": code, "SUMME": text_of(body, name), "WAERQ": currency}
        if amount["SUMME"]:
            _segment(document, "E1EDS01", amount)
    ET.indent(root, " ")
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _head(document: ET.Element, kind: str, body: Mapping[str, Value]) -> None:
    number, issued = text_of(body, "number"), _day(text_of(body, "issued"))
    _segment(document, "E1EDK01", {
        "CURCY": text_of(body, "currency"), "EIGENUINR": text_of(body, "vendor_tax_number"),
        "BSART": _KINDS[kind], "BELNR": number,
    })  # fmt: skip
    vendor = {"PARVW": "LF", "NAME1": text_of(body, "vendor_name")[:35]}
    _segment(document, "E1EDKA1", vendor)
    _segment(document, "E1EDK02", {"QUALF": "009", "BELNR": number[:35], "DATUM": issued})
    orders = body.get("orders")
    for order in orders if isinstance(orders, list) else ():
        _segment(document, "E1EDK02", {"QUALF": "001", "BELNR": str(order)[:35]})
    if issued:
        _segment(document, "E1EDK03", {"IDDAT": "012", "DATUM": issued})


def _line(document: ET.Element, number: int, line: Mapping[str, Any], order: str) -> None:
    item = _segment(document, "E1EDP01", {
        "POSEX": f"{number * 10:06}", "MENGE": _text(line, "quantity"),
        "MENEE": _text(line, "unit"),
        "VPREI": _text(line, "price"), "PEINH": "1", "NETWR": _text(line, "net"),
    })  # fmt: skip
    if order:
        _segment(item, "E1EDP02", {"QUALF": "001", "BELNR": order[:35]})
    name = {"IDTNR": _text(line, "item")[:35], "KTEXT": _text(line, "description")[:70]}
    _segment(item, "E1EDP19", {"QUALF": "001", **name})
    if _text(line, "tax_rate"):
        _segment(item, "E1EDP04", {"MSATZ": _text(line, "tax_rate")})


def _segment(parent: ET.Element, name: str, fields: Mapping[str, str]) -> ET.Element:
    """Add a segment; empty fields are left out, as SAP does."""
    segment = ET.SubElement(parent, name, SEGMENT="1")
    for field, value in fields.items():
        if value:
            ET.SubElement(segment, field).text = _printable(value)
    return segment


def _printable(text: str) -> str:
    """XML 1.0 holds no control characters."""
    return "".join(letter for letter in text if letter >= " " and letter not in "\ufffe\uffff")


def _text(line: Mapping[str, Any], name: str) -> str:
    value = line.get(name)
    return "" if value is None else str(value)


def _day(text: str) -> str:
    """Write a date as SAP's DATS."""
    return date.fromisoformat(text).strftime("%Y%m%d") if text else ""
