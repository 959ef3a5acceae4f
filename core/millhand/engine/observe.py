"""From a trigger to an Observation: frames, samples, product, all joined to their trigger."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from millhand.contracts import (
    Camera,
    CaptureRequest,
    Frame,
    PartTrigger,
    Sample,
    Trigger,
)
from millhand.engine.bindings import AgentBinding, Target
from millhand.errors import Unavailable
from millhand.messages import tr


@dataclass(frozen=True, slots=True)
class Gathered:
    """What the devices gave for one trigger."""

    frames: dict[str, Frame]
    samples: dict[str, Sample]
    product: str | None


async def gather(
    binding: AgentBinding,
    trigger: Trigger,
    devices: Mapping[str, object],
    deadline_monotonic_ns: int,
) -> Gathered:
    """Ask all cameras and controllers at once.

    Raises:
        Unavailable: a view is missing, or does not belong to this trigger.
    """
    by_target = _product_target(binding)
    samples_task = _read_samples(binding, devices, by_target)
    frames_task = _capture(binding, trigger, devices, deadline_monotonic_ns)
    samples, frames = await asyncio.gather(samples_task, frames_task)
    product = product_of(trigger)
    named = samples.pop("", None)
    if product is None and named is not None and named.good and named.value is not None:
        product = str(named.value)
    return Gathered(frames, samples, product)


def product_of(trigger: Trigger) -> str | None:
    """Return the product that a part's trigger names."""
    return trigger.product if isinstance(trigger, PartTrigger) else None


def _product_target(binding: AgentBinding) -> Target | None:
    targets = [choice.by for choice in binding.models.values() if choice.by is not None]
    return targets[0] if targets else None


async def _read_samples(
    binding: AgentBinding, devices: Mapping[str, object], product: Target | None
) -> dict[str, Sample]:
    wanted: dict[str, Target] = dict(binding.samples)
    if product is not None:
        wanted[""] = product
    by_device: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for role, target in wanted.items():
        by_device[target.device].append((role, target.item))
    found: dict[str, Sample] = {}
    for name, pairs in by_device.items():
        device = devices[name]
        samples = await device.read([tag for _, tag in pairs])  # type: ignore[attr-defined]
        found.update({role: sample for (role, _), sample in zip(pairs, samples, strict=True)})
    return found


async def _capture(
    binding: AgentBinding,
    trigger: Trigger,
    devices: Mapping[str, object],
    deadline_monotonic_ns: int,
) -> dict[str, Frame]:
    if not binding.frames:
        return {}
    seq, part, product = (
        (trigger.trigger_seq, trigger.part_id, trigger.product)
        if isinstance(trigger, PartTrigger)
        else (0, "", None)
    )
    request = CaptureRequest(
        trigger_seq=seq,
        part_id=part,
        product=product,
        deadline_monotonic_ns=deadline_monotonic_ns,
    )
    cameras = [devices[name] for name in binding.frames.values()]
    assert all(isinstance(camera, Camera) for camera in cameras)
    frames = await asyncio.gather(*(camera.capture(request) for camera in cameras))  # type: ignore[attr-defined]
    for name, frame in zip(binding.frames.values(), frames, strict=True):
        if frame.ref.trigger_seq != seq:
            raise Unavailable(
                tr(
                    "{camera} gave the frame of trigger {met} instead of {wanted}.",
                    camera=name,
                    met=frame.ref.trigger_seq,
                    wanted=seq,
                )
            )
    return dict(zip(binding.frames, frames, strict=True))
