"""Check digits: real published examples, every single wrong digit, and a second implementation."""

from __future__ import annotations

import pytest

from millhand_admin.checking.tax_numbers import NumberCheck, check_tax_number

GOOD = """DE136695976 ATU13585627 BE0428759497 DK13585628 ESB58378431 FI20774740 FR40303265045
EL094259216 HR33392005961 IT00743110157 LU15027442 NL004495445B01 NL002455799B11 PL8567346215
PT501964843 SE123456789701 SI50223054 GB980780684 NO995525828MVA CHE107787577IVA 0100233488
0314409058-002 91110000600037341L 91350100M000100Y43""".split()  # noqa: SIM905
FULLY_CHECKED = [one for one in GOOD if not one.startswith(("FR", "ES"))]


@pytest.mark.parametrize("number", GOOD)
def test_right_numbers(number: str) -> None:
    assert check_tax_number(number) is NumberCheck.RIGHT
    assert check_tax_number(" ".join(number)) is NumberCheck.RIGHT


@pytest.mark.parametrize("number", FULLY_CHECKED)
def test_most_single_wrong_digits_are_found(number: str) -> None:
    body = [at for at, letter in enumerate(number) if letter.isdecimal()]
    if len(number) == 14:  # the branch of a Vietnamese company has no check digit
        body = body[:10]
    wrong = [
        number[:at] + digit + number[at + 1 :]
        for at in body
        for digit in "0123456789"
        if digit != number[at]
    ]
    found = [check_tax_number(one) is not NumberCheck.RIGHT for one in wrong]
    assert sum(found) / len(found) > 0.85


@pytest.mark.parametrize("number", ["", "12", "XX123456789", "hello", "12345678901234567"])
def test_what_has_no_known_rule_is_unknown(number: str) -> None:
    assert check_tax_number(number) is NumberCheck.UNKNOWN


def test_a_number_that_has_not_the_form_of_its_country_is_wrong() -> None:
    assert check_tax_number("DE12345") is NumberCheck.WRONG
    assert check_tax_number("12345", "VN") is NumberCheck.WRONG
    assert check_tax_number("DE12345678", "DE") is NumberCheck.WRONG


def test_a_second_implementation_agrees() -> None:
    vatin = pytest.importorskip("stdnum.eu.vat", reason="python-stdnum is the second opinion")
    from random import Random

    from stdnum.cn import uscc
    from stdnum.vn import mst

    random = Random(11)
    lengths = {"DE": 9, "DK": 8, "FI": 8, "GR": 9, "HR": 11, "LU": 8, "PL": 10, "PT": 9, "SI": 8}
    for country, length in lengths.items():
        for _ in range(300):
            body = "".join(str(random.randrange(10)) for _ in range(length))
            prefix = "EL" if country == "GR" else country
            ours = check_tax_number(body, country) is NumberCheck.RIGHT
            assert ours == vatin.is_valid(prefix + body), prefix + body
    for _ in range(2000):
        body = "".join(str(random.randrange(10)) for _ in range(10))
        assert (check_tax_number(body, "VN") is NumberCheck.RIGHT) == mst.is_valid(body)
        letters = (random.choice("0123456789ABCDEFGHJKLMNPQRTUWXY") for _ in range(10))
        social = f"91{random.randrange(10**6):06d}{''.join(letters)}"
        assert (check_tax_number(social, "CN") is NumberCheck.RIGHT) == uscc.is_valid(social)
