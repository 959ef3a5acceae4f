from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from millhand.contracts import Disposition, MachineAction, Mode, TriggerKind
from millhand.errors import ConfigError
from millhand.scenario import Scenario, ScenarioFile, load, load_text
from millhand.scenario.agents import ONLY_ROLE

DATA = Path(__file__).parent / "data"
HEAD = "millhand: 1\nname: cell\n"


def test_the_whole_scenario_is_read(scenario: Scenario) -> None:
    file = scenario.file
    assert scenario.name == "casting-cell"
    assert file.site.cell == "inspection"
    agent = file.agents["inspector"]
    assert agent.max_mode is Mode.CONTROL
    assert agent.deadline == 0.08
    assert agent.bound_to_parts
    assert [(when.kind, when.source) for when in agent.when] == [(TriggerKind.PART, "plc.trigger")]
    assert agent.see == {"frame": "camera"}
    assert agent.may == {"disposition": "plc.result"}
    assert agent.blind.machine is MachineAction.STOP
    assert agent.unsure.part is Disposition.DIVERT
    assert agent.unsure.review
    choice = agent.model[ONLY_ROLE]
    assert choice.by == "plc.product"
    assert choice.package_for("impeller") == "models/impeller"
    assert choice.package_for("gearbox") is None
    assert choice.package_for(None) is None
    rule = file.guard["plc.result"]
    assert rule.only_if is not None
    assert rule.only_if.evaluate({"plc.state": 6})
    assert rule.max_age == 0.2
    assert file.economy is not None
    assert file.economy.escaped_defect is not None
    assert file.economy.escaped_defect.assumption == "last year's claims"


def test_several_triggers_of_all_kinds(scenario: Scenario) -> None:
    pump = scenario.file.agents["pump"]
    assert [(when.kind, when.source, when.every_s) for when in pump.when] == [
        (TriggerKind.TIMER, "every 5 s", 5.0),
        (TriggerKind.EDGE, "plc.state", None),
    ]
    assert not pump.bound_to_parts


@pytest.mark.parametrize(
    ("text", "kind", "source"),
    [
        ("plc.trigger", TriggerKind.PART, "plc.trigger"),
        ("plc.state changes", TriggerKind.EDGE, "plc.state"),
        ("every 5 min", TriggerKind.TIMER, "every 5 min"),
        ("document inbox", TriggerKind.DOCUMENT, "inbox"),
        ("event hold/1", TriggerKind.EVENT, "hold/1"),
        ("event acme.tool_worn/2", TriggerKind.EVENT, "acme.tool_worn/2"),
    ],
)
def test_what_can_set_an_agent_to_work(text: str, kind: TriggerKind, source: str) -> None:
    agent = f"{HEAD}agents:\n  a: {{use: x, deadline: 1 s, when: {text}}}\n"
    (when,) = load_text(agent).file.agents["a"].when
    assert (when.kind, when.source, str(when)) == (kind, source, text)


def test_a_mere_head_is_a_scenario_with_safe_defaults() -> None:
    scenario = load_text(f"{HEAD}agents:\n  a: {{use: x, when: every 1 s, deadline: 1 s}}\n")
    agent = scenario.file.agents["a"]
    assert agent.max_mode is Mode.SHADOW
    assert agent.accelerator == ("auto",)
    assert agent.queue.bound == 8
    assert not agent.queue.latest
    for reaction in (agent.unsure, agent.late, agent.blind, agent.contradicted):
        assert reaction.part in {Disposition.REJECT, Disposition.DIVERT}
    assert agent.unsure.review


# --- the handshake's records ---

PREFIXED = "{record: s=Cell.Command, answers: s=Cell.Answers}"
WRITTEN_OUT = """
        record:
          part_id: s=Cell.Command.PartId
          result: s=Cell.Command.Result
          valid_until: s=Cell.Command.ValidUntil
          id: s=Cell.Command.Id
        answers:
          command_id: s=Cell.Answers.CommandId
          part_id: s=Cell.Answers.PartId
          code: s=Cell.Answers.Code
          tick: s=Cell.Answers.Tick
          count: s=Cell.Answers.Count
"""


def device(body: str) -> Scenario:
    return load_text(f"{HEAD}devices:\n  plc:\n    adapter: x\n{body}")


def test_a_prefix_means_the_fields_of_the_handshake() -> None:
    short = device(f"    channels:\n      result: {PREFIXED}\n").file.devices["plc"]
    long = device(f"    channels:\n      result: {WRITTEN_OUT}\n").file.devices["plc"]
    assert short == long
    assert short.channels["result"].confirm == "echo"


def test_all_handshake_tags_have_names_types_and_places() -> None:
    body = f"""\
    triggers:
      part: s=Cell.Trigger
    channels:
      result: {PREFIXED}
    lease: {{record: s=Cell.Lease, every: 50 ms}}
    machine: s=Cell.Machine
"""
    plc = device(body).file.devices["plc"]
    found = {
        name: (tag.address, tag.type, tag.array, tag.written)
        for name, tag in plc.handshake().items()
    }
    assert found == {
        "part.seq": ("s=Cell.Trigger.Seq", "int32", False, False),
        "part.part_id": ("s=Cell.Trigger.PartId", "string", False, False),
        "part.product": ("s=Cell.Trigger.Product", "string", False, False),
        "part.tick": ("s=Cell.Trigger.Tick", "int32", False, False),
        "result.part_id": ("s=Cell.Command.PartId", "string", False, True),
        "result.result": ("s=Cell.Command.Result", "int32", False, True),
        "result.valid_until": ("s=Cell.Command.ValidUntil", "int32", False, True),
        "result.id": ("s=Cell.Command.Id", "int32", False, True),
        "result.answers.command_id": ("s=Cell.Answers.CommandId", "int32", True, False),
        "result.answers.part_id": ("s=Cell.Answers.PartId", "string", True, False),
        "result.answers.code": ("s=Cell.Answers.Code", "int32", True, False),
        "result.answers.tick": ("s=Cell.Answers.Tick", "int32", True, False),
        "result.answers.count": ("s=Cell.Answers.Count", "int32", False, False),
        "lease.counter": ("s=Cell.Lease.Counter", "int32", False, True),
        "lease.ready": ("s=Cell.Lease.Ready", "bool", False, True),
        "lease.in_control": ("s=Cell.Lease.InControl", "bool", False, True),
        "machine.request": ("s=Cell.Machine.Request", "int32", False, True),
    }
    assert list(plc.handshake_tags())[4:8] == [
        "result.part_id",
        "result.result",
        "result.valid_until",
        "result.id",
    ], "the id is written last"
    assert plc.handshake()["result.id"].path == ("channels", "result", "record", "id")
    assert plc.handshake()["result.answers.code"].path == ("channels", "result", "answers", "code")


def test_one_address_may_stand_beside_a_prefix() -> None:
    plc = device("    triggers:\n      t: {record: s=A, tick: {node: s=Tick}}\n").file.devices[
        "plc"
    ]
    assert plc.handshake_tags() == {
        "t.seq": "s=A.Seq",
        "t.part_id": "s=A.PartId",
        "t.product": "s=A.Product",
        "t.tick": {"node": "s=Tick"},
    }


def test_an_address_left_out_is_no_tag() -> None:
    plc = device("    triggers:\n      t: {seq: a, part_id: b, tick: c}\n").file.devices["plc"]
    assert set(plc.handshake_tags()) == {"t.seq", "t.part_id", "t.tick"}


def test_without_answers_nothing_is_claimed() -> None:
    plc = device("    channels:\n      result: {record: s=Cell.Command}\n").file.devices["plc"]
    assert plc.channels["result"].confirm == "none"


def test_free_keys_of_a_device_are_its_adapters(scenario: Scenario) -> None:
    assert scenario.file.devices["camera"].options == {"path": "images/"}
    assert scenario.device_options("plc") == {"url": "opc.tcp://127.0.0.1:4840"}


# --- the fingerprint ---


def test_layout_and_comments_do_not_change_the_hash(scenario: Scenario, good_text: str) -> None:
    other = load_text("# a remark\n" + good_text.replace(", line:", ",    line:"))
    assert other.sha256 == scenario.sha256
    assert load_text(good_text.replace("80 ms", "81 ms")).sha256 != scenario.sha256


def test_a_dump_is_a_scenario_again(scenario: Scenario) -> None:
    dumped = scenario.file.model_dump(mode="json", exclude_none=True)
    assert ScenarioFile.model_validate(dumped) == scenario.file


# --- files ---


def test_a_folder_is_read(tmp_path: Path, good_text: str) -> None:
    (tmp_path / "scenario.yaml").write_text(good_text, encoding="utf-8")
    scenario = load(tmp_path)
    assert scenario.path == tmp_path / "scenario.yaml"
    assert scenario.folder == tmp_path
    assert load(tmp_path / "scenario.yaml").sha256 == scenario.sha256
    place = scenario.place("agents", "inspector", "deadline")
    assert place.file == str(scenario.path)
    assert place == scenario.place("agents.inspector.deadline")
    assert "80 ms" in good_text.splitlines()[(place.line or 0) - 1]


def test_a_byte_order_mark_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + HEAD.encode())
    assert load(path).name == "cell"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        (b"name: \xff\xfe", "no UTF-8"),
        (b"", "holds nothing"),
        (b"- 1", "holds a list"),
        (b"cell", "holds a text"),
        (b"#" * 1_100_000, "too large"),
        (b"\0", "no YAML"),
    ],
)
def test_a_file_that_is_no_scenario(content: bytes | None, said: str, tmp_path: Path) -> None:
    path = tmp_path / "scenario.yaml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=said) as caught:
        load(path)
    problem = caught.value.problems[0]
    assert problem.place.file == str(path)
    assert problem.expected
    assert problem.mend


def test_a_path_that_no_system_takes() -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load("a\0b")


def test_all_problems_come_at_once_in_the_order_of_the_file(
    edited: Callable[..., str],
) -> None:
    text = edited(("80 ms", "80"), ("max_mode: control", "max_mode: full"), ("EUR", "Euro"))
    with pytest.raises(ConfigError) as caught:
        load_text(text)
    lines = [problem.place.line for problem in caught.value.problems]
    assert len(lines) == 3
    assert lines == sorted(line or 0 for line in lines)


# --- fuzz: whatever comes, it is a scenario or a ConfigError ---

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["plc.trigger", "80 ms", "s=Cell", "every", "x", "", "a.b.c", "file:x", "{"])
    | st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=6)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["record", "by", "seq", "use", "when", "adapter", "x", "part", "packages"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=8,
)
PATHS = st.sampled_from(
    [
        ("devices",),
        ("devices", "plc"),
        ("devices", "plc", "tags"),
        ("devices", "plc", "triggers"),
        ("devices", "plc", "triggers", "trigger"),
        ("devices", "plc", "channels", "result"),
        ("devices", "plc", "channels", "result", "record"),
        ("devices", "plc", "channels", "result", "answers"),
        ("devices", "plc", "lease"),
        ("devices", "plc", "machine"),
        ("agents", "inspector"),
        ("agents", "inspector", "when"),
        ("agents", "inspector", "model"),
        ("agents", "inspector", "queue"),
        ("agents", "inspector", "blind"),
        ("agents", "inspector", "may"),
        ("guard",),
        ("guard", "plc.result"),
        ("guard", "plc.result", "only_if"),
        ("guard", "plc.speed", "range"),
        ("economy",),
        ("economy", "kwh"),
        ("journal",),
        ("millhand",),
        ("workers",),
        ("simulation",),
    ]
)


def refusal_of(text: str) -> ConfigError | None:
    try:
        load_text(text)
    except ConfigError as error:
        return error
    return None


@given(PATHS, VALUES)
@example(("devices", "plc", "lease"), {"record": {"record": 1}})
@example(("agents", "inspector", "model"), {"by": {}, "x": None})
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_value_anywhere_is_read_or_refused(
    scenario: Scenario, path: tuple[str, ...], value: object
) -> None:
    import copy
    import json

    data = copy.deepcopy(scenario.document.data)
    here = data
    for step in path[:-1]:
        here = here.setdefault(step, {})
    here[path[-1]] = value
    refused = refusal_of(json.dumps(data))
    for problem in refused.problems if refused is not None else ():
        assert problem.place.line is not None
        assert problem.message
        assert problem.mend


@given(st.text(max_size=100))
def test_any_text_is_read_or_refused(text: str) -> None:
    refusal_of(text)
    refusal_of(HEAD + text)


@given(st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_file_is_read_or_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "scenario.yaml"
    path.write_bytes(content)
    with pytest.raises(ConfigError):
        load(path)
