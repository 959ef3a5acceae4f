"""Texts as people read them: no doubled brace is left in one that fills nothing in."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCES = ("core/millhand", "plugins", "hardware_adapters")


def doubled(source: str) -> Iterator[str]:
    """Yield the texts of ``tr`` that have no value to fill in, and so keep a doubled brace."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(
                func=ast.Name(id="tr"), args=[ast.Constant(value=str(text))], keywords=[]
            ):
                if "{{" in text:
                    yield text


def test_a_text_without_values_is_shown_as_it_stands() -> None:
    assert list(doubled('tr("Add {{a: 1}}.")\ntr("{{{b}}}", b=1)\ntr("{a: 1}")')) == [
        "Add {{a: 1}}."
    ]
    files = [file for source in SOURCES for file in (ROOT / source).rglob("*.py")]
    texts = {file: file.read_text(encoding="utf-8") for file in files}
    found = [(file, one) for file, text in texts.items() if "{{" in text for one in doubled(text)]
    assert found == []
