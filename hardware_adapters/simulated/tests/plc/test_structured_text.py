"""The shipped files say the same: structured text, tag list, simulated server, handshake page."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from millhand_simulated.plc.logic import ANSWERS, REGISTER_SIZE
from millhand_simulated.plc.tags import HANDSHAKE

from . import structured_text
from .programs import FUNCTION_BLOCK, INPUTS, OUTPUTS, SHIPPED

PAGE = Path(__file__).parents[4] / "docs/reference/plc-handshake.md"


def test_the_tag_list_is_what_the_server_shows() -> None:
    with (SHIPPED / "millhand_cell_tags.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    listed = [(row["Name"], row["DataType"], row["ArrayLength"]) for row in rows]
    assert listed == [(tag.path, tag.kind, str(tag.length or "")) for tag in HANDSHAKE]
    writable = {row["Name"] for row in rows if row["ClientAccess"] == "ReadWrite"}
    assert writable == {tag.path for tag in HANDSHAKE if tag.writable}
    assert writable == {row["Name"] for row in rows if row["WrittenBy"] == "Millhand"}
    assert all(row["Description"] for row in rows)


def test_the_structures_make_up_these_tags() -> None:
    text = FUNCTION_BLOCK.read_text(encoding="utf-8")
    structures = dict(re.findall(r"(MH_\w+) : STRUCT(.*?)END_STRUCT", text, re.DOTALL))

    def leaves(structure: str, path: str) -> list[tuple[str, str, int]]:
        found = []
        for name, kind in re.findall(r"(\w+) : ([^;:]+)", structures[structure]):
            array = re.fullmatch(r"ARRAY\[0\.\.15\] OF (\w+)\s*", kind)
            if kind.strip() in structures:
                found += leaves(kind.strip(), f"{path}.{name}")
            elif array:
                found.append((f"{path}.{name}", array[1], ANSWERS))
            else:
                found.append((f"{path}.{name}", kind.strip(), 0))
        return found

    assert leaves("MH_Cell", "Cell") == [(tag.path, tag.kind, tag.length) for tag in HANDSHAKE]


def test_the_page_names_every_field() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for tag in HANDSHAKE:
        field = tag.path.rpartition(".")[2]
        assert re.search(rf"`(Cell\.)?(PackML\.)?{field}(\[16\])?`", page), tag.path


def test_inputs_and_outputs_are_those_of_the_block() -> None:
    text = FUNCTION_BLOCK.read_text(encoding="utf-8")
    block = text[text.index("FUNCTION_BLOCK FB_MillhandCell") :]
    for names, section in ((INPUTS, "VAR_INPUT"), (OUTPUTS, "VAR_OUTPUT")):
        body = re.search(rf"{section}\n(.*?)END_VAR", block, re.DOTALL)
        assert body is not None
        declared = set(re.findall(r"^    (\w+) :", body[1], re.MULTILINE))
        wired = {name for name in names if "." not in name}
        assert declared - wired == (
            {"LeaseTimeout", "GateTimeout", "DefaultWay"} if section == "VAR_INPUT" else {"Books"}
        )
        assert wired <= declared


def test_the_register_is_as_long_as_the_simulation_s() -> None:
    text = FUNCTION_BLOCK.read_text(encoding="utf-8")
    assert f"Register : ARRAY[0..{REGISTER_SIZE - 1}] OF MH_Part" in text
    assert f"IF Used = {REGISTER_SIZE} THEN" in text


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("a := 2147483647; a := a + 1;", "no DINT"),
        ("a := TRUE;", "no DINT"),
        ("b := 1 = 1; a := 3; IF a THEN a := 0; END_IF;", "no BOOL"),
        ("r[2] := 1;", "no element 2"),
        ("a := 0 - 1; a := a MOD 16;", "MOD"),
        ("c := 1;", "C"),
        ("WHILE a = 0 DO b := TRUE; END_WHILE;", "watchdog"),
        ("IF a = b THEN a := 1; END_IF;", "do not go together"),
    ],
)
def test_the_interpreter_refuses_what_no_plc_defines(body: str, fault: str) -> None:
    text = f"""FUNCTION_BLOCK F
      VAR a : DINT; b : BOOL; r : ARRAY[0..1] OF DINT; END_VAR
      {body}
    END_FUNCTION_BLOCK"""
    block = structured_text.Program(text).instance("F")
    with pytest.raises((structured_text.StructuredTextError, KeyError), match=fault):
        block.scan()


def test_the_interpreter_runs_loops_cases_and_calls() -> None:
    text = """(* a comment *)
    FUNCTION Twice : DINT VAR_INPUT x : DINT; END_VAR Twice := x + x; END_FUNCTION
    FUNCTION_BLOCK F
      VAR_INPUT n : DINT := 3; END_VAR
      VAR_OUTPUT sum : DINT; word : STRING; END_VAR
      VAR i : DINT; END_VAR
      sum := 0;
      i := 0;
      WHILE i < n DO i := i + 1; sum := sum + Twice(x := i); END_WHILE;
      CASE sum OF 12: word := word; 2, 6: sum := -sum; ELSE sum := 0; END_CASE;
    END_FUNCTION_BLOCK"""
    block = structured_text.Program(text).instance("f")
    block.scan()
    assert block["SUM"] == 12
    block.scan(N=2)
    assert block["sum"] == -6
    block.scan(n=0)
    assert block["sum"] == 0
