"""Drafts as SAP IDocs: segments in SAP's order, once by key, nothing that breaks the XML."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from defusedxml import ElementTree

from millhand.contracts import WriteStatus
from millhand.testing import permit_for
from millhand_records.idoc import IdocAdapter, IdocConfig
from millhand_records.preview import difference

BODY = {
    "number": "INV-1", "issued": "2026-11-01", "currency": "EUR", "vendor_name": "Nord & <Süd>",
    "vendor_tax_number": "DE224538323", "orders": ["PO-7"], "net": "12.50", "tax": "2.38",
    "payable": "14.88",
    "lines": [json.dumps({"item": "A-1", "description": "Bolt\x07 M8", "quantity": "2",
                          "price": "6.25", "net": "12.50", "unit": "C62", "tax_rate": "19"})],
}  # fmt: skip


def sap(path: Path) -> IdocAdapter:
    return IdocAdapter("sap", IdocConfig.model_validate(
        {"path": path, "receiver": "PRDCLNT100", "receiver_port": "SAPPRD"}))  # fmt: skip


async def test_an_idoc_holds_the_bill_and_is_written_once(tmp_path: Path) -> None:
    async with sap(tmp_path) as adapter:
        preview = await adapter.preview("bill", BODY, "key-1")
        assert difference(preview).count("\n+") > 20
        assert list(tmp_path.iterdir()) == []
        for _ in range(2):
            permit = permit_for("sap", ("deliver.bill", "key-1"))
            result = await adapter.deliver(permit, "bill", BODY, "key-1")
            assert result.status is WriteStatus.APPLIED
        assert difference(await adapter.preview("bill", BODY, "key-1")) == ""
        other = await adapter.deliver(permit_for("sap", ("deliver.bill", "key-1")), "bill",
                                      BODY | {"number": "INV-2"}, "key-1")  # fmt: skip
        assert other.status is WriteStatus.REJECTED
    (file,) = tmp_path.iterdir()
    (document,) = ElementTree.fromstring(file.read_bytes())
    assert document.get("BEGIN") == "1"
    assert [one.tag for one in document] == [
        "EDI_DC40", "E1EDK01", "E1EDKA1", "E1EDK02", "E1EDK02", "E1EDK03", "E1EDP01",
        "E1EDS01", "E1EDS01", "E1EDS01",
    ]  # fmt: skip
    assert document.findtext("EDI_DC40/ARCKEY") == "key-1"
    assert document.findtext("EDI_DC40/RCVPRN") == "PRDCLNT100"
    assert document.findtext("E1EDKA1/NAME1") == "Nord & <Süd>"
    assert document.findtext("E1EDK03/DATUM") == "20261101"
    assert document.findtext("E1EDP01/E1EDP19/KTEXT") == "Bolt M8"
    assert document.findtext("E1EDP01/E1EDP02/BELNR") == "PO-7"
    sums = {one.findtext("SUMID"): one.findtext("SUMME") for one in document.iter("E1EDS01")}
    assert sums == {"010": "12.50", "005": "2.38", "011": "14.88"}


@pytest.mark.parametrize(("kind", "changes"), [("order", {}), ("bill", {"issued": "never"})])
async def test_what_sap_has_no_place_for_is_rejected(
    tmp_path: Path, kind: str, changes: dict[str, str]
) -> None:
    async with sap(tmp_path) as adapter:
        permit = permit_for("sap", (f"deliver.{kind}", "k"))
        result = await adapter.deliver(permit, kind, BODY | changes, "k")
    assert result.status is WriteStatus.REJECTED
    assert list(tmp_path.iterdir()) == []
