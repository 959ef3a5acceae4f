from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from millhand.errors import ConfigError
from millhand.plugins import (
    API_VERSION,
    AdapterType,
    AgentType,
    Capabilities,
    CommandType,
    Face,
    Plugins,
    hookimpl,
)


def agent(name: str) -> AgentType:
    return AgentType(name, "somewhere:Agent", f"The agent {name}.")


class Quality:
    __name__ = "quality"

    @hookimpl
    def millhand_capabilities(self) -> Capabilities:
        return Capabilities(network=True, notes="Reads pictures.")

    @hookimpl
    def millhand_agents(self) -> Sequence[AgentType]:
        return [agent("quality.inspect"), agent("quality.classify")]

    @hookimpl
    def millhand_adapters(self) -> Sequence[AdapterType]:
        return [AdapterType("opcua", "x:Y", "OPC UA.", frozenset({Face.TAGS}))]

    @hookimpl
    def millhand_commands(self) -> Sequence[CommandType]:
        return [CommandType("fit", "x:fit", "Fit.", group="inspect")]


class Rival:
    __name__ = "rival"

    @hookimpl
    def millhand_agents(self) -> Sequence[AgentType]:
        return [agent("quality.inspect"), agent("rival.inspect")]


class Misspelt:
    __name__ = "misspelt"

    @hookimpl
    def millhand_agent(self) -> Sequence[AgentType]:
        return [agent("misspelt.a")]


class Unmarked:
    __name__ = "unmarked"

    def millhand_agents(self) -> Sequence[AgentType]:
        return [agent("unmarked.a")]


class Raises:
    __name__ = "raises"

    @hookimpl
    def millhand_agents(self) -> Sequence[AgentType]:
        raise RuntimeError("no luck today")


class Exits:
    __name__ = "exits"

    @hookimpl
    def millhand_agents(self) -> Sequence[AgentType]:
        sys.exit(3)


class WrongThing:
    __name__ = "wrong_thing"

    @hookimpl
    def millhand_agents(self) -> Sequence[object]:
        return ["an agent"]


class Twice:
    __name__ = "twice"

    @hookimpl
    def millhand_agents(self) -> Sequence[AgentType]:
        return [agent("twice.a"), agent("twice.a")]


class WrongArguments:
    __name__ = "wrong_arguments"

    @hookimpl
    def millhand_agents(self, engine: object) -> Sequence[AgentType]:
        return []


class Newer:
    __name__ = "newer"

    @hookimpl
    def millhand_capabilities(self) -> Capabilities:
        return Capabilities(api=(API_VERSION + 1, API_VERSION + 2))

    @hookimpl
    def millhand_agents(self) -> Sequence[AgentType]:
        return [agent("newer.a")]


def by_hand(*plugins: object) -> Plugins:
    return Plugins.discover(plugins, entry_points=False)


def test_all_that_is_registered_is_found_by_name() -> None:
    plugins = by_hand(Quality())
    assert set(plugins.agents) == {"quality.inspect", "quality.classify"}
    assert plugins.agent("quality.inspect").target == "somewhere:Agent"
    assert plugins.adapter("opcua").faces == {Face.TAGS}
    assert plugins.commands["inspect fit"].group == "inspect"
    (found,) = plugins.found
    assert (found.name, found.distribution, found.error) == ("quality", "", "")
    assert found.capabilities.network


def test_nothing_is_shared_between_two_discoveries() -> None:
    assert set(by_hand(Quality()).agents) != set(by_hand().agents) == set()


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (Misspelt(), "unknown hook 'millhand_agent'"),
        (Unmarked(), "not marked as a hook"),
        (Raises(), "no luck today"),
        (Exits(), "SystemExit: 3"),
        (WrongThing(), "Return a list of AgentType"),
        (Twice(), "“twice.a” twice"),
        (WrongArguments(), "PluginValidationError"),
        (Newer(), f"works with plugin API {API_VERSION + 1} to {API_VERSION + 2}"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_broken_plugin_is_reported_and_stops_nobody(broken: object, said: str) -> None:
    plugins = by_hand(broken, Quality())
    assert said in plugins.found[0].error
    assert plugins.found[0].provides == ()
    assert set(plugins.agents) == {"quality.inspect", "quality.classify"}


def test_two_groups_may_have_a_word_of_the_same_name() -> None:
    class Tickets:
        __name__ = "tickets"

        @hookimpl
        def millhand_commands(self) -> Sequence[CommandType]:
            return [
                CommandType("fit", "x:tickets", "Fit.", group="tickets"),
                CommandType("fit", "x:papers", "Fit.", group="papers"),
            ]

    plugins = by_hand(Quality(), Tickets())
    assert not plugins.clashes
    assert set(plugins.commands) == {"inspect fit", "tickets fit", "papers fit"}


def test_a_name_claimed_twice_is_used_by_none_and_names_both() -> None:
    plugins = by_hand(Quality(), Rival())
    with pytest.raises(ConfigError, match="quality and rival") as caught:
        plugins.agent("quality.inspect")
    assert "Uninstall one" in caught.value.mend
    assert plugins.agent("rival.inspect").name == "rival.inspect"
    assert plugins.agent("quality.classify").name == "quality.classify"


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        ("quality.inspekt", "Did you mean quality.inspect?"),
        ("logistics.schedule", "pip install millhand-logistics"),
        ("my_own.agent", "pip install millhand-my-own"),
    ],
)
def test_a_missing_agent_brings_near_names_or_the_install_command(name: str, mend: str) -> None:
    with pytest.raises(ConfigError, match="among the agents") as caught:
        by_hand(Quality()).agent(name)
    assert mend in caught.value.mend


@pytest.mark.parametrize(
    ("name", "mend"), [("folder", "millhand-cameras"), ("onnxruntime", "millhand-accelerators")]
)
def test_adapters_of_ours_name_their_distribution(name: str, mend: str) -> None:
    with pytest.raises(ConfigError) as caught:
        by_hand().adapter(name)
    assert caught.value.mend == f"Install it: pip install {mend}"


def test_what_a_broken_plugin_would_have_is_explained() -> None:
    with pytest.raises(ConfigError) as caught:
        by_hand(Raises()).agent("raises.something")
    assert "no luck today" in caught.value.mend


@pytest.mark.parametrize("kind", ["plant", "teacher", "student", "gate"])
def test_every_kind_has_its_lookup(kind: str) -> None:
    with pytest.raises(ConfigError, match="There is no “x”"):
        getattr(by_hand(), kind)("x")


# --- entry points: real distributions on the path, in a process of its own ---

GOOD = """
from millhand.plugins import AgentType, hookimpl

@hookimpl
def millhand_agents():
    return [AgentType("good.agent", "good_plugin:Agent", "Good.")]
"""


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder of distributions as pip would leave them."""

    def install(name: str, version: str, source: str, module: str | None = None) -> None:
        module = module or f"{name}_plugin"
        (tmp_path / f"{name}_plugin.py").write_text(source)
        info = tmp_path / f"{name}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[millhand]\n{name} = {module}\n")

    install("good", "1.2.3", GOOD)
    install("bad", "0.1", "import no_such_library_at_all")
    install("ugly", "0.2", "raise SystemExit('bye')")
    install("gone", "0.3", "", module="not_there_at_all")
    return tmp_path


def test_installed_plugins_are_found_each_on_its_own(site: Path) -> None:
    code = """
import json
from millhand.plugins import Plugins
from millhand.plugins.report import as_json
print(json.dumps(as_json(Plugins.discover())))
"""
    run = subprocess.run(
        [
            sys.executable,
            "-W",
            "error",
            "-c",
            f"import sys; sys.path.insert(0, {str(site)!r})\n{code}",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    found = {plugin["name"]: plugin for plugin in json.loads(run.stdout)["plugins"]}
    assert found["good"]["version"] == "1.2.3"
    assert found["good"]["distribution"] == "good"
    assert found["good"]["error"] == ""
    assert found["good"]["provides"]["agents"][0]["name"] == "good.agent"
    assert "no_such_library_at_all" in found["bad"]["error"]
    assert "pip install --force-reinstall bad" in found["bad"]["error"]
    assert "bye" in found["ugly"]["error"]
    assert "not_there_at_all" in found["gone"]["error"]


def test_a_plugin_given_by_hand_is_not_found_again_by_its_entry_point(site: Path) -> None:
    code = f"""
import sys; sys.path.insert(0, {str(site)!r})
import good_plugin
from millhand.plugins import Plugins
plugins = Plugins.discover([good_plugin])
assert plugins.agent("good.agent").summary == "Good."
assert not plugins.clashes
"""
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True)


def test_our_own_plugins_travel_the_same_road() -> None:
    plugins = Plugins.discover()
    names = {plugin.name for plugin in plugins.found if plugin.distribution.startswith("millhand-")}
    assert {"quality", "opcua", "accelerators", "cameras", "simulated"} <= names
    assert [plugin.error for plugin in plugins.found if plugin.error] == []


def test_discovery_imports_nothing_heavy() -> None:
    code = """
import sys
from millhand.plugins import Plugins
Plugins.discover()
heavy = {"torch", "asyncua", "onnxruntime", "openvino", "cv2", "scipy"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True)
