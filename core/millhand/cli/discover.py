"""``millhand discover``: what a device offers, as a ``tags:`` block that is ready to use."""

from __future__ import annotations

import asyncio
import fnmatch
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, takewhile
from typing import TYPE_CHECKING, Any

import click

from millhand.cli.connect import set_option
from millhand.cli.exits import ExitCode
from millhand.cli.output import console, json_option, show_json
from millhand.contracts import Discovers, Discovery, Health, Link, TagInfo
from millhand.errors import ConfigError, NotAllowed, Unavailable
from millhand.messages import tr, trn

if TYPE_CHECKING:
    from millhand.cli.targets import DeviceTarget

_WORD = re.compile(r"[A-Za-z]+[0-9]*|[0-9]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


@click.command(
    help=tr(
        "List what a device offers and print it as a block for scenario.yaml.\n"
        "\n"
        "TARGET is an address, or a scenario with one of its DEVICEs. Nothing is written to it.\n"
        "\n"
        "\b\n"
        "  millhand discover opc.tcp://192.168.0.10:4840\n"
        "  millhand discover opc.tcp://192.168.0.10:4840 --only '*Trigger*'\n"
        "  millhand discover my-cell/ plc"
    )
)
@click.argument("target")
@click.argument("device", required=False)
@set_option
@click.option("--only", metavar="PATTERN", default="*", help=tr("Addresses like this, with *."))
@click.option("--writable", is_flag=True, help=tr("Only what may be written."))
@click.option(
    "--patience",
    "patience_s",
    type=click.FloatRange(0.1, 600),
    default=15.0,
    show_default=True,
    help=tr("Longest wait for the device, in seconds."),
)
@json_option
def discover(
    *,
    target: str,
    device: str | None,
    settings: tuple[str, ...],
    only: str,
    writable: bool,
    patience_s: float,
    as_json: bool,
) -> ExitCode:
    """Browse one device and print its block."""
    from millhand.cli.logs import only_errors
    from millhand.cli.targets import find_devices
    from millhand.plugins import Plugins

    only_errors()
    devices = find_devices(target, device, settings, Plugins.discover())
    if len(devices) != 1:
        raise click.UsageError(
            tr("Say which device: {names}.", names=", ".join(one.name for one in devices))
        )
    (one,) = devices
    found = asyncio.run(_discover(one, patience_s))
    tags = [
        info
        for info in found.tags
        if fnmatch.fnmatchcase(info.address, only) and (info.writable or not writable)
    ]
    if as_json:
        show_json({"options": found.options, "tags": tags})
    else:
        click.echo(block(one, found, tags), nl=False)
        console(stderr=True).print(
            trn("{count} tag found.", "{count} tags found.", len(tags)), style="quiet"
        )
    return ExitCode.FINE


async def _discover(device: DeviceTarget, patience_s: float) -> Discovery:
    from millhand.engine.probe import connected

    adapter = device.build()
    if not hasattr(adapter, "browse"):
        raise ConfigError(
            tr("{adapter} has no tags to be listed.", adapter=device.configured.adapter.name),
            mend=tr("Try whether it can be reached: millhand connect"),
        )
    async with connected(adapter, patience_s=patience_s) as health:
        if health.link is not Link.UP:
            raise _away(health)
        if isinstance(adapter, Discovers):
            return await adapter.discover()
        return Discovery(tags=tuple(await adapter.browse()))


def _away(health: Health) -> NotAllowed | Unavailable:
    kind = NotAllowed if health.link is Link.REFUSED else Unavailable
    return kind(health.detail or tr("The device is not connected."), mend=health.mend)


def block(device: DeviceTarget, found: Discovery, tags: Sequence[TagInfo]) -> str:
    """Write the device's block, its tags named after their addresses."""
    from millhand.cli.targets import to_yaml

    options = {"adapter": device.configured.adapter.name, **device.options, **found.options}
    lines = ["devices:", f"  {device.name}:"]
    lines += [f"    {line}" for line in to_yaml(options).splitlines()]
    lines.append("    tags:" if tags else "    tags: {}")
    model = device.configured.adapter_class.Tag
    for name, info in zip(tag_names([info.address for info in tags]), tags, strict=True):
        entry = to_yaml({name: _tag(model, info)}).splitlines()
        note = _note(info)
        entry[0] += f"  # {note}" if note else ""
        lines += [f"      {line}" for line in entry]
    return "\n".join(lines) + "\n"


def _note(info: TagInfo) -> str:
    """Say what the entry itself does not: whether it can be written, and what it is."""
    said = info.description if not info.address.endswith(info.description) else ""
    words = [*([] if info.writable else [tr("read only")]), *([said] if said else [])]
    return " ".join(": ".join(words).split())


def _tag(model: Any, info: TagInfo) -> Any:
    """Return a tag in the adapter's long form where it knows type or unit, else the address."""
    known = model.model_fields
    more = {
        key: value
        for key, value in (("type", info.type), ("unit", info.unit))
        if key in known and value
    }
    if not more:
        return info.address
    long = model.model_validate(info.address).model_dump(exclude_unset=True, mode="json")
    return _flow({**long, **more})


def _flow(entry: dict[str, Any]) -> Any:
    """Have a mapping written on one line."""
    from ruamel.yaml.comments import CommentedMap

    mapping = CommentedMap(entry)
    mapping.fa.set_flow_style()
    return mapping


def tag_names(addresses: Sequence[str]) -> list[str]:
    """Make names of a scenario out of addresses: what all begin with is left out.

    ``s=Cell.PackML.State`` and ``s=Cell.Product`` become ``pack_ml_state`` and ``product``.
    """
    spelt = [_words(address) for address in addresses]
    shared = len(list(takewhile(lambda words: len(set(words)) == 1, zip(*spelt, strict=False))))
    if any(len(words) <= shared for words in spelt):
        shared = max(0, min(len(words) for words in spelt) - 1) if spelt else 0
    return list(_unique("_".join(words[shared:]) for words in spelt))


def _words(address: str) -> list[str]:
    identifier = address.rpartition(";")[2]
    identifier = identifier.partition("=")[2] or identifier
    return [word.lower() for word in _WORD.findall(_CAMEL.sub(" ", identifier))] or ["tag"]


def _unique(names: Iterable[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        valid = (name if name[:1].isalpha() else f"t_{name}")[:56]
        numbered = (f"{valid}_{number}" for number in range(2, len(seen) + 3))
        free = next(one for one in chain([valid], numbered) if one not in seen)
        seen.add(free)
        yield free
