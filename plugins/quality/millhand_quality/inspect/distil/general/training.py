"""Training the general student: in pieces of some minutes, each going on where the last stopped.

First its tail learns on what the trunk's first blocks say of every picture, which is computed once;
then the whole, slowly. Two things are asked of it: to say what the trunk says of a picture, and to
change by what the trunk changes by where a spot of it changes. The second is what heads measure,
and is small beside the first: it is counted in units of the trunk's own change.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from millhand_quality.inspect.distil.general.net import Start, StudentNet
from millhand_quality.inspect.distil.general.pool import pictures_of, statistics
from millhand_quality.inspect.trunk import Array, trunk_parameters

Seen = NDArray[np.uint8] | NDArray[np.float16]
Features = NDArray[np.float16]
EVERY_STEPS = 50
"""Steps between two lines of the curve."""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How it learns."""

    tail_steps: int
    """Of the tail alone, whatever the pieces: the rate falls to nothing at the last."""
    whole_steps: int
    """Of the whole, after those."""
    tail_pairs: int = 16
    """Of one step."""
    whole_pairs: int = 4
    tail_rate: float = 4e-3
    whole_rate: float = 6e-4
    weight_of_change: float = 0.5
    warm_steps: int = 100
    held_out: int = 1
    """Shards, the last ones, that are looked at and never learnt from."""
    average: float = 0.99
    """How much of the averaged weights is kept at a step."""
    seed: int = 0

    @property
    def steps(self) -> int:
        """Of both."""
        return self.tail_steps + self.whole_steps

    def rate(self, step: int) -> float:
        """Return the learning rate: up in a line, down in a cosine, in each of the two."""
        tail = step < self.tail_steps
        at, of = (step, self.tail_steps) if tail else (step - self.tail_steps, self.whole_steps)
        warm = min(1.0, (at + 1) / self.warm_steps)
        highest = self.tail_rate if tail else self.whole_rate
        return highest * warm * 0.5 * (1 + math.cos(math.pi * at / of))


@dataclass
class Learner:
    """A net, its average, and where it stands."""

    plan: TrainingPlan
    mean: Array
    deviation: Array
    net: StudentNet = field(default_factory=StudentNet)
    step: int = 0

    def __post_init__(self) -> None:
        self.net.start.take(trunk_parameters())
        self.net = self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = torch.optim.swa_utils.AveragedModel(
            self.net,
            multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(  # type: ignore[no-untyped-call]
                self.plan.average
            ),
            use_buffers=True,
        )
        self.optimiser = torch.optim.AdamW(self.net.parameters(), weight_decay=1e-4)

    @property
    def on_tail(self) -> bool:
        """Whether it is the tail that learns now."""
        return self.step < self.plan.tail_steps

    def save(self, path: Path) -> None:
        """Keep everything that going on needs."""
        part = path.with_suffix(".part")
        state = {
            "step": self.step,
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
        }
        torch.save(state, part)
        part.replace(path)

    def load(self, path: Path) -> None:
        """Go on from what was kept."""
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        self.step = state["step"]
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])

    def learn(self, seen: Seen, features: Features) -> list[float]:
        """Take one step on pairs; return both losses.

        Args:
            seen: what the tail sees while it learns alone, pictures afterwards.
            features: what the trunk says of the pictures.
        """
        for group in self.optimiser.param_groups:
            group["lr"] = self.plan.rate(self.step)
        self.net.train()
        absolute, change = self.losses(self.net, seen, features)
        self.optimiser.zero_grad(set_to_none=True)
        loss: torch.Tensor = absolute + self.plan.weight_of_change * change
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        self.average.update_parameters(self.net)
        self.step += 1
        return [absolute.item(), change.item()]

    def losses(
        self, net: StudentNet, seen: Seen, features: Features
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return what is left of the features' spread, and of the spread of their changes."""
        count = len(seen)
        both = torch.from_numpy(seen.reshape(2 * count, *seen.shape[2:]))
        if seen.dtype == np.uint8:
            said = net(_planes(both.permute(0, 3, 1, 2)))
        else:
            said = net.tail(_planes(both))
        wanted = features.astype(np.float32).reshape(2 * count, *features.shape[2:])
        scale, mean = self.deviation[:, None, None], self.mean[:, None, None]
        y = torch.from_numpy((wanted - mean) / scale)
        error = (said - y).reshape(count, 2, *y.shape[1:])
        y = y.reshape(count, 2, *y.shape[1:])
        change = (y[:, 1] - y[:, 0]).square().mean()
        return error.square().mean(), (error[:, 1] - error[:, 0]).square().mean() / change


def _planes(x: torch.Tensor) -> torch.Tensor:
    return x.float().contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def write_starts(shards: Sequence[Path], start: Start) -> None:
    """Write what the trunk's first blocks say of each shard's pictures, where it is not there."""
    for features in shards:
        path = starts_of(features)
        if path.exists():
            continue
        pictures = np.load(pictures_of(features))
        said = [
            start(_planes(torch.from_numpy(pair).permute(0, 3, 1, 2))).numpy() for pair in pictures
        ]
        part = path.with_suffix(".part")
        with part.open("wb") as file:
            np.save(file, np.stack(said).astype(np.float16), allow_pickle=False)
        part.replace(path)


def starts_of(features: Path) -> Path:
    """Return where the starts lie that belong to a shard's features."""
    return features.with_name(features.name.replace("features", "starts"))


def batches(shards: Sequence[Path], learner: Learner) -> Iterator[tuple[Seen, Features]]:
    """Yield pairs for ever; some shards are mixed at a time."""
    while True:
        tail, plan = learner.on_tail, learner.plan
        random = np.random.default_rng([plan.seed, learner.step])
        place, count = (starts_of, 12) if tail else (pictures_of, 4)
        pairs = plan.tail_pairs if tail else plan.whole_pairs
        some = [shards[at] for at in random.choice(len(shards), min(count, len(shards)), False)]
        seen = np.concatenate([np.load(place(path)) for path in some])
        features = np.concatenate([np.load(path) for path in some])
        order = random.permutation(len(seen))
        for first in range(0, len(order) - pairs + 1, pairs):
            if learner.on_tail is not tail:
                break
            places = order[first : first + pairs]
            yield seen[places], features[places]


def train(
    pool: Path,
    out: Path,
    plan: TrainingPlan,
    seconds: float,
    say: Callable[[str], None] = lambda _line: None,
) -> Learner:
    """Learn for so many seconds at most, from where ``out`` stands; keep the curve beside it.

    Args:
        pool: shards of :func:`millhand_quality.inspect.distil.general.pool.write_pool`.
        out: folder of ``state.pt`` and ``curve.jsonl``.
        plan: the same for all pieces.
        seconds: after which it stops and can go on.
        say: told each line of the curve.
    """
    out.mkdir(parents=True, exist_ok=True)
    shards = sorted(pool.glob("shard-*.features.npy"))
    learnt, held = shards[: -plan.held_out], shards[-plan.held_out :]
    torch.manual_seed(plan.seed)
    mean, deviation = statistics([np.load(path) for path in learnt[:8]])
    learner, state = Learner(plan, mean, deviation), out / "state.pt"
    if learner.on_tail:
        write_starts(shards, learner.net.start)
    if state.exists():
        learner.load(state)
    until, recent = time.monotonic() + seconds, []
    for seen, features in batches(learnt, learner):
        if learner.step >= plan.steps or time.monotonic() > until:
            break
        recent.append(learner.learn(seen, features))
        if learner.step % EVERY_STEPS == 0:
            line = _line(learner, recent, held if learner.step % (8 * EVERY_STEPS) == 0 else ())
            recent.clear()
            with (out / "curve.jsonl").open("a", encoding="utf-8") as file:
                file.write(line + "\n")
            say(line)
    learner.save(state)
    return learner


@torch.no_grad()
def _line(learner: Learner, recent: Sequence[Sequence[float]], held: Sequence[Path]) -> str:
    absolute, change = np.mean(recent, axis=0)
    found = {"step": learner.step, "loss": round(absolute, 4), "change": round(change, 4)}
    for path in held:
        net = learner.average.module
        assert isinstance(net, StudentNet)
        net.eval()
        pictures, features = np.load(pictures_of(path)), np.load(path)
        losses = [
            [
                float(one)
                for one in learner.losses(net, pictures[at : at + 25], features[at : at + 25])
            ]
            for at in range(0, len(pictures), 25)
        ]
        absolute, change = np.mean(losses, axis=0)
        found |= {"held_loss": round(absolute, 4), "held_change": round(change, 4)}
    return json.dumps(found)
