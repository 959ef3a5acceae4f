from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from millhand.errors import ConfigError, Problem
from millhand.journal.signing import make_key
from millhand.plugins import Plugins
from millhand.scenario import load_text
from millhand.scenario.check import check, guarantees, require
from millhand.scenario.configured import configured_agent, configured_device, configured_plant

Edited = Callable[..., str]


def problems_of(text: str, cell: Path, plugins: Plugins) -> list[Problem]:
    return check(load_text(text, cell / "scenario.yaml"), plugins)


def only(problems: list[Problem]) -> Problem:
    assert len(problems) == 1, "\n".join(map(str, problems))
    return problems[0]


def test_the_good_scenario_has_no_problem(good_text: str, cell: Path, plugins: Plugins) -> None:
    assert problems_of(good_text, cell, plugins) == []
    require(load_text(good_text, cell / "scenario.yaml"), plugins)


def test_require_raises_what_check_finds(edited: Edited, cell: Path, plugins: Plugins) -> None:
    scenario = load_text(edited(("bench.camera", "bench.camra")), cell / "scenario.yaml")
    with pytest.raises(ConfigError, match=r"Did you mean bench\.camera") as caught:
        require(scenario, plugins)
    assert caught.value.problems == tuple(check(scenario, plugins))


# --- the journal's key ---


def with_key(text: str, reference: str) -> str:
    return f"{text}\njournal: {{sign: '{reference}'}}\n"


def test_a_signing_key_that_is_right_is_no_problem(
    good_text: str, cell: Path, plugins: Plugins
) -> None:
    make_key(cell / "secrets" / "journal.key")
    text = with_key(good_text, "file:secrets/journal.key")
    assert problems_of(text, cell, plugins) == []


def test_a_signing_key_that_is_not_there_or_is_none(
    good_text: str, cell: Path, plugins: Plugins
) -> None:
    text = with_key(good_text, "file:secrets/journal.key")
    missing = only(problems_of(text, cell, plugins))
    assert missing.place.key == "journal.sign"
    (cell / "secrets").mkdir(exist_ok=True)
    (cell / "secrets" / "journal.key").write_text("hunter2")
    (cell / "secrets" / "journal.key").chmod(0o600)
    wrong = only(problems_of(text, cell, plugins))
    assert "keygen" in wrong.mend
    assert "hunter2" not in str(wrong)


def test_a_signing_key_may_not_stand_in_the_file(good_text: str) -> None:
    with pytest.raises(ConfigError, match="stands in the file") as caught:
        load_text(with_key(good_text, "hunter2"))
    assert "hunter2" not in str(caught.value)


# --- packages ---


def test_a_package_that_was_changed(good_text: str, cell: Path, plugins: Plugins) -> None:
    graph = cell / "models" / "housing" / "model.onnx"
    graph.write_bytes(graph.read_bytes() + b"\0")
    problem = only(problems_of(good_text, cell, plugins))
    assert problem.place.key == "agents.inspector.model.housing"
    assert "(hash)" in problem.expected


def test_a_package_that_is_not_there(good_text: str, cell: Path, plugins: Plugins) -> None:
    shutil.rmtree(cell / "models" / "impeller")
    problem = only(problems_of(good_text, cell, plugins))
    assert problem.place.key == "agents.inspector.model.impeller"
    assert "(missing)" in problem.expected


def test_a_package_of_another_product(edited: Edited, cell: Path, plugins: Plugins) -> None:
    text = edited(("housing: models/housing", "housing: models/impeller"))
    assert "made for the product impeller" in only(problems_of(text, cell, plugins)).message


def test_one_package_for_all_products(edited: Edited, cell: Path, plugins: Plugins) -> None:
    wanted = "{by: plc.product, impeller: models/impeller, housing: models/housing}"
    assert problems_of(edited((wanted, "models/impeller")), cell, plugins) == []


# --- plugins that fail ---


def test_an_agent_that_fails_is_named(edited: Edited, cell: Path, plugins: Plugins) -> None:
    text = edited(("use: bench.pump", "use: bench.broken"))
    problem = only(problems_of(text, cell, plugins))
    assert problem.place.key == "agents.pump.use"
    assert "out of luck" in problem.message


def test_an_adapter_that_cannot_be_imported_is_named(
    edited: Edited, cell: Path, plugins: Plugins
) -> None:
    text = edited(("adapter: bench.camera", "adapter: bench.gone"))
    messages = [problem.message for problem in problems_of(text, cell, plugins)]
    assert any("no_such_module" in message for message in messages)


def test_a_plugin_that_is_not_installed(edited: Edited, cell: Path, plugins: Plugins) -> None:
    text = edited(("use: bench.inspect", "use: quality.inspect"))
    assert "pip install millhand-quality" in only(problems_of(text, cell, plugins)).mend


def test_nothing_is_lost_when_much_is_wrong(cell: Path, plugins: Plugins) -> None:
    text = """\
millhand: 1
name: cell
devices:
  plc: {adapter: nowhere, tags: {a: s=A}}
  eye: {adapter: bench.camera, tags: {x: s=X}}
agents:
  a: {use: nothing, when: plc.part, deadline: 1 s, see: {x: plc.b}, accelerator: gpu, worker: w}
guard:
  plc.c: {only_if: plc.d == 1}
"""
    keys = [problem.place.key for problem in problems_of(text, cell, plugins)]
    assert keys == [
        "devices.plc.adapter",
        "devices.eye",
        "devices.eye.tags",
        "agents.a.use",
        "agents.a.when",
        "agents.a.see.x",
        "agents.a.accelerator",
        "agents.a.worker",
        "guard.plc.c",
    ]


def test_auto_needs_something_to_choose_from(edited: Edited, cell: Path, plugins: Plugins) -> None:
    problem = only(problems_of(edited(("accelerator: cpu", "accelerator: auto")), cell, plugins))
    assert "pip install millhand-accelerators" in problem.mend


# --- what the engine takes over ---


def test_a_device_is_configured_with_all_its_tags(
    good_text: str, cell: Path, plugins: Plugins
) -> None:
    scenario = load_text(good_text, cell / "scenario.yaml")
    plc = configured_device(scenario, plugins, "plc")
    assert plc.tags is not None
    assert set(plc.tags) == set(scenario.file.devices["plc"].all_tags())
    assert plc.tags["result.id"].model_dump()["node"] == "s=Cell.Command.Id"
    built = plc.build("plc")
    assert (built.name, built.config, built.tags) == ("plc", plc.config, plc.tags)
    moved = configured_device(scenario, plugins, "plc", {"url": "opc.tcp://other"})
    assert moved.config.model_dump()["url"] == "opc.tcp://other"


def test_relative_paths_count_from_the_scenarios_folder(
    edited: Edited, cell: Path, plugins: Plugins
) -> None:
    text = edited(("url: opc", "certificate: pki/own.der\n    url: opc"))
    scenario = load_text(text, cell / "scenario.yaml")
    camera = configured_device(scenario, plugins, "camera")
    assert camera.tags is None
    assert camera.config.model_dump()["path"] == cell / "images"
    plc = configured_device(scenario, plugins, "plc")
    assert plc.config.model_dump()["certificate"] == cell / "pki" / "own.der"
    absolute = load_text(edited(("path: images/", "path: /pictures")), cell / "scenario.yaml")
    config = configured_device(absolute, plugins, "camera").config
    assert config.model_dump()["path"] == Path("/pictures")


def test_a_secret_reaches_the_adapter_hidden(
    edited: Edited, cell: Path, plugins: Plugins, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = edited(("url: opc", "password: env:MILLHAND_TEST_SECRET\n    url: opc"))
    scenario = load_text(text, cell / "scenario.yaml")
    assert "not set" in only(check(scenario, plugins)).message
    monkeypatch.setenv("MILLHAND_TEST_SECRET", "hunter2")
    assert check(scenario, plugins) == []
    config = configured_device(scenario, plugins, "plc").config
    assert "hunter2" not in repr(config)
    assert config.model_dump()["password"].get_secret_value() == "hunter2"


def test_an_agent_is_configured_with_its_needs(
    edited: Edited, cell: Path, plugins: Plugins
) -> None:
    text = edited(("use: bench.inspect", "use: bench.inspect\n    config: {sensitivity: 2}"))
    agent = configured_agent(load_text(text, cell / "scenario.yaml"), plugins, "inspector")
    assert agent.config.model_dump() == {"sensitivity": 2.0}
    assert agent.needs.frames == {"frame"}


def test_a_plant_is_configured(good_text: str, cell: Path, plugins: Plugins) -> None:
    text = good_text + "simulation: {plant: bench.plant, parts: 7}\n"
    scenario = load_text(text, cell / "scenario.yaml")
    assert check(scenario, plugins) == []
    assert configured_plant(scenario, plugins).config.model_dump() == {"parts": 7}
    wrong = load_text(text.replace("parts: 7", "part: 7"), cell / "scenario.yaml")
    problem = only(check(wrong, plugins))
    assert problem.place.key == "simulation.part"
    assert "parts" in problem.mend


# --- guarantees ---


def test_guarantees_say_what_is_promised(good_text: str, edited: Edited) -> None:
    lines = guarantees(load_text(good_text))
    assert lines[0].startswith("plc.result: confirm echo: applied means that the PLC's program")
    assert "default (reject)" in lines[0]
    assert "every 100 ms" in lines[1]
    assert "300 ms" in lines[1]
    assert lines[2].startswith("plc.speed: written at most once")
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("confirm", "said"),
    [
        ("none", "never claimed as applied"),
        ("readback", "whether the PLC's program acts on it is not known"),
        ("sensor", "the gate's sensor saw"),
    ],
)
def test_each_confirmation_promises_its_own(confirm: str, said: str, edited: Edited) -> None:
    lines = guarantees(load_text(edited(("confirm: echo", f"confirm: {confirm}"))))
    assert said in lines[0]
