"""What an agent that looks at parts is given: a picture, or none, and the part's trigger."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from millhand.contracts import Frame, FrameRef, Observation, PartTrigger


def observation(pixels: NDArray[np.uint8] | None, agent: str, **more: Any) -> Observation:
    """Observe the first part, a ring; ``more`` are fields of the Observation."""
    frames = {}
    if pixels is not None:
        height, width, channels = pixels.shape
        ref = FrameRef(
            camera="cam",
            sha256="ab" * 32,
            height=height,
            width=width,
            channels=channels,
            frame_seq=1,
        )
        frames["frame"] = Frame(ref, pixels)
    trigger = PartTrigger(
        source="plc.trigger",
        trigger_seq=1,
        part_id="P1",
        plc_tick=5,
        detected_utc_ns=1,
        detected_monotonic_ns=1,
    )
    return Observation(
        id="cell.1.1", agent=agent, trigger=trigger, product="ring", frames=frames, **more
    )
