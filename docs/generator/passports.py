"""The pages on distil plans and on the manifest of model packages."""

from __future__ import annotations

from generator.keys import KeyWriter
from generator.markdown import HEAD
from millhand.distil.plan import DistilPlan
from millhand.models.manifest import Manifest

PLAN = """\
A plan says how a student is made: `millhand distil PLAN --out FOLDER`. It is YAML and holds no
code; the same plan and data make the same student again. Why it looks so:
[distillation](../explanation/distillation.md). Which teachers, students and gates there are,
`millhand plugins` lists.
"""
PACKAGE = """\
A model package is a folder: `manifest.json`, ONNX graphs, golden inputs with their outputs, a card
for people. The package's id is its name and the hash of the manifest, so that the id covers
everything. It is made by `millhand inspect fit` and `millhand distil`, and verified at every load.
"""


def plan_page() -> str:
    """Write the page on distil plans."""
    writer = KeyWriter(DistilPlan.model_json_schema(by_alias=True))
    return "\n".join(["# Distil plans\n", HEAD, PLAN, *writer.sections()])


def package_page() -> str:
    """Write the page on packages."""
    writer = KeyWriter(Manifest.model_json_schema())
    return "\n".join(["# Model packages\n", HEAD, PACKAGE, *writer.sections()])
