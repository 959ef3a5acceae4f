"""What an adapter says of its link: each change once, with the time since when it is so."""

from __future__ import annotations

import asyncio

from millhand import links
from millhand.contracts import ConnectionFault, Health, Link
from millhand.links import LinkHealth


async def test_the_same_again_is_no_change() -> None:
    told: list[Health] = []
    link = LinkHealth("plc", told.append)
    for _ in range(3):
        link.set(Link.DOWN, "refused", ConnectionFault.NETWORK, "Look at the cable.")
    assert [health.words for health in told] == ["refused Look at the cable."]
    assert link.now.fault is ConnectionFault.NETWORK


async def test_since_counts_from_when_the_link_went_not_from_the_last_word() -> None:
    link = LinkHealth("plc")
    link.set(Link.DOWN, "refused")
    since = link.now.since_monotonic_ns
    link.set(Link.DOWN, "no route")
    assert (link.now.detail, link.now.since_monotonic_ns) == ("no route", since)
    link.set(Link.UP, "")
    assert link.now.since_monotonic_ns > since


async def test_a_new_session_is_a_change_although_the_link_is_up_again() -> None:
    link = LinkHealth("plc")
    link.epoch = 1
    link.set(Link.UP, "")
    waiting = asyncio.create_task(link.change())
    await asyncio.sleep(0)
    link.epoch = 2
    link.set(Link.UP, "")
    async with asyncio.timeout(5):
        await waiting
    assert link.now.epoch == 2


async def test_a_link_lost_is_a_warning_and_one_closed_is_none(logged) -> None:
    link, told = LinkHealth("plc"), logged(links)
    link.set(Link.UP, "")
    link.set(Link.DOWN, "reset by peer")
    link.set(Link.UP, "")
    link.close()
    assert [(entry["log_level"], entry["link"]) for entry in told] == [
        ("info", "up"),
        ("warning", "down"),
        ("info", "up"),
        ("info", "down"),
    ]
