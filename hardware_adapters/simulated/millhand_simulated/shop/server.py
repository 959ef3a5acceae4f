"""The shops in a process of their own.

``python -m millhand_simulated.shop --config shop.json`` writes one JSON line once it listens,
works through all orders, writes what came of it, goes on serving, and ends with its input.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import sys
import time
from pathlib import Path

import msgspec
from asyncua.server.server import Server
from pydantic import ValidationError

from millhand.isolate.server_process import watch_parent
from millhand_simulated.plc.tags import NAMESPACE
from millhand_simulated.shop.config import JobShopConfig
from millhand_simulated.shop.served import Tags
from millhand_simulated.shop.shops import Shops

_CYCLE_S = 0.02
_LONGEST_CYCLE_S = 0.1
"""A process that was frozen goes on where it was: time that nobody lived moves nothing."""
_SHOWN_S, _PAGE_S = 0.1, 1.0


async def _run(config: JobShopConfig) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    watch_parent(lambda: loop.call_soon_threadsafe(stop.set))
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    server = Server()
    server.name = "Millhand simulated job shop"
    await server.init()
    server.set_endpoint(f"opc.tcp://{config.host}:{config.port}/")
    tags = Tags(server)
    await tags.build(config)
    async with server:
        port = server.bserver.port if server.bserver else config.port
        url = f"opc.tcp://{config.host}:{port}/"
        line = json.dumps({"url": url, "namespace": NAMESPACE, "pid": os.getpid()})
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        work = asyncio.create_task(_work(config, Shops(config), tags))
        ended = asyncio.create_task(stop.wait())
        await asyncio.wait({work, ended}, return_when=asyncio.FIRST_COMPLETED)
        if work.done():
            work.result()  # a fault is told, not served on
            await stop.wait()
        work.cancel()


async def _work(config: JobShopConfig, shops: Shops, tags: Tags) -> None:
    """Move all shops by one clock until every order in every shop is done."""
    await _show(shops, tags)
    last, shown, paged, waited = time.monotonic(), 0.0, 0.0, 0.0
    while not shops.finished:
        await asyncio.sleep(_CYCLE_S)
        now = time.monotonic()
        passed, last = min(now - last, _LONGEST_CYCLE_S), now
        shops.read({planner: tags.plan(planner) for planner in config.planners})
        shops.told({planner: tags.arrived(planner) for planner in config.planners})
        if shops.open:
            shops.advance(passed * config.speed)
        else:
            waited += passed
            if waited > config.patience:
                shops.give_up()
        if now - shown >= _SHOWN_S:
            shown = now
            await _show(shops, tags)
        if now - paged >= _PAGE_S and config.outcome is not None:
            paged = now
            _write(config.outcome.with_name("live.html"), shops.page())
    await _show(shops, tags)
    if config.outcome is not None:
        _write(config.outcome.with_name("live.html"), shops.page())
        _write(config.outcome.with_name("books.json"), json.dumps(shops.books()))
        _write(config.outcome, msgspec.json.encode(shops.outcome()).decode())


async def _show(shops: Shops, tags: Tags) -> None:
    for path, value in shops.tags().items():
        await tags.show(path, value)


def _write(file: Path, text: str) -> None:
    unfinished = file.with_name(f".{file.name}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(file)


def main(config_file: Path) -> int:
    """Serve until told to end; return the exit code, 2 for a configuration error."""
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    try:
        config = JobShopConfig.model_validate_json(config_file.read_bytes())
        asyncio.run(_run(config))
    except (OSError, ValidationError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0
