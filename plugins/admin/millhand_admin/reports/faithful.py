"""A rephrasing may change words and never a number, a date or a name with digits in it.

An optional language model may only rephrase a sentence. What it returns is taken when every token
that tells a quantity stands in the original too, as often at most and in the same order; else the
original stays. The check is strict on purpose: a good sentence that is refused costs nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

from millhand_admin.reports.report import Sentence

Rephrase = Callable[[str], str]

_WITH_DIGITS = re.compile(r"[\w.,:/%°'’+\-−–]*\d[\w.,:/%°'’+\-−–]*")
_ROMAN = re.compile(r"\b[IVXLCDM]+\b")
_WORDS = re.compile(r"[^\W\d_]+")
_STARTS = ".,:'’"
_ENDS = ".,:'’-–"
_ENGLISH = """zero nil one two three four five six seven eight nine ten eleven twelve thirteen
fourteen fifteen sixteen seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty
ninety hundred hundreds thousand thousands million millions billion dozen dozens score half halves
quarter quarters third thirds fourth fifth sixth seventh eighth ninth tenth first second double
twice thrice triple single pair couple percent percentage per none never nobody nothing no not all
every most majority minority few several many both neither january february march april may june
july august september october november december monday tuesday wednesday thursday friday saturday
sunday today yesterday tomorrow"""
_VIETNAMESE = """không một mốt hai ba bốn tư năm lăm sáu bảy bẩy tám chín mười mươi chục tá trăm
nghìn ngàn triệu tỷ tỉ nửa rưỡi đôi gấp cặp phần chưa chẳng đừng mọi tất hầu nhiều ít vài thứ"""
_COUNTING = frozenset(f"{_ENGLISH} {_VIETNAMESE}".split())
_CHINESE = frozenset(
    "零〇一二三四五六七八九十百千万萬亿億两兩半双雙倍对對几幾无無没沒不未全都每多少年月日时時"
)


def quantities(text: str) -> list[str]:
    """Return every token that tells a quantity, in the order of the text.

    Digits with what clings to them, number words in English, Vietnamese and Chinese, Roman
    numerals, months and days, and negations.
    """
    plain = "".join(_plain(text))
    found = [
        (match.start(), match.group().lstrip(_STARTS).rstrip(_ENDS).casefold())
        for match in _WITH_DIGITS.finditer(plain)
    ]
    found += [
        (match.start(), match.group())
        for match in _ROMAN.finditer(plain)
        if match.group() not in {"I", "C", "D"}
    ]
    found += [
        (match.start(), word)
        for match in _WORDS.finditer(plain)
        if _counts(word := unicodedata.normalize("NFC", match.group().casefold()))
    ]
    found += [(at, letter) for at, letter in enumerate(plain) if _is_number_sign(letter)]
    return [token for _, token in sorted(found)]


def _counts(word: str) -> bool:
    return word in _COUNTING or _ends_in_number(word)


def _ends_in_number(word: str) -> bool:
    """Catch what is written together: ``twentyone``, ``fivefold``, ``halfdozen``."""
    return any(word != part and (word.startswith(part) or word.endswith(part)) for part in _GLUED)


_GLUED = (
    "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety", "hundred",
    "thousand", "million", "dozen", "fold",
)  # fmt: skip


def _plain(text: str) -> Iterator[str]:
    """Yield characters without what hides a digit: width forms and invisible characters."""
    for letter in text:
        category = unicodedata.category(letter)
        if category in {"Cf", "Mn", "Me", "Cc"} and letter not in "\n\t":
            if category == "Mn":
                yield letter  # an accent: it makes another letter
            continue
        folded = unicodedata.normalize("NFKC", letter)
        wide = category == "Nd" and folded.isascii()
        if category in {"Nd", "Nl", "No"} and not letter.isascii() and not wide:
            yield f" #{ord(letter)} "  # ½, Ⅻ, ٣, ⑫ …: a token of its own
        else:
            yield folded


def _is_number_sign(letter: str) -> bool:
    return letter in _CHINESE or letter in "≈<>=±×÷√∞≠≤≥−%‰"


def faithful(original: str, rephrased: str) -> bool:
    """Tell whether a rephrasing tells no quantity but the original's, in the original's order."""
    left = iter(quantities(original))
    return all(token in left for token in quantities(rephrased))


def rephrased(sentence: Sentence, rephrase: Rephrase) -> Sentence:
    """Let something rephrase a sentence; the original stays where that is not faithful."""
    text = rephrase(sentence.text).strip()
    if not text or len(text) > 3 * len(sentence.text) + 80:
        return sentence
    if not faithful(sentence.text, text):
        return sentence
    return Sentence(text=text, ids=sentence.ids)
