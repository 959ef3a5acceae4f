"""What can be promised for each channel and tag, in words, as ``millhand check`` prints it."""

from __future__ import annotations

from millhand.messages import tr
from millhand.scenario.checks.names import Names
from millhand.scenario.devices import Channel
from millhand.scenario.load import Scenario
from millhand.scenario.units import format_duration


def guarantees(scenario: Scenario) -> list[str]:
    """Say what follows from ``confirm``, ``default`` and lease of everything that is written."""
    names = Names(scenario)
    leases = {name: device.lease for name, device in names.devices.items() if device.lease}
    written = {target for agent in scenario.file.agents.values() for target in agent.may.values()}
    return [
        *(_channel(target, channel) for target, channel in names.channels.items()),
        *(_lease(device, lease.every) for device, lease in leases.items()),
        *(_tag(target) for target in sorted(written & names.tags.keys())),
    ]


def _tag(target: str) -> str:
    return tr(
        "{target}: written at most once for each decision; “sent” means that the device took the "
        "value, nothing is known of its effect.",
        target=target,
    )


def _channel(target: str, channel: Channel) -> str:
    meaning = {
        "echo": tr(
            "applied means that the PLC's program accepted the command and said so in its answers"
        ),
        "readback": tr(
            "applied means that the command's record read back as it was written; whether the "
            "PLC's program acts on it is not known"
        ),
        "sensor": tr("applied means that the gate's sensor saw the part take the commanded way"),
        "none": tr(
            "sent means that the device took the command; nothing is known of its effect, and it "
            "is never claimed as applied"
        ),
    }[channel.confirm]
    return tr(
        "{target}: confirm {confirm}: {meaning}; sent at most once, never repeated; a part without "
        "a valid result in time takes the PLC's own default ({default}); a tick counts as {tick}.",
        target=target,
        confirm=channel.confirm,
        meaning=meaning,
        default=channel.default.value,
        tick=format_duration(channel.tick_period),
    )


def _lease(device: str, every: float) -> str:
    return tr(
        "{device}: the lease is raised every {every}; the PLC's time-out should be at least "
        "{timeout}.",
        device=device,
        every=format_duration(every),
        timeout=format_duration(round(3 * every, 9)),
    )
