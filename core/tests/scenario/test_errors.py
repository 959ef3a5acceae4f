"""What a person reads when a scenario is wrong, case by case, against ``data/errors.txt``.

``MILLHAND_UPDATE=1 pytest core/tests/scenario/test_errors.py`` writes the file anew; read the diff.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from millhand.errors import ConfigError, Problem
from millhand.plugins import Plugins
from millhand.scenario import load_text
from millhand.scenario.check import check

GOLDEN = Path(__file__).parent / "data" / "errors.txt"

CASES: dict[str, list[tuple[str, str]]] = {
    # YAML
    "a colon in a text": [("last year's claims", "claims: last year")],
    "a bracket left open": [("[0, 120]", "[0, 120")],
    "a tab": [("  camera:", "\tcamera:")],
    "a key twice": [("  camera:", "  plc: {}\n  camera:")],
    "an alias of nothing": [("path: images/", "path: *images")],
    # keys
    "an unknown key": [("deadline: 80 ms", "dedline: 80 ms")],
    "an unknown top key": [("economy:", "econmy:")],
    "an unknown option of an adapter": [("path: images/", "path: images/, paht: x")],
    "a missing option of an adapter": [("path: images/", "")],
    "a wrong option of an adapter": [("threads: 2", "threads: two")],
    "an option out of range": [("url: opc", "rack: 9\n    url: opc")],
    "a misspelt part of a device": [("triggers:", "trigers:")],
    "an unknown setting of an agent": [("light: true", "light: true\n    config: {sensitivty: 1}")],
    "a name with a hyphen": [("  inspector:", "  in-spector:")],
    "a name used twice": [("      trigger:", "      state:")],
    "a missing name": [("name: casting-cell", "description: x")],
    # values
    "no unit": [("80 ms", "80")],
    "a wrong unit": [("80 ms", "80 sec")],
    "a unit of another quantity": [("80 ms", "80 MB")],
    "a number for a text": [('line: "2"', "line: 2")],
    "a word for true": [("light: true", "light: yes")],
    "a word that is none of the choices": [("max_mode: control", "max_mode: full")],
    "a part that would be shipped": [("blind:        {part: reject", "blind:        {part: pass")],
    "a list for a mapping": [("see:  {frame: camera}", "see:  [camera]")],
    "nothing for a mapping": [("see:  {frame: camera}", "see:")],
    "a newer format": [("millhand: 1", "millhand: 2")],
    "a currency by its name": [("EUR", "Euro")],
    "a path out of the folder": [("models/impeller", "../models/impeller")],
    "a secret in the file": [("url: opc", "password: hunter2\n    url: opc")],
    # handshake
    "an echo without answers": [("answers: s=Cell.Answers, ", "")],
    "a record that is no record": [("record: s=Cell.Command", "record: 5")],
    "a record without an address": [("part_id: s=Cell.Trigger.PartId, ", "")],
    "a lease of unknown keys": [("{record: s=Cell.Lease,", "{node: s=Cell.Lease,")],
    "a wrong tag type in the handshake": [
        ("tick: s=Cell.Tick", "tick: {node: s=Cell.Tick, type: string}")
    ],
    "an address that the adapter refuses": [("s=Cell.PackML.State", "Cell.PackML.State")],
    "a prefix that the adapter refuses": [("record: s=Cell.Lease", "record: Cell.Lease")],
    # when
    "nothing that sets to work": [("when: plc.trigger", "when: always")],
    "a timer without a unit": [("every 5 s", "every 5")],
    "an event without a version": [("every 5 s", "event hold")],
    "an event that the agent does not know": [("every 5 s", "event hold/1")],
    "a tag for a trigger": [("when: plc.trigger", "when: plc.state")],
    "a trigger that is not there": [("when: plc.trigger", "when: plc.triger")],
    "a trigger that the agent does not take": [("every 5 s", "document camera")],
    # references and roles
    "a camera that is not there": [("{frame: camera}", "{frame: camra}")],
    "a tag for a camera": [("{frame: camera}", "{frame: plc.state}")],
    "an adapter that is no camera": [("{frame: camera}", "{frame: cpu}")],
    "a role left open": [("{frame: camera}", "{}")],
    "a role that is not known": [("{frame: camera}", "{frame: camera, fram: camera}")],
    "a missing tag": [("{level: plc.level}", "{level: plc.levle}")],
    "a tag for a channel": [("disposition: plc.result", "disposition: plc.speed")],
    "a channel for a tag": [("speed: plc.speed}", "speed: plc.result}")],
    "an accelerator that runs nothing": [("accelerator: cpu", "accelerator: camera")],
    "a worker that is not there": [("light: true", "worker: heavy")],
    "models by a number": [("{by: plc.product", "{by: plc.state")],
    "models by nothing": [("{by: plc.product, ", "{")],
    "models of two roles": [("use: bench.inspect", "use: bench.two_models")],
    "an adapter that is not installed": [("bench.camera", "modbus")],
    "an adapter misspelt": [("bench.camera", "bench.camra")],
    # guard
    "a condition with one equals sign": [("plc.state == 6", "plc.state = 6")],
    "a condition over an unknown tag": [("plc.state == 6", "plc.stat == 6")],
    "a condition of two kinds": [("plc.state == 6", "plc.state == 'six'")],
    "a condition that is none": [("plc.state == 6", "plc.state")],
    "a rule for nothing": [("plc.speed: {range", "plc.sped: {range")],
    "a range for a channel": [("max_age: 200 ms", "range: [1, 2]")],
    "a range the wrong way round": [("[0, 120]", "[120, 0]")],
    "rejects of a tag": [
        ("{range: [0, 120]", "{range: [0, 120], consecutive_rejects: {more_than: 1}")
    ],
    # times, modes, reactions
    "a deadline before the trigger is seen": [("80 ms", "4 ms")],
    "a late part against the default": [("late:         {part: reject}", "late: {part: divert}")],
    "no way to stop the machine": [("    machine: s=Cell.Machine\n", "")],
    "control without a lease": [("    lease: {record: s=Cell.Lease, every: 100 ms}\n", "")],
    "advice for a part": [("max_mode: control", "max_mode: advise")],
    "control without limits": [("  plc.speed: {range", "  plc.level: {range")],
    "the latest part only": [("deadline: 80 ms", "deadline: 80 ms\n    queue: latest")],
    "a light agent with a model": [("deadline: 80 ms", "deadline: 80 ms\n    light: true")],
}


@pytest.fixture(scope="module")
def golden() -> dict[str, str]:
    if not GOLDEN.exists():
        return {}
    sections = re.split(r"(?m)^=== (.+) ===\n", GOLDEN.read_text(encoding="utf-8"))[1:]
    return dict(zip(sections[::2], (text.strip() for text in sections[1::2]), strict=True))


def problems_of(text: str, cell: Path, plugins: Plugins) -> list[Problem]:
    try:
        return check(load_text(text, cell / "scenario.yaml"), plugins)
    except ConfigError as error:
        return list(error.problems)


@pytest.mark.parametrize("case", CASES)
def test_the_error_is_as_agreed(
    case: str,
    edited: Callable[..., str],
    cell: Path,
    plugins: Plugins,
    golden: dict[str, str],
) -> None:
    problems = problems_of(edited(*CASES[case]), cell, plugins)
    assert problems
    for problem in problems:
        assert problem.place.file == str(cell / "scenario.yaml")
        assert problem.place.line is not None
        assert problem.expected, "says what was expected"
        assert problem.mend, "says the mend"
        assert "hunter2" not in str(problem)
    met = "\n".join(map(str, problems)).replace(f"{cell}/", "")
    if os.environ.get("MILLHAND_UPDATE"):
        golden[case] = met
        text = "".join(f"=== {name} ===\n{golden[name]}\n\n" for name in CASES if name in golden)
        GOLDEN.write_text(text, encoding="utf-8")
    assert met == golden[case]


def test_every_case_agreed_is_tried(golden: dict[str, str]) -> None:
    assert set(golden) == set(CASES)
