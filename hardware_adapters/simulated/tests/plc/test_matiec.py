"""The structured text through an independent compiler, where one is installed.

matiec translates second-edition IEC 61131-3 to C. Put its ``iec2c`` on the path, or name its folder
in ``MATIEC``; without it these tests are skipped, and the interpreter beside them stands alone.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from millhand_simulated.plc.tags import HANDSHAKE

from .programs import FUNCTION_BLOCK, INPUTS, OUTPUTS, Image, PythonProgram, at_rest
from .test_vectors import SCAN, VECTORS, play_vector

IEC2C = shutil.which("iec2c", path=os.pathsep.join([os.environ.get("MATIEC", ""), os.defpath]))
COMPILER = shutil.which("cc")
pytestmark = pytest.mark.skipif(
    IEC2C is None or COMPILER is None,
    reason="needs matiec's iec2c (set MATIEC to its folder) and a C compiler",
)

MAIN = """
PROGRAM Main
  VAR
    Cell : MH_Cell;
    Block : FB_MillhandCell;
  END_VAR
  Block(Cell := Cell);
END_PROGRAM
CONFIGURATION Config0
  RESOURCE Res0 ON PLC
    TASK Task0(INTERVAL := T#10ms, PRIORITY := 0);
    PROGRAM Inst0 WITH Task0 : Main;
  END_RESOURCE
END_CONFIGURATION
"""
HARNESS = """
#include <string.h>
#include "iec_std_lib.h"
#include "accessor.h"
#include "POUS.h"
TIME __CURRENT_TIME;
BOOL __DEBUG;
#include "POUS.c"
static MAIN cell;
void fresh(void) { memset(&cell, 0, sizeof cell); MAIN_init__(&cell, 0); }
void scan(void) { MAIN_body__(&cell); }
void *place(int number) { switch (number) { PLACES default: return 0; } }
"""
BOOKS = {"Books.Answer": 9, "Books.Way": 3}


class _String(ctypes.Structure):
    _fields_ = (("length", ctypes.c_int8), ("body", ctypes.c_char * 126))


_TYPES: dict[str, Any] = {"DINT": ctypes.c_int32, "BOOL": ctypes.c_uint8, "STRING": _String}
_KINDS = {tag.path: tag.kind for tag in HANDSHAKE}
_BLOCK_KINDS = dict.fromkeys(
    ("PartAtCamera", "PartAtGate", "EStop", "Start", "Reset", "Conveyor", "GateMark"), "BOOL"
) | dict.fromkeys(("LeaseLive", "AgentReady", "Purged"), "BOOL")
_BLOCK_KINDS |= {"PartId": "STRING", "Product": "STRING"}
_LENGTHS = {tag.path: tag.length for tag in HANDSHAKE if tag.length} | BOOKS
NAMES = list(
    dict.fromkeys((*_KINDS, *INPUTS, *OUTPUTS, *BOOKS, "LeaseTimeout", "GateTimeout", "DefaultWay"))
)


def _expression(name: str) -> str:
    """Where matiec puts a tag, an input or an output in its C structures."""
    first, _, rest = name.upper().partition(".")
    table = ".table" if name in _LENGTHS else ""
    if first == "CELL":
        return f"cell.CELL.value.{rest}{table}"
    return f"cell.BLOCK.{first}.value{f'.{rest}' if rest else ''}{table}"


class Compiled:
    """The function block as matiec compiled it; there is one instance in the library."""

    library: ctypes.CDLL

    def __init__(self, chosen: dict[str, int]) -> None:
        self.library.fresh()
        for name, value in chosen.items():
            self._put("Cell.Tick" if name == "FirstTick" else name, value)

    def scan(self, inputs: dict[str, Any]) -> Image:
        for name, value in inputs.items():
            self._put(name, value)
        self.library.scan()
        rings = (f"Cell.Answers.{name}" for name in ("CommandId", "PartId", "Code", "Tick"))
        return {name: self._get(name) for name in (*OUTPUTS, *rings, *BOOKS)}

    def _at(self, name: str) -> Any:
        kind = _TYPES[_KINDS.get(name) or _BLOCK_KINDS.get(name, "DINT")]
        address = self.library.place(NAMES.index(name))
        return (kind * _LENGTHS.get(name, 1)).from_address(address)

    def _put(self, name: str, value: Any) -> None:
        cells = self._at(name)
        if isinstance(value, str):
            cells[0].length, cells[0].body = len(value), value.encode()
        else:
            cells[0] = value

    def _get(self, name: str) -> Any:
        values = [self._plain(name, cell) for cell in self._at(name)]
        return values if name in _LENGTHS else values[0]

    def _plain(self, name: str, cell: Any) -> Any:
        if isinstance(cell, _String):
            return bytes(cell.body)[: cell.length].decode()
        return bool(cell) if _BLOCK_KINDS.get(name) == "BOOL" else int(cell)


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> type[Compiled]:
    assert IEC2C is not None
    assert COMPILER is not None
    folder = tmp_path_factory.mktemp("matiec")
    lib = Path(IEC2C).parent / "lib"
    source = folder / "cell.st"
    source.write_text(FUNCTION_BLOCK.read_text(encoding="utf-8") + MAIN, encoding="utf-8")
    subprocess.run([IEC2C, "-I", lib, "-T", folder, source], check=True, capture_output=True)
    places = " ".join(f"case {i}: return &{_expression(name)};" for i, name in enumerate(NAMES))
    harness = folder / "harness.c"
    harness.write_text(HARNESS.replace("PLACES", places), encoding="utf-8")
    library = folder / "cell.so"
    subprocess.run(
        [COMPILER, "-shared", "-fPIC", "-w", "-I", lib / "C", "-o", library, harness], check=True
    )
    Compiled.library = ctypes.CDLL(str(library))
    Compiled.library.place.restype = ctypes.c_void_p
    return Compiled


@pytest.mark.parametrize("name", sorted(VECTORS))
def test_vector(name: str, compiled: type[Compiled]) -> None:
    play_vector(name, compiled)


@settings(max_examples=200, deadline=None)
@given(scans=st.lists(SCAN, min_size=1, max_size=80), first_tick=st.sampled_from([0, 2**31 - 30]))
def test_it_agrees_with_the_simulation_on_anything(
    scans: list[dict[str, Any]], first_tick: int, compiled: type[Compiled]
) -> None:
    chosen = {"LeaseTimeout": 6, "GateTimeout": 4, "FirstTick": first_tick, "DefaultWay": 3}
    programs = PythonProgram(chosen), compiled(chosen)
    levels = at_rest()
    for place, changes in enumerate(({"Start": True}, {}, {}, {}, *scans)):
        levels |= changes
        ours, theirs = (program.scan(levels) for program in programs)
        assert ours == theirs, f"scan {place}"
        levels["Cell.Machine.Request"] = ours["Cell.Machine.Request"]
