"""The agent ``quality.spc``: a measured value on control charts."""

from __future__ import annotations

import math
from typing import ClassVar

from millhand.contracts import (
    ControlPoint,
    CustomEvent,
    Decision,
    EventBody,
    Models,
    Needs,
    Nonconformance,
    Observation,
    TriggerKind,
)
from millhand.messages import tr
from millhand_quality.spc.config import SpcConfig, Tolerance
from millhand_quality.spc.follow import Followed, Point, follow
from millhand_quality.spc.memory import Charted, from_memory, to_memory
from millhand_quality.spc.rules import said

VALUE, PART, PRODUCT = "value", "part", "product"
"""Roles that the scenario binds under ``see``; the last two where it has them."""
OUT_OF_CONTROL, IN_CONTROL = "quality.out_of_control", "quality.in_control"
"""Events when a process leaves control and when it has come back."""


class SpcAgent:
    """Charts each value that is measured, and says when the process has changed.

    Limits are taken once for each product, from the first points, and kept. Pure: what was
    charted is its memory.
    """

    Config: ClassVar[type[SpcConfig]] = SpcConfig

    def __init__(self, config: SpcConfig) -> None:
        self._config = config

    def needs(self) -> Needs:
        """One value whenever something says that there is a new one; asks for no action."""
        return Needs(
            triggers=frozenset({TriggerKind.EDGE, TriggerKind.PART, TriggerKind.TIMER}),
            samples=frozenset({VALUE}),
            optional_samples=frozenset({PART, PRODUCT}),
            light=True,
        )

    def decide(self, observation: Observation, models: Models) -> Decision:
        """Chart the value; without one, say so and leave the charts as they are."""
        del models
        value = _value(observation)
        if value is None:
            return Decision(reason=tr("There is no good value of {what}.", what=self._what))
        product = _text(observation, PRODUCT) or observation.product or ""
        products = from_memory(observation.memory, self._config.subgroup)
        charted = products.pop(product, None) or Charted()
        before = charted.broken
        tolerance = self._config.tolerance_of(product)
        followed = follow(charted, value, self._config, tolerance)
        products[product] = charted
        while len(products) > self._config.most_products:
            del products[next(iter(products))]
        return Decision(
            reason=self._reason(product, value, charted, followed),
            scores=_scores(value, charted),
            events=(
                *self._changes(observation, product, before, charted, followed),
                *self._nonconformance(observation, product, value, tolerance),
            ),
            explanations=self._explanations(product, followed),
            memory=to_memory(products),
        )

    @property
    def _what(self) -> str:
        return self._config.characteristic

    def _reason(self, product: str, value: float, charted: Charted, followed: Followed) -> str:
        found = followed.said or "; ".join(said(rule) for rule in charted.broken)
        what = f"{product}: {self._what}" if product else self._what
        unit = f" {self._config.unit}" if self._config.unit else ""
        return f"{what} {value:.6g}{unit}: {found}"

    def _explanations(self, product: str, followed: Followed) -> tuple[ControlPoint, ...]:
        single = self._config.subgroup == 1
        named = (
            (tr("single values") if single else tr("means"), followed.place),
            (tr("moving ranges") if single else tr("ranges"), followed.spread),
        )
        what = f"{self._what}, {product}" if product else self._what
        return tuple(
            ControlPoint(
                chart=f"{what}: {name}",
                unit=self._config.unit,
                value=point.value,
                centre=point.limits.centre,
                lower=point.limits.lower,
                upper=point.limits.upper,
                broken=tuple(said(rule) for rule in point.broken),
            )
            for name, point in named
            if point is not None
        )

    def _changes(
        self,
        observation: Observation,
        product: str,
        before: tuple[int, ...],
        charted: Charted,
        followed: Followed,
    ) -> tuple[EventBody, ...]:
        """Say that the process has left control, by a test that was not met before, or is back."""
        new = set(charted.broken) - set(before)
        if not new and not (before and not charted.broken):
            return ()
        point = _worse(followed)
        data: dict[str, None | bool | int | float | str] = {
            "characteristic": self._what,
            "product": product,
            "part": _text(observation, PART),
            "tests": ", ".join(str(rule) for rule in charted.broken),
            "found": "; ".join(said(rule) for rule in charted.broken),
        }
        if point is not None:
            data |= {"value": point.value, "lower": point.limits.lower}
            data |= {"upper": point.limits.upper, "centre": point.limits.centre}
        return (CustomEvent(name=OUT_OF_CONTROL if new else IN_CONTROL, data=data),)

    def _nonconformance(
        self, observation: Observation, product: str, value: float, tolerance: Tolerance | None
    ) -> tuple[EventBody, ...]:
        part = _text(observation, PART)
        limit = None if tolerance is None else _passed(value, tolerance)
        if limit is None or not part:
            return ()
        return (
            Nonconformance(
                part_id=part,
                product=product or None,
                lot=observation.lot,
                characteristic=self._what,
                measured=value,
                limit=limit,
            ),
        )


def _value(observation: Observation) -> float | None:
    sample = observation.samples.get(VALUE)
    if sample is None or not sample.good or isinstance(sample.value, bool):
        return None
    found = sample.value
    return float(found) if isinstance(found, int | float) and math.isfinite(found) else None


def _text(observation: Observation, role: str) -> str:
    sample = observation.samples.get(role)
    known = sample is not None and sample.good and isinstance(sample.value, str | int)
    return str(sample.value) if known and sample is not None else ""


def _passed(value: float, tolerance: Tolerance) -> float | None:
    """Return the limit that ``value`` is beyond."""
    if tolerance.lower is not None and value < tolerance.lower:
        return tolerance.lower
    if tolerance.upper is not None and value > tolerance.upper:
        return tolerance.upper
    return None


def _worse(followed: Followed) -> Point | None:
    """Return the chart's point that an event is about."""
    if followed.spread is not None and followed.spread.broken and followed.place is not None:
        return followed.place if followed.place.broken else followed.spread
    return followed.place


def _scores(value: float, charted: Charted) -> dict[str, float]:
    scores = {
        "value": value,
        "points": float(charted.count),
        "tests_met": float(len(charted.broken)),
    }
    found = charted.capability
    if found is not None:
        for name, index in (("cp", found.cp), ("cpk", found.cpk)):
            if index is not None:
                scores |= {name: index.value, f"{name}_low": index.low, f"{name}_high": index.high}
        scores["capability_items"] = float(found.items)
    return scores
