"""Mill certificates against limits."""

from __future__ import annotations

from decimal import Decimal

import pytest

from millhand_admin.checking.certificate import (
    Bounds,
    Certificate,
    Heat,
    MaterialLimits,
    Measured,
    carbon_equivalent,
    check_certificate,
)
from millhand_admin.paper.fact import Fact, Method
from millhand_admin.paper.paper import Number, Text

S355 = MaterialLimits(
    grade="S355J2+N",
    chemistry={
        "C": Bounds(most=Decimal("0.20"), unit="%"),
        "Mn": Bounds(most=Decimal("1.60"), unit="%"),
        "P": Bounds(most=Decimal("0.025"), unit="%"),
    },
    mechanical={
        "ReH": Bounds(least=Decimal(355), unit="MPa"),
        "Rm": Bounds(least=Decimal(470), most=Decimal(630), unit="MPa"),
    },
    carbon_equivalent=Decimal("0.45"),
)


def text(value: str) -> Text:
    return Fact[str](value=value, method=Method.OCR)


def measured(unit: str, **values: str) -> tuple[Measured, ...]:
    return tuple(
        Measured(name=name, value=Number(value=Decimal(value), method=Method.OCR), unit=unit)
        for name, value in values.items()
    )


def certificate(**changes: object) -> Certificate:
    heat = Heat(
        number=text("H-4711"),
        chemistry=measured("%", C="0.17", Mn="1.45", P="0.012", Cr="0.05", Ni="0.04", Cu="0.08"),
        mechanical=measured("MPa", ReH="381", Rm="533"),
    )
    fields = {"type": text("3.1"), "grade": text("S355J2+N"), "heats": (heat,)} | changes
    return Certificate.model_validate(fields)


def rules(one: Certificate, heats: tuple[str, ...] = ("H4711",)) -> list[str]:
    return [finding.rule for finding in check_certificate(one, S355, heats)]


def test_a_right_certificate_has_no_finding() -> None:
    assert rules(certificate()) == []


def test_bounds_belong_to_what_is_allowed() -> None:
    heat = certificate().heats[0].model_copy(update={"mechanical": measured("MPa", ReH="355",
                                                                            Rm="630")})  # fmt: skip
    assert rules(certificate(heats=(heat,))) == []


@pytest.mark.parametrize(
    ("part", "values", "rule"),
    [
        ("mechanical", {"ReH": "354.9", "Rm": "533"}, "certificate.value"),
        ("mechanical", {"ReH": "381", "Rm": "631"}, "certificate.value"),
        ("mechanical", {"ReH": "381"}, "certificate.missing"),
        ("chemistry", {"C": "0.21", "Mn": "1.2", "P": "0.01"}, "certificate.value"),
        ("chemistry", {"C": "0.19", "Mn": "1.59", "P": "0.01"}, "certificate.carbon"),
    ],
)  # fmt: skip
def test_what_is_out_of_bounds(part: str, values: dict[str, str], rule: str) -> None:
    unit = "%" if part == "chemistry" else "MPa"
    heat = certificate().heats[0].model_copy(update={part: measured(unit, **values)})
    assert rules(certificate(heats=(heat,))) == [rule]


def test_head_and_heats() -> None:
    assert rules(certificate(type=text("2.2"))) == ["certificate.type"]
    assert rules(certificate(grade=text("S235JR"))) == ["certificate.grade"]
    assert rules(certificate(), ("H4711", "H9999")) == ["certificate.heat"]


def test_another_unit_is_not_compared() -> None:
    heat = certificate().heats[0].model_copy(update={"mechanical": measured("ksi", ReH="55",
                                                                            Rm="77")})  # fmt: skip
    assert rules(certificate(heats=(heat,))) == ["certificate.unit", "certificate.unit"]


def test_carbon_equivalent_by_the_formula() -> None:
    value = carbon_equivalent(measured("%", C="0.17", Mn="1.45", Cr="0.05", Ni="0.04", Cu="0.08"))
    assert value is not None
    assert value.quantize(Decimal("0.0001")) == Decimal("0.4297")
    assert carbon_equivalent(measured("%", C="0.17")) is None
