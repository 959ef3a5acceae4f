"""The page on hooks: what a plugin can register, and with what."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator

from generator.markdown import HEAD, line, plain, table
from millhand.plugins import API_VERSION, hookspecs, registrations


def page() -> str:
    """Write the page."""
    return "\n".join(_sections())


def _sections() -> Iterator[str]:
    yield "# Hooks\n"
    yield HEAD
    before, _, _ = (hookspecs.__doc__ or "").partition("Implement them with")
    said = "\n\n".join(plain(before).split("\n\n")[1:])
    yield f"{said.strip()} This is version {API_VERSION} of hooks and contracts together.\n"
    yield (
        "A plugin is a distribution with an entry point in the group `millhand` that names the "
        "module with the hooks:\n"
    )
    yield '```toml\n[project.entry-points.millhand]\nacme_agent = "millhand_acme_agent"\n```\n'
    yield (
        "Complete ones to copy: [write an agent](../how-to/write-an-agent.md), "
        "[write an adapter](../how-to/write-an-adapter.md).\n"
    )
    for name, hook in inspect.getmembers(hookspecs, inspect.isfunction):
        if name.startswith("millhand_"):
            yield f"## {name}\n"
            returns = inspect.signature(hook).return_annotation
            yield f"`def {name}() -> {returns}`\n"
            yield plain(hook.__doc__ or "") + "\n"
    yield "## What hooks return\n"
    before, _, rest = (registrations.__doc__ or "").partition("\n\n")
    yield plain(rest) + "\n"
    for node in ast.parse(inspect.getsource(registrations)).body:
        if isinstance(node, ast.ClassDef):
            yield f"### {node.name}\n"
            yield plain(ast.get_docstring(node) or "") + "\n"
            yield _members(node)


def _members(node: ast.ClassDef) -> str:
    bases = [ast.unparse(base) for base in node.bases]
    if "StrEnum" in bases:
        names = [ast.literal_eval(item.value) for item in node.body if isinstance(item, ast.Assign)]
        return ", ".join(f"`{name}`" for name in names) + "\n"
    rows = [
        (f"`{ast.unparse(item.target)}`", f"`{ast.unparse(item.annotation)}`", _below(node, item))
        for item in node.body
        if isinstance(item, ast.AnnAssign)
    ]
    if "Registration" in bases:
        inherited = "Fields of `Registration`"
        return f"{inherited}, and:\n\n{_table(rows)}" if rows else f"{inherited}.\n"
    return _table(rows)


def _table(rows: list[tuple[str, str, str]]) -> str:
    return table(("field", "type", "meaning"), rows)


def _below(node: ast.ClassDef, item: ast.stmt) -> str:
    after = node.body[node.body.index(item) + 1 :][:1]
    if after and isinstance(after[0], ast.Expr) and isinstance(after[0].value, ast.Constant):
        return line(str(after[0].value.value))
    return ""
