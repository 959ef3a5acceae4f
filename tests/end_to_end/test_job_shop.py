"""The job shop as it ships, with few orders: run by its command, held against its own books."""

from __future__ import annotations

import asyncio
import itertools
import json
import math
import re
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest

from millhand.contracts import CustomEvent
from millhand.journal.entries import Entry
from millhand.journal.journal import Journal
from millhand.journal.places import FILE_NAME
from millhand.journal.records import Cause, Published
from millhand.scenario.load import load
from millhand_mqtt import testing

JOB_SHOP = Path(__file__).parents[2] / "scenarios" / "job_shop"
PLANNERS = ("rule", "student", "solver", "mix")
KEPT = {"A-1", "A-3", "A-5", "A-17", "R-1"}
_ORDER = re.compile(r"id: ([AR]-\d+), product")


def shortened(text: str) -> str:
    """Return the scenario with few orders, one rush order, and time that passes faster."""
    lines: list[str] = []
    for line in text.splitlines():
        order = _ORDER.search(line)
        if order is None or order[1] in KEPT:
            lines.append(line)
        elif line.lstrip().startswith("order:"):
            lines.pop()  # when it would have come in
    text = "\n".join(lines)
    for key in ("speed", "pace"):
        text = text.replace(f"{key}: 360", f"{key}: 1200")
    return text


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """URL of a mosquitto, and a file with every message that passes it, written by another."""
    if testing.BINARY is None:
        pytest.skip(testing.MISSING)
    folder = tmp_path_factory.mktemp("broker")
    broker = testing.Mosquitto(folder)
    asyncio.run(broker.start())
    file = folder / "messages.txt"
    listener = shutil.which("mosquitto_sub")
    if listener is None:
        pytest.skip("mosquitto_sub is not installed (Debian: apt install mosquitto-clients)")
    with file.open("wb") as out:
        ear = subprocess.Popen([listener, "-p", str(broker.port), "-t", "uagv/#", "-v"], stdout=out)
        yield broker.url, file
        ear.terminate()
        ear.wait(20)
    broker.kill()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory, recorded: tuple[str, Path]) -> Path:
    """Folder of the shortened scenario, its vehicles at the recorded broker."""
    folder = tmp_path_factory.mktemp("short") / "job_shop"
    shutil.copytree(JOB_SHOP, folder)
    file = folder / "scenario.yaml"
    text = shortened(file.read_text(encoding="utf-8"))
    plant = "plant: vda5050.fleets"
    text = text.replace(plant, f"{plant}\n      broker: {recorded[0]}")
    file.write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def run(shop: Path) -> tuple[Path, str]:
    """Folder of a run made by the command, and what the command printed."""
    done = subprocess.run(
        [sys.executable, "-m", "millhand.cli", "run", str(shop)],
        cwd=shop.parent,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (folder,) = (shop.parent / "runs").iterdir()
    return folder, done.stdout + done.stderr


@pytest.fixture(scope="module")
def entries(run: tuple[Path, str], shop: Path) -> list[Entry]:
    """The journal of the run."""
    with Journal.open_readonly(run[0] / FILE_NAME, cell=load(shop).name) as journal:
        return list(all_entries(journal))


def all_entries(journal: Journal) -> list[Entry]:
    found: list[Entry] = []
    while page := journal.read(found[-1].seq if found else 0):
        found += page
    return found


def wanted(shop: Path) -> dict[tuple[str, str], set[str]]:
    """Operation to the machines that can do it; rush orders too."""
    options = load(shop).file.simulation.options  # type: ignore[union-attr]
    orders = [*options["shop"]["orders"], *(rush["order"] for rush in options["rush"])]
    return {
        (order["id"], one["id"]): set(one.get("machines", ())) or {one["machine"]}
        for order in orders
        for one in order["operations"]
    }


@pytest.mark.timeout(300)
def test_every_operation_is_done_once_in_turn_on_a_machine_that_can(
    run: tuple[Path, str], shop: Path
) -> None:
    books: dict[str, Any] = json.loads((run[0] / "plant" / "books.json").read_text())
    asked = wanted(shop)
    assert {order for order, _ in asked} == KEPT
    assert tuple(books) == PLANNERS
    for book in books.values():
        rows = book["progress"]
        assert Counter((row[0], row[1]) for row in rows) == dict.fromkeys(asked, 1)
        by_machine, by_order = defaultdict(list), defaultdict(list)
        for order, operation, machine, begin, end in rows:
            assert machine in asked[order, operation]
            by_machine[machine].append((begin, end))
            by_order[order].append((begin, end))
        for spans in (*by_machine.values(), *by_order.values()):
            spans.sort()
            assert all(a[1] <= b[0] for a, b in itertools.pairwise(spans))


def test_no_plan_of_the_mix_costs_more_than_the_best_rule(entries: list[Entry]) -> None:
    plans = [
        entry.record.decision
        for entry in entries
        if entry.kind == "intent" and entry.subject == "mix" and entry.record.decision.scores
    ]
    assert len(plans) > 3
    for plan in plans:
        assert plan.scores["cost"] <= plan.scores["best_rule_cost"] + 1e-9
        assert plan.scores["cost"] <= plan.scores.get("right_shift_cost", math.inf) + 1e-9
    assert sum("right_shift_cost" in plan.scores for plan in plans) == len(plans) - 1


def test_a_value_that_a_newer_one_replaced_is_no_alarm(entries: list[Entry]) -> None:
    alarms = {entry.record.name for entry in entries if entry.kind == "alarm"}
    assert alarms <= {"loop_blocked"}, "a loaded computer may hold up the loop; nothing else"
    causes = {entry.record.cause for entry in entries if entry.kind == "intent"}
    assert causes <= {Cause.DECIDED, Cause.UNSURE, Cause.SUPERSEDED}


def test_the_report_compares_the_planners(run: tuple[Path, str]) -> None:
    folder, printed = run
    report = (folder / "report.html").read_text(encoding="utf-8")
    outcome = json.loads((folder / "plant" / "outcome.json").read_text())
    assert [row[0] for row in outcome["rows"]] == list(PLANNERS)
    assert all("too busy for the pace" in note for note in outcome["notes"])
    assert report.count("<svg") == len(PLANNERS)
    assert "http" not in re.sub(r"http://www\.w3\.org\S+", "", report)
    assert outcome["headline"] in printed
    assert "trigger_dropped" not in printed


def test_each_load_is_brought_once_by_one_vehicle(
    run: tuple[Path, str], entries: list[Entry]
) -> None:
    deeds = json.loads((run[0] / "plant" / "vehicles" / "fleets.json").read_text())
    for planner in PLANNERS:
        done = [
            body.data["id"]
            for body in bodies(entries, f"{planner}_fleet")
            if body.name == "logistics.transport_done"
        ]
        assert len(done) == len(set(done)) > 5
        fleet = deeds[f"{planner}_agvs"]
        assert fleet["conflicts"] == 0
        executed = Counter[str]()
        for vehicle in fleet["vehicles"].values():
            assert set(vehicle["executed"].values()) <= {1}, "an action was carried out twice"
            executed.update(name.rpartition("/")[2] for name in vehicle["executed"])
        # One that was brought last may be over before its agent has said so.
        assert len(done) <= executed["pick"] == executed["drop"] <= len(done) + 1


def bodies(entries: list[Entry], producer: str) -> Iterator[CustomEvent]:
    for entry in entries:
        if isinstance(entry.record, Published) and entry.record.event.producer == producer:
            body = entry.record.event.body
            assert isinstance(body, CustomEvent)
            yield body


def test_every_message_on_the_air_is_one_of_the_schemas(
    run: tuple[Path, str], recorded: tuple[str, Path]
) -> None:
    schemas = resources.files("vda5050.validation") / "schemas"
    check = {
        topic: fastjsonschema.compile(json.loads((schemas / f"{topic}.json").read_text("utf-8")))
        for topic in ("order", "instantActions", "state", "connection")
    }
    seen: Counter[str] = Counter()
    vehicles: dict[str, set[str]] = defaultdict(set)
    for line in recorded[1].read_text(encoding="utf-8").splitlines():
        where, _, payload = line.partition(" ")
        *_, serial, topic = where.split("/")
        seen[topic] += 1
        vehicles[topic].add(serial)
        message = json.loads(payload)
        assert message["version"] == "2.1.0"
        if topic in check:  # the published schema of the factsheet can be met by nobody
            check[topic](message)
    assert set(seen) == {"order", "state", "connection", "factsheet"}
    everybody = {f"{planner}{number}" for planner in PLANNERS for number in (1, 2, 3)}
    assert vehicles["state"] == vehicles["connection"] == vehicles["factsheet"] == everybody
    assert seen["state"] > seen["order"] > 50
