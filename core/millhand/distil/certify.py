"""From which confidence on a student answers, and what is promised of its answers then.

The graphs that will be shipped answer items that nothing was fitted on, neither weights nor
temperature nor thresholds; the lowest of a few confidences fixed beforehand is taken whose error
rate is proven for every graph of the package (:func:`millhand.statistics.selective.certify_all`).
"No promise is possible" is an answer too, and stands in the passport.
"""

from __future__ import annotations

from collections.abc import Sequence

from millhand.contracts.agent import Model
from millhand.distil.plan import CertifyUse
from millhand.distil.roles import Proof
from millhand.models.manifest import Abstention
from millhand.statistics.selective import (
    Certificate,
    NoCertificate,
    certify_all,
    items_needed,
)


def certified(models: Sequence[Model], proof: Proof, use: CertifyUse) -> Abstention:
    """Let every graph answer and say what can be promised of all of them.

    Args:
        models: the opened graphs of one package.
        proof: held-out items with their right answers.
        use: the share of errors that is allowed, and how surely.

    Raises:
        ValueError: the student's confidences and answers do not fit its items.
    """
    answers = [[model(**inputs) for inputs in proof.inputs] for model in models]
    found = certify_all(
        [
            (
                [proof.confidence(outputs) for outputs in one],
                [proof.answer(outputs) != right
                 for outputs, right in zip(one, proof.right, strict=True)],
            )
            for one in answers
        ],
        alpha=use.alpha,
        delta=use.delta,
    )  # fmt: skip
    return abstention_of(found, proof.data)


def abstention_of(found: Certificate | NoCertificate, data: str) -> Abstention:
    """Return a certificate, or that there is none, as the passport states it.

    Args:
        found: what :func:`millhand.statistics.selective.certify` returned.
        data: which data it rests on.
    """
    if isinstance(found, NoCertificate):
        return Abstention(
            threshold=None,
            alpha=found.alpha,
            delta=found.delta,
            tried=found.tried,
            items=found.items,
            needed=found.needed,
            data=data,
        )
    return Abstention(
        threshold=found.threshold,
        alpha=found.alpha,
        delta=found.delta,
        tried=found.tried,
        items=found.items,
        answered=found.answered,
        wrong=found.wrong,
        upper=found.upper,
        needed=items_needed(found.alpha, found.delta, found.tried),
        data=data,
    )
