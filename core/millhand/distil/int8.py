"""Whether an int8 graph is worth it: as right as fp32, really faster here, and right on old chips.

It is tried with 8-bit weights, and again with 7 where sums of products overflow on an older
processor, or where none can be asked. What does not win is left out, and the report says why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from millhand.distil.plan import QuantiseUse
from millhand.distil.roles import GoldenPair, Judged, Outputs, Quantiser
from millhand.errors import PackageError, Unavailable
from millhand.models.bench import Candidate, bench
from millhand.models.compute import compute, relative_difference
from millhand.models.golden import largest_value
from millhand.models.manifest import Parity
from millhand.models.older import OLDER, emulation
from millhand.models.package import Package
from millhand.models.probe import Measured
from millhand.statistics.intervals import Share, share

GOLDEN_INPUTS = 2
OLD_INPUTS = 24
"""How many inputs an emulated processor is asked; it is some hundred times slower."""
FEWEST_INPUTS = 50
SAME = 0.02
"""How far int8 outputs may lie apart on two processors, relative to their largest value: a value
that falls between two steps of the scale may be rounded to either."""
_ROUNDS = 3
_SECONDS = 0.25

Build = Callable[[bytes, Sequence[GoldenPair]], Package]
"""Writes a package with this int8 graph beside the fp32 one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What int8 is held to, and where."""

    use: QuantiseUse
    on: Candidate
    """The accelerator on which it must win."""
    processors: tuple[str, ...] = ()
    """Older ones, by the names of :data:`millhand.models.older.OLDER`."""


@dataclass(slots=True)
class Int8:
    """What came of it."""

    graph: bytes | None = None
    """The int8 graph; None where fp32 stays alone."""
    golden: tuple[GoldenPair, ...] = ()
    parity: tuple[Parity, ...] = ()
    report: list[str] = field(default_factory=list)
    """What was tried and measured, in the words of the package's notes."""


class _Lost(Exception):
    """A graph is not worth it; the message says why. ``final``: nor is one with fewer bits."""

    def __init__(self, why: str, *, final: bool = False) -> None:
        super().__init__(why)
        self.final = final


def try_int8(fp32: bytes, quantiser: Quantiser, judged: Judged, terms: Terms, build: Build) -> Int8:
    """Make an int8 graph and hold it against the fp32 one. Blocks for tens of seconds.

    Args:
        fp32: the graph as it was exported.
        quantiser: makes int8 graphs.
        judged: held-out inputs, and what an agent makes of outputs.
        terms: what int8 is held to, and where.
        build: writes a package of both graphs, to be run as a plant will run it.

    Raises:
        ConfigError: the quantiser cannot work here.
    """
    found = Int8()
    if len(judged.inputs) < FEWEST_INPUTS:
        found.report.append(
            f"fp32 stays: {len(judged.inputs)} inputs cannot judge int8, {FEWEST_INPUTS} can."
        )
        return found
    for bits in _bits(terms, found):
        graph = quantiser.quantise(fp32, judged.inputs, bits=bits)
        try:
            _hold(graph, judged, terms, build, found)
        except _Lost as lost:
            found.report.append(f"int8 with {bits}-bit weights is left out: {lost}")
            if lost.final:
                break
        else:
            found.graph = graph
            return found
    found.report.append("fp32 stays.")
    return found


def _bits(terms: Terms, found: Int8) -> Iterator[int]:
    """Yield 8 where older processors can be asked, and 7."""
    try:
        if [emulation(name) for name in terms.processors]:
            yield 8
        else:
            found.report.append("No older processor is asked: 7-bit weights cannot overflow there.")
    except Unavailable as error:
        found.report.append(f"{error.message} 7-bit weights cannot overflow on older ones.")
    yield 7


def _hold(graph: bytes, judged: Judged, terms: Terms, build: Build, found: Int8) -> None:
    """Hold one int8 graph to the terms and put down what was seen.

    Raises:
        _Lost: it does not keep one of them.
    """
    draft = build(graph, ())
    whole = compute(draft, terms.on, "fp32", judged.inputs)
    small = _int8_answers(draft, terms, judged.inputs)
    agreed = _agreement(judged, whole, small)
    said = f"{agreed.count} of {agreed.of} answers are the same as in fp32"
    if agreed.rate < terms.use.agreement:
        raise _Lost(f"{said}, {terms.use.agreement:.1%} are needed.")
    drop = _drop(judged, whole, small)
    if drop > terms.use.drop:
        raise _Lost(f"its figure of merit is {drop:.4f} lower, {terms.use.drop} are allowed.")
    golden = tuple(
        _golden(inputs, outputs)
        for inputs, outputs in zip(judged.inputs[:GOLDEN_INPUTS], small, strict=False)
    )
    speed = _faster(build(graph, golden), terms)
    here = Parity(
        processor=speed.device,
        runtime=speed.runtime,
        precision="int8",
        difference=_apart(small, whole),
        items=agreed.of,
        agreement=agreed.rate,
    )
    older = [_on_older(name, draft, judged, terms, small, speed) for name in _askable(terms)]
    found.golden, found.parity = golden, (here, *older)
    found.report.append(
        f"int8 takes {speed.int8_ms:.3g} ms and fp32 {speed.fp32_ms:.3g} ms on {terms.on.label}, "
        f"{speed.device}; {said} ({agreed.low:.1%} to {agreed.high:.1%}); its figure of merit "
        f"is {drop:.4f} lower."
    )


@dataclass(frozen=True, slots=True)
class _Speed:
    fp32_ms: float
    int8_ms: float
    device: str
    runtime: str


def _faster(package: Package, terms: Terms) -> _Speed:
    """Time both graphs in turn and keep the best round of each: others use the machine too."""
    best: dict[str, Measured] = {}
    for _ in range(_ROUNDS):
        for row in bench(package, [terms.on], _SECONDS, threads=(1,)):
            if row.measured is None:
                raise _Lost(row.failed.message if row.failed else "", final=False)
            known = best.get(row.precision)
            if known is None or row.measured.times.p50_ms < known.times.p50_ms:
                best[row.precision] = row.measured
    before, after = best["fp32"].times.p50_ms, best["int8"].times.p50_ms
    if after > (1 - terms.use.gain) * before:
        raise _Lost(
            f"it takes {after:.3g} ms and fp32 {before:.3g} ms on {terms.on.label}, "
            f"{best['int8'].device}; it must be {terms.use.gain:.0%} faster.",
            final=True,
        )
    return _Speed(before, after, best["int8"].device, best["int8"].runtime)


def _int8_answers(
    draft: Package, terms: Terms, inputs: Sequence[Outputs], under: Sequence[str] = ()
) -> list[Outputs]:
    try:
        return compute(draft, terms.on, "int8", inputs, under)
    except PackageError as error:
        raise _Lost(f"it cannot be run: {error.message}") from error


def _agreement(judged: Judged, one: Sequence[Outputs], other: Sequence[Outputs]) -> Share:
    same = sum(
        judged.answer(left) == judged.answer(right) for left, right in zip(one, other, strict=True)
    )
    return share(same, len(one))


def _drop(judged: Judged, before: Sequence[Outputs], after: Sequence[Outputs]) -> float:
    return 0.0 if judged.figure is None else judged.figure(before) - judged.figure(after)


def _apart(got: Sequence[Outputs], wanted: Sequence[Outputs]) -> float:
    return max(relative_difference(one, other) for one, other in zip(got, wanted, strict=True))


def _golden(inputs: Outputs, outputs: Outputs) -> GoldenPair:
    """Take what this machine gives; the bounds leave room for one step of the scale elsewhere."""
    scale = min(map(largest_value, outputs.values()), default=0.0)
    return GoldenPair(
        inputs=inputs,
        outputs=outputs,
        precision="int8",
        absolute=SAME * max(1.0, scale),
        relative=SAME,
    )


def _askable(terms: Terms) -> Iterator[str]:
    for name in terms.processors:
        try:
            emulation(name)
        except Unavailable:
            continue
        yield name


def _on_older(
    name: str,
    draft: Package,
    judged: Judged,
    terms: Terms,
    here: Sequence[Outputs],
    speed: _Speed,
) -> Parity:
    """Hold the graph to its own answers, on an emulated older processor.

    Raises:
        _Lost: it answers otherwise there.
    """
    inputs = judged.inputs[:OLD_INPUTS]
    there = _int8_answers(draft, terms, inputs, emulation(name))
    agreed = _agreement(judged, here[: len(inputs)], there)
    apart = _apart(there, here[: len(inputs)])
    if agreed.rate < terms.use.agreement or apart > SAME:
        raise _Lost(
            f"on an emulated {name} ({OLDER[name].lacks}) {agreed.count} of {agreed.of} answers "
            f"are the same as here, and outputs differ by up to {apart:.2g} of their largest "
            f"value; {SAME} is allowed."
        )
    return Parity(
        processor=f"{name} ({OLDER[name].lacks})",
        emulated=True,
        runtime=speed.runtime,
        precision="int8",
        difference=apart,
        items=agreed.of,
        agreement=agreed.rate,
    )
