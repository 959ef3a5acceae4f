"""``millhand connect``: is there a way to a device, and if not, what is in it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from millhand.cli.exits import ExitCode
from millhand.cli.output import console, json_option, show_json
from millhand.contracts import ConnectionFault, Link
from millhand.messages import tr, trn

if TYPE_CHECKING:
    from millhand.cli.targets import DeviceTarget
    from millhand.engine.probe import Probed


def set_option(command: click.decorators.FC) -> click.decorators.FC:
    """Add ``--set`` to a command that connects to a device."""
    return click.option(
        "--set",
        "settings",
        multiple=True,
        metavar="KEY=VALUE",
        help=tr(
            "An option of the adapter, as the scenario has it: namespace=urn:plant. Dots lead "
            "inwards; secrets by reference: security.password=env:PLC_PASSWORD."
        ),
    )(command)


@click.command(
    help=tr(
        "Try to connect to a device, once, and say what is in the way.\n"
        "\n"
        "TARGET is an address, or a scenario with one of its DEVICEs (all where left out). Nothing "
        "is written to any device. A fault is one of four: network, security, credentials, "
        "configuration; each comes with what to do about it.\n"
        "\n"
        "\b\n"
        "  millhand connect opc.tcp://192.168.0.10:4840\n"
        "  millhand connect my-cell/ plc\n"
        "  millhand connect opc.tcp://plc:4840 --set security.policy=Basic256Sha256"
    )
)
@click.argument("target")
@click.argument("device", required=False)
@set_option
@click.option(
    "--patience",
    "patience_s",
    type=click.FloatRange(0.1, 600),
    default=15.0,
    show_default=True,
    help=tr("Longest wait for each device, in seconds."),
)
@json_option
def connect(
    *,
    target: str,
    device: str | None,
    settings: tuple[str, ...],
    patience_s: float,
    as_json: bool,
) -> ExitCode:
    """Print how connecting went; the exit code says whether every device is up."""
    from millhand.cli.logs import only_errors
    from millhand.cli.targets import find_devices
    from millhand.plugins import Plugins

    only_errors()
    devices = find_devices(target, device, settings, Plugins.discover())
    found = asyncio.run(_probe_all(devices, patience_s))
    if as_json:
        show_json({"devices": found})
    else:
        for one, probed in zip(devices, found, strict=True):
            _show(one, probed)
    return _code(found)


async def _probe_all(devices: Sequence[DeviceTarget], patience_s: float) -> list[Probed]:
    from millhand.engine.probe import probe

    return await asyncio.gather(
        *(
            probe(
                one.build(),
                one.name,
                tags=list(one.configured.tags or ()),
                url=one.url,
                patience_s=patience_s,
            )
            for one in devices
        )
    )


def _show(device: DeviceTarget, probed: Probed) -> None:
    out = console()
    out.print(probed.device, style="strong", markup=False, end=f"  {device.url}\n")
    if probed.link is Link.UP:
        seconds = f"{probed.took_s:.2f}"
        out.print(tr("  connected in {seconds} s", seconds=seconds), style="good", markup=False)
        _show_tags(probed)
        return
    name = fault_name(probed.fault or ConnectionFault.NETWORK)
    out.print(tr("  fault: {name}", name=name), style="bad", markup=False)
    if probed.detail:
        out.print(f"  {probed.detail}", markup=False)
    if probed.mend:
        out.print(tr("  mend: {mend}", mend=probed.mend), markup=False)


def _show_tags(probed: Probed) -> None:
    if not probed.samples:
        return
    out = console()
    bad = [sample for sample in probed.samples if not sample.good]
    good = len(probed.samples) - len(bad)
    out.print(
        "  " + trn("{good} of {count} tag is good", "{good} of {count} tags are good",
                   len(probed.samples), good=good),
        style="unsure" if bad else "good",
        markup=False,
    )  # fmt: skip
    for sample in bad:
        out.print(f"    {sample.tag}: {sample.quality}  {sample.note}".rstrip(), markup=False)


def fault_name(fault: ConnectionFault) -> str:
    """Name a class of faults in the reader's language."""
    return {
        ConnectionFault.NETWORK: tr("network"),
        ConnectionFault.SECURITY: tr("security"),
        ConnectionFault.CREDENTIALS: tr("credentials"),
        ConnectionFault.CONFIGURATION: tr("configuration"),
    }[fault]


def _code(found: Sequence[Probed]) -> ExitCode:
    faults = {one.fault for one in found if one.link is not Link.UP}
    if not faults:
        return ExitCode.FINE
    return ExitCode.UNAVAILABLE if faults == {ConnectionFault.NETWORK} else ExitCode.NEEDS_PERSON
