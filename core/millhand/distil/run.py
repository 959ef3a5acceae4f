"""Carry out a distil plan, stage by stage, to a verified package or a refusal with its reason."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import structlog
from pydantic import ValidationError

from millhand.contracts.adapters import Accelerator
from millhand.distil import parity
from millhand.distil.certify import certified
from millhand.distil.dataset import Dataset, DataSource
from millhand.distil.int8 import Terms, try_int8
from millhand.distil.keep import Keep, copy_package, kept
from millhand.distil.packing import packed
from millhand.distil.permission import permitted
from millhand.distil.plan import DistilPlan, QuantiseUse, Use
from millhand.distil.roles import (
    Evidence,
    Exported,
    Gate,
    GateAnswer,
    GoldenPair,
    Lesson,
    Progress,
    Quantiser,
    Report,
    Ruling,
    Student,
    Teacher,
)
from millhand.distil.sealed import SealedTest
from millhand.distil.teachers.ensemble import Ensemble
from millhand.errors import ConfigError, PackageError
from millhand.messages import tr
from millhand.models.bench import Candidate
from millhand.models.builder import PackageBuilder, Precision
from millhand.models.energy import energy_of
from millhand.models.golden import golden_cases
from millhand.models.manifest import Abstention, Latency, Metric, TeacherCard
from millhand.models.older import emulation
from millhand.models.package import Package
from millhand.models.sessions import OpenedModel, open_model
from millhand.models.timing import time_runs
from millhand.plugins import Plugins, Registration

log = structlog.get_logger(__name__)

SEALED_RECORD = "sealed-test.json"
_SECONDS_TIMED = 1.0
_SECONDS_OF_ENERGY = 0.2
_TELLING = 0.02
"""Share of learning from which the time that it took says how much is left."""


def distil(
    plan: DistilPlan,
    plugins: Plugins,
    data: DataSource,
    out: Path,
    progress: Report | None = None,
    *,
    command: str = "",
    replace: bool = False,
    keep: Path | None = None,
    seconds: float | None = None,
) -> Package:
    """Distil a student and write its package to the folder ``out``.

    Looks at the sealed test are recorded in ``sealed-test.json`` beside ``out``. A package that
    was made before from the same plan and data is taken from ``keep``: the seal stays closed.

    Args:
        plan: what to do.
        plugins: where teacher, student, gates and accelerator are looked up.
        data: what to learn from.
        out: folder of the package; written only when every gate has passed.
        progress: told of every stage.
        command: the command line that rebuilds the package; recorded.
        replace: whether ``out`` may exist.
        keep: folder where distillations are kept, so that one that was cut off goes on; without
            it everything is done anew.
        seconds: time that learning may take; the student does with less what it can.

    Raises:
        NotAllowed: the teacher may not be learnt from; found before anything else is done.
        ConfigError: the plan names what is not there, or its settings or data are wrong.
        PackageError: ``budget`` or ``gate`` where the candidate is refused, ``exists``, or a
            fault of the exported graph.
        Unavailable: another run distils the same plan from the same data.
    """
    tell = progress or _silent
    with ExitStack() as stack:
        tell(Progress(stage="permission", fraction=0.0))
        teacher: Teacher = stack.enter_context(closing(_teacher(plugins, plan.teacher)))
        card = permitted(teacher.card(), plan.teacher.statement)
        if out.exists() and not replace:
            raise PackageError(
                tr("{folder} exists.", folder=out),
                fault="exists",
                mend=tr("Choose another folder, or remove this one."),
            )
        student: Student = _role(plugins.student(plan.student.use), plan.student)
        gates: list[Gate] = [_role(plugins.gate(use.use), use) for use in plan.gates]
        accelerator = stack.enter_context(closing(_accelerator(plugins, plan.accelerator)))
        workspace = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="millhand-")))
        tell(Progress(stage="data", fraction=0.0))
        dataset = Dataset(data, plan.split)
        keeping = Keep(workspace / "keep")
        if keep is not None:
            keeping = stack.enter_context(kept(keep, plan, dataset.fingerprint, seconds))
        finished = keeping.finished()
        if finished is not None:
            tell(Progress(stage="kept", fraction=1.0, text=finished.id))
            return copy_package(finished, out)
        run = _Run(plan, card, command, dataset, tell, workspace)
        run.look_up(plugins)
        run.learn(teacher, student, keeping.student, seconds)
        run.quantise()
        model = stack.enter_context(run.open(accelerator))
        run.certify(model, accelerator)
        run.measure(model)
        run.test(model, teacher, student, SealedTest(dataset, out.parent / SEALED_RECORD))
        run.judge(gates, model)
        return copy_package(run.release(keeping.package), out)


class _Run:
    """One distillation under way: what each stage leaves for the next."""

    def __init__(
        self,
        plan: DistilPlan,
        card: TeacherCard,
        command: str,
        dataset: Dataset,
        tell: Report,
        workspace: Path,
    ) -> None:
        self._plan = plan
        self._card = card
        self._command = command
        self._dataset = dataset
        self._tell = tell
        self._workspace = workspace
        self._metrics: tuple[Metric, ...] = ()
        self._latency: tuple[Latency, ...] = ()
        self._abstention: Abstention | None = None
        self._readings = 0

    def look_up(self, plugins: Plugins) -> None:
        """Find what later stages use, so that a plan which names what is not there fails now."""
        plan = self._plan
        adapter = plugins.adapter(plan.accelerator.use)
        self._on = Candidate(
            accelerator=adapter.name, target=adapter.target, settings=plan.accelerator.settings
        )
        self._quantiser: Quantiser | None = None
        if plan.quantise is not None:
            self._quantiser = _role(plugins.quantiser(plan.quantise.use), plan.quantise)
        for name in plan.processors:
            emulation(name)

    def learn(
        self, teacher: Teacher, student: Student, scratch: Path, seconds: float | None
    ) -> None:
        """Let the student learn, in the folder ``scratch``."""
        began = time.monotonic()

        def report(fraction: float, text: str) -> None:
            spent = time.monotonic() - began
            left = spent * (1 - fraction) / fraction if fraction > _TELLING else None
            self._tell(Progress(stage="learn", fraction=fraction, text=text, left_s=left))

        report(0.0, "")
        lesson = Lesson(
            plan=self._plan,
            teacher=teacher,
            train=self._dataset.train,
            pool=self._dataset.pool,
            calibration=self._dataset.calibration,
            workspace=scratch,
            report=report,
            seconds=seconds,
        )
        self._exported = student.learn(lesson)

    def quantise(self) -> None:
        """Add an int8 graph where it wins, and put all that was exported into a builder."""
        exported, use = self._exported, self._plan.quantise
        if use is not None and self._quantiser is not None:
            self._tell(Progress(stage="quantise", fraction=0.0))
            exported = self._with_int8(self._quantiser, use)
        self._builder = self._packed(exported)

    def _packed(self, exported: Exported) -> PackageBuilder:
        builder = packed(self._plan, self._card, self._command, exported)
        return builder.add_source(*self._dataset.sources)

    def _with_int8(self, quantiser: Quantiser, use: QuantiseUse) -> Exported:
        exported, fp32 = self._exported, self._exported.graphs.get("fp32")
        if exported.judged is None or fp32 is None:
            note = "fp32 stays: the student says nothing by which int8 could be judged."
            return replace(exported, notes=(*exported.notes, note))
        numbers = count()

        def with_graph(graph: bytes, golden: Sequence[GoldenPair]) -> Exported:
            graphs: dict[Precision, bytes] = {**exported.graphs, "int8": graph}
            return replace(exported, graphs=graphs, golden=(*exported.golden, *golden))

        def build(graph: bytes, golden: Sequence[GoldenPair]) -> Package:
            draft = self._workspace / f"draft-{next(numbers)}"
            return self._packed(with_graph(graph, golden)).write(draft)

        terms = Terms(use=use, on=self._on, processors=self._plan.processors)
        found = try_int8(fp32, quantiser, exported.judged, terms, build)
        notes = (*exported.notes, *found.report)
        if found.graph is None:
            return replace(exported, notes=notes)
        with_int8 = with_graph(found.graph, found.golden)
        return replace(with_int8, notes=notes, parity=(*exported.parity, *found.parity))

    def open(self, accelerator: Accelerator) -> OpenedModel:
        """Open the candidate as a plant will, with the golden check of every graph."""
        self._tell(Progress(stage="verify", fraction=0.0))
        self._candidate = self._builder.write(self._workspace / "candidate")
        _within_parameters(self._candidate, self._plan)
        model = open_model(self._candidate, accelerator)
        try:
            self._prove(model, accelerator)
        except BaseException:
            model.close()
            raise
        return model

    def _prove(self, model: OpenedModel, accelerator: Accelerator) -> None:
        """Hold every graph to its golden outputs, and fp32 to what was trained, on old chips too.

        Raises:
            PackageError: ``golden`` or ``parity``.
        """
        reports = {model.used.precision: model.golden}
        for precision in set(self._candidate.precisions) - set(reports):
            with open_model(self._candidate, accelerator, precision) as other:
                reports[precision] = other.golden
        if "fp32" not in reports:
            return
        self._builder.add_parity(parity.here(self._candidate, model.used, reports["fp32"]))
        for name in self._plan.processors:
            self._builder.add_parity(parity.on_older(self._candidate, self._on, name, model.used))

    def certify(self, model: OpenedModel, accelerator: Accelerator) -> None:
        """Prove from which confidence on it may answer, whichever of its graphs is run."""
        use, proof = self._plan.certify, self._exported.proof
        if use is None or proof is None:
            return
        self._tell(Progress(stage="certify", fraction=0.0))
        with ExitStack() as stack:
            others = [
                stack.enter_context(open_model(self._candidate, accelerator, precision))
                for precision in self._candidate.precisions
                if precision != model.used.precision
            ]
            self._abstention = certified([model, *others], proof, use)
        self._builder.promise(self._abstention)
        if proof.told is not None:
            self._builder.tell(proof.told(self._abstention))

    def measure(self, model: OpenedModel) -> None:
        """Time the candidate and hold it to its budget."""
        self._tell(Progress(stage="time", fraction=0.0))
        inputs = golden_cases(self._candidate, model.used.precision)[0][1]
        times = time_runs(model.session, inputs, _SECONDS_TIMED)
        used = model.used
        self._latency = (
            Latency(
                target=used.device,
                runtime=used.runtime,
                provider=used.provider,
                precision=used.precision,
                threads=used.threads,
                p50_ms=round(times.p50_ms, 4),
                p99_ms=round(times.p99_ms, 4),
                measured=datetime.now(UTC).date().isoformat(),
            ),
        )
        self._builder.add_energy(energy_of(model.session, inputs, _SECONDS_OF_ENERGY))
        longest = self._plan.budget.p50_ms
        if longest is not None and times.p50_ms > longest:
            raise _over_budget(
                tr(
                    "A run takes {took:.3g} ms (median), {allowed:.3g} ms are allowed.",
                    took=times.p50_ms,
                    allowed=longest,
                )
            )

    def test(
        self, model: OpenedModel, teacher: Teacher, student: Student, sealed: SealedTest
    ) -> None:
        """Break the seal once, on the record, and measure."""
        self._tell(Progress(stage="test", fraction=0.0))
        items = sealed.open(self._plan.sha256, self._plan.name)
        self._readings = len(sealed.readings())
        self._metrics = tuple(student.evaluate(model, teacher, items))

    def judge(self, gates: Sequence[Gate], model: OpenedModel) -> None:
        """Ask every gate; all must pass."""
        self._tell(Progress(stage="gates", fraction=0.0))
        evidence = Evidence(
            plan=self._plan,
            package=self._candidate,
            metrics=self._metrics,
            latency=self._latency,
            golden=model.golden,
            abstention=self._abstention,
            test_readings=self._readings,
        )
        answers = [gate.judge(evidence) for gate in gates]
        for use, answer in zip(self._plan.gates, answers, strict=True):
            log.info("gate", gate=use.use, ruling=answer.ruling.value, reason=answer.reason)
        _all_pass(self._plan, answers)
        for use, answer in zip(self._plan.gates, answers, strict=True):
            self._builder.add_note(f"Gate {use.use}: {answer.ruling.value}. {answer.reason}")

    def release(self, out: Path) -> Package:
        """Write the package with everything that was measured."""
        self._tell(Progress(stage="pack", fraction=0.0))
        self._builder.add_metric(*self._metrics).add_latency(*self._latency)
        self._builder.add_note(f"The sealed test was looked at {self._readings} times.")
        package = self._builder.write(out, replace=True)
        self._tell(Progress(stage="pack", fraction=1.0, text=package.id))
        return package


def _silent(_: Progress) -> None:
    """Tell nobody."""


def _role(registration: Registration, use: Use) -> Any:
    """Build what a plan uses with its settings."""
    role = registration.load()
    return role(_settings(role, use))


def _teacher(plugins: Plugins, use: Use) -> Teacher:
    """Build a teacher; an ensemble's members with it."""
    built: Teacher = _role(plugins.teacher(use.use), use)
    joint: object = built
    if isinstance(joint, Ensemble):
        joint.join([_teacher(plugins, member) for member in joint.members])
    return built


def _accelerator(plugins: Plugins, use: Use) -> Accelerator:
    adapter = plugins.adapter(use.use).load()
    built: Accelerator = adapter(use.use, _settings(adapter, use))
    return built


def _settings(role: Any, use: Use) -> Any:
    try:
        return role.Config.model_validate(use.settings)
    except ValidationError as error:
        raise ConfigError(
            tr("The settings of “{name}” in the plan are wrong: {why}", name=use.use, why=error),
            mend=tr("Mend what stands under its “with:”."),
        ) from error


def _within_parameters(package: Package, plan: DistilPlan) -> None:
    most = plan.budget.parameters
    for graph in package.manifest.graphs:
        if most is not None and graph.parameters > most:
            raise _over_budget(
                tr(
                    "{path} has {count} weights, {allowed} are allowed.",
                    path=graph.path,
                    count=graph.parameters,
                    allowed=most,
                )
            )


def _over_budget(message: str) -> PackageError:
    return PackageError(
        message, fault="budget", mend=tr("Choose a smaller student, or raise the plan's budget.")
    )


def _all_pass(plan: DistilPlan, answers: Sequence[GateAnswer]) -> None:
    held = [
        tr("{gate}: {reason}", gate=use.use, reason=answer.reason)
        if answer.ruling is Ruling.REFUSE
        else tr("{gate} cannot judge: {reason}", gate=use.use, reason=answer.reason)
        for use, answer in zip(plan.gates, answers, strict=True)
        if answer.ruling is not Ruling.PASS
    ]
    if held:
        raise PackageError(
            tr(
                "The student {name} is not released. {reasons}",
                name=plan.name,
                reasons=" ".join(held),
            ),
            fault="gate",
            mend=tr("Give it more data or another architecture; the gates stay as they are."),
        )
