"""What the journal's entries hold: one struct for each kind of entry.

The kind of an entry is the struct's wire tag. Bodies are canonical JSON
(:func:`millhand.contracts.codec.to_json`), so that plain SQL can read them too.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from millhand.contracts.command import Answer, Command, Write, WriteResult
from millhand.contracts.decision import Action, Decision, Disposition, MachineAction, Verdict
from millhand.contracts.events import Event
from millhand.contracts.modes import Mode
from millhand.contracts.observation import Memory, Observation


class Started(Struct, frozen=True, kw_only=True, tag="started"):
    """The engine started: which scenario, which versions, which packages."""

    scenario: str
    scenario_sha256: str
    millhand: str
    plugins: dict[str, str] = {}
    packages: dict[str, str] = {}
    """``<agent>.<role>[.<product>]`` to package id."""
    runs_on: dict[str, str] = {}
    """The same to library, provider, device, precision and threads, and why these."""
    safe_mode: bool = False


class Stopped(Struct, frozen=True, kw_only=True, tag="stopped"):
    """The engine stopped in an orderly manner."""

    reason: str
    decisions: int


class Ruling(Struct, frozen=True, kw_only=True):
    """What the guard said of one action, and the rule that said it."""

    allowed: bool
    rule: str
    """``mode``, ``allow_list``, ``deadline``, ``lease``, ``interlock``, ``age``, ``range``,
    ``rate``, ``budget``, ``writes``, or ``ok``."""
    reason: str = ""


class Judged(Struct, frozen=True, kw_only=True):
    """One action with the target that its role is bound to and the guard's ruling."""

    action: Action
    target: str
    """Device and channel, tag, robot or record sink in the scenario: ``plc.result``."""
    ruling: Ruling
    writes: tuple[Write, ...] = ()
    """What a permit was asked for."""
    step: float | None = None
    """Largest change that it may be to its target's value, where changes are limited: what a
    restarted engine goes on counting from."""


class Cause(StrEnum):
    """Why a part got the disposition it got."""

    DECIDED = "decided"
    UNSURE = "unsure"
    LATE = "late"
    BLIND = "blind"
    CONTRADICTED = "contradicted"
    MISSED = "missed"
    """Its trigger was never seen."""
    DROPPED = "dropped"
    """Its trigger found the queue full."""
    SUPERSEDED = "superseded"
    """A newer value of the same source took its place (``queue: latest``)."""
    FAILED = "failed"
    """The agent or its worker failed."""
    UNKNOWN_PRODUCT = "unknown_product"
    VOID = "void"
    """The agent has decided, but its model's certificate is void: drift was found."""
    UNRECORDED = "unrecorded"
    """The journal could not be written when it was decided: nothing was done."""


class Intent(Struct, frozen=True, kw_only=True, tag="intent"):
    """What is about to be done and why; durable before anything leaves the machine.

    For a triggered part this entry *is* its one disposition.
    """

    observation: Observation
    decision: Decision
    cause: Cause
    mode: Mode
    disposition: Disposition | None = None
    machine: MachineAction = MachineAction.NONE
    command: Command | None = None
    judged: tuple[Judged, ...] = ()
    memory_before: Memory = {}
    memory_after: Memory = {}
    scenario_sha256: str
    deadline_ns: int
    """Nanoseconds from the trigger to the deadline."""
    stages_ns: dict[str, int] = {}
    """Stage to monotonic nanoseconds since the trigger was detected, at the stage's end."""


class OutcomeStatus(StrEnum):
    """How an intent ended."""

    CONFIRMED = "confirmed"
    """The PLC's echo (or read-back, or sensor) says so."""
    SENT = "sent"
    """Sent at most once, on a channel without confirmation."""
    REFUSED = "refused"
    """By the guard at the second check, by the peer, or by the PLC's program."""
    EXPIRED = "expired"
    """The deadline passed; nothing was sent, or the PLC refused it as too late."""
    NOT_SENT = "not_sent"
    """The mode or the guard did not let it out, or there was nothing to send."""
    UNKNOWN = "unknown"
    """It may or may not have had an effect; never repeated."""
    AWAITING = "awaiting"
    """A person is asked."""
    WAITING = "waiting"
    """A record could not be delivered; it is sent again under the same key."""


class Outcome(Struct, frozen=True, kw_only=True, tag="outcome"):
    """How an intent ended. The entry's id is the intent's."""

    status: OutcomeStatus
    detail: str = ""
    result: WriteResult | None = None
    answer: Answer | None = None
    rulings: tuple[Ruling, ...] = ()
    """Of the second check, where it refused."""
    waiting: tuple[str, ...] = ()
    """Idempotency keys of the decision's records that still wait to be delivered."""
    stages_ns: dict[str, int] = {}
    """As in the intent, for the stages after it: ``durable``, ``sent``, ``answered``."""


class Gate(Struct, frozen=True, kw_only=True, tag="gate"):
    """What became of a part at the gate, as the PLC says (executed, defaulted, bypassed)."""

    channel: str
    answer: Answer


class AlarmState(StrEnum):
    """States of an alarm (ISA-18.2, reduced to what is journalled)."""

    ACTIVE = "active"
    ACKNOWLEDGED = "acknowledged"
    CLEARED = "cleared"


class Alarm(Struct, frozen=True, kw_only=True, tag="alarm"):
    """Something that a person should know, named by who or what it is about."""

    name: str
    """Stable word: ``device_down``, ``action_refused``, ``trigger_missed``, ``agent_failed``."""
    source: str
    state: AlarmState
    text: str
    decision: str = ""


class AndonState(StrEnum):
    """How far a call for a person has come."""

    CALLED = "called"
    RESPONDED = "responded"
    """Somebody is on it."""
    CLOSED = "closed"


class Andon(Struct, frozen=True, kw_only=True, tag="andon"):
    """Somebody is called, responds, or has mended it. Entries of one call share their id."""

    state: AndonState
    agent: str
    cause: Cause
    """Why: as in the intent of the first part that it is about."""
    machine: MachineAction = MachineAction.NONE
    """What the machine was asked."""
    decision: str
    part_id: str | None = None
    owner: str = ""
    """Who is called."""
    respond_within_s: float | None = None
    text: str
    by: str = ""
    """Who responded, or closed it."""
    note: str = ""
    parts: int = 1
    """Parts with the same cause while the call stood, as far as is known."""
    response_ns: int | None = None
    """From the call to the first response, by the wall clock."""


class ModeChange(Struct, frozen=True, kw_only=True, tag="mode"):
    """An agent's mode changed, and who changed it."""

    agent: str
    before: Mode | None
    now: Mode
    by: str
    reason: str = ""


class Stage(StrEnum):
    """Where a model package stands in its life, at one agent."""

    CANDIDATE = "candidate"
    """It is whole and permitted; no more is known."""
    SHADOW = "shadow"
    """It decides beside the live one, and nothing comes of it."""
    CANARY = "canary"
    """It decides a stated share of the parts."""
    LIVE = "live"
    RETIRED = "retired"


class ModelMoved(Struct, frozen=True, kw_only=True, tag="model"):
    """A model package came to another stage of its life, and who brought it there.

    What is live after a restart is derived from these entries.
    """

    agent: str
    package: str
    """Its id."""
    folder: str = ""
    """Where it lies below the scenario's folder; empty: what the scenario names."""
    now: Stage
    folders: tuple[str, ...] = ()
    """With ``live``: all packages that now stand in the place of the scenario's own."""
    share: float = 0.0
    """With ``canary``: of the parts that it decides, 0 to 1."""
    replaces: str = ""
    """With ``live``: the id of the package that was live before."""
    by: str
    reason: str = ""


class Shadowed(Struct, frozen=True, kw_only=True, tag="shadowed"):
    """What the model that did not decide would have said. The entry's id is the decision's."""

    agent: str
    package: str
    live: Verdict | None = None
    """What the model that decided said."""
    verdict: Verdict | None = None
    scores: dict[str, float] = {}
    decide_ns: int = 0
    fault: str = ""
    """Why what it said would not have counted: it failed, or took too long."""


class Validity(StrEnum):
    """Whether a model's certificate holds."""

    VOID = "void"
    RENEWED = "renewed"


class Drifted(Struct, frozen=True, kw_only=True, tag="drift"):
    """What a model sees, or how sure it is, is no longer as it was; or a person says it is well."""

    agent: str
    package: str
    now: Validity
    value: str = ""
    """Which of the decision's scores has changed, or ``confidence``."""
    evidence: float = 0.0
    """Of the test (:mod:`millhand.statistics.drift`); 1/alpha is proof."""
    seen: int = 0
    """Decisions that it was tested on."""
    decision: str = ""
    """At which it was found."""
    by: str = ""
    reason: str = ""


class Published(Struct, frozen=True, kw_only=True, tag="event"):
    """An event on the bus."""

    event: Event


class AnswerKind(StrEnum):
    """What a person said about a question or a decision."""

    APPROVE = "approve"
    REFUSE = "refuse"
    AGREE = "agree"
    DISAGREE = "disagree"
    DONT_KNOW = "dont_know"


class Question(Struct, frozen=True, kw_only=True, tag="question"):
    """A person is asked: to approve a proposal, or to say what a part really was."""

    decision: str
    agent: str
    text: str
    kind: str
    """``proposal`` or ``label``."""
    part_id: str | None = None
    expires_utc_ns: int | None = None
    ground: str = ""
    """Why this decision is asked about (:class:`millhand.feedback.queue.Ground`)."""
    chance: float = 1.0
    """The probability with which it was drawn: an answer weighs one over it."""
    urgency: float = 0.0
    """Orders the questions, the highest first."""


class Review(Struct, frozen=True, kw_only=True, tag="review"):
    """What a person answered, who, and how they were known."""

    question: str
    """Id of the question's entry, or of the decision where nobody had asked."""
    decision: str
    answer: AnswerKind
    label: str = ""
    """With ``disagree``: what it really was."""
    by: str
    note: str = ""


class Signature(Struct, frozen=True, kw_only=True):
    """Somebody's word for the end of a chain (:mod:`millhand.journal.signing`)."""

    at_utc_ns: int
    key: str
    """Names the public key."""
    value: str
    """Ed25519, 64 bytes in hexadecimal."""


class Checkpoint(Struct, frozen=True, kw_only=True, tag="checkpoint"):
    """A segment of the chain was sealed; later entries chain from this one."""

    segment: int
    first_seq: int
    last_seq: int
    head: str
    signature: Signature | None = None
    """Of entry ``last_seq`` with hash ``head``, where the scenario has a key to sign with."""


class Pruned(Struct, frozen=True, kw_only=True, tag="pruned"):
    """Sealed segments were removed, as old as they were; without this entry they are missing."""

    first_seq: int
    last_seq: int
    head: str
    """Hash of entry ``last_seq``, which the first one kept follows on."""
    older_than_utc_ns: int
    """What was removed was sealed before this."""


Record = (
    Started
    | Stopped
    | Intent
    | Outcome
    | Gate
    | Alarm
    | Andon
    | ModeChange
    | ModelMoved
    | Shadowed
    | Drifted
    | Published
    | Question
    | Review
    | Checkpoint
    | Pruned
)
