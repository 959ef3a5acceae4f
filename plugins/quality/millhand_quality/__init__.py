"""Quality inspection agents for Millhand."""

from __future__ import annotations

from collections.abc import Sequence

from millhand.messages import tr
from millhand.plugins import hookimpl
from millhand.plugins.registrations import (
    AgentType,
    Capabilities,
    CommandType,
    GateType,
    StudentType,
    TeacherType,
)


@hookimpl
def millhand_capabilities() -> Capabilities:
    """State that the plugin reads pictures and models and reaches nothing else."""
    return Capabilities(notes="`millhand inspect fit` reads pictures and writes a package.")


@hookimpl
def millhand_agents() -> Sequence[AgentType]:
    """Register the agents; each is imported in its worker."""
    return (
        AgentType(
            name="quality.inspect",
            target="millhand_quality.inspect.agent:InspectAgent",
            summary=tr("Tells good parts from others by a picture, taught by good ones alone."),
        ),
        AgentType(
            name="quality.spc",
            target="millhand_quality.spc.agent:SpcAgent",
            summary=tr("Keeps a measured value on control charts and says when it has changed."),
        ),
        AgentType(
            name="quality.classify",
            target="millhand_quality.classify.agent:ClassifyAgent",
            summary=tr("Names the kind of defect of a part, or says that it cannot tell."),
        ),
        AgentType(
            name="quality.signals",
            target="millhand_quality.signals.agent:SignalsAgent",
            summary=tr("Names the kind of a measured curve, or says that it cannot tell."),
        ),
    )


@hookimpl
def millhand_teachers() -> Sequence[TeacherType]:
    """Register the teachers; none reads its weights before it is asked."""
    return (
        TeacherType(
            name="quality.trunk",
            target="millhand_quality.inspect.distil.teacher:TrunkTeacher",
            summary=tr("A pre-trained backbone that studies good pictures and marks what differs."),
        ),
        TeacherType(
            name="quality.backbone",
            target="millhand_quality.classify.distil.teacher:BackboneTeacher",
            summary=tr("A pre-trained backbone that studies labelled squares and names kinds."),
        ),
        TeacherType(
            name="quality.kernels",
            target="millhand_quality.signals.distil.teacher:KernelsTeacher",
            summary=tr("Random kernels that study labelled curves and name kinds."),
        ),
        TeacherType(
            name="quality.onnx",
            target="millhand_quality.classify.distil.onnx_teacher:OnnxTeacher",
            summary=tr("Somebody's classifier as an ONNX file, by the terms that the plan states."),
        ),
        TeacherType(
            name="quality.endpoint",
            target="millhand.distil.teachers.endpoint:Endpoint",
            summary=tr("A model behind an OpenAI-compatible address, within a budget."),
        ),
        TeacherType(
            name="quality.people",
            target="millhand.distil.teachers.people:People",
            summary=tr("What people have said of each item, softly where they disagreed."),
        ),
        TeacherType(
            name="quality.ensemble",
            target="millhand.distil.teachers.ensemble:Ensemble",
            summary=tr("Several teachers as one: the mean of their probabilities."),
        ),
    )


@hookimpl
def millhand_students() -> Sequence[StudentType]:
    """Register the students; torch is imported when it learns."""
    return (
        StudentType(
            name="quality.cells",
            target="millhand_quality.inspect.distil.student:CellStudent",
            summary=tr("A small net for one product under a fixed camera; needs marked defects."),
        ),
        StudentType(
            name="quality.marks",
            target="millhand_quality.inspect.distil.marks_student:MarksStudent",
            summary=tr("The trunk with its Gaussian, and a net beside that knows marked defects."),
        ),
        StudentType(
            name="quality.kinds",
            target="millhand_quality.classify.distil.student:KindsStudent",
            summary=tr("A small classifier of squares, with a control that had no teacher."),
        ),
        StudentType(
            name="quality.curves",
            target="millhand_quality.signals.distil.student:CurvesStudent",
            summary=tr("A small classifier of measured curves, with a control likewise."),
        ),
    )


@hookimpl
def millhand_gates() -> Sequence[GateType]:
    """Register the gates that hold a student against its teacher and its control."""
    return (
        GateType(
            name="quality.within_teacher",
            target="millhand.distil.gates:WithinTeacher",
            summary=tr("Passes a student whose figure is surely within a margin of the teacher's."),
        ),
        GateType(
            name="quality.no_worse_than_control",
            target="millhand.distil.gates:NoWorseThanControl",
            summary=tr("Passes a student that is no worse than the same one without a teacher."),
        ),
        GateType(
            name="quality.certified",
            target="millhand.distil.gates:Certified",
            summary=tr("Passes a student whose answers keep the plan's promise, often enough."),
        ),
    )


@hookimpl
def millhand_commands() -> Sequence[CommandType]:
    """Register ``millhand inspect fit``, ``reference``, ``score``, ``quantise``, ``cascade``."""
    return (
        CommandType(
            name="fit",
            group="inspect",
            target="millhand_quality.inspect.commands.fit:fit",
            summary=tr("Make a model package from a folder of good pictures."),
        ),
        CommandType(
            name="reference",
            group="inspect",
            target="millhand_quality.inspect.commands.reference:reference",
            summary=tr("Make a model package from one picture of a part that is as it should be."),
        ),
        CommandType(
            name="score",
            group="inspect",
            target="millhand_quality.inspect.commands.score:score",
            summary=tr("Judge pictures with a package and say why."),
        ),
        CommandType(
            name="quantise",
            group="inspect",
            target="millhand_quality.inspect.commands.quantise:quantise",
            summary=tr("Try int8, and keep it where it wins on this machine."),
        ),
        CommandType(
            name="cascade",
            group="inspect",
            target="millhand_quality.inspect.commands.cascade:cascade",
            summary=tr("Say what a quick package before a bigger one would cost and miss."),
        ),
    )
