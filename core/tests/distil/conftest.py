"""A tiny world to distil in: points in a plane, a teacher that knows a circle, a linear student."""

import hashlib
import sys
from pathlib import Path

import numpy as np
import pytest
from pydantic import BaseModel, ConfigDict

from millhand.distil.dataset import Item
from millhand.distil.plan import DistilPlan
from millhand.models.manifest import Source
from millhand.plugins import (
    AdapterType,
    Face,
    GateType,
    Plugins,
    QuantiserType,
    StudentType,
    TeacherType,
    hookimpl,
)

HERE = str(Path(__file__).parent)
for folder in (HERE, str(Path(__file__).parents[1] / "models")):
    if folder not in sys.path:
        sys.path.append(folder)


class Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Points:
    """120 points, three from each of 40 parts."""

    def __init__(self, parts=40, shelf=None):
        rng = np.random.default_rng(3)
        self.points = {
            f"{part}-{n}": rng.normal(size=2).astype(np.float32)
            for part in range(parts)
            for n in range(3)
        }
        self.shelf = shelf
        self.read_ids = []

    def items(self):
        return [
            Item(
                id=name,
                group=name.partition("-")[0],
                sha256=hashlib.sha256(point.tobytes()).hexdigest(),
                shelf=self.shelf,
            )
            for name, point in self.points.items()
        ]

    def read(self, item):
        self.read_ids.append(item.id)
        return {"x": self.points[item.id]}

    def sources(self):
        return (Source(name="points", licence="CC0-1.0", sha256="0" * 64, items=len(self.points)),)


class Plugin:
    @hookimpl
    def millhand_teachers(self):
        return [TeacherType(name="toy.rule", target="toy_roles:Rule", summary="")]

    @hookimpl
    def millhand_students(self):
        return [StudentType(name="toy.linear", target="toy_roles:Linear", summary="")]

    @hookimpl
    def millhand_gates(self):
        return [
            GateType(name="toy.within", target="millhand.distil.gates:WithinTeacher", summary=""),
            GateType(name="toy.certified", target="millhand.distil.gates:Certified", summary=""),
        ]

    @hookimpl
    def millhand_quantisers(self):
        return [QuantiserType(name="toy.rounded", target="toy_roles:Rounded", summary="")]

    @hookimpl
    def millhand_adapters(self):
        return [
            AdapterType(
                name="reference",
                target="onnx_reference:Reference",
                summary="",
                faces=frozenset({Face.ACCELERATOR}),
            )
        ]


@pytest.fixture
def plugins():
    return Plugins.discover([Plugin()], entry_points=False)


@pytest.fixture
def points():
    return Points()


@pytest.fixture
def kit():
    return sys.modules[__name__]


@pytest.fixture
def make_plan():
    def make(**changes):
        return DistilPlan.model_validate(
            {
                "millhand_distil": 1,
                "name": "toy",
                "task": "test",
                "licence": "Apache-2.0",
                "seed": 5,
                "teacher": {"use": "toy.rule"},
                "student": {"use": "toy.linear"},
                "split": {"train": 0.3, "pool": 0.3, "calibration": 0.1, "test": 0.3},
                "budget": {"parameters": 10},
                "gates": [
                    {"use": "toy.within", "with": {"metric": "accuracy", "margin": 0.1}},
                ],
                "accelerator": {"use": "reference"},
                **changes,
            }
        )

    return make
