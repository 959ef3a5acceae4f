"""The command ``millhand simulated fleet``."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import click

from millhand.messages import tr
from millhand_mqtt.broker import BrokerConfig
from millhand_vda5050.layout import Layout
from millhand_vda5050.simulated.broker import PROTOCOL, embedded_broker
from millhand_vda5050.simulated.fleet import SimulatedFleet, grid, spread
from millhand_vda5050.wire.codec import Version

_CONNECT_S = 30.0


@click.command("fleet")
@click.option("--vehicles", default=3, show_default=True, help=tr("How many."))
@click.option(
    "--broker", default="", help=tr("URL of a broker; left out, one is started on --port.")
)
@click.option("--port", default=1883, show_default=True, help=tr("Port of the started broker."))
@click.option(
    "--layout",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=tr("JSON file with nodes and edges; left out, a grid of 10 by 10."),
)
@click.option(
    "--write-layout", type=click.Path(dir_okay=False, path_type=Path), help=tr("Save the layout.")
)
@click.option("--seconds", type=float, help=tr("End after so long; left out, at Ctrl-C."))
@click.option("--pace", default=1.0, show_default=True, help=tr("Simulated seconds in one."))
@click.option(
    "--version",
    type=click.Choice([version.value for version in Version]),
    default=Version.V2.value,
    show_default=True,
    help=tr("Version of VDA 5050."),
)
def fleet(
    vehicles: int,
    broker: str,
    port: int,
    layout: Path | None,
    write_layout: Path | None,
    seconds: float | None,
    pace: float,
    version: str,
) -> None:
    """Let simulated vehicles drive by VDA 5050, with a broker of their own if need be."""
    ways = grid(10, 10) if layout is None else Layout.load(layout)
    if not 1 <= vehicles <= len(ways.nodes):
        raise click.BadParameter(
            tr("1 to {most}, one for each node", most=len(ways.nodes)), param_hint="--vehicles"
        )
    if write_layout is not None:
        write_layout.write_text(ways.model_dump_json(by_alias=True), encoding="utf-8")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(vehicles, broker, port, ways, seconds, pace, Version(version)))


async def _serve(
    vehicles: int,
    broker: str,
    port: int,
    layout: Layout,
    seconds: float | None,
    pace: float,
    version: Version,
) -> None:
    async with contextlib.AsyncExitStack() as stack:
        options = {"url": broker}
        if not broker:
            url = await stack.enter_async_context(embedded_broker(port))
            options = {"url": url, "protocol": PROTOCOL}
        starts = spread(layout, vehicles)
        fleet_ = SimulatedFleet(
            starts, layout, BrokerConfig.model_validate(options), version=version, pace=pace
        )
        await stack.enter_async_context(fleet_)
        await fleet_.wait_connected(_CONNECT_S)
        click.echo(tr("{count} vehicles at {url}:", count=vehicles, url=options["url"]))
        for serial, node in starts.items():
            click.echo(f"  {serial} {node}")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.Event().wait()
