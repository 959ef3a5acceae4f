"""The shipped vectors through both programs: the simulated PLC's and the structured text."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .programs import SHIPPED, Image, PythonProgram, StructuredText, Subject, at_rest

VECTORS = {file.stem: json.loads(file.read_text()) for file in (SHIPPED / "vectors").glob("*.json")}
SUBJECTS: dict[str, type[PythonProgram | StructuredText]] = {
    "python": PythonProgram,
    "structured_text": StructuredText,
}


@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("name", sorted(VECTORS))
def test_vector(name: str, subject: str) -> None:
    play_vector(name, SUBJECTS[subject])


def play_vector(name: str, subject: type[Subject]) -> None:
    vector = VECTORS[name]
    program = subject(vector.get("settings", {}))
    levels, count = at_rest(), 0
    for step in _scans(vector.get("after")):
        count = _play(program, levels, step)["Cell.Answers.Count"]
    for place, step in enumerate(vector["scans"], 1):
        image = _play(program, levels, step)
        where = f"{name}, step {place} ({step.get('note', '')}), tick {image['Cell.Tick']}"
        assert _fresh(image, count) == step.get("answers", []), where
        count = image["Cell.Answers.Count"]
        expected = step.get("expect", {})
        assert {key: image[key] for key in expected} == expected, where


def _scans(name: str | None) -> list[dict[str, Any]]:
    return [] if name is None else VECTORS[name]["scans"]


def _play(program: Subject, levels: dict[str, Any], step: dict[str, Any]) -> Image:
    """Run a step's scans; ``set`` stays, ``pulse`` lasts one scan."""
    unknown = set(step) - {"set", "pulse", "times", "answers", "expect", "note"}
    assert not unknown, unknown
    levels |= step.get("set", {})
    image = _scan(program, levels, step.get("pulse", {}))
    for _ in range(step.get("times", 1) - 1):
        image = _scan(program, levels, {})
    return image


def _scan(program: Subject, levels: dict[str, Any], pulse: dict[str, Any]) -> Image:
    image = program.scan(levels | pulse)
    levels["Cell.Machine.Request"] = image["Cell.Machine.Request"]
    return image


def _fresh(image: Image, count: int) -> list[list[Any]]:
    """The answers written since ``count``, oldest first."""
    rings = [image[f"Cell.Answers.{name}"] for name in ("CommandId", "PartId", "Code", "Tick")]
    new = range(count, image["Cell.Answers.Count"])
    assert len(new) <= 16
    return [[ring[place % 16] for ring in rings] for place in new]


SCAN = st.fixed_dictionaries(
    {},
    optional={
        "PartAtCamera": st.booleans(),
        "PartId": st.sampled_from(["A", "B", "C"]),
        "Product": st.sampled_from(["impeller", "housing"]),
        "PartAtGate": st.booleans(),
        "GateSeen": st.sampled_from([0, 0, 0, 1, 2, 3]),
        "EStop": st.sampled_from([False] * 9 + [True]),
        "Start": st.booleans(),
        "Reset": st.booleans(),
        "Cell.Command.PartId": st.sampled_from(["A", "B", "C"]),
        "Cell.Command.Result": st.integers(0, 5),
        "Cell.Command.ValidUntil": st.sampled_from([-1, 0, 30, 10**6, 2**31 - 20, 2**31 - 1]),
        "Cell.Command.Id": st.integers(0, 9),
        "Cell.Lease.Counter": st.integers(0, 99),
        "Cell.Lease.Ready": st.booleans(),
        "Cell.Lease.InControl": st.booleans(),
        "Cell.Machine.Request": st.sampled_from([0] * 9 + [1, 2, 3]),
    },
)


@settings(max_examples=60, deadline=None)
@given(
    scans=st.lists(SCAN, min_size=1, max_size=80),
    first_tick=st.sampled_from([0, 2**31 - 30]),
    default_way=st.sampled_from([2, 3]),
)
def test_both_programs_agree_on_anything(
    scans: list[dict[str, Any]], first_tick: int, default_way: int
) -> None:
    chosen = {
        "LeaseTimeout": 6,
        "GateTimeout": 4,
        "FirstTick": first_tick,
        "DefaultWay": default_way,
    }
    programs = PythonProgram(chosen), StructuredText(chosen)
    levels = at_rest()
    for step in _scans("start_up"):
        for program in programs:
            _play(program, dict(levels), step)
        levels |= step.get("set", {})
    for place, changes in enumerate(scans):
        levels |= changes
        ours, theirs = (program.scan(levels) for program in programs)
        assert ours == theirs, f"scan {place}"
        levels["Cell.Machine.Request"] = ours["Cell.Machine.Request"]


def test_every_vector_says_what_it_is_about() -> None:
    assert len(VECTORS) >= 20
    for name, vector in VECTORS.items():
        assert set(vector) <= {"about", "settings", "after", "scans"}, name
        assert vector["about"].endswith("."), name


def test_vectors_reach_every_answer_state_and_fault() -> None:
    codes, states, faults = set(), set(), set()
    for vector in VECTORS.values():
        program = PythonProgram(vector.get("settings", {}))
        levels = at_rest()
        for step in (*_scans(vector.get("after")), *vector["scans"]):
            image = _play(program, levels, step)
            codes |= set(image["Cell.Answers.Code"])
            states.add(image["Cell.PackML.State"])
            faults.add(image["Fault"])
    assert codes == set(range(10))
    assert states == {1, 2, 3, 4, 6, 7, 9, 10, 11, 12, 15}
    assert faults == set(range(6))
