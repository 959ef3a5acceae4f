"""The roles in a distillation: teacher, student, gate. Plugins play them.

All three are built as ``RoleClass(config)`` with a validated ``RoleClass.Config``. Building is
light: weights are read and torch is imported only when the role is asked to work.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Protocol

from msgspec import Struct
from numpy.typing import NDArray
from pydantic import BaseModel

from millhand.contracts.agent import Model
from millhand.distil.dataset import Arrays, Items
from millhand.distil.plan import DistilPlan
from millhand.models.builder import Precision
from millhand.models.golden import GoldenReport
from millhand.models.manifest import Abstention, Latency, Metric, Parity, TeacherCard
from millhand.models.package import Package


class Progress(Struct, frozen=True, kw_only=True):
    """How far a distillation is. ``fraction`` is of this stage, 0 to 1."""

    stage: str
    fraction: float
    text: str = ""
    left_s: float | None = None
    """Seconds that the stage may still take, where that can be said."""


Report = Callable[[Progress], None]
"""Takes progress; called often, returns at once."""


class Teacher(Protocol):
    """Someone who knows: a backbone, an ensemble, a solver, a person's labels."""

    Config: ClassVar[type[BaseModel]]

    def card(self) -> TeacherCard:
        """Say who the teacher is and by what right. Asked first, before any weights are read."""
        ...

    def label(self, items: Sequence[Arrays]) -> Sequence[Arrays]:
        """Return soft labels by name, one mapping for each item. Deterministic."""
        ...

    def close(self) -> None:
        """Give memory back."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """What a student gets to learn from. Never the test."""

    plan: DistilPlan
    teacher: Teacher
    train: Items
    pool: Items
    calibration: Items
    workspace: Path
    """A folder of its own. Where the distillation is kept, the next run of the same plan on the
    same data finds what this one left: write whole files, under another name first."""
    report: Callable[[float, str], None]
    """Takes the fraction done and a line for a person."""
    seconds: float | None = None
    """Time that learning may take, where it is limited; who cannot keep to it ignores it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GoldenPair:
    """Inputs with the outputs that the exported graph must reproduce.

    The outputs come from the trained model itself where there is one, so that a graph which
    differs from what was trained is refused.
    """

    inputs: Mapping[str, NDArray[Any]]
    outputs: Mapping[str, NDArray[Any]]
    precision: Precision = "fp32"
    absolute: float = 1e-4
    relative: float = 1e-4


Outputs = Mapping[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Held-out inputs by which another precision of the same graph is judged. Never the test."""

    inputs: Sequence[Arrays]
    """The arrays of each run: ordinary ones, and such as are hard to tell."""
    answer: Callable[[Outputs], Hashable]
    """What an agent makes of the outputs: the class, the verdict."""
    figure: Callable[[Sequence[Outputs]], float] | None = None
    """A figure of merit of the outputs for all inputs, where more is better; None for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Held-out items that prove how often the student is wrong when it answers.

    Nothing may have been fitted on them: neither weights nor temperature nor thresholds. Items of
    one part count as one piece of evidence, so that each part gives one item.
    """

    inputs: Sequence[Arrays]
    right: Sequence[Hashable]
    """The right answer to each."""
    answer: Callable[[Outputs], Hashable]
    confidence: Callable[[Outputs], float]
    """How sure the student is of its answer, 0 to 1; NaN where it gives none."""
    data: str
    """Which data these are, in words."""
    told: Callable[[Abstention], Mapping[str, Any]] | None = None
    """The package's parameters by which its agent keeps the promise; None where there are none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What a student hands in: graphs and all that belongs into the package."""

    graphs: Mapping[Precision, bytes]
    meanings: Mapping[str, str]
    """What each input and output holds, with unit or range."""
    golden: Sequence[GoldenPair]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """Plain values for the agent: thresholds, names."""
    files: Mapping[str, tuple[bytes, str]] = field(default_factory=dict)
    """More files by path, each with what it holds."""
    notes: Sequence[str] = ()
    judged: Judged | None = None
    """What an int8 graph is made with and held to; without it a student stays fp32."""
    parity: Sequence[Parity] = ()
    proof: Proof | None = None
    """By what its abstention can be certified; without it nothing is promised."""


class Quantiser(Protocol):
    """Makes an int8 graph of an fp32 one, with the same inputs and outputs."""

    Config: ClassVar[type[BaseModel]]

    def quantise(self, graph: bytes, inputs: Sequence[Arrays], *, bits: int) -> bytes:
        """Return the graph in int8; ``inputs`` set the ranges of what flows through it.

        Args:
            graph: ONNX, fp32.
            inputs: the arrays of each run, by the inputs' names.
            bits: 8, or 7 for weights whose sums of products cannot overflow on processors
                without VNNI.

        Raises:
            ConfigError: a library is not installed, or the graph cannot be quantised.
        """
        ...


class Student(Protocol):
    """An architecture that learns within a budget and is exported as ONNX."""

    Config: ClassVar[type[BaseModel]]

    def learn(self, lesson: Lesson) -> Exported:
        """Learn and export. Deterministic for a seed, as far as its libraries are."""
        ...

    def evaluate(self, model: Model, teacher: Teacher, items: Items) -> Sequence[Metric]:
        """Measure the exported model, as it will run, beside the teacher on the same items."""
        ...


class Ruling(StrEnum):
    """What a gate may say."""

    PASS = "pass"  # noqa: S105
    REFUSE = "refuse"
    CANNOT_JUDGE = "cannot_judge"


class GateAnswer(Struct, frozen=True, kw_only=True):
    """A gate's ruling with its reason, for a person."""

    ruling: Ruling
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a gate rules on."""

    plan: DistilPlan
    package: Package
    """The candidate, verified, not yet released."""
    metrics: tuple[Metric, ...]
    """Taken on the sealed test."""
    latency: tuple[Latency, ...]
    golden: GoldenReport
    abstention: Abstention | None
    """What is promised of its answers; None where the plan does not ask."""
    test_readings: int
    """How often this test was looked at, this time included."""


class Gate(Protocol):
    """One condition on a candidate. A pure function of the evidence."""

    Config: ClassVar[type[BaseModel]]

    def judge(self, evidence: Evidence) -> GateAnswer:
        """Pass, refuse with a reason, or say that it cannot judge and why."""
        ...
