"""Writing a template with its rules as a model package, with a threshold where good parts are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from millhand.models.manifest import Permission, TeacherCard
from millhand.models.package import Package
from millhand_quality.inspect.inspector import GraphRunner
from millhand_quality.inspect.package import (
    Lineage,
    Measured,
    source_of,
    write_inspection_package,
)
from millhand_quality.inspect.parameters import FrameSize, InspectParameters
from millhand_quality.inspect.pictures import Picture
from millhand_quality.inspect.reference.graph import Reference
from millhand_quality.inspect.reference.rules import ReferenceRules
from millhand_quality.inspect.threshold import calibrate

DETECTOR = "reference"
TEACHER = TeacherCard(
    id="the template itself",
    kind="none",
    licence="Apache-2.0",
    permission=Permission.GRANTED,
    evidence="Nothing was distilled: the package holds the owner's own picture and fixed rules.",
    stated_by="millhand-quality",
)
_NO_RATE = 0.5
"""Stands where no good parts were given, so that nothing is promised."""


@dataclass(frozen=True, slots=True)
class ReferenceRequest:
    """What a person asks for."""

    template: Picture
    good: Sequence[Picture]
    rules: ReferenceRules
    name: str
    product: str | None = None
    false_reject_rate: float = 0.01
    lineage: Lineage = field(default_factory=lambda: Lineage("template", "LicenseRef-proprietary"))
    licence: str = "LicenseRef-proprietary"
    command: str = ""
    replace: bool = False


def write_reference(request: ReferenceRequest, folder: Path) -> Package:
    """Write the package.

    The threshold is ``rules.least``, or what good parts need that were photographed as parts are:
    whichever is higher.

    Raises:
        PackageError: the folder exists and may not be replaced.
        ConfigError: a good picture is not of the template's size.
    """
    reference = Reference(request.template.pixels(), request.rules)
    model = reference.graph()
    runner = GraphRunner(model.SerializeToString())
    pixels = request.template.pixels()
    parameters = _parameters(request, reference, runner)
    golden = [pixels, *(one.pixels() for one in request.good[:2])]
    sources = [source_of([request.template], request.lineage, "template")]
    if request.good:
        sources.append(source_of(request.good, request.lineage, "threshold set on"))
    return write_inspection_package(
        folder,
        name=request.name,
        product=request.product,
        model=model,
        parameters=parameters,
        golden=golden,
        sources=sources,
        licence=request.licence,
        measured=Measured(times_ms=tuple(runner.times_ms(pixels))),
        command=request.command,
        seed=0,
        notes=_notes(request, parameters),
        replace=request.replace,
        teacher=TEACHER,
    )


def _parameters(
    request: ReferenceRequest, reference: Reference, runner: GraphRunner
) -> InspectParameters:
    frame, least = reference.frame, request.rules.least - 0.5
    size = FrameSize.model_validate(
        {"height": frame.height, "width": frame.width, "channels": frame.channels}
    )
    shared = {
        "frame": size,
        "detector": DETECTOR,
        "novelty_above": request.rules.foreign,
        "undecided_rate": 0.0,
        "characteristic": "layout",
    }
    scores = [runner(one.pixels()).score for one in request.good]
    if not scores:
        return InspectParameters.model_validate(
            {
                **shared,
                "pass_up_to": least,
                "reject_above": least,
                "asked_rate": request.false_reject_rate,
                "promised_rate": _NO_RATE,
                "guarantee": "estimate",
                "calibration": (0.0,),
            }
        )
    found = calibrate(scores, request.false_reject_rate, 0.0, "split-conformal")
    limit = max(least, found.reject_above)
    return InspectParameters.model_validate(
        {
            **shared,
            "pass_up_to": limit,
            "reject_above": limit,
            "asked_rate": found.asked_rate,
            "promised_rate": found.promised_rate,
            "guarantee": found.guarantee,
            "calibration": found.scores,
        }
    )


def _notes(request: ReferenceRequest, parameters: InspectParameters) -> list[str]:
    rules = ", ".join(f"{name} {value}" for name, value in request.rules)
    notes = [f"Held against a template: {rules}."]
    if not request.good:
        notes.append("No good parts were given: the rate of false rejects is not known.")
    elif parameters.promised_rate > parameters.asked_rate:
        notes.append(
            f"{len(request.good)} good parts can promise {parameters.promised_rate:.2%} of false "
            f"rejects; {parameters.asked_rate:.2%} was asked for."
        )
    return notes
