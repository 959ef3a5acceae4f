"""Every page can be reached, and every link leads somewhere."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit


def test_links_and_anchors(any_page, pages, root: Path) -> None:
    anchors = {one.path: one.anchors for one in pages}
    found = [link for link in any_page.links if "://" not in link]
    broken = [link for link in found if not _leads_somewhere(link, any_page.path, anchors, root)]
    assert broken == []


def test_every_page_can_be_reached_from_the_readme(pages, root: Path) -> None:
    linked = {page.path: [_target(link, page.path) for link in page.links] for page in pages}
    reached, waiting = set(), [root / "README.md"]
    while waiting:
        path = waiting.pop()
        if path not in reached:
            reached.add(path)
            waiting += [target for target in linked.get(path, []) if target in linked]
    assert {path.relative_to(root).as_posix() for path in linked.keys() - reached} == set()


def test_headings_have_anchors_of_their_own(page) -> None:
    twice = {anchor for anchor in page.anchors if page.anchors.count(anchor) > 1}
    assert twice == set()


def _target(link: str, page: Path) -> Path:
    parts = urlsplit(link)
    return (page.parent / unquote(parts.path)).resolve() if parts.path else page


def _leads_somewhere(link: str, page: Path, anchors: dict[Path, list[str]], root: Path) -> bool:
    parts = urlsplit(link)
    if parts.scheme in ("http", "https", "mailto"):
        return True  # a test asks nobody outside
    target = _target(link, page)
    if not target.is_relative_to(root) or not target.exists():
        return False
    return not parts.fragment or parts.fragment in anchors.get(target, [])
