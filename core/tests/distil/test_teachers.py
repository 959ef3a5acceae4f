"""Teachers: what they say, by what right, at what cost; the endpoint over a real socket."""

from __future__ import annotations

import base64
import io
import json
import math
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from millhand.distil.permission import permitted
from millhand.distil.plan import Use
from millhand.distil.teachers.answers import Answer, Answers
from millhand.distil.teachers.content import content_key
from millhand.distil.teachers.endpoint import Endpoint, EndpointConfig
from millhand.distil.teachers.ensemble import Ensemble, EnsembleConfig
from millhand.distil.teachers.people import People, PeopleConfig
from millhand.distil.teachers.stated import StatedCard
from millhand.errors import ConfigError, NotAllowed, Unavailable
from millhand.models.manifest import TeacherCard
from millhand.statistics.calibration import softmax

GRANTED = {
    "id": "local model 1",
    "licence": "Apache-2.0",
    "permission": "granted",
    "evidence": "Apache-2.0, section 2, read 2026-11-25.",
    "stated_by": "Ann",
}


class ChatServer(ThreadingHTTPServer):
    """Speaks the chat protocol: says dark or bright of pictures, long or short of texts."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Chat)
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.faults: list[str] = []
        """What goes wrong with the next questions, one each."""
        self.logprobs = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"


class _Chat(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ChatServer

    def log_message(self, *_: object) -> None:
        """Be quiet."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.keys.append(self.headers.get("Authorization"))
        fault = self.server.faults.pop(0) if self.server.faults else ""
        if fault == "drop":
            self.close_connection = True
            return
        if fault == "html":
            self._send(200, b"<html>proxy</html>")
            return
        if fault == "silly":
            self._send(200, json.dumps({"choices": []}).encode())
            return
        if fault:
            status = int(fault)
            said = {"error": {"message": f"status {status}"}}
            self._send(status, json.dumps(said).encode(), {"Retry-After": "0"})
            return
        assert self.path == "/v1/chat/completions"
        self.server.asked.append(body)
        share = _share_of_a(body["messages"][-1]["content"][0])
        reply: dict[str, Any] = {
            "choices": [{"message": {"role": "assistant", "content": "A" if share > 0.5 else "B"}}],
            "usage": {"prompt_tokens": 1000, "completion_tokens": 1},
        }
        if self.server.logprobs:
            top = [
                {"token": " A", "logprob": math.log(share * 0.9)},
                {"token": "B", "logprob": math.log((1 - share) * 0.9)},
                {"token": "maybe", "logprob": math.log(0.1)},
            ]
            reply["choices"][0]["logprobs"] = {"content": [{"token": "A", "top_logprobs": top}]}
        self._send(200, json.dumps(reply).encode())

    def _send(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _share_of_a(part: dict[str, Any]) -> float:
    if part["type"] == "text":
        return min(0.99, len(part["text"]) / 20)
    head, _, data = part["image_url"]["url"].partition(",")
    assert head == "data:image/png;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as picture:
        return 0.05 + 0.9 * float(np.asarray(picture).mean()) / 255


@pytest.fixture
def server() -> Iterator[ChatServer]:
    with ChatServer() as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join(10)


@pytest.fixture
def endpoint(server: ChatServer, tmp_path: Path) -> Iterator[Callable[..., Endpoint]]:
    """Make teachers that ask the server, and close them."""
    made: list[Endpoint] = []

    def make(**changed: Any) -> Endpoint:
        settings = {
            "url": server.url,
            "model": "small-vision",
            "question": "Is the picture bright or dark?",
            "classes": ["bright", "dark"],
            "about": GRANTED,
            "cache": tmp_path / "answers",
            "most_calls": 100,
            "timeout_s": 10,
        }
        made.append(Endpoint(EndpointConfig.model_validate({**settings, **changed})))
        return made[-1]

    yield make
    for teacher in made:
        teacher.close()


def grey(level: int) -> dict[str, Any]:
    return {"image": np.full((8, 6, 3), level, np.uint8)}


def shares(answers: Any) -> Any:
    return softmax(np.stack([answer["logits"] for answer in answers]))


def test_pictures_are_labelled_softly_and_paid_for_once(server, endpoint, tmp_path) -> None:
    items = [grey(0), grey(255), grey(128), grey(255)]
    teacher = endpoint()
    found = shares(teacher.label(items))
    assert found[:, 0] == pytest.approx([0.05, 0.95, 0.05 + 0.9 * 128 / 255, 0.95], abs=1e-3)
    assert len(server.asked) == 3, "the same picture is asked about once"
    again = endpoint()
    assert np.array_equal(shares(again.label(items)), found)
    assert len(server.asked) == 3, "nor by another run"
    other = endpoint(question="Is the picture very bright or dark?")
    other.label(items[:1])
    assert len(server.asked) == 4, "another question is another label"
    assert "A: bright" in server.asked[0]["messages"][0]["content"]


def test_texts_and_a_server_without_probabilities(server, endpoint, tmp_path) -> None:
    server.logprobs = False
    teacher = endpoint(doubt=0.1)
    texts = [{"text": np.array("no")}, {"text": np.array("a long story, told at leisure")}]
    found = shares(teacher.label(texts))
    assert found[:, 0] == pytest.approx([0.1, 0.9], abs=1e-6)


@pytest.mark.parametrize("faults", [["429"], ["503", "drop"], ["drop", "500", "429"]])
def test_what_may_pass_is_tried_again(server, endpoint, tmp_path, faults, monkeypatch) -> None:
    monkeypatch.setattr("millhand.distil.teachers.asking._FIRST_PAUSE_S", 0.01)
    server.faults = list(faults)
    teacher = endpoint()
    assert shares(teacher.label([grey(255)]))[0, 0] == pytest.approx(0.95, abs=1e-3)
    assert len(server.keys) == len(faults) + 1


def test_what_was_refused_is_not_tried_again(server, endpoint, tmp_path) -> None:
    server.faults = ["401"] * 5
    with pytest.raises(ConfigError, match="refuses the question: it answered 401: status 401"):
        endpoint().label([grey(1)])
    assert len(server.keys) == 1


def test_a_dead_endpoint_loses_nothing_that_was_answered(
    server, endpoint, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr("millhand.distil.teachers.asking._FIRST_PAUSE_S", 0.01)
    teacher = endpoint(attempts=2)
    teacher.label([grey(10), grey(20)])
    server.faults = ["500", "500"]
    with pytest.raises(Unavailable, match="in 2 tries"):
        teacher.label([grey(10), grey(20), grey(30)])
    teacher.label([grey(10), grey(20), grey(30)])
    assert len(server.asked) == 3


@pytest.mark.parametrize(("fault", "said"), [("html", "no JSON"), ("silly", "chat protocol")])
def test_what_is_no_answer_is_no_label(server, endpoint, tmp_path, fault, said) -> None:
    server.faults = [fault]
    teacher = endpoint()
    with pytest.raises(Unavailable, match=said):
        teacher.label([grey(9)])
    assert Answers(tmp_path / "answers").spent() == (0, 0)


def test_the_budget_in_questions_holds_over_runs(server, endpoint, tmp_path) -> None:
    endpoint(most_calls=3).label([grey(1), grey(2)])
    again = endpoint(most_calls=3)
    again.label([grey(1), grey(3)])
    with pytest.raises(ConfigError, match="3 questions"):
        again.label([grey(4)])
    assert len(server.asked) == 3
    assert len(again.label([grey(1), grey(2), grey(3)])) == 3, "what is known costs nothing"


def test_the_budget_in_money_holds_over_runs(server, endpoint, tmp_path) -> None:
    price = {"per_million_in": 2.0, "per_million_out": 10.0, "most": 0.005}
    teacher = endpoint(price=price)
    teacher.label([grey(1), grey(2)])
    assert Answers(tmp_path / "answers").spent() == (2, pytest.approx(2 * 0.00201))
    teacher.label([grey(3)])
    with pytest.raises(ConfigError, match=r"0\.0060 EUR were spent"):
        endpoint(price=price).label([grey(4)])


def test_the_key_goes_to_the_server_and_nowhere_else(
    server, endpoint, tmp_path, monkeypatch
) -> None:
    monkeypatch.setenv("PLANT_KEY", "sk-very-secret")
    teacher = endpoint(key="env:PLANT_KEY")
    teacher.label([grey(5)])
    assert server.keys == ["Bearer sk-very-secret"]
    server.faults = ["403"]
    with pytest.raises(ConfigError) as refused:
        teacher.label([grey(6)])
    assert "very-secret" not in str(refused.value)
    kept = b"".join(path.read_bytes() for path in (tmp_path / "answers").rglob("*.json"))
    assert b"very-secret" not in kept
    with pytest.raises(ValidationError, match="env:NAME"):
        endpoint(key="sk-very-secret")


def test_a_damaged_answer_is_asked_for_again(server, endpoint, tmp_path) -> None:
    teacher = endpoint()
    teacher.label([grey(7)])
    (file,) = (tmp_path / "answers").rglob("*.json")
    file.write_bytes(file.read_bytes()[:10])
    teacher.label([grey(7)])
    assert len(server.asked) == 2
    assert Answers(tmp_path / "answers").get(file.stem) == Answer(
        shares=pytest.approx({"bright": 0.0747, "dark": 0.9253}, abs=1e-3), cost=0.0
    )


@pytest.mark.parametrize(
    "changed", [{"permission": "unknown"}, {"permission": "denied"}, {"evidence": "yes"}]
)
def test_who_may_not_be_learnt_from_is_refused(changed) -> None:
    card = StatedCard.model_validate({**GRANTED, **changed}).card("endpoint")
    with pytest.raises(NotAllowed):
        permitted(card, None)
    assert permitted(StatedCard.model_validate(GRANTED).card("endpoint"), None).stated_by == "Ann"


def people(tmp_path, lines: list[dict[str, Any]]) -> People:
    file = tmp_path / "labels.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines), encoding="utf-8")
    return People(PeopleConfig(file=file, classes=("good", "pit")))


def test_people_who_disagree_make_a_soft_label(tmp_path) -> None:
    one, two = content_key(grey(1)), content_key(grey(2))
    said = [("good", "Ann"), ("pit", "Bo"), ("pit", "Cy")]
    teacher = people(
        tmp_path,
        [{"content": one, "label": label, "by": by} for label, by in said]
        + [{"content": two, "label": "good", "by": "Ann"}],
    )
    found = shares(teacher.label([grey(1), grey(2)]))
    assert found[:, 1] == pytest.approx([2.5 / 4, 0.5 / 2])
    assert teacher.card().stated_by == "Ann, Bo, Cy"
    with pytest.raises(ConfigError, match="Nobody has labelled"):
        teacher.label([grey(3)])


@pytest.mark.parametrize("line", [{"content": "x", "label": "pit"}, {"label": "pit"}])
def test_a_bad_line_is_named(tmp_path, line) -> None:
    good = {"content": content_key(grey(1)), "label": "pit"}
    with pytest.raises(ConfigError, match="line 2"):
        people(tmp_path, [good, line]).label([grey(1)])
    with pytest.raises(ConfigError, match="none of the classes"):
        people(tmp_path, [{**good, "label": "crack"}]).label([grey(1)])


class Fixed:
    """A member that always says the same."""

    def __init__(self, logits: list[float], permission: str = "granted") -> None:
        self._logits, self._permission = logits, permission

    def card(self) -> TeacherCard:
        return TeacherCard(
            id="fixed",
            kind="none",
            licence="CC0-1.0",
            permission=self._permission,
            evidence="ours",
        )

    def label(self, items: Any) -> Any:
        return [{"logits": np.array(self._logits)} for _ in items]

    def close(self) -> None:
        pass


def ensemble(*members: Fixed, **settings: Any) -> Ensemble:
    uses = tuple(Use(use="fixed") for _ in members)
    joint = Ensemble(EnsembleConfig(members=uses, **settings))
    joint.join(members)
    return joint


def test_an_ensemble_says_the_mean_and_asks_all_for_permission() -> None:
    one, two = Fixed([math.log(0.9), math.log(0.1)]), Fixed([math.log(0.3), math.log(0.7)])
    assert shares(ensemble(one, two).label([{}]))[0] == pytest.approx([0.6, 0.4])
    heavier = ensemble(one, two, weights=(3.0, 1.0))
    assert shares(heavier.label([{}]))[0] == pytest.approx([0.75, 0.25])
    assert permitted(ensemble(one, two).card(), None).kind == "ensemble"
    for permission in ("unknown", "denied"):
        with pytest.raises(NotAllowed):
            permitted(ensemble(one, Fixed([0, 0], permission)).card(), None)
    with pytest.raises(ConfigError, match="different classes"):
        ensemble(one, Fixed([0, 0, 0])).label([{}])
    with pytest.raises(ConfigError, match="weights"):
        ensemble(one, two, weights=(1.0,))
