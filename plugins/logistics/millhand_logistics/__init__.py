"""Logistics agents for Millhand."""

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
    """State that the plugin reads shops and writes what it is told to, and reaches nothing else."""
    return Capabilities(notes="`millhand plan` reads a shop and may write a picture of its plan.")


@hookimpl
def millhand_agents() -> Sequence[AgentType]:
    """Register the agents; each is imported in its worker."""
    return (
        AgentType(
            name="logistics.schedule",
            target="millhand_logistics.schedule.agent:ScheduleAgent",
            summary=tr("Plans a shop, and plans it anew when something happens."),
        ),
        AgentType(
            name="logistics.fleet",
            target="millhand_logistics.fleet.agent:FleetAgent",
            summary=tr("Gives transport orders to vehicles and leads them there."),
        ),
        AgentType(
            name="logistics.routes",
            target="millhand_logistics.routes.agent:RoutesAgent",
            summary=tr("Plans a day of deliveries, and plans it anew on the road."),
        ),
        AgentType(
            name="logistics.replenish",
            target="millhand_logistics.replenish.agent:ReplenishAgent",
            summary=tr("Proposes what to order, from stock and past demand."),
        ),
    )


@hookimpl
def millhand_commands() -> Sequence[CommandType]:
    """Register ``millhand plan``."""
    return (
        CommandType(
            name="plan",
            target="millhand_logistics.schedule.commands.plan:plan",
            summary=tr("Plan a shop: when each operation runs on which machine, and why."),
        ),
        CommandType(
            name="what-if",
            target="millhand_logistics.schedule.commands.what_if:what_if",
            summary=tr("Show what a breakdown or a hold would do to a shop's plan."),
        ),
        CommandType(
            name="routes",
            target="millhand_logistics.routes.commands.routes:routes",
            summary=tr("Plan a day of deliveries: which vehicle goes where and when."),
        ),
        CommandType(
            name="replenish",
            target="millhand_logistics.replenish.commands.replenish:replenish",
            summary=tr("Propose what to order, from stock and past demand."),
        ),
        CommandType(
            name="planner-labels",
            target="millhand_logistics.schedule.commands.planner_labels:planner_labels",
            summary=tr("Write what planners said of plans as shops to distil a student from."),
        ),
        CommandType(
            name="random-shops",
            target="millhand_logistics.schedule.commands.random_shops:random_shops",
            summary=tr("Write random shops to distil a dispatching student from."),
        ),
    )


@hookimpl
def millhand_teachers() -> Sequence[TeacherType]:
    """Register the teacher."""
    return (
        TeacherType(
            name="logistics.solver",
            target="millhand_logistics.schedule.distil.teacher:SolverTeacher",
            summary=tr("The cheapest plan that rules and OR-Tools CP-SAT find."),
        ),
    )


@hookimpl
def millhand_students() -> Sequence[StudentType]:
    """Register the student."""
    return (
        StudentType(
            name="logistics.dispatcher",
            target="millhand_logistics.schedule.distil.student:Dispatcher",
            summary=tr("A small network that dispatches; learns from its own best plans."),
        ),
    )


@hookimpl
def millhand_gates() -> Sequence[GateType]:
    """Register the gate that holds a student against its teacher."""
    return (
        GateType(
            name="logistics.within_teacher",
            target="millhand.distil.gates:WithinTeacher",
            summary=tr("Passes a student whose figure is surely within a margin of the teacher's."),
        ),
    )
