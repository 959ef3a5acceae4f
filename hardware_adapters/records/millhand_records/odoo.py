"""Odoo by JSON-RPC (``/jsonrpc``): vendor bills as drafts (``account.move``, ``in_invoice``).

The idempotency key stands in ``invoice_origin``, the vendor's number in ``ref``.
Written against the External API of Odoo 17 and 18; a bill is created, never posted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from millhand.contracts import Value
from millhand.messages import tr
from millhand_records.body import lines_of, text_of
from millhand_records.erp import ErpAdapter, Refused, refusal
from millhand_records.json_http import JsonHttp

_MOVE_TYPES = {"bill": "in_invoice", "credit_note": "in_refund"}


class OdooConfig(BaseModel):
    """An Odoo database."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str = Field(description="https://odoo.example; plain http only to this machine.")
    database: str = Field(description="Its name.")
    user: str = Field(description="Login of a user who may make draft bills and no more.")
    api_key: SecretStr = Field(description="The user's API key.")
    timeout_s: float = Field(default=4.0, gt=0, le=60, description="For one request, in s.")


class OdooAdapter(ErpAdapter):
    """Makes draft vendor bills in Odoo."""

    Config: ClassVar[type[BaseModel]] = OdooConfig

    def __init__(self, name: str, config: OdooConfig) -> None:
        super().__init__(name, JsonHttp(config.url, {}, config.timeout_s), frozenset(_MOVE_TYPES))
        self._config = config
        self._user_id: int | None = None

    async def _find(self, key: str) -> str | None:
        found = await self._execute(
            "account.move",
            "search_read",
            [[["invoice_origin", "=", key], ["move_type", "in", list(_MOVE_TYPES.values())]]],
            {"fields": ["id", "name", "state"], "limit": 1},
        )
        return f"account.move/{found[0]['id']}" if found else None

    async def _draft(self, kind: str, body: Mapping[str, Value], key: str) -> dict[str, Any]:
        partner = await self._partner(text_of(body, "vendor_tax_number"))
        lines = [
            [0, 0, {"name": line.get("description") or line.get("item") or "",
                    "quantity": float(line.get("quantity") or 1),
                    "price_unit": float(line.get("price") or 0)}]
            for line in lines_of(body)
        ]  # fmt: skip
        return {
            "move_type": _MOVE_TYPES[kind],
            "partner_id": partner,
            "ref": text_of(body, "number"),
            "invoice_date": text_of(body, "issued") or False,
            "invoice_date_due": text_of(body, "due") or False,
            "invoice_origin": key,
            "invoice_line_ids": lines,
        }

    async def _make(self, draft: Mapping[str, Any], key: str) -> str:
        del key
        made = await self._execute("account.move", "create", [dict(draft)], {})
        return f"account.move/{made[0] if isinstance(made, list) else made}"

    async def _there(self, name: str, draft: Mapping[str, Any]) -> dict[str, Any]:
        number = int(name.rpartition("/")[2])
        fields = sorted(set(draft) - {"invoice_line_ids"})
        (move,) = await self._execute("account.move", "read", [[number]], {"fields": fields})
        lines = await self._execute(
            "account.move.line", "search_read",
            [[["move_id", "=", number], ["display_type", "=", "product"]]],
            {"fields": ["name", "quantity", "price_unit"], "order": "id"},
        )  # fmt: skip
        found = {field: _plain(move.get(field)) for field in fields}
        found["invoice_line_ids"] = [
            [0, 0, {field: line[field] for field in ("name", "quantity", "price_unit")}]
            for line in lines
        ]
        return found

    async def _partner(self, tax_number: str) -> int:
        found = await self._execute(
            "res.partner",
            "search_read",
            [[["vat", "=", tax_number]]],
            {"fields": ["id"], "limit": 2},
        )
        if not tax_number or len(found) != 1:
            raise Refused(tr("Odoo knows no one vendor with the number {number}.",
                             number=tax_number))  # fmt: skip
        return int(found[0]["id"])

    async def _execute(self, model: str, method: str, args: list[Any], named: Any) -> Any:
        if self._user_id is None:
            user = await self._call("common", "authenticate", [
                self._config.database, self._config.user,
                self._config.api_key.get_secret_value(), {}])  # fmt: skip
            if not isinstance(user, int) or isinstance(user, bool):
                raise Refused(tr("Odoo refuses the login."))
            self._user_id = user
        return await self._call("object", "execute_kw", [
            self._config.database, self._user_id, self._config.api_key.get_secret_value(),
            model, method, args, named])  # fmt: skip

    async def _call(self, service: str, method: str, args: list[Any]) -> Any:
        request = {"jsonrpc": "2.0", "method": "call", "id": 1,
                   "params": {"service": service, "method": method, "args": args}}  # fmt: skip
        answer = await self._http.ask("POST", "/jsonrpc", body=request)
        if answer.status != 200 or not isinstance(answer.body, dict):
            raise refusal(answer.status, "")
        if "error" in answer.body:
            error = answer.body["error"]
            data = error.get("data") if isinstance(error, dict) else None
            raise Refused(str((data or {}).get("message") or error)[:300])
        return answer.body.get("result")


def _plain(value: Any) -> Any:
    """Odoo answers a reference as its number and name."""
    return value[0] if isinstance(value, list) and len(value) == 2 else value
