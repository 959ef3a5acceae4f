"""Runs made up for tests: the entries that an engine would journal, without an engine."""

from __future__ import annotations

from msgspec import Struct

from millhand.contracts.command import Answer, AnswerCode, Command
from millhand.contracts.decision import Decision, Disposition, Explanation, Verdict
from millhand.contracts.frames import Frame
from millhand.contracts.modes import Mode
from millhand.contracts.observation import Observation
from millhand.contracts.plant import PartTruth
from millhand.contracts.triggers import PartTrigger
from millhand.journal.records import Cause, Gate, Intent, Outcome, OutcomeStatus, Record, Started

_NS_PER_MS = 1_000_000
_SHA = "0" * 64


class MadeEntry(Struct, frozen=True, kw_only=True):
    """An entry as the ledger reads it."""

    id: str
    at_utc_ns: int
    record: Record


class MadeRun:
    """A run under construction: one part every ``period_ms``, all decided alike unless told."""

    def __init__(self, *, cell: str = "cell", period_ms: int = 200, start_utc_ns: int = 0) -> None:
        self.cell = cell
        self.entries: list[MadeEntry] = []
        self.truths: list[PartTruth] = []
        self._period_ns = period_ms * _NS_PER_MS
        self._start_utc_ns = start_utc_ns or 1_790_000_000_000_000_000
        self._parts = 0
        started = Started(scenario=cell, scenario_sha256=_SHA, millhand="0.1.0")
        self._add(f"{cell}.1.start", started, 0)

    def part(
        self,
        verdict: Verdict | None = Verdict.OK,
        disposition: Disposition | None = None,
        *,
        agent: str = "inspector",
        mode: Mode = Mode.CONTROL,
        cause: Cause = Cause.DECIDED,
        product: str = "impeller",
        score: float | None = None,
        reason: str = "",
        frame: Frame | None = None,
        explanations: tuple[Explanation, ...] = (),
        stages_ms: dict[str, float] | None = None,
        status: OutcomeStatus | None = OutcomeStatus.CONFIRMED,
        accepted_ms: float = 20.0,
        gate: AnswerCode | None = AnswerCode.EXECUTED,
        defect: str | None = None,
        area_px2: float = 100.0,
        contrast: float = 0.5,
        challenge: bool = False,
    ) -> str:
        """Add a part's intent, outcome, gate and truth; return the decision's id.

        Times are milliseconds from the trigger. ``status=None`` leaves the intent open, and
        ``gate=None`` the part before the gate.
        """
        self._parts += 1
        number = self._parts
        decision_id, part_id = f"{self.cell}.1.{number}", f"P{number:06d}"
        disposition = disposition or _USUAL[verdict]
        command = Command(id=number, part_id=part_id, result=1, valid_until=number)
        intent = Intent(
            observation=Observation(
                id=decision_id,
                agent=agent,
                trigger=self._trigger(number, part_id, product),
                product=product,
                frames={"frame": frame} if frame else {},
            ),
            decision=Decision(
                verdict=verdict,
                reason=reason,
                scores={} if score is None else {"score": score, "limit": 1.0},
                explanations=explanations,
            ),
            cause=cause,
            mode=mode,
            disposition=disposition,
            command=command,
            scenario_sha256=_SHA,
            deadline_ns=80 * _NS_PER_MS,
            stages_ns=_ns(
                stages_ms or {"observed": 4.0, "decided": 9.0, "model": 3.0, "judged": 9.1}
            ),
        )
        at = number * self._period_ns
        self._add(decision_id, intent, at)
        if status is not None:
            outcome = _outcome(status, command, part_id, accepted_ms)
            self._add(decision_id, outcome, at + int(accepted_ms * _NS_PER_MS))
        if gate is not None:
            answer = Answer(command_id=number, part_id=part_id, code=gate, plc_tick=number)
            self._add(part_id, Gate(channel="plc.result", answer=answer), at + self._period_ns)
        self.truths.append(
            PartTruth(
                part_id=part_id,
                product=product,
                defect=defect,
                area_px2=area_px2 if defect else 0.0,
                contrast=contrast if defect else 0.0,
                challenge=challenge,
            )
        )
        return decision_id

    def remark(self, agent: str, reason: str, *, product: str = "impeller") -> None:
        """Add what an agent that only watches says of the last part."""
        number = self._parts
        decision_id = f"{self.cell}.1.{agent}.{number}"
        intent = Intent(
            observation=Observation(
                id=decision_id,
                agent=agent,
                trigger=self._trigger(number, f"P{number:06d}", product),
                product=product,
            ),
            decision=Decision(reason=reason),
            cause=Cause.DECIDED,
            mode=Mode.ADVISE,
            scenario_sha256=_SHA,
            deadline_ns=80 * _NS_PER_MS,
        )
        self._add(decision_id, intent, number * self._period_ns)

    def add(self, record: Record, *, id: str = "") -> None:  # noqa: A002 - the column's name
        """Add any other entry."""
        self._add(
            id or f"{self.cell}.1.x{len(self.entries)}", record, self._parts * self._period_ns
        )

    def _trigger(self, number: int, part_id: str, product: str) -> PartTrigger:
        at = number * self._period_ns
        return PartTrigger(
            source="plc.trigger",
            trigger_seq=number,
            part_id=part_id,
            product=product,
            plc_tick=number,
            detected_utc_ns=self._start_utc_ns + at,
            detected_monotonic_ns=at,
            poll_delay_ns=5 * _NS_PER_MS,
        )

    def _add(self, entry_id: str, record: Record, after_ns: int) -> None:
        self.entries.append(
            MadeEntry(id=entry_id, at_utc_ns=self._start_utc_ns + after_ns, record=record)
        )


_USUAL = {
    Verdict.OK: Disposition.PASS,
    Verdict.NOT_OK: Disposition.REJECT,
    Verdict.NOT_DECIDABLE: Disposition.DIVERT,
    None: Disposition.REJECT,
}
_CODES = {
    OutcomeStatus.CONFIRMED: AnswerCode.ACCEPTED,
    OutcomeStatus.REFUSED: AnswerCode.REFUSED_STATE,
    OutcomeStatus.EXPIRED: AnswerCode.EXPIRED,
}


def _outcome(status: OutcomeStatus, command: Command, part_id: str, accepted_ms: float) -> Outcome:
    code = _CODES.get(status)
    answer = (
        Answer(command_id=command.id, part_id=part_id, code=code, plc_tick=command.valid_until)
        if code is not None
        else None
    )
    stages = {"durable": 0.6 * accepted_ms, "sent": 0.7 * accepted_ms}
    if answer is not None:
        stages["answered"] = accepted_ms
    return Outcome(status=status, answer=answer, stages_ns=_ns(stages))


def _ns(stages_ms: dict[str, float]) -> dict[str, int]:
    return {stage: int(end * _NS_PER_MS) for stage, end in stages_ms.items()}
