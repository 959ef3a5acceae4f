"""The book of dispatch as an agent's memory: flat, and small enough for a hundred vehicles."""

from __future__ import annotations

from typing import Any

from millhand.contracts import Memory
from millhand_logistics.fleet.state import Book, Job, Plan, Stage

_VEHICLE, _JOB, _ANSWERED = "v.", "j.", "a."


def to_memory(book: Book) -> Memory:
    """Write the book."""
    memory: Memory = {"prefix": book.prefix, "number": book.number}
    for name, plan in book.plans.items():
        if plan.busy:
            memory[_VEHICLE + name] = [
                plan.order.removeprefix(book.prefix),
                plan.update,
                plan.first,
                plan.goal,
                plan.stage.value,
                plan.job,
                plan.asked_from,
                plan.waits,
                plan.tries,
                *plan.ahead,
            ]
        else:
            memory[_VEHICLE + name] = list(plan.ahead)
    for job in book.jobs.values():
        memory[_JOB + job.id] = [
            job.pick,
            job.drop,
            job.priority,
            job.vehicle,
            job.loaded,
            job.waited,
        ]
    for name, why in book.answered.items():
        memory[_ANSWERED + name] = why
    return memory


def from_memory(memory: Memory, prefix: str) -> Book:
    """Read the book; an empty memory is a new one whose order ids begin with ``prefix``."""
    book = Book(str(memory.get("prefix", prefix)), _int(memory.get("number", 0)))
    for key, value in memory.items():
        if key.startswith(_ANSWERED):
            book.answered[key.removeprefix(_ANSWERED)] = str(value)
        if not isinstance(value, list):
            continue
        if key.startswith(_VEHICLE):
            book.plans[key.removeprefix(_VEHICLE)] = _plan(value, book.prefix)
        elif key.startswith(_JOB):
            pick, drop, priority, vehicle, loaded, waited = value
            job = key.removeprefix(_JOB)
            book.jobs[job] = Job(
                job,
                str(pick),
                str(drop),
                _int(priority),
                str(vehicle),
                loaded=bool(loaded),
                waited=_int(waited),
            )
    return book


def _plan(values: list[Any], prefix: str) -> Plan:
    if len(values) < 9:
        return Plan(ahead=[str(node) for node in values])
    order, update, first, goal, stage, job, asked_from, waits, tries, *ahead = values
    return Plan(
        order=f"{prefix}{order}",
        update=_int(update),
        first=_int(first),
        goal=str(goal),
        stage=Stage(stage),
        job=str(job),
        ahead=[str(node) for node in ahead],
        asked_from=_int(asked_from),
        waits=_int(waits),
        tries=_int(tries),
    )


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
