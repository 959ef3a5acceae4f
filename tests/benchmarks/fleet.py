"""A hundred simulated vehicles, one broker, one dispatch: times and processor shares.

Needs mosquitto and nothing else (``apt install mosquitto``)::

    python tests/benchmarks/fleet.py                    # all tables
    python tests/benchmarks/fleet.py --vehicles 20 --seconds 10

- **messages**: decoding with validation, against fastjsonschema (compiled) and jsonschema on the
  same messages, where their schemas are at hand (``MILLHAND_VDA5050_SCHEMAS`` or ../shared).
- **dispatch**: one look at the whole fleet (``logistics.fleet``), in a run where vehicles drive,
  and of the worst kind: everybody idle, a job for each.
- **fleet**: the vehicles in a process of their own at 1 Hz state, fleet control and dispatch in
  this one, mosquitto in a third; processor shares are of one core. Goal: all vehicles on one core,
  dispatch p99 at most 50 ms.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import structlog

from millhand.testing.permits import permit_for
from millhand_logistics.fleet.agent import COLUMNS, read_vehicles
from millhand_logistics.fleet.dispatch import add_job, dispatch
from millhand_logistics.fleet.roads import Roads
from millhand_logistics.fleet.state import Book, Job, Rules, Vehicle
from millhand_mqtt import testing
from millhand_mqtt.broker import BrokerConfig
from millhand_vda5050.adapter import Vda5050
from millhand_vda5050.dialects import dialect
from millhand_vda5050.dialects.base import Header
from millhand_vda5050.layout import Layout
from millhand_vda5050.model import Limits
from millhand_vda5050.simulated.fleet import SimulatedFleet, grid, spread
from millhand_vda5050.simulated.vehicle import SimulatedVehicle
from millhand_vda5050.simulated.world import World
from millhand_vda5050.skills import OrderGoal, order_of
from millhand_vda5050.wire.codec import Topic, Version, decode

SHARED = Path(__file__).resolve().parents[2].parent / "shared" / "data" / "logistics" / "vda5050"
SCHEMAS = Path(os.environ.get("MILLHAND_VDA5050_SCHEMAS") or SHARED)


def milliseconds(seconds: Sequence[float]) -> str:
    ordered = sorted(1000 * one for one in seconds)
    pick = [ordered[min(len(ordered) - 1, int(len(ordered) * q))] for q in (0.5, 0.99)]
    return f"{pick[0]:.2f} / {pick[1]:.2f} / {ordered[-1]:.2f}"


def timed(work: Callable[[], object], rounds: int) -> float:
    """Return the median time of one call, in seconds, of batches of 20."""
    found = []
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(20):
            work()
        found.append((time.perf_counter() - began) / 20)
    return statistics.median(found)


# --- messages ---


def examples(version: Version) -> dict[Topic, bytes]:
    speaks, header = dialect(version), Header(header_id=1, manufacturer="m", serial="s")
    ways = grid(20, 1)
    path = [f"n{column}-0" for column in range(20)]
    order = order_of(OrderGoal(order_id="o", path=path, action="pick", load="l"), ways, Limits())
    vehicle = SimulatedVehicle("s", "n0-0", (0.0, 0.0), World())
    vehicle.take_order(order)
    vehicle.step(0.1)
    return {
        Topic.ORDER: speaks.order(header, order),
        Topic.STATE: speaks.state(header, vehicle.state(1)),
        Topic.FACTSHEET: speaks.factsheet(header, vehicle.limits),
    }


def validators(version: Version, topic: Topic, payload: bytes) -> list[float | None]:
    folder = {Version.V2: "2.1.0", Version.V3: "main"}[version]
    file = SCHEMAS / folder / f"{topic.value}.schema"
    if not file.exists():
        return [None, None]
    import fastjsonschema
    import jsonschema

    schema = json.loads(file.read_text())
    fast = fastjsonschema.compile(schema)
    plain = jsonschema.Draft202012Validator(schema)
    return [
        timed(lambda: fast(json.loads(payload)), 15),
        timed(lambda: plain.validate(json.loads(payload)), 5),
    ]


def messages() -> None:
    print("\n| message, decoded and validated | bytes | ours µs | fastjsonschema | jsonschema |")
    print("|---|---|---|---|---|")
    for version in Version:
        for topic, payload in examples(version).items():
            ours = timed(lambda v=version, t=topic, p=payload: decode(v, t, p), 15)  # type: ignore[misc]
            others = [
                "–" if one is None else f"× {one / ours:.0f}"
                for one in validators(version, topic, payload)
            ]
            print(
                f"| {topic} {version}, 20 nodes | {len(payload)} | {1e6 * ours:.0f} | "
                f"{' | '.join(others)} |"
            )


# --- dispatch ---


def roads_of(layout: Layout) -> Roads:
    ways = [(start, end, layout.length(way)) for (start, end), way in layout.directed.items()]
    return Roads(layout.nodes, ways)


def jobs_for(book: Book, layout: Layout, count: int, rng: random.Random) -> None:
    names = list(layout.nodes)
    while sum(not job.vehicle for job in book.jobs.values()) < count:
        pick, drop = rng.sample(names, 2)
        book.number += 1
        add_job(book, Job(f"j{book.number}", pick, drop))


def worst_dispatch(count: int, layout: Layout) -> None:
    """Everybody idle and a job for each, on roads whose distances are not known yet."""
    found = []
    for seed in range(10):
        rng, book = random.Random(seed), Book("b")
        places = rng.sample(list(layout.nodes), count)
        vehicles = {
            f"v{i:03d}": Vehicle(f"v{i:03d}", True, place, 0, "", 0, True, 90.0, False)
            for i, place in enumerate(places)
        }
        jobs_for(book, layout, count, rng)
        roads = roads_of(layout)
        began = time.perf_counter()
        dispatch(book, vehicles, roads, Rules())
        found.append(time.perf_counter() - began)
    print(f"| dispatch, {count} idle vehicles and {count} jobs, cold | {milliseconds(found)} ms |")


# --- the fleet ---


async def serve(url: str, count: int) -> None:
    """Be the vehicles, in a process of their own; tell the truth about them when asked."""
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    layout = grid(20, 20)
    fleet = SimulatedFleet(spread(layout, count), layout, BrokerConfig.model_validate({"url": url}))
    async with fleet:
        await fleet.wait_connected(60)
        print(json.dumps({"ready": True}), flush=True)
        while await asyncio.to_thread(sys.stdin.readline):
            used = resource.getrusage(resource.RUSAGE_SELF)
            told = {
                "cpu_s": used.ru_utime + used.ru_stime,
                "sent": sum(one.sent for one in fleet.at_broker.values()),
                "conflicts": fleet.world.conflicts,
                "metres": round(sum(one.travelled for one in fleet.vehicles.values())),
                "twice": sum(
                    len(one.begun) - len(set(one.begun)) for one in fleet.vehicles.values()
                ),
            }
            print(json.dumps(told), flush=True)


class Vehicles:
    """The process of the vehicles."""

    def __init__(self, url: str, count: int) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, "--serve", url, "--vehicles", str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.read()

    def read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        found: dict[str, Any] = json.loads(self._process.stdout.readline())
        return found

    def ask(self) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self.read()

    def close(self) -> None:
        self._process.kill()
        self._process.wait()


async def lead(url: str, count: int, seconds: float, layout: Layout, file: Path) -> None:
    starts = spread(layout, count)
    config = Vda5050.Config.model_validate(
        {"url": url, "vehicles": {one: one for one in starts}, "layout": str(file)}
    )
    tags = {role: Vda5050.Tag.model_validate(f"fleet.{role}") for role in COLUMNS}
    rng, book, roads = random.Random(1), Book("bench-"), roads_of(layout)
    rules = Rules(chargers=frozenset(list(layout.nodes)[::40]))
    looks, handovers, given, done, whole = [], [], 0, 0, 0
    under_way: set[asyncio.Task[float]] = set()
    vehicles = await asyncio.to_thread(Vehicles, url, count)
    try:
        async with Vda5050("agvs", config, tags) as agvs:
            await agvs.wait_connected(20)
            while not all((await agvs.read(["online"]))[0].value or []):  # type: ignore[arg-type]
                await asyncio.sleep(0.05)
            before, began = await asyncio.to_thread(vehicles.ask), time.monotonic()
            own = time.process_time()
            while time.monotonic() - began < seconds:
                jobs_for(book, layout, count // 4, rng)
                samples = {one.tag: one for one in await agvs.read(list(COLUMNS))}
                seen, trouble = read_vehicles(samples)
                assert not trouble, trouble
                at = time.perf_counter()
                found = dispatch(book, seen, roads, rules)
                looks.append(time.perf_counter() - at)
                done += len(found.done)
                given += len(found.requests)
                if found.requests:
                    task = asyncio.create_task(hand_over(agvs, found.requests))
                    under_way.add(task)
                    task.add_done_callback(under_way.discard)
                    task.add_done_callback(lambda one: handovers.append(one.result()))
                whole += 1
                await asyncio.sleep(max(0.0, began + whole * 0.5 - time.monotonic()))
            await asyncio.gather(*under_way)
            passed = time.monotonic() - began
            used = time.process_time() - own
            after = await asyncio.to_thread(vehicles.ask)
            doubts = [one for one in (await agvs.read(["doubt"]))[0].value or [] if one]  # type: ignore[union-attr]
    finally:
        vehicles.close()
    share = (after["cpu_s"] - before["cpu_s"]) / passed
    print(f"| dispatch in the run, {count} vehicles, p50 / p99 / max | {milliseconds(looks)} ms |")
    print(f"| orders handed over together, asked to all shown | {milliseconds(handovers)} ms |")
    print(f"| processor of fleet control and dispatch, of one core | {100 * used / passed:.0f} % |")
    print(f"| processor of the {count} simulated vehicles, of one core | {100 * share:.0f} % |")
    print(f"| states in a second | {(after['sent'] - before['sent']) / passed:.0f} |")
    print(f"| orders and updates, jobs done, metres | {given}, {done}, {after['metres']} |")
    wrong = f"{after['twice']}, {after['conflicts']}, {len(doubts)}"
    print(f"| taken twice, node conflicts, doubted | {wrong} |")


async def hand_over(agvs: Vda5050, requests: Sequence[Any]) -> float:
    goals = [
        {
            "vehicle": one.vehicle,
            "order_id": one.order,
            "update_id": one.update,
            "path": list(one.path),
            "first_sequence": one.first,
            "action": one.action,
            "load": one.load,
        }
        for one in requests
    ]
    goal = {"orders": [json.dumps(one) for one in goals]}
    permit = permit_for("agvs", ("skill.orders", json.dumps(goal)))
    began = time.perf_counter()
    async for _ in agvs.perform(permit, "orders", goal, time.monotonic_ns() + 5 * 10**9):  # type: ignore[arg-type]
        pass
    return time.perf_counter() - began


async def fleet(count: int, seconds: float) -> None:
    layout = grid(20, 20)
    print("\n| fleet | p50 / p99 / max |\n|---|---|")
    worst_dispatch(count, layout)
    if testing.BINARY is None:
        print(f"| {testing.MISSING} | – |")
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "layout.json"
        file.write_text(layout.model_dump_json(by_alias=True))
        broker = testing.Mosquitto(Path(folder))
        await broker.start()
        try:
            await lead(broker.url, count, seconds, layout, file)
        finally:
            broker.kill()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--vehicles", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--serve", default="", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.serve:
        asyncio.run(serve(chosen.serve, chosen.vehicles))
        return
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(40))
    messages()
    asyncio.run(fleet(chosen.vehicles, chosen.seconds))


if __name__ == "__main__":
    main()
