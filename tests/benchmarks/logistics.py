"""Schedules on the standard instances: rules, student, solver and the guarded mix.

    python tests/benchmarks/logistics.py PART [--data DIR] [--student PACKAGE ...]

PART is one of

    taillard    ta01 to ta80: gap to the best known makespan by size, CPU time
    hint        ta11, ta41, ta61: CP-SAT alone and with the best plan as hint
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
from millhand_logistics.schedule.from_shop import Floor
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
TRIES = 2000
"""Small changes of the best plan, where the parts below speak of a second."""


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
    for problem, best in instances.values():
        once.append(gap(valid(problem, simulate(problem, policy.choose(problem))), best))
        for samples, gaps, times in ((0, greedy, greedy_ms), (SAMPLES, drawn, drawn_ms)):
            plan, ms = timed(lambda p=problem, n=samples: cheapest(own_plans(p, policy, n)))
            gaps.append(gap(valid(problem, plan), best))
            times.append(ms)
    mixed = [min(pair) for pair in zip(drawn, rules, strict=True)]
    lost = sum(g > r for g, r in zip(greedy, rules, strict=True))
    sampled = f"{name}, {SAMPLES} samples"
    return [
        (f"{name}, greedy, forwards alone", interval(once), *by_size(once), ""),
        (f"{name}, greedy", interval(greedy), *by_size(greedy), f"{max(greedy_ms[60:70]):.1f}"),
        (sampled, interval(drawn), *by_size(drawn), f"{max(drawn_ms[60:70]):.0f}"),
        ("with the rules (guarded)", interval(mixed), *by_size(mixed), ""),
        (f"greedy worse than the best rule on {lost} of 80", "", *[""] * 8, ""),
    ]


def hint_part(data: Path, students: list[tuple[str, Policy]], effort: float) -> None:
    """Compare CP-SAT with a poor hint, and with the best that student and rules give."""
    instances = taillard(data)
    rows = []
    for name in ("ta11", "ta41", "ta61"):
        problem, best = instances[name]
        poor = simulate(problem, rule(problem, "EDD"))
        good = propose(problem, Effort(samples=32), students[0][1] if students else None).plan
        row: list[object] = [name]
        for hint in (poor, good):
            answer, ms = timed(lambda p=problem, h=hint: solve(p, h, effort))
            found = hint if answer.plan is None else cheapest([hint, valid(problem, answer.plan)])
            row += [f"{gap(hint, best):.1f}", f"{gap(found, best):.1f}", f"{ms / 1000:.0f}"]
        rows.append(row)
    heads = ("instance", "hint %", "CP-SAT %", "CPU s", "better hint %", "CP-SAT %", "CPU s")
    show(heads, rows)


def breakdown_part(data: Path, students: list[tuple[str, Policy]]) -> None:
    """Stop the busiest machine at a third of the plan, for a tenth of it."""
    instances = taillard(data)
    rows = []
    for first, size in ((0, "15×15"), (20, "20×20"), (60, "50×20")):
        gains, times, worse, losses = [], [], 0, []
        for name in [f"ta{first + i:02}" for i in range(1, 11)]:
            problem, _ = instances[name]
            plan = propose(problem, Effort(samples=32), students[0][1] if students else None).plan
            at, length = plan.makespan // 3, plan.makespan // 10
            load = np.bincount(plan.machine, weights=plan.end - plan.start)
            now = breakdown(problem, plan, int(load.argmax()), at, length)
            floor, before = floor_from(now, at), places_of(floor_from(problem, 0), plan)
            found, ms = timed(
                lambda f=floor, b=before: replan(
                    f, b, Calm(), Effort(samples=32), students[0][1] if students else None
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
                    p, Effort(samples=32, tries=TRIES, solver=e), policy
                )
            )
            valid(problem, found.plan)
            gaps[column].append(gap(found.plan, bounds[path]))
            row += [f"{gaps[column][-1]:.1f}", f"{ms:.0f}"]
        rows.append(row)
    rows.append(("mean", interval(gaps[0]), "", interval(gaps[1]), ""))
    show(("instance", "rules and student %", "ms", "and CP-SAT %", "ms"), rows)


def everyday_part(students: list[tuple[str, Policy]], effort: float, long_effort: float) -> None:
    """Compare costs in shops of every day with a long run of CP-SAT."""
    policy = students[0][1] if students else None
    ratios, quick, rows = [], [], []
    for seed in range(10):
        problem = everyday(50_000 + seed)
        cheap = propose(problem, Effort(samples=32, tries=TRIES), policy).plan
        found, ms = timed(
            lambda p=problem: (
                propose(p, Effort(samples=32, tries=TRIES, solver=effort), policy).plan
            )
        )
        answer, long_ms = timed(lambda p=problem, h=found: solve(p, h, long_effort))
        best = found.cost if answer.plan is None else min(found.cost, answer.plan.cost)
        ratios.append(100 * (found.cost / best - 1))
        quick.append(100 * (cheap.cost / best - 1))
        rows.append(
            (
                len(problem.operations),
                f"{quick[-1]:.1f}",
                f"{ratios[-1]:.1f}",
                f"{ms:.0f}",
                f"{long_ms / 1000:.0f}",
            )
        )
    rows.append(("mean", interval(quick), interval(ratios), "", ""))
    show(
        ("operations", "rules and student %", "and some CP-SAT %", "CPU ms", "long CP-SAT, CPU s"),
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
    plan = propose(problem, Effort(samples=8), policy).plan
    at = int(np.sort(plan.start)[100])
    now = breakdown(problem, plan, 3, at, plan.makespan // 10)
    floor, before = floor_from(now, at), places_of(floor_from(problem, 0), plan)
    rows = []
    for samples in (0, 4, 32):
        for calm in (Calm(), Calm(frozen=100, promised=400, most_moves=20)):
            runs = [
                timed(lambda s=samples, c=calm: replan(floor, before, c, Effort(samples=s), policy))
                for _ in range(5)
            ]
            found = runs[0][0]
            rows.append(
                (
                    samples,
                    calm.most_moves if calm.most_moves is not None else "any",
                    int(floor.problem.tables.fixed.sum()) + len(found.frozen),
                    found.turned,
                    f"{100 * (1 - found.plan.makespan / found.right_shift.makespan):.1f}",
                    f"{min(ms for _, ms in runs):.0f}",
                )
            )
    show(("samples", "moves allowed", "given places", "moved", "better, %", "CPU ms"), rows)


def main() -> None:
    """Read the command line and print one table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("part")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/logistics"))
    parser.add_argument("--student", type=Path, nargs="*", default=[])
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--effort", type=float, default=0.02)
    parser.add_argument("--long", type=float, default=1.0)
    asked = parser.parse_args()
    students = [(path.name, policy_in(open_package(path))) for path in asked.student]
    warm_up()
    print(f"compiled: {COMPILED}; {' '.join(sys.argv[1:])}\n")
    parts: dict[str, Callable[[], None]] = {
        "taillard": lambda: taillard_part(asked.data, students),
        "hint": lambda: hint_part(asked.data, students, asked.effort),
        "breakdown": lambda: breakdown_part(asked.data, students),
        "flexible": lambda: flexible_part(asked.data, students, asked.effort),
        "everyday": lambda: everyday_part(students, asked.effort, asked.long),
        "guard": lambda: guard_part(students, asked.count),
        "replan": lambda: replan_part(students),
    }
    if asked.part not in parts:
        parser.error(f"PART is one of {', '.join(parts)}")
    parts[asked.part]()


if __name__ == "__main__":
    main()
