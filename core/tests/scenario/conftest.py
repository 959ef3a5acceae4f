"""A plugin with adapters and agents to check scenarios against, like a stranger's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator

from millhand.contracts import ActionKind, Decision, Needs, TriggerKind
from millhand.plugins import (
    AdapterType,
    AgentType,
    Face,
    PlantType,
    Plugins,
    hookimpl,
)
from millhand.scenario import Scenario, load_text

DATA = Path(__file__).parent / "data"


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PlcConfig(Strict):
    url: str = Field(description="Address of the PLC.")
    rack: int = Field(default=0, ge=0, le=7, description="Rack number.")
    password: SecretStr | None = Field(default=None, description="Password.")
    certificate: Path | None = Field(default=None, description="Certificate.")


class PlcTag(Strict):
    node: str = Field(pattern="^[a-z]=", description="Address: s=name.")
    type: str = Field(default="", description="Type of the value.")

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, value: Any) -> Any:
        return {"node": value} if isinstance(value, str) else value


class Plc:
    Config: ClassVar = PlcConfig
    Tag: ClassVar = PlcTag

    def __init__(self, name: str, config: PlcConfig, tags: dict[str, PlcTag]) -> None:
        self.name, self.config, self.tags = name, config, tags


class CameraConfig(Strict):
    path: Path = Field(description="Folder of pictures.")


class Camera:
    Config: ClassVar = CameraConfig

    def __init__(self, name: str, config: CameraConfig) -> None:
        self.name, self.config = name, config


class ChipConfig(Strict):
    threads: int = Field(default=1, description="Threads.")


class Chip:
    Config: ClassVar = ChipConfig


class Inbox:
    Config: ClassVar = CameraConfig


class PlantConfig(Strict):
    parts: int = Field(default=10, description="Parts to make.")


class Plant:
    Config: ClassVar = PlantConfig


class InspectConfig(Strict):
    sensitivity: float = Field(default=1.0, ge=0, le=10, description="Sensitivity.")


class Agent:
    Config: ClassVar[type[BaseModel]] = InspectConfig
    wanted: ClassVar[Needs]

    def __init__(self, config: BaseModel) -> None:
        self.config = config

    def needs(self) -> Needs:
        return self.wanted

    def decide(self, observation: Any, models: Any) -> Decision:
        return Decision()


class Inspect(Agent):
    wanted = Needs(
        triggers=frozenset({TriggerKind.PART}),
        frames=frozenset({"frame"}),
        optional_samples=frozenset({"temperature"}),
        models=frozenset({"inspector"}),
        actions={"disposition": ActionKind.SEND_DISPOSITION},
    )


class TwoModels(Agent):
    wanted = Needs(triggers=frozenset({TriggerKind.PART}), models=frozenset({"detector", "reader"}))


class Pump(Agent):
    wanted = Needs(
        triggers=frozenset({TriggerKind.TIMER, TriggerKind.EDGE}),
        samples=frozenset({"level"}),
        actions={"speed": ActionKind.WRITE_TAG},
        light=True,
    )


class Clerk(Agent):
    wanted = Needs(
        triggers=frozenset({TriggerKind.DOCUMENT, TriggerKind.EVENT}),
        events=frozenset({"hold/1"}),
        actions={"ticket": ActionKind.DELIVER_RECORD, "ask": ActionKind.PROPOSE},
    )


class Broken(Agent):
    def needs(self) -> Needs:
        raise RuntimeError("out of luck")


class BenchPlugin:
    """Registers everything above."""

    __name__ = "bench"

    @hookimpl
    def millhand_adapters(self) -> Sequence[AdapterType]:
        def adapter(name: str, kind: str, face: Face) -> AdapterType:
            return AdapterType(name, f"{__name__}:{kind}", f"The {kind}.", frozenset({face}))

        return [
            adapter("bench.plc", "Plc", Face.TAGS),
            adapter("bench.camera", "Camera", Face.CAMERA),
            adapter("bench.chip", "Chip", Face.ACCELERATOR),
            adapter("bench.inbox", "Inbox", Face.RECORDS),
            AdapterType("bench.gone", "no_such_module:Class", "Cannot be imported."),
        ]

    @hookimpl
    def millhand_agents(self) -> Sequence[AgentType]:
        return [
            AgentType(f"bench.{name}", f"{__name__}:{kind}", f"The {kind}.")
            for name, kind in {
                "inspect": "Inspect",
                "two_models": "TwoModels",
                "pump": "Pump",
                "clerk": "Clerk",
                "broken": "Broken",
            }.items()
        ]

    @hookimpl
    def millhand_plants(self) -> Sequence[PlantType]:
        return [PlantType("bench.plant", f"{__name__}:Plant", "The plant.")]


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    found = Plugins.discover([BenchPlugin()], entry_points=False)
    assert [plugin.error for plugin in found.found] == [""]
    return found


@pytest.fixture(scope="session")
def good_text() -> str:
    return (DATA / "scenario.yaml").read_text(encoding="utf-8")


Edit = Callable[..., str]


@pytest.fixture
def edited(good_text: str) -> Edit:
    """Return the good scenario with pieces replaced; each piece must be there."""

    def edit(*pairs: tuple[str, str]) -> str:
        text = good_text
        for old, new in pairs:
            assert old in text, old
            text = text.replace(old, new, 1)
        return text

    return edit


@pytest.fixture
def scenario(good_text: str, tmp_path: Path) -> Scenario:
    return load_text(good_text, tmp_path / "scenario.yaml")


def write_package(folder: Path, product: str) -> None:
    """Write a real package: a graph that doubles its input."""
    import numpy as np
    from onnx import TensorProto, helper

    from millhand.models.builder import PackageBuilder
    from millhand.models.manifest import Permission, TeacherCard

    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "x"], ["y"])],
        "double",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    teacher = TeacherCard(
        id="none", kind="none", licence="CC0-1.0", permission=Permission.GRANTED, evidence="ours"
    )
    builder = PackageBuilder(
        name=product,
        task="test",
        licence="CC0-1.0",
        teacher=teacher,
        meanings={"x": "numbers", "y": "twice the numbers"},
        product=product,
    )
    builder.add_graph(model.SerializeToString())
    values = np.arange(4, dtype=np.float32).reshape(1, 4)
    builder.add_golden({"x": values}, {"y": values * 2})
    builder.write(folder)


@pytest.fixture(scope="session")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with packages for impeller and housing."""
    folder = tmp_path_factory.mktemp("packages")
    for product in ("impeller", "housing"):
        write_package(folder / product, product)
    return folder


@pytest.fixture
def cell(tmp_path: Path, packages: Path) -> Path:
    """A scenario's folder in which everything is there that the good scenario names."""
    import shutil

    shutil.copytree(packages, tmp_path / "models")
    return tmp_path
