"""Schedules on the standard instances: rules, student, solver and the guarded mix.

    python tests/benchmarks/logistics.py PART [--data DIR] [--student PACKAGE ...]

PART is one of

    taillard    ta01 to ta80: gap to the best known makespan by size, CPU time
    hint        ta01 to ta80: CP-SAT with the best plan of 150 ms as hint
    breakdown   a machine stops at a third of the plan: right-shift against re-plans
    flexible    Brandimarte mk01 to mk15: gap to the best known, and within a second
    everyday    shops with set-ups, shifts and due dates: the mix against CP-SAT
    guard       how often a proposal costs more than the best rule, on random shops
    replan      time to plan a shop of 1,000 operations anew, with pins

DIR holds ``jobshop/benchmark_instances.json`` and ``fjsp/`` (their origin is told in the
documentation). Every plan passes the independent checker. Times are CPU time of one process;
intervals are 95 %, over instances, normal. Several students (seeds) give their spread.
"""

from __future__ import annotations

import argparse
import math
import statistics
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import numpy as np

from millhand.models.package import open_package
from millhand_logistics.schedule.check import faults
from millhand_logistics.schedule.distil.random_shops import classical, everyday
from millhand_logistics.schedule.effort import effort_within
from millhand_logistics.schedule.from_shop import Floor
from millhand_logistics.schedule.improve import improved
from millhand_logistics.schedule.instances import read_bounds, read_collection, read_flexible
from millhand_logistics.schedule.jit import COMPILED
from millhand_logistics.schedule.own import own_plans
from millhand_logistics.schedule.package import policy_in
from millhand_logistics.schedule.policy import Policy
from millhand_logistics.schedule.problem import Problem
from millhand_logistics.schedule.propose import Effort, cheapest, propose
from millhand_logistics.schedule.replan import Calm, places_of, replan
from millhand_logistics.schedule.rules import RULES, rule
from millhand_logistics.schedule.simulate import Plan, simulate
from millhand_logistics.schedule.solver import solve
from millhand_logistics.schedule.warm import warm_up
from millhand_logistics.schedule.what_if import breakdown

EIGHT = [name for name in RULES if name != "SPT/TWKR"]
T = TypeVar("T")
SAMPLES = 64
"""Of a student alone on Taillard's instances: what fits into 150 ms at 50×20."""
SEARCHED_MS = 150
"""Time for student and small changes together, where both plan Taillard's instances."""


def timed(call: Callable[[], T]) -> tuple[T, float]:
    """Return what a call returns and its CPU milliseconds."""
    begin = time.process_time()
    found = call()
    return found, 1000 * (time.process_time() - begin)


def valid(problem: Problem, plan: Plan) -> Plan:
    """Return a plan that the independent checker has passed."""
    wrong = faults(problem, plan)
    assert not wrong, wrong[:3]
    return plan


def gap(plan: Plan, best: int) -> float:
    """Return how much longer a plan is than the best known, in per cent."""
    return 100 * (plan.makespan / best - 1)


def interval(values: Sequence[float]) -> str:
    """Write a mean with its 95 % interval."""
    mean = statistics.fmean(values)
    half = 1.96 * statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return f"{mean:.2f} ± {half:.2f}"


def show(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table in Markdown."""
    print("| " + " | ".join(heads) + " |")
    print("|" + "---|" * len(heads))
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |", flush=True)
    print()


def taillard(data: Path) -> dict[str, tuple[Problem, int]]:
    """Read ta01 to ta80."""
    every = read_collection(data / "jobshop" / "benchmark_instances.json")
    return {name: every[name] for name in (f"ta{i:02}" for i in range(1, 81))}


SIZES = ("15×15", "20×15", "20×20", "30×15", "30×20", "50×15", "50×20", "100×20")


def by_size(gaps: Sequence[float]) -> list[str]:
    """Return the mean of each size, ten instances each."""
    return [f"{statistics.fmean(gaps[i : i + 10]):.1f}" for i in range(0, 80, 10)]


def taillard_part(data: Path, students: list[tuple[str, Policy]]) -> None:
    """Compare rules and students on all eighty."""
    instances = taillard(data)
    rows: list[Sequence[object]] = []
    by_rule: dict[str, list[float]] = {name: [] for name in RULES}
    times: dict[str, list[float]] = {name: [] for name in RULES}
    for problem, best in instances.values():
        for name in RULES:
            plan, ms = timed(lambda p=problem, n=name: simulate(p, rule(p, n)))
            by_rule[name].append(gap(valid(problem, plan), best))
            times[name].append(ms)
    for name, gaps in by_rule.items():
        rows.append((name, interval(gaps), *by_size(gaps), f"{max(times[name][60:70]):.1f}"))
    eight = [min(by_rule[n][i] for n in EIGHT) for i in range(80)]
    nine = [min(gaps[i] for gaps in by_rule.values()) for i in range(80)]
    rows.append(("best of the usual eight", interval(eight), *by_size(eight), ""))
    rows.append(("best of all nine", interval(nine), *by_size(nine), ""))
    for name, policy in students:
        rows += _student_rows(name, policy, instances, nine)
    show(("who", "mean gap %", *SIZES, "ms at 50×20, worst"), rows)


def _student_rows(
    name: str, policy: Policy, instances: dict[str, tuple[Problem, int]], rules: list[float]
) -> list[Sequence[object]]:
    once: list[float] = []
    greedy: list[float] = []
    drawn: list[float] = []
    greedy_ms: list[float] = []
    drawn_ms: list[float] = []
    searched: list[float] = []
    searched_ms: list[float] = []
    for problem, best in instances.values():
        once.append(gap(valid(problem, simulate(problem, policy.choose(problem))), best))
        for samples, gaps, times in ((0, greedy, greedy_ms), (SAMPLES, drawn, drawn_ms)):
            plan, ms = timed(lambda p=problem, n=samples: cheapest(own_plans(p, policy, n)))
            gaps.append(gap(valid(problem, plan), best))
            times.append(ms)
        effort = effort_within(SEARCHED_MS / 1000, problem.tables.operations)
        plan, ms = timed(lambda p=problem, e=effort: _searched(p, policy, e))
        searched.append(gap(valid(problem, plan), best))
        searched_ms.append(ms)
    mixed = [min(pair) for pair in zip(drawn, rules, strict=True)]
    lost = sum(g > r for g, r in zip(greedy, rules, strict=True))
    sampled = f"{name}, {SAMPLES} samples"
    return [
        (f"{name}, greedy, forwards alone", interval(once), *by_size(once), ""),
        (f"{name}, greedy", interval(greedy), *by_size(greedy), f"{max(greedy_ms[60:70]):.1f}"),
        (sampled, interval(drawn), *by_size(drawn), f"{max(drawn_ms[60:70]):.0f}"),
        (
            f"{name}, samples and small changes",
            interval(searched),
            *by_size(searched),
            f"{max(searched_ms[60:70]):.0f}",
        ),
        ("samples with the rules (guarded)", interval(mixed), *by_size(mixed), ""),
        (f"greedy worse than the best rule on {lost} of 80", "", *[""] * 8, ""),
    ]


def _searched(problem: Problem, policy: Policy, effort: Effort) -> Plan:
    """Return the student's best plan after small changes."""
    best = cheapest(own_plans(problem, policy, effort.samples))
    return improved(problem, best, effort.tries)


def hint_part(data: Path, students: list[tuple[str, Policy]], seconds: float, count: int) -> None:
    """Give CP-SAT the best that student, rules and small changes find in 150 ms, and some time."""
    instances = taillard(data)
    policy = students[0][1] if students else None
    hints, found, times = [], [], []
    names = [name for name in instances if int(name[2:]) % 10 <= count or count >= 10]
    for name in names:
        problem, best = instances[name]
        effort = effort_within(SEARCHED_MS / 1000, problem.tables.operations)
        hint = propose(problem, effort, policy).plan
        plan, spent = _polished(problem, hint, seconds)
        hints.append(gap(hint, best))
        found.append(gap(plan, best))
        times.append(spent)
        print(f"{name} {hints[-1]:.2f} {found[-1]:.2f} {spent:.1f}", flush=True)
    rows = []
    for size, first in zip(SIZES, range(1, 81, 10), strict=True):
        here = [i for i, name in enumerate(names) if first <= int(name[2:]) < first + 10]
        rows.append(
            (
                size,
                *(f"{statistics.fmean(column[i] for i in here):.2f}" for column in (hints, found)),
                f"{max(times[i] for i in here):.1f}",
            )
        )
    rows.append((f"all {len(names)}", interval(hints), interval(found), f"{max(times):.1f}"))
    worse = sum(f > h for f, h in zip(found, hints, strict=True))
    show(("size", "hint %", "CP-SAT %", "CPU s, most"), rows)
    print(f"worse than its hint: {worse}")


def _polished(problem: Problem, hint: Plan, seconds: float) -> tuple[Plan, float]:
    """Return CP-SAT's plan after some CPU seconds, in pieces of deterministic time, and those."""
    best, spent, effort = hint, 0.0, 0.02
    for number in range(1000):
        answer, ms = timed(lambda h=best, e=effort, n=number: solve(problem, h, e, n))
        spent += ms / 1000
        if answer.plan is not None:
            best = cheapest([best, valid(problem, answer.plan)])
        rate = effort / (ms / 1000)
        effort = min(10 * effort, 0.7 * rate * (seconds - spent))
        if answer.proven or spent > 0.9 * seconds:
            break
    return best, spent


def breakdown_part(data: Path, students: list[tuple[str, Policy]]) -> None:
    """Stop the busiest machine at a third of the plan, for a tenth of it."""
    instances = taillard(data)
    rows = []
    for first, size in ((0, "15×15"), (20, "20×20"), (60, "50×20")):
        gains, times, worse, losses = [], [], 0, []
        for name in [f"ta{first + i:02}" for i in range(1, 11)]:
            problem, _ = instances[name]
            effort = effort_within(0.1, problem.tables.operations)
            plan = propose(problem, effort, students[0][1] if students else None).plan
            at, length = plan.makespan // 3, plan.makespan // 10
            load = np.bincount(plan.machine, weights=plan.end - plan.start)
            now = breakdown(problem, plan, int(load.argmax()), at, length)
            floor, before = floor_from(now, at), places_of(floor_from(problem, 0), plan)
            found, ms = timed(
                lambda f=floor, b=before, e=effort: replan(
                    f, b, Calm(), e, students[0][1] if students else None
                )
            )
            valid(found.problem, found.plan)
            shift = found.right_shift.makespan
            gains.append(100 * (1 - found.plan.makespan / shift))
            greedy = [p for p in found.proposal.tried if p.source == "student"]
            losses += [int(p.makespan > shift) for p in greedy]
            worse += found.plan.cost > found.right_shift.cost
            times.append(ms)
        rows.append((size, interval(gains), worse, sum(losses), f"{max(times):.0f}"))
    heads = ("size", "better than right-shift, %", "worse", "student's greedy worse", "ms, worst")
    show(heads, rows)


def floor_from(problem: Problem, now: int) -> Floor:
    """Give a problem names and a clock."""
    from datetime import UTC, datetime

    return Floor(
        problem=problem,
        keys=tuple((problem.orders[o.order].name, o.name) for o in problem.operations),
        machines=tuple(m.name for m in problem.machines),
        origin=datetime(2026, 1, 1, tzinfo=UTC),
        now=now,
        tick_s=60.0,
    )


def flexible_part(data: Path, students: list[tuple[str, Policy]], effort: float) -> None:
    """Compare the mix, with and without a little CP-SAT, on Brandimarte's shops."""
    bounds = read_bounds(data / "fjsp" / "instances.json")
    policy = students[0][1] if students else None
    rows, gaps = [], ([], [])
    for number in range(1, 16):
        path = f"brandimarte/mk{number:02}.txt"
        problem, row = read_flexible(data / "fjsp" / path), [f"mk{number:02}"]
        for column, solver in enumerate((0.0, effort)):
            found, ms = timed(
                lambda p=problem, e=solver: propose(
                    p, effort_within(1.0, p.tables.operations, solver=e), policy
                )
            )
            valid(problem, found.plan)
            gaps[column].append(gap(found.plan, bounds[path]))
            row += [f"{gaps[column][-1]:.1f}", f"{ms:.0f}"]
        rows.append(row)
    rows.append(("mean", interval(gaps[0]), "", interval(gaps[1]), ""))
    show(("instance", "rules and student %", "ms", "and CP-SAT %", "ms"), rows)


def everyday_part(students: list[tuple[str, Policy]], count: int, seconds: float) -> None:
    """Compare what is answered within a second with a long run of CP-SAT from the best rule."""
    policy = students[0][1] if students else None
    over, rows = [], []
    for seed in range(count):
        problem = everyday(50_000 + seed)
        effort = effort_within(1.0, problem.tables.operations)
        found, ms = timed(lambda p=problem, e=effort: propose(p, e, policy))
        hint = found.best_rule
        best, spent = _polished(problem, hint, seconds)
        over.append(100 * (valid(problem, found.plan).cost / best.cost - 1))
        rows.append(
            (
                len(problem.operations),
                f"{100 * (hint.cost / best.cost - 1):.1f}",
                f"{over[-1]:.1f}",
                f"{ms:.0f}",
                f"{spent:.0f}",
            )
        )
    rows.append(("mean", "", interval(over), "", ""))
    show(
        ("operations", "best rule %", "answer %", "CPU ms", "CP-SAT, CPU s"),
        rows,
    )


def guard_part(students: list[tuple[str, Policy]], count: int) -> None:
    """Count proposals that cost more than the best rule."""
    policy = students[0][1] if students else Policy.untrained(0)
    worse = student_better = 0
    for seed in range(count):
        draw = everyday if seed % 2 else (lambda s: classical(s, (8, 6)))
        problem = draw(700_000_000 + seed)
        found = propose(problem, Effort(samples=2, seed=seed), policy)
        best = min(simulate(problem, rule(problem, name)).cost for name in RULES)
        worse += found.plan.cost > best
        student_better += found.plan.cost < best
    show(("random shops", "worse than the best rule", "better"), [(count, worse, student_better)])


def replan_part(students: list[tuple[str, Policy]]) -> None:
    """Time a re-plan of 1,000 operations in which 100 have their place."""
    policy = students[0][1] if students else None
    problem = classical(5, (50, 20))
    shipped = effort_within(0.1, 1000)
    plan = propose(problem, shipped, policy).plan
    at = int(np.sort(plan.start)[100])
    now = breakdown(problem, plan, 3, at, plan.makespan // 10)
    floor, before = floor_from(now, at), places_of(floor_from(problem, 0), plan)
    rows = []
    for calm in (Calm(), Calm(frozen=100, promised=400, most_moves=20)):
        efforts = (Effort(samples=0), effort_within(0.1, 1000, twice=calm.promised > 0))
        for effort in efforts:
            runs = [
                timed(lambda e=effort, c=calm: replan(floor, before, c, e, policy))
                for _ in range(5)
            ]
            found = runs[0][0]
            rows.append(
                (
                    effort.samples,
                    effort.tries,
                    calm.most_moves if calm.most_moves is not None else "any",
                    int(floor.problem.tables.fixed.sum()) + len(found.frozen),
                    found.turned,
                    f"{100 * (1 - found.plan.makespan / found.right_shift.makespan):.1f}",
                    f"{min(ms for _, ms in runs):.0f}",
                )
            )
    show(
        ("samples", "tries", "moves allowed", "given places", "moved", "better, %", "CPU ms"), rows
    )


def main() -> None:
    """Read the command line and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/logistics"))
    parser.add_argument("--student", type=Path, nargs="*", default=[])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--effort", type=float, default=0.02)
    parser.add_argument("--long", type=float, default=60.0, help="CPU seconds of CP-SAT")
    parser.add_argument("--seconds", type=float, default=10.0, help="CPU seconds of CP-SAT")
    parser.add_argument("--shops", type=int, default=10)
    asked = parser.parse_args()
    students = [(path.name, policy_in(open_package(path))) for path in asked.student]
    warm_up()
    print(f"compiled: {COMPILED}; {' '.join(sys.argv[1:])}\n")
    parts: dict[str, Callable[[], None]] = {
        "taillard": lambda: taillard_part(asked.data, students),
        "hint": lambda: hint_part(asked.data, students, asked.seconds, asked.count),
        "breakdown": lambda: breakdown_part(asked.data, students),
        "flexible": lambda: flexible_part(asked.data, students, asked.effort),
        "everyday": lambda: everyday_part(students, asked.shops, asked.long),
        "guard": lambda: guard_part(students, asked.count),
        "replan": lambda: replan_part(students),
    }
    if asked.part not in parts:
        parser.error(f"PART is one of {', '.join(parts)}")
    parts[asked.part]()


if __name__ == "__main__":
    main()
