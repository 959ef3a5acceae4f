"""Make the general student again, in pieces.

::

    python -m millhand_quality.inspect.distil.general --photographs DIR --work DIR --minutes 30

Each call goes on where the last stopped; the one that takes the last step writes ``student.npz``
and its SHA-256, which belong into ``weights/`` and ``student.py``. Photographs are learnt from only
where ``sources.toml``, or another list given by ``--sources``, says whose each is and that its
licence is permissive; beside them there are generated surfaces, and no photograph is needed at all.
Where a piece ends decides which pairs come next, so that another run gives a like student, not the
same bytes.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import time
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import torch

from millhand_quality.inspect.distil.general.net import StudentNet
from millhand_quality.inspect.distil.general.pool import PoolPlan, photographs_in, write_pool
from millhand_quality.inspect.distil.general.sources import SOURCES, require_listed
from millhand_quality.inspect.distil.general.training import Learner, TrainingPlan, train
from millhand_quality.inspect.distil.trunk import npz_bytes
from millhand_quality.inspect.student import student_parameter_names

PLAN = Path(__file__).with_name("plan.toml")


def main() -> int:
    """Go on for so many minutes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photographs", type=Path, required=True)
    parser.add_argument("--sources", type=Path, default=SOURCES)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--plan", type=Path, default=PLAN)
    given = parser.parse_args()
    until = time.monotonic() + 60 * given.minutes
    plan = tomllib.loads(given.plan.read_text(encoding="utf-8"))
    torch.set_num_threads(1)
    shards = plan["pool"].pop("shards")
    photographs = photographs_in(given.photographs)
    require_listed(photographs, given.sources)
    pool = PoolPlan(photographs, **plan["pool"])
    sys.stdout.write(f"{len(pool.photographs)} photographs\n")
    for shard in write_pool(pool, given.work / "pool", shards):
        if time.monotonic() > until:
            sys.stdout.write(f"Goes on after {shard.name}.\n")
            return 0
    return _learn(plan["training"], given.work, until)


def _learn(training: dict[str, Any], work: Path, until: float) -> int:
    learner = train(
        work / "pool",
        work / "run",
        TrainingPlan(**training),
        until - time.monotonic(),
        _say,
    )
    if learner.step < learner.plan.steps:
        sys.stdout.write(f"Goes on after step {learner.step} of {learner.plan.steps}.\n")
        return 0
    data = student_bytes(learner)
    (work / "student.npz").write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    sys.stdout.write(f"{work / 'student.npz'}: {len(data)} bytes, SHA-256 {digest}\n")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def student_bytes(learner: Learner) -> bytes:
    """Pack the averaged weights as they are shipped."""
    net = learner.average.module
    assert isinstance(net, StudentNet)
    arrays = net.eval().arrays(learner.mean, learner.deviation)
    return npz_bytes(
        {name: np.asarray(array, np.float32) for name, array in arrays.items()},
        student_parameter_names(),
    )


if __name__ == "__main__":
    sys.exit(main())
