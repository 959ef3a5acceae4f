"""ERPNext by its REST interface (``/api/resource``): purchase invoices as drafts (``docstatus`` 0).

The idempotency key stands in a custom field of the document type, ``millhand_key`` unless said,
which should be set unique in ERPNext: then even two engines cannot make two.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from millhand.contracts import Value
from millhand.messages import tr
from millhand_records.body import lines_of, text_of
from millhand_records.erp import ErpAdapter, Refused, refusal
from millhand_records.json_http import JsonHttp

_PATH = "/api/resource/" + quote("Purchase Invoice")


class ErpNextConfig(BaseModel):
    """An ERPNext site."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(description="https://erp.example; plain http only to this machine.")
    api_key: SecretStr = Field(description="Key of a user who may make drafts and no more.")
    api_secret: SecretStr = Field(description="Its secret.")
    key_field: str = Field(
        default="millhand_key", pattern=r"^[a-z][a-z0-9_]{0,60}$", description="Custom field."
    )
    timeout_s: float = Field(default=4.0, gt=0, le=60, description="For one request, in s.")


class ErpNextAdapter(ErpAdapter):
    """Makes draft purchase invoices in ERPNext."""

    Config: ClassVar[type[BaseModel]] = ErpNextConfig

    def __init__(self, name: str, config: ErpNextConfig) -> None:
        token = f"{config.api_key.get_secret_value()}:{config.api_secret.get_secret_value()}"
        http = JsonHttp(config.url, {"Authorization": f"token {token}"}, config.timeout_s)
        super().__init__(name, http, frozenset({"bill", "credit_note"}))
        self._field = config.key_field

    async def _find(self, key: str) -> str | None:
        return await self._name_of(_PATH, self._field, key)

    async def _draft(self, kind: str, body: Mapping[str, Value], key: str) -> dict[str, Any]:
        supplier = await self._name_of(
            "/api/resource/Supplier", "tax_id", text_of(body, "vendor_tax_number")
        )
        if supplier is None:
            raise Refused(tr("ERPNext knows no supplier with the number {number}.",
                             number=text_of(body, "vendor_tax_number")))  # fmt: skip
        return {
            "supplier": supplier,
            "bill_no": text_of(body, "number"),
            "bill_date": text_of(body, "issued") or None,
            "due_date": text_of(body, "due") or None,
            "currency": text_of(body, "currency") or None,
            "is_return": int(kind == "credit_note"),
            "docstatus": 0,
            self._field: key,
            "items": [
                {"item_code": line.get("item"), "item_name": line.get("description"),
                 "qty": line.get("quantity"), "uom": line.get("unit"), "rate": line.get("price")}
                for line in lines_of(body)
            ],
        }  # fmt: skip

    async def _make(self, draft: Mapping[str, Any], key: str) -> str:
        answer = await self._http.ask("POST", _PATH, body=dict(draft))
        if answer.status == 409:
            found = await self._find(key)
            if found is not None:
                return found
        if answer.status not in {200, 201} or not isinstance(answer.body, dict):
            raise refusal(answer.status, answer.body)
        return f"Purchase Invoice/{answer.body['data']['name']}"

    async def _there(self, name: str, draft: Mapping[str, Any]) -> dict[str, Any]:
        answer = await self._http.ask("GET", f"{_PATH}/{quote(name.partition('/')[2], safe='')}")
        if answer.status != 200 or not isinstance(answer.body, dict):
            raise refusal(answer.status, answer.body)
        document = answer.body["data"]
        found = {field: document.get(field) for field in draft}
        columns = sorted({column for line in draft["items"] for column in line})
        found["items"] = [
            {column: line.get(column) for column in columns} for line in document.get("items", ())
        ]
        return found

    async def _name_of(self, path: str, field: str, value: str) -> str | None:
        query = {"filters": json.dumps([[field, "=", value]]), "fields": '["name"]',
                 "limit_page_length": "1"}  # fmt: skip
        answer = await self._http.ask("GET", path, query=query)
        if answer.status != 200 or not isinstance(answer.body, dict):
            raise refusal(answer.status, answer.body)
        data = answer.body.get("data") or []
        name = str(data[0]["name"]) if data else None
        return f"Purchase Invoice/{name}" if name is not None and path == _PATH else name
