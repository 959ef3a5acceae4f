"""Asking over HTTP: one connection, tries again what may pass, and never what was refused."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from millhand.errors import ConfigError, Unavailable
from millhand.messages import tr

LARGEST_REPLY = 4_000_000
"""Bytes that are read of a reply."""
LONGEST_PAUSE_S = 20.0
_FIRST_PAUSE_S = 0.5
_PASSING = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
"""Statuses of what may be over soon."""


class Asking:
    """Posts JSON to one host. Blocks; no thread but one may use it.

    Args:
        url: base, ``http`` or ``https``; certificates are checked.
        key: bearer token; empty for none. Never part of a message.
        timeout_s: longest wait for a connection, and for each part of an answer.
        attempts: tries for one question.
    """

    def __init__(self, url: str, key: str, timeout_s: float, attempts: int) -> None:
        self._parts = urlsplit(url)
        self._headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if key:
            self._headers["Authorization"] = f"Bearer {key}"
        self._timeout_s, self._attempts = timeout_s, attempts
        self._connection: http.client.HTTPConnection | None = None

    def post(self, path: str, body: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the JSON object that is answered.

        Raises:
            ConfigError: the endpoint refuses the question, the key or the model.
            Unavailable: no answer in all tries.
        """
        data = json.dumps(body).encode()
        why, pause = "", _FIRST_PAUSE_S
        for attempt in range(self._attempts):
            if attempt:
                time.sleep(min(pause, LONGEST_PAUSE_S))
                pause *= 2
            try:
                status, asked_pause, reply = self._once(path, data)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                why = str(error) or type(error).__name__
                continue
            if status == http.HTTPStatus.OK:
                return _object(reply)
            why = tr("it answered {status}: {said}", status=status, said=_said(reply))
            if status not in _PASSING:
                raise ConfigError(
                    tr("{host} refuses the question: {why}.", host=self._parts.netloc, why=why),
                    mend=tr("Look at url, model and key in the plan."),
                )
            pause = pause if asked_pause is None else asked_pause
        raise Unavailable(
            tr(
                "{host} gave no answer in {count} tries: {why}.",
                host=self._parts.netloc,
                count=self._attempts,
                why=why,
            ),
            mend=tr("Run the same command again: what was answered is kept."),
        )

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _once(self, path: str, data: bytes) -> tuple[int, float | None, bytes]:
        if self._connection is None:
            kind = (
                http.client.HTTPSConnection
                if self._parts.scheme == "https"
                else http.client.HTTPConnection
            )
            self._connection = kind(self._parts.netloc, timeout=self._timeout_s)
        self._connection.request("POST", f"{self._parts.path}{path}", data, self._headers)
        response = self._connection.getresponse()
        reply = response.read(LARGEST_REPLY + 1)
        if len(reply) > LARGEST_REPLY:
            raise http.client.HTTPException(tr("the answer is too large"))
        return response.status, _seconds(response.headers.get("Retry-After")), reply


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else max(0.0, float(text))
    except ValueError:
        return None  # a date: our own pause will do


def _object(reply: bytes) -> Mapping[str, Any]:
    try:
        found = json.loads(reply)
    except ValueError as error:
        raise Unavailable(tr("The endpoint's answer is no JSON.")) from error
    if not isinstance(found, dict):
        raise Unavailable(tr("The endpoint's answer is no JSON object."))
    return found


def _said(reply: bytes) -> str:
    try:
        return str(json.loads(reply)["error"]["message"])[:200]
    except (ValueError, KeyError, TypeError):
        return reply[:80].decode("utf-8", "replace")
