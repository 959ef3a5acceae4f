"""Nothing of ours turns data into code: no pickle, no eval, no unsafe YAML, no shell."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = [
    path
    for folder in ("core", "plugins", "hardware_adapters", "docs/examples")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "tests" not in path.parts and "node_modules" not in path.parts
]
MODULES = {"pickle", "cPickle", "dill", "cloudpickle", "marshal", "shelve", "joblib", "code"}
CALLS = {"eval", "exec", "compile", "__import__"}
UNSAFE_YAML = {"unsafe", "full"}


def faults(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, n.name) for n in node.names if n.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            yield node.lineno, node.module
        elif isinstance(node, ast.Call):
            yield from _call(node)


def _call(node: ast.Call) -> Iterator[tuple[int, str]]:
    named = {one.arg: one.value for one in node.keywords if one.arg}
    if isinstance(node.func, ast.Name) and node.func.id in CALLS:
        yield node.lineno, node.func.id
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
    if "allow_pickle" in named and not _is(named["allow_pickle"], False):
        yield node.lineno, "allow_pickle"
    if "shell" in named and not _is(named["shell"], False):
        yield node.lineno, "shell"
    if name in ("system", "popen") and _of(node.func, "os"):
        yield node.lineno, f"os.{name}"
    if name == "load" and _of(node.func, "torch") and not _is(named.get("weights_only"), True):
        yield node.lineno, "torch.load without weights_only"
    if name in ("load", "load_all", "unsafe_load") and _of(node.func, "yaml"):
        yield node.lineno, f"yaml.{name}"
    kind = named.get("typ")
    if isinstance(kind, ast.Constant) and kind.value in UNSAFE_YAML:
        yield node.lineno, f"YAML(typ={kind.value})"


def _is(node: ast.expr | None, value: bool) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _of(node: ast.expr, module: str) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == module
    )


def test_our_code() -> None:
    assert len(SOURCES) > 150
    found = [
        f"{path.relative_to(ROOT)}:{line}: {what}"
        for path in SOURCES
        for line, what in faults(ast.parse(path.read_text(encoding="utf-8")))
    ]
    # A round-trip YAML object that happens to be called so, and reads text of our own copy.
    assert [one for one in found if "attack/copy.py" not in one] == []


@pytest.mark.parametrize(
    "code",
    [
        "import pickle",
        "from marshal import loads",
        "eval(text)",
        "np.load(file, allow_pickle=True)",
        "np.load(file, allow_pickle=flag)",
        "subprocess.run(text, shell=True)",
        "os.system(text)",
        "torch.load(file)",
        "yaml.load(text)",
        "YAML(typ='unsafe')",
    ],
)
def test_the_test_can_fail(code: str) -> None:
    assert list(faults(ast.parse(code)))
