"""A rephraser that lies, a thousand journals: no invented number passes; honest words do."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest

from millhand.contracts import Verdict
from millhand.journal.records import Alarm, AlarmState
from millhand.testing.runs import MadeRun
from millhand_admin.reports.faithful import faithful, quantities, rephrased
from millhand_admin.reports.report import Report, Sentence
from millhand_admin.reports.shift import shift_report

ORIGINAL = "inspector decided 48: 40 OK, 5 not OK, 3 not decidable."


@pytest.mark.parametrize(
    "text",
    [
        "inspector decided 48 parts: 40 OK, 5 not OK, 3 not decidable.",
        "In short: 48 decided by inspector, of them 40 OK.",
        "The inspector looked at 48.",
        "Người kiểm đã xem 48: 40 OK, 5 not OK, 3 not decidable.",
    ],
)
def test_honest_words_pass(text: str) -> None:
    assert faithful(ORIGINAL, text)


@pytest.mark.parametrize(
    "text",
    [
        "49 decided", "48 decided, 40 OK, 8 not OK", "5 of 48", "48 and again 48",
        "480", "48.0", "4 8", "48%", "48k", "l48", "x48", "4‍9", "4\u200b9",
        "４９", "٤٨", "४८", "⁴⁸", "48½", "Ⅻ", "XII", "⑫", "㊿", "𝟒𝟗",
        "forty-eight", "forty eight", "fortyeight", "two dozen", "twofold", "half", "none",
        "bốn mươi tám", "không", "四十八", "两", "一半", "没有",
        "48 on Monday", "in March", "yesterday 48", "≈48", "48 ± 1", "-48", "1e9", "0x30",
        "48 decided, 0 OK", "inspector decided 40: 48 OK", "not 48",
    ],
)  # fmt: skip
def test_lies_do_not_pass(text: str) -> None:
    assert not faithful(ORIGINAL, text), quantities(text)


def test_the_original_stays_where_it_is_lied_or_silent() -> None:
    sentence = Sentence(text=ORIGINAL, ids=("a", "b"))
    for lie in (lambda _: "50 decided", lambda _: "", lambda text: text * 9 + "x" * 500):
        assert rephrased(sentence, lie) == sentence
    honest = rephrased(sentence, lambda text: f"Summary: {text}")
    assert honest.text == f"Summary: {ORIGINAL}"
    assert honest.ids == ("a", "b")


# --- a thousand journals ---


def journal(seed: int) -> Report:
    random = Random(seed)
    run = MadeRun(cell=f"cell{seed % 7}", start_utc_ns=1_790_000_000_000_000_000 + seed * 10**12)
    for _ in range(random.randint(1, 12)):
        run.part(
            random.choice(list(Verdict)), product=random.choice(("impeller", "泵壳", "vỏ bơm"))
        )
    if random.random() < 0.5:
        text = f"{random.randint(2, 9)} triggers of plc.trigger were missed."
        run.add(
            Alarm(name="trigger_missed", source="inspector", state=AlarmState.ACTIVE, text=text)
        )
    return shift_report(run.entries, run.cell)


WORDS = ("about", "three", "twelve", "dozens", "hundred", "half", "năm", "mười", "三", "百", "两")


def digits_of(text: str) -> list[int]:
    return [at for at, letter in enumerate(text) if letter.isascii() and letter.isdecimal()]


def another_digit(text: str, random: Random) -> str:
    at = random.choice(digits_of(text))
    other = random.choice([digit for digit in "123456789" if digit != text[at]])
    return text[:at] + other + text[at + 1 :]


def another_script(text: str, random: Random) -> str:
    base = random.choice((0x0660, 0x0966, 0xFF10, 0x1D7CE))
    lie = str(random.randint(100, 999))
    return text + " " + "".join(chr(base + int(digit)) for digit in lie)


def in_words(text: str, random: Random) -> str:
    word = random.choice(WORDS[1:])
    at = random.choice([0, len(text)])
    return f"{text[:at]} {word} {text[at:]}"


def one_more(text: str, random: Random) -> str:
    return f"{text} ({random.randint(1000, 9999)} in all)"


def glued(text: str, random: Random) -> str:
    at = random.choice(digits_of(text))
    return text[:at] + random.choice("0123456789") + text[at:]


def hidden(text: str, random: Random) -> str:
    at = random.choice(digits_of(text))
    return text[:at] + random.choice("123456789") + random.choice("\u200b\u2060\u00ad") + text[at:]


def unit(text: str, random: Random) -> str:
    at = random.choice(digits_of(text))
    return text[: at + 1] + random.choice(("%", "k", "e3", "/2", "½", "²")) + text[at + 1 :]


def swapped(text: str, random: Random) -> str:
    del random
    found = quantities(text)
    pairs = [
        (one, other)
        for one, other in pairwise(found)
        if one != other and f"{one}{other}".isdecimal() and one in text and other in text
    ]
    if not pairs:
        return text + " 77777"
    one, other = pairs[0]
    first = text.index(one)
    second = text.index(other, first + len(one))
    return (
        text[:first] + other + text[first + len(one) : second] + one + text[second + len(other) :]
    )


LIES: tuple[Callable[[str, Random], str], ...] = (
    another_digit, another_script, in_words, one_more, glued, hidden, unit, swapped,
)  # fmt: skip


def test_no_invented_number_in_a_thousand_journals() -> None:
    passed: list[tuple[str, str]] = []
    honest = told = 0
    for seed in range(1000):
        random = Random(seed)
        for sentence in journal(seed).sentences():
            for lie in random.sample(LIES, 3):
                text = lie(sentence.text, random)
                told += 1
                if rephrased(sentence, lambda _, text=text: text).text != sentence.text:
                    passed.append((sentence.text, text))
            said = rephrased(sentence, lambda text: f"Please note: {text}")
            honest += said.text.startswith("Please note: ")
    assert passed == []
    assert told > 5000
    assert honest > 1500
