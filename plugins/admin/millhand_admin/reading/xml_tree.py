"""Hostile XML in, a bounded tree out; and a cursor that reads typed values with their paths.

No document type, no entities, no external references (defusedxml), a bounded number of elements
and depth. What does not read as the type it should be is noted, never guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from xml.etree.ElementTree import (
    Element,
    ParseError,
    TreeBuilder,
)

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from millhand.messages import tr
from millhand_admin.paper.fact import Fact, Method, Unread
from millhand_admin.paper.paper import Day, Number, Text
from millhand_admin.reading.limits import Limits, UnreadableDocument

_DECIMAL = re.compile(r"[+-]?(\d{1,20}(\.\d{0,12})?|\.\d{1,12})")
_DAY = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})(Z|[+-]\d{2}:\d{2}|T[\d:.]*(Z|[+-]\d{2}:?\d{2})?)?")
_LONGEST_TEXT = 2_000


class _Bounded(TreeBuilder):
    """Builds the tree and stops where it grows beyond the limits."""

    def __init__(self, limits: Limits) -> None:
        super().__init__()
        self._limits = limits
        self._count = 0
        self._depth = 0

    def start(self, tag: str, attrs: dict[str, str], /) -> Element:
        self._count += 1
        self._depth += 1
        if self._count > self._limits.elements or self._depth > self._limits.depth:
            raise UnreadableDocument(
                tr("The XML has too many elements, or nests them too deep."), fault="too_complex"
            )
        return super().start(tag, attrs)

    def end(self, tag: str, /) -> Element:
        self._depth -= 1
        return super().end(tag)


def parse_xml(data: bytes, limits: Limits) -> Element:
    """Parse untrusted XML.

    Raises:
        UnreadableDocument: ``too_large``, ``too_complex``, ``entities`` (it has a document type
            or entities), ``malformed``.
    """
    if len(data) > limits.xml_mb * 2**20:
        raise UnreadableDocument(
            tr("The XML is larger than {limit} MB.", limit=limits.xml_mb), fault="too_large"
        )
    parser = DefusedXMLParser(
        target=_Bounded(limits), forbid_dtd=True, forbid_entities=True, forbid_external=True
    )
    try:
        parser.feed(data)
        root: Element = parser.close()
    except DefusedXmlException as error:
        raise UnreadableDocument(
            tr("The XML brings a document type or entities of its own."),
            fault="entities",
            mend=tr("Ask the sender for a plain e-invoice."),
        ) from error
    except (ParseError, ValueError, LookupError) as error:
        raise UnreadableDocument(
            tr("The XML is damaged: {why}.", why=error), fault="malformed"
        ) from error
    return root


def local_name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


@dataclass(frozen=True, slots=True)
class Node:
    """An element with its path, reading typed values below it.

    Steps are ``prefix:name/prefix:name``; prefixes are those of ``names``.
    """

    element: Element
    path: str
    names: dict[str, str]
    unread: list[Unread] = field(default_factory=list)

    def all(self, steps: str) -> Iterator[Node]:
        """Yield every element at ``steps``, in order."""
        shown = self._shown(steps)
        for number, element in enumerate(self.element.iterfind(steps, self.names), start=1):
            yield Node(element, f"{shown}[{number}]", self.names, self.unread)

    def one(self, steps: str) -> Node | None:
        """Return the first element at ``steps``."""
        element = self.element.find(steps, self.names)
        return (
            None if element is None else Node(element, self._shown(steps), self.names, self.unread)
        )

    def text(self, *ways: str) -> Text | None:
        """Read a text from the first of ``ways`` that holds one."""
        for steps in ways:
            node = self.one(steps)
            if node is not None and (words := " ".join((node.element.text or "").split())):
                shortened = words[:_LONGEST_TEXT]
                return Text(value=shortened, text=shortened, method=Method.XML, path=node.path)
        return None

    def number(self, *ways: str) -> Number | None:
        """Read a decimal number (``xs:decimal``: a point, no grouping)."""
        found = self.text(*ways)
        if found is None:
            return None
        if _DECIMAL.fullmatch(found.value) is None:
            self._note(tr("a number"), found)
            return None
        return found.having(Decimal(found.value))

    def day(self, *ways: str) -> Day | None:
        """Read a date: ``2026-11-25``, also with a time or zone after it, or ``20261125``."""
        found = self.text(*ways)
        if found is None:
            return None
        match = _DAY.fullmatch(found.value)
        try:
            if match is not None:
                return found.having(date(int(match[1]), int(match[2]), int(match[3])))
        except ValueError:
            pass
        self._note(tr("a date"), found)
        return None

    def attribute(self, steps: str, name: str) -> Text | None:
        """Read an attribute of the element at ``steps``."""
        node = self.one(steps)
        value = None if node is None else (node.element.get(name) or "").strip()[:_LONGEST_TEXT]
        if node is None or not value:
            return None
        return Text(value=value, text=value, method=Method.XML, path=f"{node.path}/@{name}")

    def _shown(self, steps: str) -> str:
        if steps == ".":
            return self.path
        plain = re.sub(r"\w+:", "", steps).replace("//", "/").removeprefix("./")
        return f"{self.path}/{plain}"

    def _note(self, what: str, found: Fact[str]) -> None:
        self.unread.append(Unread(what=what, text=found.text, path=found.path))


def sum_of(facts: list[Number]) -> Number | None:
    """Add facts up; None where there is none. One alone is returned as it is."""
    if len(facts) <= 1:
        return facts[0] if facts else None
    total = sum((fact.value for fact in facts), Decimal(0))
    return Number(
        value=total,
        text=" + ".join(fact.text for fact in facts),
        method=Method.DERIVED,
        path=facts[0].path,
    )
