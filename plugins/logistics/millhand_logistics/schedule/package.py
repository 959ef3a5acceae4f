"""A student's package: what it holds, when it may be used, and how the builder gets its weights."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from millhand.contracts import Model
from millhand.errors import PackageError
from millhand.messages import tr
from millhand.models.package import Package
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.problem import Problem
from millhand_logistics.schedule.tables import FEATURES, HIDDEN, HIDDEN_2

TASK = "dispatching"
FEATURES_VERSION = 1
"""Raised whenever a feature changes its meaning; a package of another version is refused."""
ROWS, SCORES = "rows", "scores"
"""Names of the graph's input and output."""
MEANINGS = {
    ROWS: "what is known of each candidate of one choice, (candidates, features); no unit",
    SCORES: "score of each candidate; the highest is taken",
}
_SHAPES = ((FEATURES, HIDDEN), (HIDDEN,), (2 * HIDDEN, HIDDEN_2), (HIDDEN_2,), (HIDDEN_2,))
_NEAR = 1e-3

Span = Annotated[tuple[float, float], Field(description="Least and most.")]


class StudentParameters(BaseModel):
    """What the package tells the agent."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    features_version: int = Field(description="Version of the features.")
    weights: str = Field(description="All weights, float32, little endian, base64.")
    known: dict[str, Span] = Field(description="What the shops it learnt from were like.")


def describe(problem: Problem) -> dict[str, float]:
    """Describe a shop by what decides whether a student has seen its like."""
    t = problem.tables
    movable = t.fixed == 0
    counts = np.diff(t.alt_ptr)
    return {
        "orders": float(t.orders),
        "machines": float(t.machines),
        "operations": float(movable.sum()),
        "alternatives": float(counts.mean()),
        "set-ups": float(bool(t.setup.any())),
        "breaks": float(bool(t.cal_start.size)),
        "due dates": float(bool((t.due >= 0).any()) and problem.objective.tardiness > 0),
        "spread of times": float(t.quickest.std() / t.mean_time),
    }


def spans(described: list[dict[str, float]]) -> dict[str, Span]:
    """Return least and most of each figure over many shops."""
    return {
        name: (min(d[name] for d in described), max(d[name] for d in described))
        for name in described[0]
    }


def unlike(problem: Problem, known: Mapping[str, Span]) -> str:
    """Say in which way a shop is unlike all that the student learnt from; empty where it is like.

    Sizes may be up to four times beyond, other figures by half of their span.
    """
    for name, value in describe(problem).items():
        low, high = known.get(name, (-math.inf, math.inf))
        if name in {"orders", "machines", "operations"}:
            fits = value <= 4 * high
        else:
            room = 0.5 * (high - low)
            fits = low - room <= value <= high + room
        if not fits:
            return tr(
                "{name} {value:.3g}, learnt from {low:.3g} to {high:.3g}",
                name=name,
                value=value,
                low=low,
                high=high,
            )
    return ""


def packed(policy: Policy, known: Mapping[str, Span]) -> StudentParameters:
    """Pack a policy's weights."""
    flat = np.concatenate([w.ravel() for w in policy.weights]).astype("<f4")
    return StudentParameters(
        features_version=FEATURES_VERSION,
        weights=base64.b64encode(flat.tobytes()).decode(),
        known=dict(known),
    )


def read_parameters(parameters: Mapping[str, Any]) -> StudentParameters:
    """Read what a package tells the agent.

    Raises:
        PackageError: it is of another task or version.
    """
    try:
        found = StudentParameters.model_validate(dict(parameters))
    except ValidationError as error:
        raise PackageError(
            tr("The package is not for planning."),
            fault="task",
            mend=tr("Name a package made with the student “logistics.dispatcher”."),
        ) from error
    if found.features_version != FEATURES_VERSION:
        raise PackageError(
            tr(
                "The student was made for features of version {met}, not {wanted}.",
                met=found.features_version,
                wanted=FEATURES_VERSION,
            ),
            fault="version",
            mend=tr("Distil it anew with its plan."),
        )
    return found


def policy_of(model: Model) -> tuple[Policy, StudentParameters]:
    """Return an opened student as the builder wants it, and what it knows.

    The builder works on the weights themselves. They are believed only where they give what the
    package's graph gives, which has proved itself on the golden outputs.

    Raises:
        PackageError: the package is of another task or version, or weights and graph differ.
    """
    parameters = read_parameters(model.parameters)
    policy = _unpacked(parameters)
    rows = probe()
    answered = model(**{ROWS: rows})[SCORES]
    own = policy.scores(rows.astype(np.float64), np.zeros(1, np.int64))
    scale = max(1.0, float(np.abs(own).max()))
    if answered.shape != own.shape or float(np.abs(answered - own).max()) > _NEAR * scale:
        raise PackageError(
            tr("Weights and graph of the package {id} differ.", id=model.package_id),
            fault="weights",
            mend=tr("Distil it anew with its plan."),
        )
    return policy, parameters


def policy_in(package: Package) -> Policy:
    """Return the policy of a verified package, where nothing runs its graph.

    Raises:
        PackageError: the package is of another task or version, or damaged.
    """
    return _unpacked(read_parameters(package.manifest.parameters))


def probe() -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return rows of features to compare answers on, the same each time."""
    return np.random.default_rng(20_261_125).normal(0, 1, (7, FEATURES)).astype(np.float32)


def _unpacked(parameters: StudentParameters) -> Policy:
    try:
        flat = np.frombuffer(base64.b64decode(parameters.weights, validate=True), "<f4")
        ends = np.cumsum([math.prod(shape) for shape in _SHAPES])
    except ValueError:
        flat, ends = np.zeros(0, np.float32), np.ones(1, np.int64)
    if flat.size != ends[-1] or not np.isfinite(flat).all():
        raise PackageError(
            tr("The weights of the package are damaged."),
            fault="weights",
            mend=tr("Copy the package again."),
        )
    parts = np.split(flat.astype(np.float64), ends[:-1])
    return Policy(*(part.reshape(shape) for part, shape in zip(parts, _SHAPES, strict=True)))
