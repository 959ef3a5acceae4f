"""Any HTTP endpoint that speaks the OpenAI chat protocol, as a teacher that names classes.

``POST {url}/chat/completions``, one item a question: its picture as a data URI or its text. The
classes are choices A, B, C …, one token is asked for, and its log probabilities make the label
soft; a server that gives none is taken at its word, with some doubt left.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import math
import string
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import numpy as np
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, field_validator

from millhand.distil.dataset import Arrays
from millhand.distil.teachers.answers import Answer, Answers
from millhand.distil.teachers.asking import Asking
from millhand.distil.teachers.ensemble import LOGITS
from millhand.distil.teachers.stated import StatedCard
from millhand.errors import ConfigError, Unavailable
from millhand.messages import tr
from millhand.models.manifest import TeacherCard
from millhand.scenario.secrets import is_reference, resolve

_LETTERS = string.ascii_uppercase
_LOGPROBS = 20


class Price(BaseModel):
    """What the endpoint takes, and what may be spent in all, over every run on one cache."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    currency: str = Field(default="EUR", pattern=r"^[A-Z]{3}$", description="ISO 4217.")
    per_million_in: float = Field(ge=0, description="For a million tokens of questions.")
    per_million_out: float = Field(ge=0, description="For a million tokens of answers.")
    most: float = Field(ge=0, description="Most money in all.")


class EndpointConfig(BaseModel):
    """Settings of :class:`Endpoint`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str = Field(description="Base of the endpoint: http://127.0.0.1:8000/v1.")
    model: str = Field(min_length=1, description="Model, as the endpoint names it.")
    key: str | None = Field(
        default=None, description="Key as a reference: env:NAME or file:secrets/key."
    )
    question: str = Field(min_length=5, description="What is asked of each item, for the model.")
    classes: tuple[str, ...] = Field(
        min_length=2, max_length=len(_LETTERS), description="Labels, in the order of the output."
    )
    about: StatedCard = Field(description="Who the teacher is and by what right it is learnt from.")
    cache: Path = Field(description="Folder where answers are kept; none is paid for twice.")
    most_calls: int = Field(ge=1, description="Most questions in all, over every run on the cache.")
    price: Price | None = Field(
        default=None, description="Prices; left out where it costs nothing."
    )
    attempts: int = Field(default=4, ge=1, le=10, description="Tries for one question.")
    timeout_s: float = Field(default=60.0, gt=0, description="Longest wait for one answer.")
    doubt: float = Field(
        default=0.05, gt=0, lt=1, description="Share for the other classes without probabilities."
    )

    @field_validator("url")
    @classmethod
    def _plain(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise ValueError(tr("a URL with http or https, without user and password, is needed"))
        return value.rstrip("/")

    @field_validator("key")
    @classmethod
    def _by_reference(cls, value: str | None) -> str | None:
        if value is not None and not is_reference(value):
            raise ValueError(tr("a key stands in the plan itself: write env:NAME or file:PATH"))
        return value


class Endpoint:
    """Implements :class:`millhand.distil.roles.Teacher`; asks over the network, blocking."""

    Config: ClassVar[type[EndpointConfig]] = EndpointConfig

    def __init__(self, config: EndpointConfig) -> None:
        self._config = config
        self._answers = Answers(config.cache)
        self._asking: Asking | None = None
        self._spent: tuple[int, float] | None = None

    def card(self) -> TeacherCard:
        """Return what the plan states of the teacher."""
        return self._config.about.card("endpoint")

    def label(self, items: Sequence[Arrays]) -> Sequence[Arrays]:
        """Return ``logits`` of each item with an ``image`` ``(h, w, 3) uint8`` or a ``text``.

        Raises:
            ConfigError: the budget is used up, the endpoint refuses, or an item has neither.
            Unavailable: the endpoint gave no answer in all its tries. What it answered is kept.
        """
        return [{LOGITS: self._logits(self._answer(item))} for item in items]

    def close(self) -> None:
        """Close the connection."""
        if self._asking is not None:
            self._asking.close()
            self._asking = None

    def _answer(self, item: Arrays) -> Answer:
        body = self._body(item)
        asked = json.dumps([self._config.url, body], sort_keys=True, ensure_ascii=False)
        key = hashlib.sha256(asked.encode()).hexdigest()
        known = self._answers.get(key)
        if known is not None:
            return known
        self._within_budget()
        answer = self._read(self._ask(body))
        self._answers.put(key, answer)
        calls, money = self._spent or (0, 0.0)
        self._spent = (calls + 1, money + answer.cost)
        return answer

    def _ask(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        if self._asking is None:
            config = self._config
            secret = resolve(config.key, Path()).get_secret_value() if config.key else ""
            self._asking = Asking(config.url, secret, config.timeout_s, config.attempts)
        return self._asking.post("/chat/completions", body)

    def _within_budget(self) -> None:
        if self._spent is None:
            self._spent = self._answers.spent()
        calls, money = self._spent
        price = self._config.price
        if calls >= self._config.most_calls:
            raise ConfigError(
                tr("{count} questions were asked, as many as the plan allows.", count=calls),
                mend=tr("Raise “most_calls”, or learn from fewer items."),
            )
        if price is not None and money >= price.most:
            raise ConfigError(
                tr(
                    "{money} {currency} were spent, as much as the plan allows.",
                    money=f"{money:.4f}",
                    currency=price.currency,
                ),
                mend=tr("Raise “most” under “price:”, or learn from fewer items."),
            )

    def _body(self, item: Arrays) -> dict[str, Any]:
        choices = "\n".join(
            f"{letter}: {name}"
            for letter, name in zip(_LETTERS, self._config.classes, strict=False)
        )
        told = f"{self._config.question}\n{choices}\nAnswer with one letter."
        return {
            "model": self._config.model,
            "messages": [
                {"role": "system", "content": told},
                {"role": "user", "content": _content(item)},
            ],
            "max_tokens": 1,
            "temperature": 0,
            "logprobs": True,
            "top_logprobs": _LOGPROBS,
        }

    def _read(self, reply: Mapping[str, Any]) -> Answer:
        """Take the shares of the choices out of a reply; what else it says counts for nothing."""
        try:
            choice = reply["choices"][0]
            said = str(choice["message"]["content"] or "")
            logprobs = choice.get("logprobs") or {}
            first = (logprobs.get("content") or [{}])[0].get("top_logprobs") or []
            found = [(str(one["token"]), float(one["logprob"])) for one in first]
            usage = reply.get("usage") or {}
            tokens = int(usage.get("prompt_tokens", 0)), int(usage.get("completion_tokens", 0))
        except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
            raise Unavailable(
                tr("The endpoint's answer is not of the chat protocol: {why}.", why=repr(error))
            ) from error
        shares = self._by_logprobs(found) or self._by_word(said)
        if not shares:
            raise Unavailable(
                tr("The endpoint named none of the choices: “{said}”.", said=said[:60]),
                mend=tr("Say under “question:” that one letter is to be answered."),
            )
        return Answer(shares=shares, cost=self._cost(*tokens))

    def _by_logprobs(self, found: Sequence[tuple[str, float]]) -> dict[str, float]:
        shares = dict.fromkeys(self._config.classes, 0.0)
        for token, logprob in found:
            name = self._named(token)
            if name is not None:
                shares[name] += math.exp(min(0.0, logprob))
        total = sum(shares.values())
        return {name: share / total for name, share in shares.items()} if total > 0 else {}

    def _by_word(self, said: str) -> dict[str, float]:
        name, classes, doubt = self._named(said), self._config.classes, self._config.doubt
        if name is None:
            return {}
        rest = doubt / (len(classes) - 1)
        return {one: 1 - doubt if one == name else rest for one in classes}

    def _named(self, token: str) -> str | None:
        letter = token.strip().strip(".:()").upper()
        place = _LETTERS.find(letter) if len(letter) == 1 else -1
        classes = self._config.classes
        return classes[place] if 0 <= place < len(classes) else None

    def _cost(self, tokens_in: int, tokens_out: int) -> float:
        price = self._config.price
        if price is None:
            return 0.0
        return (tokens_in * price.per_million_in + tokens_out * price.per_million_out) / 1e6

    def _logits(self, answer: Answer) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        shares = [max(answer.shares.get(name, 0.0), 1e-6) for name in self._config.classes]
        return np.log(np.asarray(shares, np.float64)).astype(np.float32)


def _content(item: Arrays) -> list[dict[str, Any]]:
    if "image" in item:
        picture = io.BytesIO()
        Image.fromarray(np.asarray(item["image"], np.uint8)).save(picture, "PNG")
        data = base64.b64encode(picture.getvalue()).decode()
        return [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{data}"}}]
    if "text" in item:
        return [{"type": "text", "text": str(np.asarray(item["text"]).item())}]
    raise ConfigError(
        tr("The item has neither image nor text: {names}.", names=", ".join(sorted(item))),
        mend=tr("Give the endpoint pictures or texts."),
    )
