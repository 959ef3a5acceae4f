"""YAML 1.2 into plain data with the position of every key and value.

Only what a scenario needs: the core schema (``on`` and ``no`` are words), one document, text keys.
Duplicate keys, foreign tags, merge keys and whatever could blow up (huge files, deep nesting,
anchors that multiply) are refused with their place. Nothing is ever constructed but
``None | bool | int | float | str | list | dict``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentEndEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from millhand.errors import ConfigError, Place, Problem
from millhand.messages import tr
from millhand.scenario.words import kind_of

LARGEST_FILE = 1_000_000
"""Bytes of one file."""
DEEPEST = 24
"""Mappings and lists inside each other."""
MOST_VALUES = 10_000
"""Values in one file, those repeated by anchors counted each time."""
LONGEST_NUMBER = 32

KeyPath = tuple[str | int, ...]

_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_PLAIN_TAGS = {
    f"tag:yaml.org,2002:{kind}" for kind in ("str", "int", "float", "bool", "null", "seq", "map")
}


class Mark(NamedTuple):
    """Line and column, counted from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document:
    """Plain data and where each part of it stood."""

    file: str
    data: Any
    keys: dict[KeyPath, Mark] = field(repr=False, default_factory=dict)
    values: dict[KeyPath, Mark] = field(repr=False, default_factory=dict)

    def place(self, path: KeyPath, *, of_key: bool = False) -> Place:
        """Return where ``path`` stands, or the nearest thing around it that is in the file."""
        first, second = (self.keys, self.values) if of_key else (self.values, self.keys)
        for end in range(len(path), -1, -1):
            mark = first.get(path[:end]) or second.get(path[:end])
            if mark is not None:
                return Place(self.file, mark.line, mark.column, key_text(path))
        return Place(self.file, key=key_text(path))

    def at(self, path: KeyPath) -> Any:
        """Return the value at ``path``, or None where there is none."""
        here = self.data
        for step in path:
            try:
                here = here[step]
            except (KeyError, IndexError, TypeError):
                return None
        return here


def key_text(path: KeyPath) -> str:
    """Write a key path as people do: ``agents.inspector.may``, ``ladder[1]``."""
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            text += f".{step}" if text else step
    return text


def read_document(text: str, file: str) -> Document:
    """Read one YAML document.

    Raises:
        ConfigError: it is no YAML, or holds something that is refused; with the place.
    """
    if len(text) > LARGEST_FILE:
        raise _error(
            Place(file),
            tr("The file is too large."),
            tr("at most {count} characters", count=LARGEST_FILE),
            tr("Split it into several cells."),
        )
    try:
        return _Builder(file).build(_events(text))
    except MarkedYAMLError as error:
        raise ConfigError.of((_yaml_problem(error, file),)) from error
    except (YAMLError, ValueError, IndexError, AttributeError, AssertionError) as error:
        # The scanner meets odd input with more than its own errors; all say "this is no YAML".
        detail = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise _error(
            Place(file),
            tr("The file is no YAML: {detail}", detail=detail),
            tr("YAML 1.2 text"),
            tr("Write it anew in a text editor."),
        ) from error


def _events(text: str) -> Iterator[Any]:
    # Pure Python and event by event: nesting costs no recursion, and limits bite while reading.
    yield from YAML(typ="safe", pure=True).parse(text)


def _error(place: Place, message: str, expected: str = "", mend: str = "") -> ConfigError:
    return ConfigError.of((Problem(place, message, expected, mend),))


def _yaml_problem(error: MarkedYAMLError, file: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    place = Place(file, mark.line + 1, mark.column + 1) if mark is not None else Place(file)
    said = " ".join(part for part in (error.context, error.problem) if part)
    mend = tr("Look at this line and the one before.")
    if "mapping values are not allowed" in said:
        mend = tr("Put the text in quotes where it holds a colon followed by a space.")
    elif "character '\\t'" in said or "\\t" in said:
        mend = tr("Indent with spaces; YAML takes no tabs.")
    elif "cannot start any token" in said:
        mend = tr("Put the text in quotes.")
    elif "expected" in said:
        mend = tr("Look for a wrong indentation or a missing bracket or quote just before.")
    return Problem(
        place, tr("The file is no valid YAML: {said}.", said=said), tr("YAML 1.2 text"), mend
    )


@dataclass(slots=True)
class _Open:
    """A mapping or list that is being filled."""

    path: KeyPath
    content: dict[str, Any] | list[Any]
    anchor: str | None
    key: str | None = None

    def next_path(self) -> KeyPath:
        if isinstance(self.content, list):
            return (*self.path, len(self.content))
        return (*self.path, self.key) if self.key is not None else self.path


class _Builder:
    def __init__(self, file: str) -> None:
        self._file = file
        self._keys: dict[KeyPath, Mark] = {}
        self._values: dict[KeyPath, Mark] = {}
        self._anchors: dict[str, Any] = {}
        self._stack: list[_Open] = []
        self._data: Any = None
        self._count = 0
        self._documents = 0

    def build(self, events: Iterator[Any]) -> Document:
        for event in events:
            self._take(event)
        return Document(self._file, self._data, self._keys, self._values)

    def _take(self, event: Any) -> None:
        match event:
            case MappingStartEvent():
                self._open(event, {})
            case SequenceStartEvent():
                self._open(event, [])
            case MappingEndEvent() | SequenceEndEvent():
                self._close()
            case ScalarEvent():
                self._scalar(event)
            case AliasEvent():
                self._alias(event)
            case DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    raise self._refuse(
                        event,
                        tr("A second document begins."),
                        tr("one document"),
                        tr("Remove ---."),
                    )
            case StreamStartEvent() | DocumentEndEvent() | StreamEndEvent():
                pass

    def _open(self, event: NodeEvent, content: dict[str, Any] | list[Any]) -> None:
        self._check_tag(event)
        if len(self._stack) >= DEEPEST:
            raise self._refuse(
                event,
                tr("The nesting is too deep."),
                tr("{n} levels", n=DEEPEST),
                tr("Look for brackets that are left open."),
            )
        if self._at_key():
            raise self._refuse(
                event,
                tr("A key is {kind}.", kind=kind_of(content)),
                tr("a text"),
                tr("Put the key in quotes."),
            )
        path = self._stack[-1].next_path() if self._stack else ()
        self._mark(path, event)
        self._stack.append(_Open(path, content, event.anchor))

    def _close(self) -> None:
        done = self._stack.pop()
        if done.anchor is not None:
            self._anchors[done.anchor] = done.content
        self._put(done.content)

    def _scalar(self, event: Any) -> None:
        self._check_tag(event)
        text = self._characters(event)
        if self._at_key():
            self._key(event, text)
            return
        value = self._resolve(event, text) if event.implicit[0] else text
        path = self._stack[-1].next_path() if self._stack else ()
        self._mark(path, event)
        if value is None and path in self._keys:
            self._values[path] = self._keys[path]  # an empty value stands where its key does
        if event.anchor is not None:
            self._anchors[event.anchor] = value
        self._put(value)

    def _characters(self, event: Any) -> str:
        """Join surrogate pairs written as two escapes, as JSON does; half of one is refused."""
        text: str = event.value
        if not any("\ud800" <= character <= "\udfff" for character in text):
            return text
        try:
            return text.encode("utf-16", "surrogatepass").decode("utf-16")
        except UnicodeDecodeError as error:
            message = tr("Half a surrogate pair is no character.")
            raise self._refuse(event, message, tr("a text"), tr("Write the character.")) from error

    def _key(self, event: Any, text: str) -> None:
        top = self._stack[-1]
        path = (*top.path, text)
        if text == "<<" and event.implicit[0]:
            raise self._refuse(
                event,
                tr("Merge keys (<<) are not YAML 1.2."),
                tr("keys with their values"),
                tr("Write the keys out."),
            )
        if text in top.content:
            raise self._refuse(
                event,
                tr(
                    "The key “{key}” stands here twice; first in line {line}.",
                    key=text,
                    line=self._keys[path].line,
                ),
                tr("each key once"),
                tr("Remove or rename one of the two."),
            )
        top.key = text
        self._keys[path] = _mark_of(event)

    def _alias(self, event: Any) -> None:
        name = event.anchor
        if self._at_key():
            raise self._refuse(
                event, tr("A key is an alias."), tr("a text"), tr("Write the key itself.")
            )
        if name not in self._anchors:
            raise self._refuse(
                event,
                tr("Nothing complete is anchored as “{name}” above.", name=name),
                tr("a value; or an alias of what stands above"),
                tr("Put it in quotes if it begins with an asterisk."),
            )
        self._mark(self._stack[-1].next_path() if self._stack else (), event)
        self._put(self._copy(self._anchors[name], event))

    def _copy(self, value: Any, event: Any) -> Any:
        self._tally(event)
        if isinstance(value, dict):
            return {key: self._copy(item, event) for key, item in value.items()}
        if isinstance(value, list):
            return [self._copy(item, event) for item in value]
        return value

    def _at_key(self) -> bool:
        if not self._stack:
            return False
        top = self._stack[-1]
        return isinstance(top.content, dict) and top.key is None

    def _put(self, value: Any) -> None:
        if not self._stack:
            self._data = value
            return
        top = self._stack[-1]
        if isinstance(top.content, list):
            top.content.append(value)
        else:
            assert top.key is not None
            top.content[top.key] = value
            top.key = None

    def _mark(self, path: KeyPath, event: Any) -> None:
        self._tally(event)
        self._values[path] = _mark_of(event)

    def _tally(self, event: Any) -> None:
        self._count += 1
        if self._count > MOST_VALUES:
            raise self._refuse(
                event,
                tr("The file holds too many values."),
                tr("at most {n}", n=MOST_VALUES),
                tr("Split it into several cells."),
            )

    def _resolve(self, event: Any, text: str) -> Any:
        if text in _WORDS:
            return _WORDS[text]
        is_integer = _INTEGER.fullmatch(text) is not None
        if not is_integer and _FLOAT.fullmatch(text) is None:
            if _NOT_FINITE.fullmatch(text):
                raise self._refuse(
                    event,
                    tr("{text} is no number here.", text=text),
                    tr("a finite number"),
                    tr("Put it in quotes if it is a text."),
                )
            return text
        if len(text) > LONGEST_NUMBER:
            raise self._refuse(
                event,
                tr("The number is too long."),
                tr("at most {n} digits", n=LONGEST_NUMBER),
                tr("Put it in quotes if it is a text."),
            )
        value = _integer(text) if is_integer else float(text)
        if not math.isfinite(value):
            raise self._refuse(
                event,
                tr("The number {text} is too large.", text=text),
                tr("a number below 1e308"),
                tr("Correct it."),
            )
        return value

    def _check_tag(self, event: Any) -> None:
        tag = event.tag
        if tag is None or str(tag) in _PLAIN_TAGS or str(tag) == "!":
            return
        raise self._refuse(
            event,
            tr("The tag {tag} is not allowed.", tag=str(tag)[:60]),
            tr("plain values"),
            tr("Remove the tag; put the value in quotes if it begins with an exclamation mark."),
        )

    def _refuse(self, event: Any, message: str, expected: str = "", mend: str = "") -> ConfigError:
        mark = _mark_of(event)
        path = self._stack[-1].next_path() if self._stack else ()
        place = Place(self._file, mark.line, mark.column, key_text(path))
        return _error(place, message, expected, mend)


def _integer(text: str) -> int:
    return int(text, 0) if text.startswith(("0o", "0x")) else int(text)


def _mark_of(event: Any) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)
