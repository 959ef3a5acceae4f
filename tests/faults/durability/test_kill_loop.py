"""``kill -9`` of the whole engine, again and again, while the PLC goes on with its own books."""

from __future__ import annotations

import asyncio
import os
import random
from pathlib import Path

import pytest
from cell_process import (
    Books,
    CellEngine,
    answers,
    effects,
    plc,
    read_books,
    write_scenario,
)

from millhand.contracts import RESULT_CODES, Answer, AnswerCode
from millhand.journal.journal import Journal
from millhand.journal.proof import SignedProof
from millhand.journal.records import Cause, OutcomeStatus
from millhand.journal.signing import PublicKey, SignedHead, make_key, read_heads
from millhand_simulated.plant import ConveyorCell

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs fork and SIGKILL")


@pytest.mark.timeout(400)
async def test_sixty_kills_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    await attack(tmp_path, kills=60, seed=5)


@pytest.mark.slow
@pytest.mark.timeout(3600)
async def test_a_thousand_kills_with_the_agent_in_a_worker_too(tmp_path: Path) -> None:
    await attack(tmp_path / "light", kills=900, seed=6)
    await attack(tmp_path / "worker", kills=100, seed=7, light=False)


async def test_kills_while_old_segments_go_leave_a_signed_and_whole_chain(tmp_path: Path) -> None:
    """Retention, seals, exported heads and recovery all at once, in every life."""
    chance = random.Random(11)
    cell = tmp_path / "cell"
    make_key(cell / "secrets" / "journal.key")
    keep = 'journal: {keep: 1 ms, sign: "file:secrets/journal.key"}'
    async with plc(tmp_path / "plc") as plant:
        write_scenario(cell, plant.endpoints["plc"], more=keep)
        async with CellEngine(cell) as engine:
            await plant.start_line()
            for _ in range(8):
                await kill_once(engine, chance)
            await engine.start()
            await asyncio.sleep(chance.uniform(0.3, 0.5))
            await engine.stop()
    books, given = read_books(cell), answers(tmp_path / "plc")
    check_signed(cell)
    first = min(books.hashes)
    assert first > 1, "old segments went"
    kept = {seq: digest for seq, digest in engine.acknowledged.items() if seq >= first}
    assert {seq: books.hashes.get(seq) for seq in kept} == kept
    for command_id, codes in effects(given).items():
        taken = [code for code in codes if code is not AnswerCode.EXECUTED]
        assert len(taken) == 1, f"command {command_id} was answered {taken}"
    assert len(books.triggers) == len(set(books.triggers))


def check_signed(cell: Path) -> None:
    folder = cell / "journal"
    heads = [h for h in read_heads(folder / "checkpoints.jsonl") if isinstance(h, SignedHead)]
    proof = SignedProof([PublicKey.read(cell / "secrets" / "journal.pub")], heads)
    with Journal.open_readonly(folder / "journal.sqlite", cell="cell") as journal:
        report = journal.verify(proof=proof)
    assert report.ok, report.faults
    assert report.witnessed is not None
    assert report.witnessed.last_seq == report.head.seq


async def attack(folder: Path, *, kills: int, seed: int, light: bool = True) -> None:
    """Kill at random instants, of starting, deciding, writing and waiting; then read all books."""
    chance = random.Random(seed)
    cell = folder / "cell"
    async with plc(folder / "plc") as plant:
        write_scenario(cell, plant.endpoints["plc"], light=light)
        async with CellEngine(cell) as engine:
            await plant.start_line()
            for _ in range(kills):
                await kill_once(engine, chance)
            await engine.start()
            await plant.control.write("Sim.Run", False)
            await through_the_gate(plant)
            await engine.stop()
        triggers = (await plant.summary()).triggers
    assert engine.ended.count(-9) == kills
    books, given = read_books(cell), answers(folder / "plc")
    report(books, given, triggers)
    check(engine.acknowledged, books, given, triggers)


async def kill_once(engine: CellEngine, chance: random.Random) -> None:
    starting = chance.random() < 0.3
    await engine.start(up=not starting)
    await asyncio.sleep(chance.uniform(0, 0.4 if starting else 0.35))
    await engine.kill()


async def through_the_gate(plant: ConveyorCell) -> None:
    """Wait until no part is between camera and gate; none comes any more."""
    async with asyncio.timeout(30):
        while await plant.control.read("Cell.Counters.InFlight"):
            await asyncio.sleep(0.05)


def report(books: Books, given: list[Answer], triggers: int) -> None:
    """Print what a person reads when this fails, or with ``-s``."""
    codes = [answer.code.name for answer in given]
    causes = [intent.cause.value for intent in books.intents.values()]
    ends = [one.status.value for many in books.outcomes.values() for one in many]
    for name, found in (("PLC", codes), ("causes", causes), ("outcomes", ends)):
        print(name, {value: found.count(value) for value in sorted(set(found))})
    print("triggers", triggers)


def check(acknowledged: dict[int, str], books: Books, given: list[Answer], triggers: int) -> None:
    lost = {seq for seq, digest in acknowledged.items() if books.hashes.get(seq) != digest}
    assert not lost, "no acknowledged entry is lost"
    assert books.whole
    check_dispositions(books, triggers)
    check_effects(books, given)
    check_outcomes(books, given)


def check_dispositions(books: Books, triggers: int) -> None:
    """Every part that the PLC has triggered since the cell's first decision has one disposition."""
    assert len(books.triggers) == len(set(books.triggers)), "no part is decided twice"
    first = min(books.triggers)
    assert sorted(books.triggers) == list(range(first, triggers + 1))
    assert all(intent.disposition is not None for intent in books.intents.values())
    decided = [i for i in books.intents.values() if i.cause is Cause.DECIDED]
    assert len(decided) > 30, "the engine lived long enough to decide"
    counts = [i.memory_after["count"] for i in books.intents.values() if i.cause is Cause.DECIDED]
    assert counts == list(range(1, len(counts) + 1)), "memory and decision are one"


def check_effects(books: Books, given: list[Answer]) -> None:
    """Each effect has its intent and came once."""
    commands = books.commands
    for command_id, codes in effects(given).items():
        assert command_id in commands, f"command {command_id} has no intent"
        assert codes.count(AnswerCode.ACCEPTED) <= 1
        assert codes.count(AnswerCode.EXECUTED) <= 1
        taken = [code for code in codes if code is not AnswerCode.EXECUTED]
        assert len(taken) == 1, f"command {command_id} was answered {taken}"
    accepted = [answer for answer in given if answer.code is AnswerCode.ACCEPTED]
    assert len({answer.part_id for answer in accepted}) == len(accepted), "once for each part"
    assert len(accepted) > 20
    for answer in accepted:
        intent = commands[answer.command_id]
        assert intent.command is not None
        assert intent.command.part_id == answer.part_id
        assert intent.disposition is not None
        assert intent.command.result == RESULT_CODES[intent.disposition]


def check_outcomes(books: Books, given: list[Answer]) -> None:
    """Every intent has one outcome, and none claims what the PLC does not say."""
    assert books.outcomes.keys() == books.intents.keys()
    answered = effects(given)
    for decision, outcomes in books.outcomes.items():
        assert len(outcomes) == 1, decision
        command = books.intents[decision].command
        codes = [] if command is None else answered.get(command.id, [])
        if outcomes[0].status is OutcomeStatus.CONFIRMED:
            assert AnswerCode.ACCEPTED in codes
        if outcomes[0].status in (OutcomeStatus.NOT_SENT, OutcomeStatus.EXPIRED):
            assert AnswerCode.ACCEPTED not in codes
