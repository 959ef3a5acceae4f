"""A linear head on features: multinomial logistic regression."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

_ROUNDS = 300


def fit_linear(
    features: NDArray[np.float32], targets: NDArray[np.int64], classes: int, decay: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return weights ``(features, classes)`` and biases, for features as they come.

    Features are standardised with their own mean and spread, which the weights take up. L-BFGS
    to its end: the problem is convex, so the answer does not depend on a seed.
    """
    mean, spread = features.mean(axis=0), features.std(axis=0) + 1e-6
    x = torch.from_numpy((features - mean) / spread)
    y = torch.from_numpy(targets)
    weight = torch.zeros(x.shape[1], classes, requires_grad=True)
    bias = torch.zeros(classes, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=_ROUNDS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        found = torch.nn.functional.cross_entropy(x @ weight + bias, y)
        found = found + decay * weight.square().sum()
        found.backward()  # type: ignore[no-untyped-call]
        return found

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    scaled = weight.detach().numpy() / spread[:, None]
    return scaled.astype(np.float32), (bias.detach().numpy() - mean @ scaled).astype(np.float32)
