"""From tickets to a model package: learn, calibrate, certify, test once, write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from millhand.distil.dataset import Shelf, Split
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.models.builder import PackageBuilder
from millhand.models.manifest import Metric, Permission, Source, TeacherCard
from millhand.models.package import Package
from millhand.statistics.calibration import fit_temperature, softmax
from millhand.statistics.intervals import share
from millhand.statistics.selective import Certificate, NoCertificate, certify
from millhand_admin.tickets.graph import BUCKETS, KNOWN, MEANINGS, PROBABILITIES, WEIGHTS, graph_of
from millhand_admin.tickets.learn import Learning, Weights, learn
from millhand_admin.tickets.ngrams import Pieces, pieces
from millhand_admin.tickets.ticket import Ticket

TASK = "ticket-routing"
STRANGE = 0.02
"""Share of ordinary tickets that may be taken for strange ones."""
NEVER = 1.1
"""A confidence that no answer has."""
_FEWEST = 3
"""Tickets of a kind, or it cannot be learnt and tested."""


class RouterParameters(BaseModel):
    """What the agent needs besides the graph."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kinds: tuple[str, ...]
    pieces: Pieces
    threshold: float = Field(description="Answer from this confidence on.")
    known: float = Field(description="Answer only texts of which so much was seen.")
    alpha: float = Field(description="Error rate among the answered that is proven.")
    certified: bool


@dataclass(frozen=True, slots=True)
class Fitted:
    """A router with what was found of it on tickets that it was not taught."""

    weights: Weights
    temperature: float
    parameters: RouterParameters
    certificate: Certificate | NoCertificate
    metrics: tuple[Metric, ...]


def fit(
    tickets: Sequence[Ticket],
    *,
    alpha: float = 0.05,
    delta: float = 0.1,
    split: Split | None = None,
    rules: Pieces | None = None,
    how: Learning | None = None,
) -> Fitted:
    """Learn on one shelf, calibrate and certify on another, measure on the third.

    Args:
        tickets: texts with their kinds; texts that say the same stay on one shelf.
        alpha: error rate among the answered that must not be exceeded.
        delta: probability with which that promise may fail.
        split: shares of the shelves; 60, 20 and 20 % unless said.
        rules: which pieces of a text count.
        how: how it is learnt.

    Raises:
        ConfigError: fewer than two kinds, a kind with too few tickets, or an empty shelf.
    """
    split, rules, how = split or Split(), rules or Pieces(), how or Learning()
    kinds = _kinds(tickets)
    shelves = {
        shelf: [one for one in tickets if split.shelf(one.group) is shelf] for shelf in Shelf
    }
    taught, held, test = (shelves[one] for one in (Shelf.TRAIN, Shelf.CALIBRATION, Shelf.TEST))
    if not taught or not held or not test:
        raise ConfigError(
            tr("There are too few tickets to learn, to calibrate and to test."),
            mend=tr("Add tickets; some hundreds are a beginning."),
        )
    places = {kind: place for place, kind in enumerate(kinds)}
    weights = learn(
        [one.text for one in taught], [places[one.kind] for one in taught], len(kinds), rules, how
    )
    logits = _logits(weights, held, rules)
    right = np.array([places[one.kind] for one in held])
    temperature = fit_temperature(logits, right)
    known = np.array([weights.known(one.text, rules) for one in held])
    familiar = float(np.quantile(known, STRANGE))
    sure, wrong = _answers(logits, right, temperature)
    sure[known < familiar] = np.nan
    certificate = certify(sure, wrong, alpha=alpha, delta=delta)
    certified = isinstance(certificate, Certificate)
    parameters = RouterParameters(
        kinds=kinds,
        pieces=rules,
        threshold=certificate.threshold if isinstance(certificate, Certificate) else NEVER,
        known=familiar,
        alpha=alpha,
        certified=certified,
    )
    test_right = np.array([places[one.kind] for one in test])
    test_sure, test_wrong = _answers(_logits(weights, test, rules), test_right, temperature)
    test_known = np.array([weights.known(one.text, rules) for one in test])
    test_sure[test_known < familiar] = np.nan
    common = Counter(one.kind for one in taught).most_common(1)[0][0]
    baseline = np.array([one.kind != common for one in test])
    metrics = _metrics(test_sure, test_wrong, baseline, parameters.threshold)
    return Fitted(weights, temperature, parameters, certificate, metrics)


def _kinds(tickets: Sequence[Ticket]) -> tuple[str, ...]:
    counts = Counter(one.kind for one in tickets)
    few = sorted(kind for kind, count in counts.items() if count < _FEWEST)
    if len(counts) < 2 or few:
        raise ConfigError(
            tr("Some kinds have fewer than {count} tickets: {kinds}.", count=_FEWEST,
               kinds=", ".join(few) or tr("there is only one kind")),
            mend=tr("Join them with others, or add tickets."),
        )  # fmt: skip
    return tuple(sorted(counts))


def _logits(weights: Weights, tickets: Sequence[Ticket], rules: Pieces) -> NDArray[np.float64]:
    return np.array([weights.logits(one.text, rules) for one in tickets], np.float64)


def _answers(
    logits: NDArray[np.float64], right: NDArray[np.int64], temperature: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return how sure each answer is, and whether it is wrong."""
    probabilities = softmax(logits / temperature)
    return probabilities.max(1), probabilities.argmax(1) != right


def _metrics(
    sure: NDArray[np.float64],
    wrong: NDArray[np.bool_],
    baseline: NDArray[np.bool_],
    threshold: float,
) -> tuple[Metric, ...]:
    answered = sure >= threshold
    method = "Clopper-Pearson 95 %"

    def metric(name: str, count: int, of: int, data: str) -> Metric:
        got = share(count, of)
        return Metric(name=name, value=count / of, low=got.low, high=got.high, items=of,
                      data=data, method=method)  # fmt: skip

    items = len(sure)
    found = [
        metric("accuracy", int((~wrong).sum()), items, "sealed test, all tickets"),
        metric("accuracy of always the commonest", int((~baseline).sum()), items,
               "sealed test, the trivial baseline"),
        metric("coverage", int(answered.sum()), items, "sealed test, answered at the threshold"),
    ]  # fmt: skip
    if answered.any():
        found.append(
            metric("accuracy of the answered", int((~wrong[answered]).sum()),
                   int(answered.sum()), "sealed test, answered at the threshold")
        )  # fmt: skip
    return tuple(found)


def write_package(
    fitted: Fitted, tickets: Sequence[Ticket], out: Path, *, licence: str, name: str = "tickets",
    command: str = "", seed: int = 0, replace: bool = False,
) -> Package:  # fmt: skip
    """Write the package; the teacher is the people who labelled."""
    parameters = fitted.parameters
    builder = PackageBuilder(
        name=name,
        task=TASK,
        licence=licence,
        teacher=TeacherCard(
            id="people's labels",
            kind="person",
            licence=licence,
            permission=Permission.GRANTED,
            evidence="The tickets' owner fits the package on the labels of the plant's people.",
        ),
        meanings=MEANINGS,
        parameters=parameters.model_dump(mode="json"),
        seed=seed,
        command=command,
    )
    builder.add_graph(graph_of(fitted.weights, fitted.temperature))
    for text in (tickets[0].text, tickets[-1].text):
        buckets, weights = pieces(text, parameters.pieces)
        logits = fitted.weights.logits(text, parameters.pieces) / fitted.temperature
        builder.add_golden(
            {BUCKETS: buckets, WEIGHTS: weights},
            {
                PROBABILITIES: softmax(logits[None, :]).astype(np.float32),
                KNOWN: np.array([fitted.weights.known(text, parameters.pieces)], np.float32),
            },
        )
    digests = sorted(sha256(f"{one.kind}\0{one.text}".encode()).hexdigest() for one in tickets)
    builder.add_source(
        Source(name="tickets", licence=licence, items=len(tickets),
               sha256=sha256("\n".join(digests).encode()).hexdigest())
    )  # fmt: skip
    builder.add_metric(*fitted.metrics)
    builder.add_note(_promise(fitted.certificate))
    return builder.write(out, replace=replace)


def _promise(certificate: Certificate | NoCertificate) -> str:
    if isinstance(certificate, Certificate):
        return (
            f"Answers from confidence {certificate.threshold} on: at most {certificate.alpha:.1%} "
            f"of those are wrong, but for a chance of {certificate.delta:.0%} "
            f"({certificate.wrong} of {certificate.answered} in calibration). "
            "The promise ends when tickets change."
        )
    return (
        f"No bound of {certificate.alpha:.1%} could be proven with {certificate.items} tickets: "
        f"at least {certificate.needed} answered without error are needed. It answers nothing."
    )
