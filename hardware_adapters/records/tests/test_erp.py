"""ERP drafts against local servers that speak the documented requests and answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

pytest.importorskip("aiohttp", reason="ERP systems need millhand-records[http]")

from aiohttp import web

from millhand.contracts import Link, WriteStatus
from millhand.errors import ConfigError, NotAllowed, Unavailable
from millhand.testing import permit_for
from millhand_records.erpnext import ErpNextAdapter, ErpNextConfig
from millhand_records.json_http import check_url
from millhand_records.odoo import OdooAdapter, OdooConfig
from millhand_records.preview import difference

BODY = {
    "number": "INV-1", "issued": "2026-11-01", "vendor_tax_number": "DE224538323",
    "lines": [json.dumps({"item": "A-1", "quantity": "2", "price": "6.25", "unit": "C62"})],
}  # fmt: skip


class Peer:
    """What both servers share: drafts, and a way to misbehave."""

    def __init__(self) -> None:
        self.drafts: list[dict[str, Any]] = []
        self.requests = 0
        self.silent_after_making = False
        self.deaf = False

    async def made(self, draft: dict[str, Any]) -> None:
        self.drafts.append(draft)
        if self.silent_after_making:
            self.silent_after_making = False
            await asyncio.sleep(30)


class Odoo(Peer):
    """``/jsonrpc`` as Odoo answers it."""

    async def handle(self, request: web.Request) -> web.Response:
        self.requests += 1
        asked = await request.json()
        params = asked["params"]
        result = await self.answer(params["service"], params["method"], params["args"])
        return web.json_response({"jsonrpc": "2.0", "id": asked["id"], **result})

    async def answer(self, service: str, method: str, args: list[Any]) -> dict[str, Any]:
        if service == "common":
            _, user, key, _ = args
            return {"result": 7 if (user, key) == ("clerk", "right") else False}
        _, _, _, model, method, (first, *_), named = args
        if model == "res.partner":
            known = first == [["vat", "=", "DE224538323"]]
            return {"result": [{"id": 42}] if known else []}
        if method == "read":
            draft = self.drafts[first[0] - 1]
            move = {field: draft[field] for field in named["fields"]}
            move["partner_id"] = [draft["partner_id"], "Northfield"]
            return {"result": [{"id": first[0], **move}]}
        if model == "account.move.line":
            number = next(value for field, _, value in first if field == "move_id")
            lines = self.drafts[number - 1]["invoice_line_ids"]
            return {"result": [{"id": n, **line} for n, (_, _, line) in enumerate(lines)]}
        if method == "search_read":
            key = next(value for field, _, value in first if field == "invoice_origin")
            found = [
                {"id": n, "name": "/", "state": "draft"}
                for n, draft in enumerate(self.drafts, 1)
                if draft["invoice_origin"] == key
            ]
            return {"result": found[: named["limit"]]}  # fmt: skip
        if first["invoice_date"] == "never":
            return {"error": {"code": 200, "message": "Odoo Server Error",
                              "data": {"message": "Invalid date"}}}  # fmt: skip
        await self.made(first)
        return {"result": len(self.drafts)}


class ErpNext(Peer):
    """``/api/resource`` as Frappe answers it."""

    async def handle(self, request: web.Request) -> web.Response:
        self.requests += 1
        if request.headers.get("Authorization") != "token clerk:right":
            return web.json_response({"exc_type": "AuthenticationError"}, status=401)
        kind = request.match_info["kind"]
        if "name" in request.match_info:
            number = int(request.match_info["name"].rpartition("-")[2])
            found = self.drafts[number - 1]
            return web.json_response({"data": found | {"owner": "clerk", "grand_total": 12.5}})
        if request.method == "GET":
            ((field, _, value),) = json.loads(request.query["filters"])
            if kind == "Supplier":
                found = [{"name": "Northfield"}] if value == "DE224538323" else []
            else:
                found = [{"name": f"ACC-PINV-{n}"} for n, draft in enumerate(self.drafts, 1)
                         if draft.get(field) == value]  # fmt: skip
            return web.json_response({"data": found})
        draft = await request.json()
        if draft["bill_date"] == "never":
            return web.json_response({"exc_type": "ValidationError"}, status=417)
        if any(one["millhand_key"] == draft["millhand_key"] for one in self.drafts):
            return web.json_response({"exc_type": "DuplicateEntryError"}, status=409)
        await self.made(draft)
        return web.json_response({"data": {"name": f"ACC-PINV-{len(self.drafts)}"} | draft})


@asynccontextmanager
async def serving(peer: Odoo | ErpNext) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/jsonrpc", peer.handle)
    app.router.add_route("*", "/api/resource/{kind}", peer.handle)
    app.router.add_route("GET", "/api/resource/{kind}/{name}", peer.handle)
    runner = web.AppRunner(app, handle_signals=False, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def adapter(peer: Peer, url: str, secret: str = "right") -> OdooAdapter | ErpNextAdapter:
    if isinstance(peer, Odoo):
        return OdooAdapter("erp", OdooConfig.model_validate(
            {"url": url, "database": "plant", "user": "clerk", "api_key": secret,
             "timeout_s": 1}))  # fmt: skip
    return ErpNextAdapter("erp", ErpNextConfig.model_validate(
        {"url": url, "api_key": "clerk", "api_secret": secret, "timeout_s": 1}))  # fmt: skip


async def deliver(erp: OdooAdapter | ErpNextAdapter, key: str = "k1", **changes: Any) -> Any:
    permit = permit_for("erp", ("deliver.bill", key))
    return await erp.deliver(permit, "bill", BODY | changes, key)


@pytest.fixture(params=[Odoo, ErpNext])
def peer(request: pytest.FixtureRequest) -> Odoo | ErpNext:
    made: Odoo | ErpNext = request.param()
    return made


async def test_one_draft_for_each_key(peer: Odoo | ErpNext) -> None:
    async with serving(peer) as url, adapter(peer, url) as erp:
        results = [await deliver(erp), await deliver(erp), await deliver(erp, "k2")]
        assert [one.status for one in results] == [WriteStatus.APPLIED] * 3
        assert results[0].sent == results[1].sent != results[2].sent
        assert erp.health().link is Link.UP
    assert len(peer.drafts) == 2


async def test_it_is_a_draft_with_the_lines(peer: Odoo | ErpNext) -> None:
    async with serving(peer) as url, adapter(peer, url) as erp:
        await deliver(erp)
    (draft,) = peer.drafts
    if isinstance(peer, Odoo):
        assert (draft["move_type"], draft["partner_id"], draft["ref"]) == (
            "in_invoice",
            42,
            "INV-1",
        )
        assert draft["invoice_line_ids"][0][2]["price_unit"] == 6.25
        assert "state" not in draft
    else:
        assert (draft["docstatus"], draft["supplier"]) == (0, "Northfield")
        assert draft["items"][0]["qty"] == "2"


async def test_a_lost_answer_is_looked_up_and_never_sent_twice(peer: Odoo | ErpNext) -> None:
    peer.silent_after_making = True
    async with serving(peer) as url, adapter(peer, url) as erp:
        result = await deliver(erp)
        assert result.status is WriteStatus.APPLIED
        assert (await deliver(erp)).sent == result.sent
    assert len(peer.drafts) == 1


async def test_a_peer_that_is_away_gets_nothing(peer: Odoo | ErpNext) -> None:
    async with serving(peer) as url:
        pass
    async with adapter(peer, url) as erp:
        assert (await deliver(erp)).status is WriteStatus.NOT_SENT
        assert erp.health().link is Link.DOWN


async def test_refusals_say_why(peer: Odoo | ErpNext) -> None:
    async with serving(peer) as url:
        async with adapter(peer, url, secret="wrong") as erp:
            assert (await deliver(erp)).status is WriteStatus.REJECTED
            assert erp.health().link is Link.REFUSED
        async with adapter(peer, url) as erp:
            unknown = await deliver(erp, vendor_tax_number="XX")
            invalid = await deliver(erp, issued="never")
            kind = await erp.deliver(permit_for("erp", ("deliver.order", "k")), "order", BODY, "k")
    assert [one.status for one in (unknown, invalid, kind)] == [WriteStatus.REJECTED] * 3
    assert "XX" in unknown.detail
    assert peer.drafts == []


async def test_a_preview_says_what_would_change_and_writes_nothing(peer: Odoo | ErpNext) -> None:
    async with serving(peer) as url, adapter(peer, url) as erp:
        fresh = await erp.preview("bill", BODY, "k1")
        assert (fresh.there, peer.drafts) == ("", [])
        assert all(line[0] == "+" for line in difference(fresh).splitlines()[3:])
        assert "6.25" in fresh.wanted
        await deliver(erp)
        assert difference(await erp.preview("bill", BODY, "k1")) == ""
        changed = difference(await erp.preview("bill", BODY | {"number": "INV-2"}, "k1"))
        with pytest.raises(NotAllowed, match="XX"):
            await erp.preview("bill", BODY | {"vendor_tax_number": "XX"}, "k2")
    moved = [line for line in changed.splitlines()[2:] if line[0] in "+-"]
    assert [line[0] for line in moved] == ["-", "+"]
    assert "INV-1" in moved[0]
    assert "INV-2" in moved[1]
    assert len(peer.drafts) == 1


async def test_a_preview_of_a_system_that_is_away_says_so(peer: Odoo | ErpNext) -> None:
    async with serving(peer) as url:
        pass
    async with adapter(peer, url) as erp:
        with pytest.raises(Unavailable):
            await erp.preview("bill", BODY, "k1")


async def test_a_permit_for_another_key_is_worth_nothing(peer: Odoo | ErpNext) -> None:
    async with serving(peer) as url, adapter(peer, url) as erp:
        permit = permit_for("erp", ("deliver.bill", "other"))
        assert (await erp.deliver(permit, "bill", BODY, "k")).status is WriteStatus.NOT_SENT
    assert peer.requests == 0


def test_secrets_do_not_travel_in_the_clear() -> None:
    assert check_url("http://127.0.0.1:8069/") == "http://127.0.0.1:8069"
    assert check_url("https://erp.plant") == "https://erp.plant"
    with pytest.raises(ConfigError):
        check_url("http://erp.plant")
