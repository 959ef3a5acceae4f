"""``millhand attack``: some attacks on the casting cell held, one that cannot be held is found."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from millhand.attack import Finding, Verdict, held
from millhand.attack.arena import Arena
from millhand.attack.catalogue import attacks
from millhand.attack.report import write_report
from millhand.attack.run import AttackRun, run_attacks
from millhand.attack.signature import SUFFIX, report_fits, sign_report
from millhand.cli.program import program
from millhand.contracts import Command
from millhand.journal.signing import PublicKey, SigningKey, make_key
from millhand.plugins import Plugins
from millhand.scenario.load import load

CELL = Path(__file__).parents[2] / "scenarios" / "casting_cell"
HELD = ("people.bomb", "journal.edited", "guard.small-steps", "plc.expired-command")


class Intruder:
    """Forges a command that a PLC without security must take, and claims that all is well."""

    title = "A forged command that is right in everything"
    promise = 2

    async def run(self, arena: Arena) -> Finding:
        await arena.settled_parts(2)
        await arena.order(values="bad", tags=["state"])  # so that parts wait without a result
        await arena.settled_parts(3)
        tick = await arena.plant.tick()
        part = arena.entries("intent")[-1].part or ""
        await arena.plant.command(
            Command(id=1_999_999_999, part_id=part, result=1, valid_until=tick + 60)
        )
        await arena.until(lambda: any(a.command_id == 1_999_999_999 for a in arena.answers()))
        await arena.order(values="")
        return held("nobody", "the intruder says so")


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_what_holds_is_held_and_what_does_not_is_found(tmp_path: Path) -> None:
    plugins = Plugins.discover()
    chosen = [(name, one) for name, one in attacks(plugins) if name in HELD]
    said: list[str] = []
    run = await run_attacks(
        load(CELL),
        [*chosen, ("test.intruder", Intruder())],
        folder=tmp_path / "run",
        plugins=plugins,
        progress=lambda name, _one, result: said.append(f"{name} {result is not None}"),
    )
    found = {one.name: one.finding for one in run.results}
    assert {found[name].verdict for name in HELD} == {Verdict.HELD}, found
    assert found["test.intruder"].verdict is Verdict.BROKEN
    assert "has no intent" in found["test.intruder"].evidence
    assert not run.all_held
    assert len(said) == 2 * len(run.results)
    assert run.parts > 0
    assert not (tmp_path / "run" / "arena-1" / "cell").exists(), "the copy, with secrets, is gone"
    prove_report(run, tmp_path)


def prove_report(run: AttackRun, folder: Path) -> None:
    report = folder / "report.html"
    write_report(report, run)
    text = report.read_text(encoding="utf-8")
    assert "1 promise was broken." in text
    assert "A forged command that is right in everything" in text
    public = make_key(folder / "a.key")
    other = make_key(folder / "b.key")
    sign_report(report, SigningKey((folder / "a.key").read_text()))
    assert report_fits(report, PublicKey.read(public))
    assert not report_fits(report, PublicKey.read(other)), "another's signature"
    report.write_text(text.replace("broken", "held"), encoding="utf-8")
    assert not report_fits(report, PublicKey.read(public)), "the report was changed"
    words = ["attack", "--verify", str(report), "--key", str(public)]
    assert CliRunner().invoke(program, words).exit_code == 1
    report.write_text(text, encoding="utf-8")
    assert CliRunner().invoke(program, words).exit_code == 0
    signature = report.with_name(report.name + SUFFIX)
    changed = msgspec.json.decode(signature.read_bytes()) | {"at_utc_ns": 1}
    signature.write_bytes(msgspec.json.encode(changed))
    assert CliRunner().invoke(program, words).exit_code == 1, "when it was signed is signed too"


def test_at_least_twenty_five_attacks_and_none_without_a_promise() -> None:
    found = dict(attacks(Plugins.discover()))
    assert len(found) >= 54
    assert {one.promise for one in found.values()} <= set(range(1, 15))
    assert [name for name, one in found.items() if not one.title] == []


def test_a_cell_without_a_simulation_is_not_attacked() -> None:
    done = CliRunner().invoke(program, ["attack", str(CELL.with_name("office"))])
    assert done.exit_code == 3
    assert "The scenario office has no simulated plant." in done.output
    assert "Add simulation: {plant: simulated.conveyor_cell" in done.output


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_plant_without_a_line_is_attacked_where_it_can_be(tmp_path: Path) -> None:
    words = ["attack", str(CELL.with_name("job_shop")), "--folder", str(tmp_path), "--json"]
    done = CliRunner().invoke(program, words)
    assert done.exit_code == 0, done.output
    found = {one["name"]: one["finding"] for one in json.loads(done.stdout)["results"]}
    assert {name for name, one in found.items() if one["verdict"] == "held"} == {
        "camera.hostile-files", "model.changed", "model.pickle", "model.truncated", "people.bomb"
    }  # fmt: skip
    others = [one for one in found.values() if one["verdict"] != "held"]
    assert {one["verdict"] for one in others} == {"not_applicable"}
    assert "The plant simulated.job_shop has no line of parts to attack." in {
        one["evidence"] for one in others
    }


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_casting_cell_holds_against_all(tmp_path: Path) -> None:
    done = CliRunner().invoke(program, ["attack", str(CELL), "--folder", str(tmp_path / "run")])
    assert done.exit_code == 0, done.output
