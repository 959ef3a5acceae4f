"""A text as hashed pieces: words, pairs of words, and runs of characters within words.

Works for any script: a language without spaces is simply one long word. Nothing is learnt here, so
a word never seen before still shares its pieces with those that were (the hashing trick;
Weinberger et al., "Feature hashing for large scale multitask learning", ICML 2009).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

LONGEST = 2_000
"""Characters of a text that are looked at."""
_DIGITS = re.compile(r"\d")
_PARTS = re.compile(r"\w+|[^\w\s]")


class Pieces(BaseModel):
    """Which pieces are taken, and into how many buckets they fall."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bits: int = Field(default=16, ge=8, le=22, description="2 to this power buckets.")
    shortest: int = Field(default=2, ge=1, le=8, description="Shortest run of characters.")
    longest: int = Field(default=5, ge=1, le=8, description="Longest run of characters.")
    words: int = Field(default=2, ge=0, le=3, description="Longest run of words.")


def normalised(text: str) -> str:
    """Return the text that counts: NFKC, no case, every digit the same, single spaces."""
    folded = unicodedata.normalize("NFKC", text[:LONGEST]).casefold()
    return " ".join(_PARTS.findall(_DIGITS.sub("0", folded)))


def pieces(text: str, rules: Pieces) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return buckets and weights of a text, both ``(n,)``, n ≥ 1; the weights have length 1."""
    mask = (1 << rules.bits) - 1
    found = np.fromiter(
        (crc32(piece) & mask for piece in _pieces(normalised(text), rules)), dtype=np.int64
    )
    if not found.size:
        return np.zeros(1, np.int64), np.zeros(1, np.float32)
    buckets, counts = np.unique(found, return_counts=True)
    weights = np.sqrt(counts).astype(np.float32)
    return buckets, weights / np.linalg.norm(weights)


def _pieces(text: str, rules: Pieces) -> Iterator[bytes]:
    words = text.split(" ")
    for count in range(1, rules.words + 1):
        for at in range(len(words) - count + 1):
            yield ("w " + " ".join(words[at : at + count])).encode()
    spaced = f" {text} "
    for length in range(rules.shortest, rules.longest + 1):
        for at in range(len(spaced) - length + 1):
            yield spaced[at : at + length].encode()
