"""Mill certificates (inspection certificate 3.1 of EN 10204:2004) against limits that are given.

The limits are the user's: from the order, the material standard or the drawing.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from pydantic import Field

from millhand.messages import tr
from millhand_admin.checking.finding import Finding, Severity
from millhand_admin.matching.keys import number_key
from millhand_admin.paper.fact import Part
from millhand_admin.paper.paper import Day, Number, Text


class Measured(Part):
    """One value of the certificate: ``C``, ``Mn``, ``Rp0.2``, ``Rm``, ``A``, ``KV``."""

    name: str
    value: Number
    unit: str = Field(default="", description="%, MPa, J; empty where it is not printed.")


class Heat(Part):
    """One heat (melt): what it is made of and how it behaved under test."""

    number: Text
    chemistry: tuple[Measured, ...] = ()
    mechanical: tuple[Measured, ...] = ()


class Certificate(Part):
    """An inspection certificate."""

    number: Text | None = None
    issued: Day | None = None
    type: Text | None = Field(default=None, description="2.1, 2.2, 3.1 or 3.2.")
    grade: Text | None = Field(default=None, description="Material, such as S355J2+N.")
    order: Text | None = None
    heats: tuple[Heat, ...] = ()
    signed_by: Text | None = Field(default=None, description="The authorised inspector.")


class Bounds(Part):
    """What a value may be; both ends belong to it."""

    least: Decimal | None = None
    most: Decimal | None = None
    unit: str = ""


class MaterialLimits(Part):
    """Limits for one grade."""

    grade: str
    chemistry: dict[str, Bounds] = Field(default_factory=dict, description="In percent.")
    mechanical: dict[str, Bounds] = Field(default_factory=dict)
    carbon_equivalent: Decimal | None = Field(
        default=None, description="Most CEV by the formula of the IIW (EN 10025-1)."
    )
    types: tuple[str, ...] = Field(default=("3.1", "3.2"), description="Accepted certificates.")


def check_certificate(
    paper: Certificate, limits: MaterialLimits, heats: tuple[str, ...] = ()
) -> tuple[Finding, ...]:
    """Check a certificate.

    Args:
        paper: what was read.
        limits: of the grade that was ordered.
        heats: heat numbers stamped on the goods that came in; each must be certified.
    """
    return tuple(_all(paper, limits, heats))


def _all(paper: Certificate, limits: MaterialLimits, heats: tuple[str, ...]) -> Iterator[Finding]:
    yield from _head(paper, limits)
    certified = {number_key(heat.number.value) for heat in paper.heats}
    for heat in heats:
        if number_key(heat) not in certified:
            text = tr("Heat {heat} is not on the certificate.", heat=heat)
            yield Finding(rule="certificate.heat", severity=Severity.REJECT, text=text)
    for number, one in enumerate(paper.heats):
        yield from _values(one, number, "chemistry", one.chemistry, limits.chemistry)
        yield from _values(one, number, "mechanical", one.mechanical, limits.mechanical)
        yield from _carbon(one, number, limits)


def _head(paper: Certificate, limits: MaterialLimits) -> Iterator[Finding]:
    if not paper.heats:
        yield Finding(rule="certificate.heat", severity=Severity.REVIEW,
                      text=tr("No heat number was read."), fields=("heats",))  # fmt: skip
    if paper.type is None or paper.type.value not in limits.types:
        met = tr("nothing") if paper.type is None else paper.type.value
        text = tr("The certificate says {met}; {wanted} is asked for.", met=met,
                  wanted=" / ".join(limits.types))  # fmt: skip
        yield Finding(rule="certificate.type", severity=Severity.REVIEW, text=text,
                      fields=("type",))  # fmt: skip
    if paper.grade is not None and number_key(paper.grade.value) != number_key(limits.grade):
        text = tr("The material is {met}, not {wanted}.", met=paper.grade.value,
                  wanted=limits.grade)  # fmt: skip
        yield Finding(rule="certificate.grade", severity=Severity.REJECT, text=text,
                      fields=("grade",))  # fmt: skip


def _values(
    heat: Heat, number: int, part: str, values: tuple[Measured, ...], limits: dict[str, Bounds]
) -> Iterator[Finding]:
    found = {one.name.casefold(): (index, one) for index, one in enumerate(values)}
    for name, bounds in limits.items():
        if name.casefold() not in found:
            text = tr("Heat {heat}: {name} is not stated.", heat=heat.number.value, name=name)
            yield Finding(rule="certificate.missing", severity=Severity.REVIEW, text=text)
            continue
        index, one = found[name.casefold()]
        if bounds.unit and one.unit and bounds.unit.casefold() != one.unit.casefold():
            text = tr("Heat {heat}: {name} is in {met}, not {wanted}.", heat=heat.number.value,
                      name=name, met=one.unit, wanted=bounds.unit)  # fmt: skip
            yield Finding(rule="certificate.unit", severity=Severity.REVIEW, text=text)
            continue
        if not _within(one.value.value, bounds):
            text = tr("Heat {heat}: {name} is {met}; allowed is {bounds}.",
                      heat=heat.number.value, name=name, met=one.value.value,
                      bounds=_shown(bounds))  # fmt: skip
            yield Finding(rule="certificate.value", severity=Severity.REJECT, text=text,
                          fields=(f"heats.{number}.{part}.{index}.value",))  # fmt: skip


def carbon_equivalent(chemistry: tuple[Measured, ...]) -> Decimal | None:
    """CEV = C + Mn/6 + (Cr+Mo+V)/5 + (Ni+Cu)/15, in percent; None without C and Mn."""
    values = {one.name.casefold(): one.value.value for one in chemistry}
    if "c" not in values or "mn" not in values:
        return None

    def together(*names: str) -> Decimal:
        return sum((values.get(name, Decimal(0)) for name in names), Decimal(0))

    manganese = values["mn"] / 6
    return values["c"] + manganese + together("cr", "mo", "v") / 5 + together("ni", "cu") / 15


def _carbon(heat: Heat, number: int, limits: MaterialLimits) -> Iterator[Finding]:
    value = carbon_equivalent(heat.chemistry)
    if limits.carbon_equivalent is None or value is None:
        return
    if value > limits.carbon_equivalent:
        text = tr("Heat {heat}: carbon equivalent is {met}; at most {most} is allowed.",
                  heat=heat.number.value, met=value.quantize(Decimal("0.001")),
                  most=limits.carbon_equivalent)  # fmt: skip
        yield Finding(rule="certificate.carbon", severity=Severity.REJECT, text=text,
                      fields=(f"heats.{number}.chemistry",))  # fmt: skip


def _within(value: Decimal, bounds: Bounds) -> bool:
    return (bounds.least is None or value >= bounds.least) and (
        bounds.most is None or value <= bounds.most
    )


def _shown(bounds: Bounds) -> str:
    if bounds.least is None:
        return tr("at most {most}", most=bounds.most)
    if bounds.most is None:
        return tr("at least {least}", least=bounds.least)
    return tr("{least} to {most}", least=bounds.least, most=bounds.most)
