"""The weights that ship: data in JSON, made by :mod:`.learn`."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources

import numpy as np

from millhand.errors import InternalError
from millhand_logistics.replenish.candidates import NAMES
from millhand_logistics.replenish.student.weigh import FEATURES, Weights


@cache
def weights() -> Weights:
    """Return the weights that ship.

    Raises:
        InternalError: they are for other candidates or features than this code has.
    """
    file = resources.files("millhand_logistics.replenish.student") / "weights.json"
    found = json.loads(file.read_text(encoding="utf-8"))
    if (found["candidates"], found["features"]) != (list(NAMES), list(FEATURES)):
        raise InternalError("the forecaster's weights are not for this code: learn them again")
    return Weights(np.array(found["bias"]), np.array(found["errors"]), float(found["stretch"]))
