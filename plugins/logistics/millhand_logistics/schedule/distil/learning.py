"""Gradients and steps for a network this small: plain numpy, so that any shop's PC can retrain."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from millhand_logistics.schedule.policy import Floats, Policy
from millhand_logistics.schedule.simulate import Recording


def gradient(policy: Policy, recording: Recording) -> tuple[float, list[Floats]]:
    """Return the mean cross-entropy of the choices taken, and its gradient by weight."""
    rows, begins = recording.rows.astype(np.float64), recording.begins
    counts = np.diff(np.append(begins, len(rows)))
    choice = np.repeat(np.arange(len(begins)), counts)
    pre = rows @ policy.w1 + policy.b1
    h = np.maximum(pre, 0)
    mean = np.add.reduceat(h, begins, axis=0) / counts[:, None]
    both = np.concatenate([h, mean[choice]], axis=1)
    pre2 = both @ policy.w2 + policy.b2
    h2 = np.maximum(pre2, 0)
    scores = h2 @ policy.w3
    top = np.maximum.reduceat(scores, begins)
    likely = np.exp(scores - top[choice])
    likely /= np.add.reduceat(likely, begins)[choice]
    taken = begins + recording.taken
    loss = float(-np.log(np.maximum(likely[taken], 1e-12)).mean())
    error = likely
    error[taken] -= 1
    error /= len(begins)
    d2 = error[:, None] * policy.w3 * (pre2 > 0)
    dboth = d2 @ policy.w2.T
    hidden = h.shape[1]
    dmean = np.add.reduceat(dboth[:, hidden:], begins, axis=0) / counts[:, None]
    d1 = (dboth[:, :hidden] + dmean[choice]) * (pre > 0)
    return loss, [rows.T @ d1, d1.sum(0), both.T @ d2, d2.sum(0), h2.T @ error]


@dataclass(slots=True)
class Adam:
    """Adam (Kingma and Ba 2015) over a policy's weights."""

    rate: float = 1e-3
    step: int = 0
    first: list[Floats] = field(default_factory=list)
    second: list[Floats] = field(default_factory=list)

    def stepped(self, policy: Policy, gradients: list[Floats]) -> Policy:
        """Return the policy after one step against the gradients."""
        if not self.first:
            self.first = [np.zeros_like(g) for g in gradients]
            self.second = [np.zeros_like(g) for g in gradients]
        self.step += 1
        moved = []
        for i, (weights, g) in enumerate(zip(policy.weights, gradients, strict=True)):
            self.first[i] = 0.9 * self.first[i] + 0.1 * g
            self.second[i] = 0.999 * self.second[i] + 0.001 * g * g
            first = self.first[i] / (1 - 0.9**self.step)
            second = self.second[i] / (1 - 0.999**self.step)
            moved.append(weights - self.rate * first / (np.sqrt(second) + 1e-8))
        return Policy(*moved)
