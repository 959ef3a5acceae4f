"""Proposing a plan: every candidate is judged by one simulation, and the cheapest wins.

The rules are always among the candidates, so what is proposed is never worse than the best of
them: by construction, whatever network or solver says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from msgspec import Struct

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_logistics.schedule import solver
from millhand_logistics.schedule.check import checked
from millhand_logistics.schedule.improve import improved
from millhand_logistics.schedule.own import own_plans
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.problem import Problem
from millhand_logistics.schedule.rules import RULES, every_rule
from millhand_logistics.schedule.simulate import Plan, simulate


class Effort(Struct, frozen=True, kw_only=True):
    """How much work a proposal is worth, in counts: the same effort, the same plan."""

    samples: int = 32
    """Plans drawn from the student, beside its best guess."""
    tries: int = 0
    """Small changes of the cheapest plan so far, each simulated."""
    solver: float = 0.0
    """CP-SAT's deterministic time, about CPU seconds of one core; 0 leaves it out."""
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Proposal:
    """The cheapest plan, and what it was chosen over."""

    plan: Plan
    tried: tuple[Plan, ...]
    """The best of each source, cheapest first."""
    bound: int = 0
    """No plan costs less, as far as the solver proved; 0 where it did not look."""

    @property
    def runner_up(self) -> Plan | None:
        """The cheapest plan that does something else; None where all do the same."""
        return next((other for other in self.tried if not other.same_as(self.plan)), None)

    @property
    def best_rule(self) -> Plan:
        """The cheapest of the rules."""
        return next(plan for plan in self.tried if plan.source in RULES)


def propose(
    problem: Problem,
    effort: Effort | None = None,
    policy: Policy | None = None,
    others: Iterable[Plan] = (),
) -> Proposal:
    """Return the cheapest plan of rules, student, solver and whatever else is offered.

    Args:
        problem: what is to be planned.
        effort: counts that bound the work.
        policy: the student; without it rules and solver are alone.
        others: more candidates, such as the plan so far, moved to the right.

    Raises:
        ConfigError: no candidate keeps every place that is given, or the solver is asked for and
            not installed.
    """
    effort = effort or Effort()
    candidates = [*quick(problem, effort, policy), *others]
    if effort.tries > 0:
        candidates.append(improved(problem, cheapest(candidates), effort.tries, effort.seed))
    bound = 0
    if effort.solver > 0:
        answer = solver.solve(problem, cheapest(candidates), effort.solver, effort.seed)
        bound = answer.bound
        candidates += [] if answer.plan is None else [answer.plan]
    best = cheapest(candidates)
    if best.broken:
        raise _broken(problem, best)
    return Proposal(checked(problem, best), tuple(_by_source(candidates)), bound)


def cheapest(plans: Iterable[Plan]) -> Plan:
    """Return the plan that costs least; of several the first."""
    return min(plans, key=lambda plan: plan.cost)


def quick(problem: Problem, effort: Effort, policy: Policy | None) -> Iterator[Plan]:
    """Yield the plans of rules and student."""
    for name, choice in every_rule(problem):
        yield simulate(problem, choice, name)
    if policy is not None:
        yield from own_plans(problem, policy, effort.samples, effort.seed)


def _by_source(plans: Iterable[Plan]) -> list[Plan]:
    """Keep the cheapest of each source, cheapest first."""
    best: dict[str, Plan] = {}
    for plan in plans:
        if plan.source not in best or plan.cost < best[plan.source].cost:
            best[plan.source] = plan
    return sorted(best.values(), key=lambda plan: plan.cost)


def _broken(problem: Problem, plan: Plan) -> ConfigError:
    names = [
        o.name
        for i, o in enumerate(problem.operations)
        if o.fixed is not None and any(plan.end[p] > plan.start[i] for p in o.after)
    ]
    names = names or [o.name for o in problem.operations if o.fixed is not None]
    return ConfigError(
        tr("No plan keeps the places given to {names}.", names=", ".join(names[:5])),
        mend=tr(
            "What they wait for, or a set-up, cannot be done by then: give them a later place, or "
            "none."
        ),
    )
