"""Several teachers as one: the mean of their probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from millhand.distil.dataset import Arrays
from millhand.distil.plan import Use
from millhand.distil.roles import Teacher
from millhand.errors import ConfigError
from millhand.messages import tr
from millhand.models.manifest import Permission, TeacherCard
from millhand.statistics.calibration import softmax

LOGITS = "logits"


class EnsembleConfig(BaseModel):
    """Settings of :class:`Ensemble`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    members: tuple[Use, ...] = Field(min_length=2, description="The teachers, each as in a plan.")
    weights: tuple[float, ...] = Field(
        default=(), description="What each one's word counts; all the same where left out."
    )


class Ensemble:
    """Asks all, and answers with the logarithm of their mean probability.

    It may be learnt from only where each of its members may. Implements
    :class:`millhand.distil.roles.Teacher`.
    """

    Config: ClassVar[type[EnsembleConfig]] = EnsembleConfig

    def __init__(self, config: EnsembleConfig) -> None:
        self._config = config
        self._members: tuple[Teacher, ...] = ()
        if config.weights and (
            len(config.weights) != len(config.members) or min(config.weights) <= 0
        ):
            raise ConfigError(
                tr(
                    "An ensemble of {count} needs as many weights above 0.",
                    count=len(config.members),
                )
            )

    @property
    def members(self) -> tuple[Use, ...]:
        """What is to be built and given to :meth:`join`."""
        return self._config.members

    def join(self, members: Sequence[Teacher]) -> None:
        """Take the members, in the order of the settings."""
        self._members = tuple(members)

    def card(self) -> TeacherCard:
        """Return one card for all: the strictest permission, every evidence."""
        cards = [member.card() for member in self._members]
        order = (Permission.DENIED, Permission.UNKNOWN, Permission.GRANTED)
        return TeacherCard(
            id=tr("ensemble of {names}", names=", ".join(card.id for card in cards)),
            kind="ensemble",
            licence=" AND ".join(sorted({card.licence for card in cards})),
            permission=min((card.permission for card in cards), key=order.index),
            evidence="; ".join(f"{card.id}: {card.evidence}" for card in cards),
            stated_by=", ".join(sorted({card.stated_by for card in cards if card.stated_by})),
        )

    def label(self, items: Sequence[Arrays]) -> Sequence[Arrays]:
        """Return ``logits`` of each item.

        Raises:
            ConfigError: members give no logits, or of different classes.
        """
        answers = [_logits(member.label(items)) for member in self._members]
        if len({answer.shape for answer in answers}) != 1:
            raise ConfigError(tr("The members of the ensemble answer with different classes."))
        weights = np.array(self._config.weights or [1.0] * len(answers))
        shares = np.stack([softmax(answer) for answer in answers])
        mean = np.tensordot(weights / weights.sum(), shares, axes=1)
        return [{LOGITS: row} for row in np.log(np.maximum(mean, 1e-9)).astype(np.float32)]

    def close(self) -> None:
        """Close all."""
        for member in self._members:
            member.close()


def _logits(answers: Sequence[Mapping[str, Any]]) -> Any:
    if not all(LOGITS in answer for answer in answers):
        raise ConfigError(
            tr("A member of the ensemble gives no logits."),
            mend=tr("Join teachers that name classes."),
        )
    return np.stack([np.asarray(answer[LOGITS], np.float64) for answer in answers])
