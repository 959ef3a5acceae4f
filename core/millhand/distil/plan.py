"""The distil plan: data, hashable, no code. The same plan and data rebuild the same student."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from millhand.distil.dataset import Split
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.models.licences import Licence
from millhand.models.manifest import Permission
from millhand.models.timing import NEEDED_GAIN
from millhand.scenario.document import LARGEST_FILE, read_document
from millhand.scenario.problems import problems_of


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Use(_Part):
    """A registered role with its settings."""

    use: str = Field(description="Registered name, as `millhand plugins` lists it.")
    settings: dict[str, Any] = Field(
        default_factory=dict, alias="with", description="Settings of what is used."
    )


class Statement(_Part):
    """The owner's word that a teacher's terms permit distillation. Recorded in the package."""

    permission: Permission = Field(description="granted or denied.")
    evidence: str = Field(min_length=10, description="The term, and where and when it was read.")
    stated_by: str = Field(min_length=1, description="Who says so.")


class TeacherUse(Use):
    """The teacher, with the owner's statement where the teacher's own card does not know."""

    statement: Statement | None = Field(
        default=None, description="Permission by the owner's word; cannot overrule a denial."
    )


class Budget(_Part):
    """What the student may cost. A candidate over budget is refused."""

    parameters: int | None = Field(default=None, gt=0, description="Most weights.")
    p50_ms: float | None = Field(
        default=None, gt=0, description="Longest median time of one run on one thread, in ms."
    )


class QuantiseUse(Use):
    """An int8 graph beside the fp32 one, where it wins."""

    gain: float = Field(
        default=NEEDED_GAIN,
        ge=-9,
        lt=1,
        description="How much faster it must be, as a share; below 0 it may be slower.",
    )
    agreement: float = Field(
        default=0.98, ge=0.98, le=1, description="Share of inputs that must get the same answer."
    )
    drop: float = Field(
        default=0.005, ge=0, description="Most that the student's figure of merit may lose."
    )


class CertifyUse(_Part):
    """A promise of the student's answers: it abstains below a confidence that is proven."""

    alpha: float = Field(gt=0, lt=1, description="Share of wrong answers that is not exceeded.")
    delta: float = Field(
        default=0.05, gt=0, lt=1, description="Probability with which the promise may fail."
    )


class FolderUse(_Part):
    """Pictures or arrays in a folder."""

    folder: str = Field(description="Folder, relative to the plan's file.")
    pattern: str = Field(default="**/*", description="Which files, as a glob.")
    group: str = Field(
        default=r"(?P<group>.+?)(\.[^./]*)?",
        description="Regular expression over the relative path; its group `group` names the part.",
    )
    label: str = Field(
        default=r"((.*/)?(?P<label>[^/]+)/)?[^/]+",
        description="Regular expression over the relative path; its group `label` is the label.",
    )
    shelf: str = Field(
        default="",
        description="Regular expression over the relative path; its group `shelf` says what the "
        "file is for: train, pool, calibration or test. Without it the split decides.",
    )
    licence: str = Field(description="SPDX identifier of the data, or the words of its source.")
    recipe: str = Field(default="", description="Command that makes the data again.")

    @field_validator("group", "label", "shelf")
    @classmethod
    def _compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(tr("it is no regular expression: {why}", why=error)) from error
        return value


_LATER = ("quantise", "processors", "certify")


class DistilPlan(_Part):
    """Everything that decides what the student becomes, except the data themselves."""

    millhand_distil: Literal[1] = Field(description="Version of this form.")
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,79}$", description="Name of the package.")
    version: str = Field(default="1", description="Version of the package.")
    task: str = Field(description="anomaly-inspection, classification, …")
    product: str | None = Field(default=None, description="The product it is for.")
    licence: Licence = Field(description="The package's licence: an SPDX expression.")
    seed: int = Field(default=0, ge=0, description="Seed of everything random.")
    teacher: TeacherUse
    student: Use
    data: FolderUse | None = Field(default=None, description="Where the data lie.")
    split: Split = Field(default_factory=Split)
    budget: Budget = Field(default_factory=Budget)
    quantise: QuantiseUse | None = Field(
        default=None, description="Whether to try int8; without it the student stays fp32."
    )
    processors: tuple[str, ...] = Field(
        default=(),
        description="Older processors on which the graphs must answer alike, emulated: haswell, "
        "nehalem.",
    )
    certify: CertifyUse | None = Field(
        default=None, description="What is to be promised of the student's answers."
    )
    gates: tuple[Use, ...] = Field(default=(), description="All must pass.")
    accelerator: Use = Field(
        default_factory=lambda: Use(use="onnxruntime"),
        description="Where the candidate is checked and measured.",
    )

    def to_bytes(self) -> bytes:
        """Canonical JSON: sorted keys, no white space, UTF-8.

        What came into the form later is left out where it is not used, so that older plans keep
        their hash.
        """
        data = self.model_dump(mode="json", by_alias=True)
        for key in _LATER:
            if not data[key]:
                del data[key]
        return json.dumps(
            data, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
        ).encode()

    @property
    def sha256(self) -> str:
        """SHA-256 of the canonical JSON."""
        return hashlib.sha256(self.to_bytes()).hexdigest()


def load_plan(path: Path) -> DistilPlan:
    """Load a plan from YAML 1.2.

    Raises:
        ConfigError: it cannot be read or something in it is wrong; each with file, line and key.
    """
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise ConfigError(tr("{path} is too large for a plan.", path=path))
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            tr("The plan {path} cannot be read: {why}.", path=path, why=error),
            mend=tr("Give the path of a distil plan in YAML."),
        ) from error
    document = read_document(text, str(path))
    try:
        return DistilPlan.model_validate(document.data)
    except ValidationError as error:
        raise ConfigError.of(problems_of(error, DistilPlan, document)) from None
