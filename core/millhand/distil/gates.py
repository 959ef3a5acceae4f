"""Gates that most plans need; plugins register them under names of theirs."""

from __future__ import annotations

from typing import ClassVar

from pydantic import BaseModel, ConfigDict, Field

from millhand.distil.roles import Evidence, GateAnswer, Ruling
from millhand.messages import tr


class WithinTeacherConfig(BaseModel):
    """Settings of :class:`WithinTeacher`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str = Field(description="Name of the figure, where more is better.")
    margin: float = Field(ge=0, description="How far below the teacher it may lie.")
    fewest_items: int = Field(default=30, ge=1, description="With fewer items it cannot judge.")


class WithinTeacher:
    """Pass where the student's figure is at most ``margin`` below the teacher's.

    Rules on the low end of the figure's interval where it has one, so that luck does not pass.
    Implements :class:`millhand.distil.roles.Gate`.
    """

    Config: ClassVar[type[BaseModel]] = WithinTeacherConfig

    def __init__(self, config: WithinTeacherConfig) -> None:
        self._config = config

    def judge(self, evidence: Evidence) -> GateAnswer:
        """Compare student and teacher on the sealed test."""
        name = self._config.metric
        metric = next((m for m in evidence.metrics if m.name == name), None)
        if metric is None or metric.teacher is None:
            return _cannot(tr("{metric} was not measured beside the teacher.", metric=name))
        if metric.items < self._config.fewest_items:
            return _cannot(
                tr(
                    "{metric} rests on {items} items, {needed} are needed.",
                    metric=name,
                    items=metric.items,
                    needed=self._config.fewest_items,
                )
            )
        surely = metric.value if metric.low is None else metric.low
        needed = metric.teacher - self._config.margin
        reason = tr(
            "{metric} is {value:.4g} (surely {surely:.4g}), the teacher's {teacher:.4g}, "
            "needed {needed:.4g}.",
            metric=name,
            value=metric.value,
            surely=surely,
            teacher=metric.teacher,
            needed=needed,
        )
        ruling = Ruling.PASS if surely >= needed else Ruling.REFUSE
        return GateAnswer(ruling=ruling, reason=reason)


class CertifiedConfig(BaseModel):
    """Settings of :class:`Certified`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    answered: float = Field(
        default=0.5, gt=0, le=1, description="Share of the items that it must answer at least."
    )


class Certified:
    """Pass where the student's answers keep the plan's promise and it answers often enough.

    Implements :class:`millhand.distil.roles.Gate`.
    """

    Config: ClassVar[type[BaseModel]] = CertifiedConfig

    def __init__(self, config: CertifiedConfig) -> None:
        self._config = config

    def judge(self, evidence: Evidence) -> GateAnswer:
        """Look at what could be promised."""
        found = evidence.abstention
        if found is None:
            return _cannot(tr("The plan asks for no promise, or the student hands in no proof."))
        if found.threshold is None:
            return _cannot(
                tr(
                    "No promise of at most {alpha:.3g} wrong is possible from {items} items; "
                    "{needed} answered, all right, would be needed.",
                    alpha=found.alpha,
                    items=found.items,
                    needed=found.needed,
                )
            )
        answered = found.answered / found.items
        reason = tr(
            "It answers {answered:.1%} from a confidence of {threshold:.3g}, surely at most "
            "{upper:.3g} of them wrongly; {needed:.1%} are to be answered.",
            answered=answered,
            threshold=found.threshold,
            upper=found.upper,
            needed=self._config.answered,
        )
        ruling = Ruling.PASS if answered >= self._config.answered else Ruling.REFUSE
        return GateAnswer(ruling=ruling, reason=reason)


class NoWorseThanControlConfig(BaseModel):
    """Settings of :class:`NoWorseThanControl`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str = Field(
        default="gain over the control", description="Name of the paired gain, with its interval."
    )
    margin: float = Field(ge=0, description="How far below the control it may lie.")


class NoWorseThanControl:
    """Pass where the student is surely at most ``margin`` worse than one that had no teacher.

    A weak teacher makes retention look good; the control shows it. Implements
    :class:`millhand.distil.roles.Gate`.
    """

    Config: ClassVar[type[BaseModel]] = NoWorseThanControlConfig

    def __init__(self, config: NoWorseThanControlConfig) -> None:
        self._config = config

    def judge(self, evidence: Evidence) -> GateAnswer:
        """Rule on the low end of the paired gain's interval."""
        name, margin = self._config.metric, self._config.margin
        gain = next((metric for metric in evidence.metrics if metric.name == name), None)
        if gain is None or gain.low is None or gain.high is None:
            return _cannot(tr("{metric} was not measured with an interval.", metric=name))
        reason = tr(
            "{metric} is {value:+.4f} ({low:+.4f} to {high:+.4f}), surely {needed:+.4f} is needed.",
            metric=name,
            value=gain.value,
            low=gain.low,
            high=gain.high,
            needed=-margin,
        )
        ruling = Ruling.PASS if gain.low >= -margin else Ruling.REFUSE
        return GateAnswer(ruling=ruling, reason=reason)


def _cannot(reason: str) -> GateAnswer:
    return GateAnswer(ruling=Ruling.CANNOT_JUDGE, reason=reason)
