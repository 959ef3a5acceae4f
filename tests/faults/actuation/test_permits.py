"""Nothing reaches an adapter's write but what the guard issued; with real peers in the kits."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from millhand.errors import NotAllowed
from millhand.testing import MemoryTags, worthless_permits

ROOT = Path(__file__).parents[3]
FACES = {"write", "perform", "deliver"}


def sources(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            parts = path.relative_to(ROOT).parts
            if not {"tests", ".venv", "contracts", "testing"} & set(parts):
                yield path, ast.parse(path.read_text(encoding="utf-8"))


def calls(tree: ast.AST, name: str) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == name
    ]


def takes_a_permit(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name in FACES
        and any(argument.arg == "permit" for argument in node.args.args)
    )


def test_every_adapter_that_writes_redeems() -> None:
    """By reading them, so that a new adapter cannot be forgotten."""
    writing: dict[str, bool] = {}
    for path, tree in sources("hardware_adapters", "docs/examples"):
        parts = path.relative_to(ROOT).parts
        package = parts[2] if parts[0] == "docs" else parts[1]
        if any(takes_a_permit(node) for node in ast.walk(tree)):
            writing.setdefault(package, False)
        if calls(tree, "redeem"):
            writing[package] = True
    assert writing.keys() >= {"opcua", "simulated", "millhand-acme-adapter"}
    assert [package for package, redeems in writing.items() if not redeems] == []


def test_permits_are_issued_in_one_place_and_asked_for_in_two() -> None:
    """After a ruling (commanding, actuate), and for the lease: it says that somebody is there."""
    issuing = {
        path.relative_to(ROOT / "core/millhand").as_posix()
        for path, tree in sources("core/millhand")
        if calls(tree, "issue")
    }
    assert issuing == {"engine/cell.py", "engine/actuate.py", "engine/commanding.py"}
    named = {
        path.name
        for path, tree in sources("core/millhand", "plugins", "hardware_adapters")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "issue"
    }
    assert named == {"cell.py", "actuate.py", "commanding.py", "devices.py"}


@pytest.mark.parametrize("why", list(worthless_permits("plc", ("speed", 1.0))))
async def test_the_controller_in_memory_takes_no_worthless_permit(why) -> None:
    async with MemoryTags("plc", values={"speed": 0.0}) as plc:
        with pytest.raises(NotAllowed):
            await plc.write(worthless_permits("plc", ("speed", 1.0))[why])
        assert plc.written == []
