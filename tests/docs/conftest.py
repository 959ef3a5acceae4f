"""The documentation as the tests see it: pages with their code blocks, headings and links.

What stands in HTML comments tells a test what the reader need not know:

    <!-- not run: REASON -->        the next block is not run
    <!-- file: PATH -->             the next block is what PATH holds; it is written, not run
    <!-- edit: PATH -->             the next block (diff) is applied to PATH
    <!-- part of: PATH -->          the next block stands in PATH of the repository, word by word
    <!-- continues -->              the next block (python) goes on from the one before
    <!-- exit: CODE -->             the next block's commands end with this code
    <!-- beside -->                 the next block runs in a terminal of its own, to the page's end
    <!-- in tests: WORDS -> WORDS   everywhere on the page, to save time; FREE PORT is one
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[2]
PLACES = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "core/README.md")
_COMMENT = re.compile(r"<!--\s*(?P<word>[a-z ]+?)(?::\s*(?P<value>.*?))?\s*-->", re.DOTALL)
_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]")


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block of code."""

    language: str
    text: str
    line: int
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def run(self) -> bool:
        return "not run" not in self.marks


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the documentation."""

    path: Path
    blocks: list[Block]
    anchors: list[str]
    links: list[str]
    replaced: list[tuple[str, str]]
    """What the tests put in place of a command, to save time."""

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")


def page_files() -> list[Path]:
    """List all pages, written and generated."""
    found = [ROOT / name for name in PLACES if (ROOT / name).exists()]
    return (
        found + sorted((ROOT / "docs").glob("[a-z]*/**/[A-Za-z]*.md")) + [ROOT / "docs/README.md"]
    )


def other_files() -> list[Path]:
    """List the pages of distributions and scenarios; their links are checked, their code is not."""
    found = [ROOT / "scenarios", ROOT / "plugins", ROOT / "hardware_adapters"]
    return sorted(path for folder in found for path in folder.glob("*/**/README.md"))


def read_page(path: Path) -> Page:
    """Parse a page."""
    tokens = MarkdownIt("commonmark").enable("table").parse(path.read_text(encoding="utf-8"))
    replaced: list[tuple[str, str]] = []
    blocks = list(_blocks(tokens, replaced))
    inline = [token for token in tokens if token.type == "inline"]
    titles = [
        inside.content for before, inside in pairwise(tokens) if before.type == "heading_open"
    ]
    links = [
        str(child.attrs.get("href") or child.attrs.get("src"))
        for token in inline
        for child in token.children or []
        if child.type in ("link_open", "image")
    ]
    return Page(path, blocks, _anchors(titles), links + _html_links(tokens), replaced)


def _blocks(tokens: list[Token], replaced: list[tuple[str, str]]) -> Iterator[Block]:
    marks: dict[str, str] = {}
    for token in tokens:
        if token.type == "html_block":
            for found in _COMMENT.finditer(token.content):
                if found["word"] == "in tests":
                    before, _, after = (found["value"] or "").partition(" -> ")
                    replaced.append((before.strip(), after.strip()))
                else:
                    marks[found["word"]] = (found["value"] or "").strip()
        elif token.type == "fence":
            assert token.map is not None
            yield Block(token.info.strip(), token.content, token.map[0] + 1, marks)
            marks = {}


def _html_links(tokens: list[Token]) -> list[str]:
    html = "".join(token.content for token in tokens if token.type == "html_block")
    return re.findall(r'(?:src|href|srcset)="([^"]+)"', html)


def _anchors(titles: list[str]) -> list[str]:
    """Name the headings as GitHub and most renderers do."""
    found: list[str] = []
    for title in titles:
        plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title).replace("`", "")
        anchor = _NOT_IN_ANCHORS.sub("", plain.strip().lower()).replace(" ", "-")
        count = sum(one == anchor or re.fullmatch(rf"{re.escape(anchor)}-\d+", one) is not None
                    for one in found)  # fmt: skip
        found.append(f"{anchor}-{count}" if count else anchor)
    return found


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test that asks for a ``page`` or for ``any_page`` once for each."""
    for fixture, files in (("page", page_files()), ("any_page", page_files() + other_files())):
        if fixture in metafunc.fixturenames:
            names = [file.relative_to(ROOT).as_posix() for file in files]
            metafunc.parametrize(fixture, [read_page(file) for file in files], ids=names)


@pytest.fixture(scope="session")
def pages() -> list[Page]:
    return [read_page(file) for file in page_files() + other_files()]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT
