"""The agent ``admin.tickets``: routes a short text, or says that it does not know."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from millhand.contracts import (
    ActionKind,
    CustomEvent,
    Decision,
    DeliverRecord,
    Document,
    Highlight,
    Model,
    Models,
    Needs,
    Observation,
    Propose,
    TriggerKind,
    Verdict,
)
from millhand.messages import tr
from millhand_admin.tickets.fit import RouterParameters
from millhand_admin.tickets.graph import BUCKETS, KNOWN, PROBABILITIES, WEIGHTS
from millhand_admin.tickets.ngrams import LONGEST, pieces

ROUTER, QUEUE, DOCUMENT = "router", "queue", "document"
EVENT = "admin.ticket"


class TicketsConfig(BaseModel):
    """Where kinds go."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    to: dict[str, str] = Field(
        default_factory=dict, description="Kind to the team that takes it; else the kind itself."
    )
    most_bytes: int = Field(default=100_000, gt=0, description="Longer texts go to a person.")


class TicketsAgent:
    """Routes tickets (:class:`millhand.contracts.Agent`)."""

    Config: ClassVar[type[TicketsConfig]] = TicketsConfig

    def __init__(self, config: TicketsConfig) -> None:
        self._config = config
        self._parameters: dict[str, RouterParameters] = {}

    def needs(self) -> Needs:
        """A text document and a router; a queue for what was routed, if there is one."""
        return Needs(
            triggers=frozenset({TriggerKind.DOCUMENT}),
            models=frozenset({ROUTER}),
            actions={QUEUE: ActionKind.DELIVER_RECORD},
        )

    def decide(self, observation: Observation, models: Models) -> Decision:
        """Route one ticket; not decidable below the confidence that was certified."""
        document = observation.documents[DOCUMENT]
        text = self._text(document)
        if not text:
            return _ask(tr("{name} holds no text.", name=document.ref.name), {})
        model = models[ROUTER]
        parameters = self._of(model)
        buckets, weights = pieces(text, parameters.pieces)
        inputs: dict[str, Any] = {BUCKETS: buckets, WEIGHTS: weights}
        outputs = model(**inputs)
        answer, known = outputs[PROBABILITIES][0], float(outputs[KNOWN][0])
        best = int(answer.argmax())
        kind, sure = parameters.kinds[best], float(answer[best])
        scores = {kind: float(one) for kind, one in zip(parameters.kinds, answer, strict=True)}
        scores["known"] = known
        used = {ROUTER: model.package_id}
        if sure < parameters.threshold or known < parameters.known:
            shown = text[:80]
            reason = tr("“{text}” may be {kind} ({sure:.0%}); who takes it?", text=shown,
                        kind=kind, sure=sure)  # fmt: skip
            return _ask(reason, scores, used)
        team = self._config.to.get(kind, kind)
        return Decision(
            verdict=Verdict.OK,
            confidence=sure,
            reason=tr("“{text}” goes to {team}.", text=text[:80], team=team),
            scores=scores,
            actions=(_delivery(document, text, kind, team, sure),),
            events=(CustomEvent(name=EVENT, data={"kind": kind, "team": team,
                                                  "document": document.ref.sha256}),),
            explanations=(Highlight(fields={"text": text[:500], "kind": kind, "team": team}),),
            models=used,
        )  # fmt: skip

    def _text(self, document: Document) -> str:
        if document.ref.size > self._config.most_bytes:
            return ""
        try:
            return " ".join(document.content.decode("utf-8-sig").split())[:LONGEST]
        except UnicodeDecodeError:
            return ""

    def _of(self, model: Model) -> RouterParameters:
        found = self._parameters.get(model.package_id)
        if found is None:
            found = RouterParameters.model_validate(dict(model.parameters))
            self._parameters[model.package_id] = found
        return found


def _delivery(document: Document, text: str, kind: str, team: str, sure: float) -> DeliverRecord:
    return DeliverRecord(
        to=QUEUE,
        kind="ticket",
        body={"text": text, "kind": kind, "team": team, "confidence": round(sure, 4),
              "name": document.ref.name},
        idempotency_key=f"ticket-{document.ref.sha256[:32]}",
    )  # fmt: skip


def _ask(reason: str, scores: dict[str, float], used: dict[str, str] | None = None) -> Decision:
    return Decision(
        verdict=Verdict.NOT_DECIDABLE,
        reason=reason,
        scores=scores,
        actions=(Propose(question=reason, tainted=True),),
        models=used or {},
    )
