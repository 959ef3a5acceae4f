"""Records, choices and protocols of a module as Markdown, with what stands below each field."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from enum import Enum
from types import ModuleType

from msgspec import Struct

from generator.markdown import line, plain, table


def described(module: ModuleType, names: list[str], level: str = "###") -> Iterator[str]:
    """Describe the classes of a module in the order in which it has them."""
    tree = ast.parse(inspect.getsource(module))
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name in names:
            yield f"{level} {node.name}\n"
            yield _class(node, getattr(module, node.name))
        elif isinstance(node, ast.Assign | ast.AnnAssign) and _assigned(node) in names:
            yield f"{level} {_assigned(node)}\n"
            yield f"`{ast.unparse(node)}`\n"
            if text := _below(tree.body, node):
                yield plain(text) + "\n"


def _assigned(node: ast.Assign | ast.AnnAssign) -> str:
    return ast.unparse(node.targets[0] if isinstance(node, ast.Assign) else node.target)


def _class(node: ast.ClassDef, found: type) -> str:
    parts = [plain(ast.get_docstring(node) or "") + "\n"]
    if issubclass(found, Struct):
        parts += _struct(node, found)
    elif issubclass(found, Enum):
        parts.append(_choices(node, found))
    else:
        parts += _protocol(node)
    return "\n".join(parts)


def _struct(node: ast.ClassDef, found: type[Struct]) -> Iterator[str]:
    tag = found.__struct_config__.tag
    if tag is not None:
        yield f"Its `type` is `{tag}`.\n"
    rows = [
        (f"`{ast.unparse(item.target)}`", _type(item.annotation), _default(item), _line(node, item))
        for item in node.body
        if isinstance(item, ast.AnnAssign)
    ]
    if rows:
        yield table(("field", "type", "default", "meaning"), rows)


def _choices(node: ast.ClassDef, found: type[Enum]) -> str:
    rows = [
        (f"`{ast.literal_eval(item.value)}`", f"`{ast.unparse(item.targets[0])}`",
         _line(node, item))
        for item in node.body
        if isinstance(item, ast.Assign)
    ]  # fmt: skip
    assert len(rows) == len(found)
    return table(("value", "name", "meaning"), rows)


def _protocol(node: ast.ClassDef) -> Iterator[str]:
    for item in node.body:
        if isinstance(item, ast.AnnAssign):
            said = _line(node, item)
            yield f"- `{ast.unparse(item.target)}: {ast.unparse(item.annotation)}`" + (
                f": {said}\n" if said else "\n"
            )
        elif isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef):
            said = line(ast.get_docstring(item) or "")
            yield f"- `{_signature(item)}`" + (f": {said}\n" if said else "\n")


def _signature(item: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    begin = "async " if isinstance(item, ast.AsyncFunctionDef) else ""
    result = f" -> {ast.unparse(item.returns)}" if item.returns else ""
    return f"{begin}{item.name}({ast.unparse(item.args)}){result}"


def _type(node: ast.expr) -> str:
    text = ast.unparse(node).strip("'\"")
    return f"`{text}`".replace("|", "\\|")


def _default(item: ast.AnnAssign) -> str:
    return f"`{ast.unparse(item.value)}`" if item.value is not None else "required"


def _line(node: ast.ClassDef, item: ast.stmt) -> str:
    return line(_below(node.body, item))


def _below(body: list[ast.stmt], item: ast.stmt) -> str:
    """Return the text that stands right below a field."""
    after = body[body.index(item) + 1 :][:1]
    if after and isinstance(after[0], ast.Expr) and isinstance(after[0].value, ast.Constant):
        return str(after[0].value.value)
    return ""
