"""Readers of the standard benchmark formats, and random shops in the same forms."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from millhand.errors import ConfigError
from millhand.messages import tr
from millhand_logistics.schedule.problem import Machine, Operation, Order, Problem

Jobs = Sequence[Sequence[Sequence[tuple[int, int]]]]
"""By order, by operation: machine and time of each alternative."""


def flexible_shop(jobs: Jobs, machines: int) -> Problem:
    """Make a problem of orders whose operations follow one another."""
    operations: list[Operation] = []
    for j, job in enumerate(jobs):
        for k, alternatives in enumerate(job):
            after = (len(operations) - 1,) if k else ()
            operations.append(Operation(f"{j}.{k}", j, tuple(alternatives), after))
    return Problem(
        tuple(operations),
        tuple(Order(str(j)) for j in range(len(jobs))),
        tuple(Machine(str(m)) for m in range(machines)),
    )


def job_shop(times: Sequence[Sequence[int]], machines: Sequence[Sequence[int]]) -> Problem:
    """Make a classical job shop: ``times[j][k]`` on ``machines[j][k]``, machines from 0."""
    jobs = [
        [[(m, time)] for time, m in zip(row, on, strict=True)]
        for row, on in zip(times, machines, strict=True)
    ]
    return flexible_shop(jobs, 1 + max(m for row in machines for m in row))


def read_collection(path: Path) -> dict[str, tuple[Problem, int]]:
    """Read a JSON collection: name to ``duration_matrix``, ``machines_matrix``, ``metadata``.

    Returns:
        Name to the problem and the best makespan known.

    Raises:
        ConfigError: it is no such collection.
    """
    data = _json(path)
    try:
        return {
            name: (
                job_shop(entry["duration_matrix"], entry["machines_matrix"]),
                int(entry["metadata"]["upper_bound"]),
            )
            for name, entry in data.items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            tr("{path} is no collection of job shops: {why}.", path=path, why=error)
        ) from error


def read_bounds(path: Path) -> dict[str, int]:
    """Read the best makespans known from the JSON index of flexible shops.

    Raises:
        ConfigError: it is no such index.
    """
    try:
        return {
            entry["path"]: int(entry["optimum"] or entry["bounds"]["upper"])
            for entry in _json(path)
        }
    except (KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            tr("{path} is no index of instances: {why}.", path=path, why=error)
        ) from error


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(tr("{path} cannot be read: {why}.", path=path, why=error)) from error


def read_flexible(path: Path) -> Problem:
    """Read a flexible job shop: orders and machines, then a line for each order.

    ``<operations> {<alternatives> {<machine> <time>}}``, machines from 0 or, where no 0 occurs, 1.

    Raises:
        ConfigError: it is no such file; with the line.
    """
    try:
        lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
        orders, machines = (int(word) for word in lines[0].split()[:2])
    except (OSError, ValueError, IndexError) as error:
        raise ConfigError(
            tr("{path} is no flexible job shop: {why}.", path=path, why=error)
        ) from error
    jobs = []
    for number, line in enumerate(lines[1 : orders + 1], start=2):
        try:
            jobs.append(_job([int(word) for word in line.split()]))
        except (ValueError, IndexError) as error:
            raise ConfigError(
                tr("{path}, line {n}: {why}.", path=path, n=number, why=error)
            ) from error
    if len(jobs) < orders:
        raise ConfigError(
            tr("{path} ends after {n} of {all} orders.", path=path, n=len(jobs), all=orders)
        )
    first = min(m for job in jobs for operation in job for m, _ in operation)
    if max(m for job in jobs for operation in job for m, _ in operation) == machines and first > 0:
        jobs = [[[(m - 1, time) for m, time in operation] for operation in job] for job in jobs]
    return flexible_shop(jobs, machines)


def _job(numbers: list[int]) -> list[list[tuple[int, int]]]:
    at, operations = 1, []
    for _ in range(numbers[0]):
        count = numbers[at]
        pairs = numbers[at + 1 : at + 1 + 2 * count]
        if len(pairs) != 2 * count or count < 1:
            raise ValueError(tr("an operation has too few numbers"))
        operations.append(list(zip(pairs[::2], pairs[1::2], strict=True)))
        at += 1 + 2 * count
    return operations
