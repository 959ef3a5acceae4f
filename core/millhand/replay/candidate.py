"""Another package in the place of the one that decided: what a candidate would have said."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from millhand.errors import ConfigError
from millhand.isolate.messages import AgentSpec, ModelSpec
from millhand.messages import tr
from millhand.models.package import Package


def with_candidates(spec: AgentSpec, candidates: Iterable[Package], role: str = "") -> AgentSpec:
    """Return the agent's description with each candidate in the place of what it was made for.

    No signature is asked for: a replay touches nothing, and a candidate is signed once it is
    chosen. A candidate that names a product takes that product's place; one that names none
    takes all.

    Args:
        spec: the agent as the scenario builds it.
        candidates: verified packages.
        role: the role they play, where the agent has several.

    Raises:
        ConfigError: the agent has no place that a candidate fits.
    """
    models = spec.models
    for candidate in candidates:
        models = _placed(spec.name, models, candidate, role)
    return msgspec.structs.replace(spec, models=models, trusted_keys=())


def _placed(
    agent: str, models: tuple[ModelSpec, ...], candidate: Package, role: str
) -> tuple[ModelSpec, ...]:
    product = candidate.manifest.product

    def fits(model: ModelSpec) -> bool:
        by_role = not role or model.role in ("", role)
        return by_role and (product is None or model.product in (None, product))

    if not any(fits(model) for model in models):
        places = ", ".join(sorted({model.product or model.role for model in models}))
        raise ConfigError(
            tr(
                "The package {id} was made for {product}, for which {agent} has no model.",
                id=candidate.id,
                product=product or tr("any product"),
                agent=agent,
            ),
            mend=tr("It has models for: {places}.", places=places or tr("nothing")),
        )
    return tuple(
        msgspec.structs.replace(model, folder=str(candidate.folder), precision=None)
        if fits(model)
        else model
        for model in models
    )
