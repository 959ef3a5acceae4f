"""Routing in three languages: pieces, learning, certificate, package, agent, reassignment."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from millhand.contracts import (
    CustomEvent,
    Decision,
    DeliverRecord,
    Document,
    DocumentArrived,
    DocumentRef,
    Mode,
    Observation,
    Propose,
    Verdict,
)
from millhand.errors import ConfigError
from millhand.journal.entries import new_entry
from millhand.journal.journal import Journal
from millhand.journal.records import AnswerKind, Cause, Intent, Review
from millhand.models.package import Package, open_package
from millhand.statistics.selective import Certificate, NoCertificate
from millhand_admin.tickets.agent import TicketsAgent, TicketsConfig
from millhand_admin.tickets.fit import NEVER, fit, write_package
from millhand_admin.tickets.graph import KNOWN, PROBABILITIES
from millhand_admin.tickets.learn import Learning, learn
from millhand_admin.tickets.ngrams import Pieces, normalised, pieces
from millhand_admin.tickets.ticket import Ticket, read_tickets, reassigned

pytest.importorskip("onnx", reason="fitting needs millhand-admin[tickets]")
ort = pytest.importorskip("onnxruntime", reason="fitting needs millhand-admin[tickets]")

THINGS = {
    "mechanic": ("pump {n} leaking oil", "replace seal of pump {n}", "vòng bi máy {n} bị kêu",
                 "thay phớt bơm {n}", "泵 {n} 漏油", "更换 {n} 号 轴承"),
    "electrician": ("motor {n} tripped breaker", "sensor {n} no signal",
                    "cảm biến {n} mất tín hiệu", "động cơ {n} nhảy aptomat",
                    "电机 {n} 跳闸", "{n} 号 传感器 无信号"),
    "quality": ("scratches on lot {n}", "lot {n} out of tolerance", "lô {n} bị trầy xước",
                "lô {n} sai kích thước", "批次 {n} 有划痕", "批次 {n} 尺寸超差"),
}  # fmt: skip
SMALL = Learning(rounds=15)


def made(count: int, seed: int = 0) -> list[Ticket]:
    random = Random(seed)
    extra = ("again", "since Monday", "gấp", "hôm qua", "请尽快", "昨天", "")
    found = []
    for _ in range(count):
        kind = random.choice(sorted(THINGS))
        text = random.choice(THINGS[kind]).format(n=random.randrange(1, 10**6))
        found.append(Ticket(text=f"{text} {random.choice(extra)} {random.random():.6f}", kind=kind))
    return found


def test_the_same_text_whatever_its_form() -> None:
    assert normalised("  PUMP №12,  ｌｅａｋ ") == normalised("pump no98, leak")
    assert normalised("bơm") == normalised("bơm")


@given(st.text(max_size=300))
def test_any_text_has_pieces_within_the_buckets(text: str) -> None:
    buckets, weights = pieces(text, Pieces(bits=10))
    assert buckets.shape == weights.shape
    assert buckets.size >= 1
    assert 0 <= buckets.min() <= buckets.max() < 1024
    assert np.unique(buckets).size == buckets.size
    assert np.linalg.norm(weights) == pytest.approx(1, abs=1e-5) or not weights.any()


def test_learning_is_deterministic_and_learns() -> None:
    tickets = made(300)
    kinds = sorted(THINGS)
    rules = Pieces(bits=12)

    def taught() -> Any:
        return learn([one.text for one in tickets], [kinds.index(one.kind) for one in tickets],
                     len(kinds), rules, SMALL)  # fmt: skip

    first, second = taught(), taught()
    assert np.array_equal(first.table, second.table)
    fresh = made(200, seed=1)
    right = [kinds[int(first.logits(one.text, rules).argmax())] == one.kind for one in fresh]
    assert np.mean(right) > 0.95


def test_a_certificate_is_had_where_the_data_prove_it_and_not_elsewhere() -> None:
    good = fit(made(1500), alpha=0.05, how=SMALL, rules=Pieces(bits=12))
    assert isinstance(good.certificate, Certificate)
    assert good.parameters.certified
    random = Random(3)
    noise = [Ticket(text=one.text, kind=random.choice(sorted(THINGS))) for one in made(600, seed=2)]
    bad = fit(noise, alpha=0.05, how=SMALL, rules=Pieces(bits=12))
    assert isinstance(bad.certificate, NoCertificate)
    assert bad.parameters.threshold == NEVER


@pytest.mark.parametrize("tickets", [[], made(1), [Ticket(text="a", kind="x")] * 9])
def test_too_few_tickets_are_told(tickets: list[Ticket]) -> None:
    with pytest.raises(ConfigError):
        fit(tickets)


class OpenModel:
    """The package's own graph, as the worker would run it."""

    def __init__(self, package: Package) -> None:
        self.package_id = package.id
        self.parameters = package.manifest.parameters
        self._session = ort.InferenceSession(package.path(package.graph()).read_bytes())

    def __call__(self, **inputs: Any) -> dict[str, Any]:
        names = [PROBABILITIES, KNOWN]
        return dict(zip(names, self._session.run(names, inputs), strict=True))


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    tickets = made(1500)
    fitted = fit(tickets, how=SMALL)
    out = tmp_path_factory.mktemp("models") / "tickets"
    return write_package(fitted, tickets, out, licence="CC0-1.0")


def test_the_package_says_what_it_promises(package: Package) -> None:
    manifest = open_package(package.folder).manifest
    assert manifest.teacher.kind == "person"
    assert {metric.name for metric in manifest.metrics} >= {"accuracy", "coverage"}
    assert "at most 5.0%" in " ".join(manifest.notes)


def document(text: str | bytes) -> Document:
    content = text.encode() if isinstance(text, str) else text
    reference = DocumentRef(
        sha256=sha256(content).hexdigest(),
        name="t.txt",
        media_type="text/plain",
        size=len(content),
        received_utc_ns=1,
    )
    return Document(reference, content)


def observed(one: Document) -> Observation:
    return Observation(id="o", agent="tickets", documents={"document": one},
                       trigger=DocumentArrived(source="post", document=one.ref))  # fmt: skip


def decided(package: Package, text: str | bytes, **config: Any) -> Decision:
    agent = TicketsAgent(TicketsConfig.model_validate(config))
    return agent.decide(observed(document(text)), {"router": OpenModel(package)})


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("pump 170001 leaking oil again 0.512345", "mechanic"),
        ("cảm biến 512345 mất tín hiệu gấp 0.417417", "electrician"),
        ("批次 88123 有划痕 昨天 0.312345", "quality"),
    ],
)
def test_tickets_are_routed_in_three_languages(package: Package, text: str, kind: str) -> None:
    decision = decided(package, text, to={"mechanic": "team A"})
    assert decision.verdict is Verdict.OK, decision.reason
    (delivery,) = decision.actions
    assert isinstance(delivery, DeliverRecord)
    assert (delivery.body["kind"], delivery.kind) == (kind, "ticket")
    assert delivery.body["team"] == ("team A" if kind == "mechanic" else kind)
    (event,) = decision.events
    assert isinstance(event, CustomEvent)
    assert decision.confidence is not None
    assert decision.models == {"router": package.id}


@pytest.mark.parametrize("text", ["zzz qqq xxx", "", b"\xff\xfe\x00bad", "x" * 200_000])
def test_what_is_not_known_is_asked(package: Package, text: str | bytes) -> None:
    decision = decided(package, text)
    assert decision.verdict is Verdict.NOT_DECIDABLE
    (question,) = decision.actions
    assert isinstance(question, Propose)
    assert question.action is None


def test_what_people_reassign_is_learnt(tmp_path: Path, package: Package) -> None:
    text = "brew kettle boils over"
    one = document(text)
    intent = Intent(observation=observed(one), decision=decided(package, text), cause=Cause.UNSURE,
                    mode=Mode.SHADOW, scenario_sha256="0" * 64, deadline_ns=1)  # fmt: skip
    review = Review(question="d1", decision="d1", answer=AnswerKind.DISAGREE, label="mechanic",
                    by="anna")  # fmt: skip
    with Journal(tmp_path / "journal.db", cell="office") as journal:
        journal.append([new_entry(intent, id="d1", subject="tickets")]).result()
        journal.append([new_entry(review, id="d1.review", subject="tickets")]).result()
        entries = journal.read()
    (learnt,) = reassigned(entries, "tickets", {one.ref.sha256: one.content}.__getitem__)
    assert learnt == Ticket(text=text, kind="mechanic")
    assert reassigned(entries, "other", {}.__getitem__) == []


def test_the_command_fits_and_refuses(tmp_path: Path) -> None:
    from millhand_admin.commands.tickets_fit import tickets_fit

    table = tmp_path / "tickets.csv"
    rows = "\n".join(f'"{one.text}",{one.kind}' for one in made(400))
    table.write_text("text,kind\n" + rows, encoding="utf-8")
    assert len(read_tickets(table)) == 400
    arguments = [str(table), "--out", str(tmp_path / "m"), "--licence", "CC0-1.0"]
    result = CliRunner().invoke(tickets_fit, arguments)
    assert result.exit_code == 0, result.output
    assert "accuracy:" in result.output
    assert open_package(tmp_path / "m").manifest.task == "ticket-routing"
    table.write_text("a,b\n1,2", encoding="utf-8")
    with pytest.raises(ConfigError, match="columns"):
        read_tickets(table)
