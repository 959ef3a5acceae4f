"""Taking out of a text what a stranger must not read: secrets, people, addresses, part numbers.

The same word becomes the same stand-in everywhere, so that what belongs together can still be seen.
"""

from __future__ import annotations

import getpass
import ipaddress
import os
import re
import socket
from collections.abc import Iterable
from pathlib import Path

from millhand.errors import ConfigError
from millhand.scenario.load import Scenario
from millhand.upkeep.selection import secret_references

SECRET = "[secret]"  # noqa: S105 - what stands in the place of one
_URL_HOST = re.compile(r"(?<=://)(?:[^\s/@\"']*@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)")
_ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])|(?<![\w:])[0-9A-Fa-f:]{6,39}\b")
_SHORTEST_NAME = 3


class Redactor:
    """Replaces what is known to be private. Whatever is told to it is replaced from then on."""

    def __init__(self, scenario: Scenario) -> None:
        self._secrets = sorted(set(_secrets_of(scenario)), key=len, reverse=True)
        self._stand_ins: dict[str, str] = {}
        self._counts: dict[str, int] = {}
        self._named: re.Pattern[str] | None = None
        self._home = str(Path.home())
        self.know(_try(getpass.getuser), "person")
        self.know(_try(socket.gethostname), "host")

    def know(self, word: str | None, kind: str) -> None:
        """Give a private word a stand-in: ``person-1``, ``part-7``."""
        if word and len(word) >= _SHORTEST_NAME and word not in self._stand_ins:
            self._counts[kind] = self._counts.get(kind, 0) + 1
            self._stand_ins[word] = f"{kind}-{self._counts[kind]}"
            self._named = None

    def text(self, text: str) -> str:
        """Return the text with everything private replaced."""
        for secret in self._secrets:
            text = text.replace(secret, SECRET)
        for host in _hosts(text):
            self.know(host, "host")
        if len(self._home) > len("/x"):
            text = text.replace(self._home, "~")
        return self._pattern().sub(lambda found: self._stand_ins[found.group()], text)

    def leaks(self, text: str) -> bool:
        """Whether a secret stands in a text."""
        return any(secret in text for secret in self._secrets)

    def _pattern(self) -> re.Pattern[str]:
        if self._named is None:
            words = sorted(self._stand_ins, key=len, reverse=True)
            either = "|".join(map(re.escape, words)) or r"(?!)"
            self._named = re.compile(rf"(?<![A-Za-z0-9_])(?:{either})(?![A-Za-z0-9_])")
        return self._named


def _secrets_of(scenario: Scenario) -> Iterable[str]:
    for reference in secret_references(scenario):
        try:
            yield scenario.secret(reference).get_secret_value()
        except ConfigError:
            if reference.startswith("env:"):
                yield from filter(None, [os.environ.get(reference.removeprefix("env:"))])


def _hosts(text: str) -> Iterable[str]:
    for found in _URL_HOST.finditer(text):
        if not _is_here(found.group(1)):
            yield found.group(1)
    for found in _ADDRESS.finditer(text):
        if _is_address(found.group()) and not _is_here(found.group()):
            yield found.group()


def _is_address(word: str) -> bool:
    try:
        ipaddress.ip_address(word)
    except ValueError:
        return False
    return True


def _is_here(host: str) -> bool:
    host = host.strip("[]")
    if host == "localhost":
        return True
    return _is_address(host) and ipaddress.ip_address(host).is_loopback


def _try(ask: object) -> str | None:
    try:
        return str(ask())  # type: ignore[operator]
    except (OSError, KeyError, ImportError):
        return None
