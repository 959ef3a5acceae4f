"""What a student exported, as the beginning of a package."""

from __future__ import annotations

from millhand.distil.plan import DistilPlan
from millhand.distil.roles import Exported
from millhand.models.builder import PackageBuilder
from millhand.models.manifest import TeacherCard

PLAN_FILE = "plan.json"


def packed(plan: DistilPlan, card: TeacherCard, command: str, exported: Exported) -> PackageBuilder:
    """Put graphs, golden pairs, plan and statements into a builder."""
    builder = PackageBuilder(
        name=plan.name,
        version=plan.version,
        task=plan.task,
        product=plan.product,
        licence=plan.licence,
        teacher=card,
        meanings=exported.meanings,
        parameters=dict(exported.parameters),
        plan_sha256=plan.sha256,
        budget_p50_ms=plan.budget.p50_ms,
        seed=plan.seed,
        command=command,
    )
    for precision, graph in exported.graphs.items():
        builder.add_graph(graph, precision)
    for pair in exported.golden:
        builder.add_golden(
            pair.inputs,
            pair.outputs,
            pair.precision,
            absolute=pair.absolute,
            relative=pair.relative,
        )
    builder.add_file(PLAN_FILE, plan.to_bytes(), "The distil plan; its hash is plan_sha256.")
    for path, (data, meaning) in exported.files.items():
        builder.add_file(path, data, meaning)
    return builder.add_parity(*exported.parity).add_note(*exported.notes)
