"""The agent ``quality.classify``: names the kind of defect, or says that it cannot."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from millhand.contracts import (
    Decision,
    Frame,
    Highlight,
    Model,
    Models,
    Needs,
    Observation,
    TriggerKind,
)
from millhand.messages import tr
from millhand_quality.classify.config import ClassifyConfig
from millhand_quality.classify.crop import cut
from millhand_quality.classify.naming import name_kind
from millhand_quality.classify.parameters import (
    IMAGE,
    PROBABILITIES,
    KindsParameters,
    read_parameters,
)
from millhand_quality.inspect.parameters import InspectParameters
from millhand_quality.inspect.parameters import read_parameters as read_inspector

FRAME, WHERE, KINDS = "frame", "where", "kinds"
"""Roles that the scenario binds: a picture, an inspector's model, the classifier."""
KIND_FOUND = "quality.kind_found"
"""Event: of what kind a part's defect is."""


class ClassifyAgent:
    """Looks where an inspector's model is most alarmed, and names what is there.

    It judges no part and asks for no action: whoever has the channel does that. It abstains
    below the confidence that its package has proven. Keeps no memory.
    """

    Config: ClassVar[type[ClassifyConfig]] = ClassifyConfig

    def __init__(self, config: ClassifyConfig) -> None:
        self._config = config
        self._inspectors: dict[str, InspectParameters] = {}
        self._classifiers: dict[str, KindsParameters] = {}

    def needs(self) -> Needs:
        """One frame and two models for each part."""
        return Needs(
            triggers=frozenset({TriggerKind.PART}),
            frames=frozenset({FRAME}),
            models=frozenset({WHERE, KINDS}),
        )

    def decide(self, observation: Observation, models: Models) -> Decision:
        """Name the kind of what is most suspicious in the frame.

        Raises:
            PackageError: a model's package is not for this agent.
        """
        frame, where, kinds = observation.frames.get(FRAME), models.get(WHERE), models.get(KINDS)
        if frame is None or where is None or kinds is None:
            return Decision(reason=tr("There is no picture or no model of this part."))
        used = {WHERE: where.package_id, KINDS: kinds.package_id}
        known, wanted = self._known(where), self._classes(kinds)
        shape = known.frame
        if frame.pixels.shape != (shape.height, shape.width, shape.channels):
            return Decision(reason=tr("The picture has another size."), models=used)
        seen = where(image=np.ascontiguousarray(frame.pixels))
        score = float(seen["score"][0])
        if score <= known.reject_above and not self._config.everything:
            return Decision(reason=tr("Nothing to classify."), scores={"score": score}, models=used)
        row, column = _worst(seen["heat"], frame)
        square = cut(frame.pixels, row, column, wanted.side)
        found = name_kind(kinds(**{IMAGE: square})[PROBABILITIES], wanted)
        return Decision(
            confidence=found.confidence,
            reason=found.reason,
            scores={"score": score, **found.scores},
            events=(found.event(KIND_FOUND, observation),),
            explanations=(
                Highlight(
                    fields={
                        "kind": found.named,
                        "row": row,
                        "column": column,
                        "confidence": found.sure,
                    }
                ),
            ),
            models=used,
        )

    def _known(self, model: Model) -> InspectParameters:
        if model.package_id not in self._inspectors:
            self._inspectors[model.package_id] = read_inspector(model.parameters)
        return self._inspectors[model.package_id]

    def _classes(self, model: Model) -> KindsParameters:
        if model.package_id not in self._classifiers:
            self._classifiers[model.package_id] = read_parameters(model.parameters)
        return self._classifiers[model.package_id]


def _worst(
    heat: np.ndarray[tuple[int, ...], np.dtype[np.float32]], frame: Frame
) -> tuple[int, int]:
    """Return the middle of the most suspicious cell, in pixels of the frame."""
    rows, columns = heat.shape
    at = int(np.nan_to_num(heat, nan=-np.inf).argmax())
    height, width = frame.pixels.shape[:2]
    row, column = at // columns, at % columns
    return (2 * row + 1) * height // (2 * rows), (2 * column + 1) * width // (2 * columns)
