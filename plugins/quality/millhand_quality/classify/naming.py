"""From a classifier's probabilities to a kind that is named, or to none: words, figures, event."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

from numpy.typing import NDArray

from millhand.contracts import CustomEvent, Observation, PartTrigger
from millhand.messages import tr


class Answering(Protocol):
    """What a classifier's package says of its classes."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Kinds, in the order of the output."""

    @property
    def answer_from(self) -> float:
        """Least confidence of an answer; above 1 where nothing is proven."""


@dataclass(frozen=True, slots=True)
class Naming:
    """The likeliest kind, and whether it is sure enough to be named."""

    kind: str
    sure: float
    """Its calibrated probability."""
    reason: str
    answered: bool
    scores: dict[str, float]
    """The probability of each kind, as ``p_<kind>``."""

    @property
    def named(self) -> str | None:
        """The kind, None where it abstains."""
        return self.kind if self.answered else None

    @property
    def confidence(self) -> float | None:
        """The probability of what is named, None where it abstains."""
        return self.sure if self.answered else None

    def event(self, name: str, observation: Observation) -> CustomEvent:
        """Tell others of it; ``kind`` is empty where it abstains."""
        trigger = observation.trigger
        return CustomEvent(
            name=name,
            data={
                "part": trigger.part_id if isinstance(trigger, PartTrigger) else "",
                "product": observation.product or "",
                "kind": self.named,
                "confidence": self.sure,
            },
        )


def name_kind(shares: NDArray[Any], wanted: Answering) -> Naming:
    """Name the likeliest kind where it reaches the confidence that the package has proven.

    Args:
        shares: ``(classes,)``, calibrated probabilities.
        wanted: what the package says of its classes.
    """
    place = int(shares.argmax())
    kind, sure = wanted.classes[place], float(shares[place])
    answered = sure >= wanted.answer_from
    return Naming(
        kind=kind,
        sure=sure,
        reason=_words(kind, sure, wanted, answered=answered),
        answered=answered,
        scores={
            f"p_{name}": float(share) for name, share in zip(wanted.classes, shares, strict=True)
        },
    )


def _words(kind: str, sure: float, wanted: Answering, *, answered: bool) -> str:
    share = f"{100 * sure:.0f}"
    if answered:
        return tr("{kind}, {share} % sure", kind=kind, share=share)
    if wanted.answer_from > 1:
        return tr("No kind is named: the package has proven no error rate.")
    return tr("It cannot tell the kind: perhaps {kind}, {share} % sure.", kind=kind, share=share)
