"""Conformance kits: subclass one, give it a bench, and pytest proves your adapter or agent.

Needs ``pip install 'millhand[testing]'``. Each kit is a class full of tests; a test is a promise
with a level, and the tier of an adapter is computed from what it kept. What an adapter cannot do
is opted out of by ``lacks``, with a reason.
"""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    "millhand.testing.conformance.tags",
    "millhand.testing.conformance.camera",
    "millhand.testing.conformance.robot",
    "millhand.testing.conformance.accelerator",
    "millhand.testing.conformance.agent",
    "millhand.testing.conformance.feeds",
)

from millhand.testing.conformance.accelerator import (  # noqa: E402  after the line above
    AcceleratorBench,
    AcceleratorCapability,
    AcceleratorKit,
)
from millhand.testing.conformance.agent import (  # noqa: E402
    AgentBench,
    AgentCapability,
    AgentKit,
)
from millhand.testing.conformance.camera import (  # noqa: E402
    CameraBench,
    CameraCapability,
    CameraKit,
)
from millhand.testing.conformance.kit import Kit  # noqa: E402
from millhand.testing.conformance.promises import Tier, promise  # noqa: E402
from millhand.testing.conformance.robot import (  # noqa: E402
    RobotBench,
    RobotCapability,
    RobotKit,
)
from millhand.testing.conformance.tags import TagsKit  # noqa: E402
from millhand.testing.conformance.tags_bench import (  # noqa: E402
    TagCase,
    TagsBench,
    TagsCapability,
)

__all__ = [
    "AcceleratorBench",
    "AcceleratorCapability",
    "AcceleratorKit",
    "AgentBench",
    "AgentCapability",
    "AgentKit",
    "CameraBench",
    "CameraCapability",
    "CameraKit",
    "Kit",
    "RobotBench",
    "RobotCapability",
    "RobotKit",
    "TagCase",
    "TagsBench",
    "TagsCapability",
    "TagsKit",
    "Tier",
    "promise",
]
