"""The safety envelope as a pure function: request, limits and facts in, a ruling out.

The rules are asked in a fixed order and the first that refuses is named: mode, allow list,
deadline, lease, interlock and its age, range, rate, budget, number of writes. Nothing here reads
a clock or a device; whoever asks brings the facts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec import Struct

from millhand.contracts import Mode, Quality, Sample, Value
from millhand.journal.records import Ruling
from millhand.messages import tr

Interlock = Callable[[Mapping[str, Value]], bool]
"""A compiled condition over tag values by ``device.tag``."""


@dataclass(frozen=True, slots=True)
class Allowance:
    """So much within a window of time."""

    amount: float
    window_ns: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What the scenario allows for one target. Times in nanoseconds."""

    only_if: Interlock | None = None
    only_if_text: str = ""
    only_if_tags: tuple[str, ...] = ()
    max_age_ns: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    rate: Allowance | None = None
    """Largest sum of changes, up and down, within a short window."""
    budget: Allowance | None = None
    """The same within a long window: small steps must not walk a value away."""
    writes: Allowance | None = None
    """Most writes within a window."""


class Change(Struct, frozen=True, gc=False):
    """A change of a target's value that was let out: when, and how far."""

    at_monotonic_ns: int
    amount: float


class Facts(Struct, frozen=True, gc=False):
    """What is known when an action is judged."""

    now_monotonic_ns: int
    mode: Mode
    lease_live: bool = True
    samples: Mapping[str, Sample] = {}
    """Latest samples of the interlocks' tags by ``device.tag``; their receive time is their age."""
    current: Value = None
    """Value of the target when it was last read, where rate and budget are limited."""
    pending: tuple[Value, ...] = ()
    """Values written to the target since; which of them it has now, nobody has read yet."""
    changes: tuple[Change, ...] = ()
    """Changes let out before, oldest first."""


class Request(Struct, frozen=True, gc=False):
    """One action to be judged."""

    target: str
    value: Value = None
    """The number to be written, where it is one."""
    part_bound: bool = False
    allowed_targets: frozenset[str] = frozenset()
    deadline_monotonic_ns: int | None = None
    needs_lease: bool = False
    approved: bool = False
    """A person has approved it (mode *advise*)."""


_Rule = Callable[[Request, Limits, Facts], Ruling | None]


def judge(request: Request, limits: Limits | None, facts: Facts) -> Ruling:
    """Rule on one action. ``limits`` is None where the scenario states none for the target."""
    rules, limits = (_ALWAYS, _NO_LIMITS) if limits is None else (_RULES, limits)
    for rule in rules:
        ruling = rule(request, limits, facts)
        if ruling is not None:
            return ruling
    return _ALLOWED


def _refuse(rule: str, reason: str) -> Ruling:
    return Ruling(allowed=False, rule=rule, reason=reason)


def _mode(request: Request, _limits: Limits, facts: Facts) -> Ruling | None:
    if facts.mode is Mode.CONTROL:
        return None
    if facts.mode is Mode.ADVISE and request.approved and not request.part_bound:
        return None
    return _refuse("mode", tr("The agent's mode is {mode}.", mode=facts.mode.value))


def _allow_list(request: Request, _limits: Limits, _facts: Facts) -> Ruling | None:
    if request.target in request.allowed_targets:
        return None
    return _refuse(
        "allow_list", tr("The scenario does not list {target} under may.", target=request.target)
    )


def _deadline(request: Request, _limits: Limits, facts: Facts) -> Ruling | None:
    if request.deadline_monotonic_ns is None:
        return None
    late_ns = facts.now_monotonic_ns - request.deadline_monotonic_ns
    if late_ns < 0:
        return None
    return _refuse("deadline", tr("The deadline passed {late:.1f} ms ago.", late=late_ns / 1e6))


def _lease(request: Request, _limits: Limits, facts: Facts) -> Ruling | None:
    if not request.needs_lease or facts.lease_live:
        return None
    return _refuse("lease", tr("The lease is not live: the device did not take its last renewal."))


def _interlock(_request: Request, limits: Limits, facts: Facts) -> Ruling | None:
    if limits.only_if is None:
        return None
    values: dict[str, Value] = {}
    for tag in limits.only_if_tags:
        sample = facts.samples.get(tag)
        if sample is None:
            return _refuse("interlock", tr("{tag} has not been read yet.", tag=tag))
        if sample.quality is not Quality.GOOD:
            return _refuse(
                "interlock", tr("{tag} has quality {quality}.", tag=tag, quality=sample.quality)
            )
        age_ns = facts.now_monotonic_ns - sample.received_monotonic_ns
        if limits.max_age_ns is not None and age_ns > limits.max_age_ns:
            return _refuse(
                "age",
                tr(
                    "{tag} is {age:.0f} ms old; at most {limit:.0f} ms are allowed.",
                    tag=tag,
                    age=age_ns / 1e6,
                    limit=limits.max_age_ns / 1e6,
                ),
            )
        values[tag] = sample.value
    if limits.only_if(values):
        return None
    return _refuse("interlock", tr("{rule} does not hold.", rule=limits.only_if_text))


def _number(value: Value) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:  # an integer beyond all limits
        return None


def _range(request: Request, limits: Limits, _facts: Facts) -> Ruling | None:
    if limits.minimum is None and limits.maximum is None:
        return None
    number = _number(request.value)
    low = limits.minimum if limits.minimum is not None else float("-inf")
    high = limits.maximum if limits.maximum is not None else float("inf")
    if number is not None and low <= number <= high:
        return None
    return _refuse(
        "range",
        tr("{value} is outside {low} to {high}.", value=request.value, low=low, high=high),
    )


def step(value: Value, facts: Facts) -> float | None:
    """Return the largest change that writing ``value`` may be; None where that is not known."""
    wanted = _number(value)
    values = [_number(known) for known in (facts.current, *facts.pending)]
    if wanted is None or None in values:
        return None
    return max(abs(wanted - known) for known in values if known is not None)


def _rate(request: Request, limits: Limits, facts: Facts) -> Ruling | None:
    return _spending("rate", limits.rate, request, facts)


def _budget(request: Request, limits: Limits, facts: Facts) -> Ruling | None:
    return _spending("budget", limits.budget, request, facts)


def _recent(facts: Facts, window_ns: int) -> list[Change]:
    return [
        change
        for change in facts.changes
        if facts.now_monotonic_ns - change.at_monotonic_ns < window_ns
    ]


def _spending(
    rule: str, allowance: Allowance | None, request: Request, facts: Facts
) -> Ruling | None:
    if allowance is None:
        return None
    change = step(request.value, facts)
    if change is None:
        return _refuse(rule, tr("The present value is unknown, so its change cannot be limited."))
    spent = sum(earlier.amount for earlier in _recent(facts, allowance.window_ns))
    if spent + change <= allowance.amount:
        return None
    return _refuse(
        rule,
        tr(
            "It changed by {spent:g} in the last {window:g} s; {step:g} more passes {limit:g}.",
            spent=spent,
            window=allowance.window_ns / 1e9,
            step=change,
            limit=allowance.amount,
        ),
    )


def _writes(_request: Request, limits: Limits, facts: Facts) -> Ruling | None:
    if limits.writes is None:
        return None
    count = len(_recent(facts, limits.writes.window_ns))
    if count < limits.writes.amount:
        return None
    return _refuse(
        "writes",
        tr(
            "{count} writes in the last {window:g} s are as many as allowed.",
            count=count,
            window=limits.writes.window_ns / 1e9,
        ),
    )


_ALWAYS: tuple[_Rule, ...] = (_mode, _allow_list, _deadline, _lease)
_RULES: tuple[_Rule, ...] = (*_ALWAYS, _interlock, _range, _rate, _budget, _writes)
_NO_LIMITS = Limits()
_ALLOWED = Ruling(allowed=True, rule="ok")
