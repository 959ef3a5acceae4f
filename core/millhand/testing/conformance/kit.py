"""What all kits share: who is tested, on which peer, and what it opts out of and why."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, ClassVar

import pytest

from millhand.testing.conformance.promises import promise_of

LACKS = "lacks: "
"""What the reason of a skipped promise begins with."""


class Kit:
    """Base of the kits. A subclass gets all tests of its kit by giving it a ``bench``.

    ``subject`` names the adapter or agent as its plugin registers it, ``peer`` what it is tested
    on, and ``independent`` says that the peer shares no code with it. ``lacks`` opts out of a
    capability, with the reason for it; a promise that needs none cannot be opted out of.
    """

    kit: ClassVar[str] = ""
    Capability: ClassVar[type[StrEnum]]
    subject: ClassVar[str] = ""
    peer: ClassVar[str] = ""
    independent: ClassVar[bool] = False
    lacks: ClassVar[Mapping[str, str]] = {}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if not cls.subject:
            return
        known = set(cls.Capability)
        for capability, reason in cls.lacks.items():
            if capability not in known:
                raise TypeError(
                    f"{cls.__name__}.lacks: {capability} is no capability of this kit; "
                    f"known are {', '.join(sorted(known))}"
                )
            if len(reason.split()) < 2:
                raise TypeError(f"{cls.__name__}.lacks: opting out of {capability} needs a reason")

    @pytest.fixture(autouse=True)
    def _only_what_it_claims(self, request: pytest.FixtureRequest) -> None:
        """Skip a promise that the subject opted out of."""
        found = promise_of(request.function)
        for capability in sorted(found.needs) if found else ():
            if capability in self.lacks:
                pytest.skip(f"{LACKS}{self.lacks[capability]}")
