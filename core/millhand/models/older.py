"""Older processors, emulated: what a model computes there, before it is sent there.

Old chips are where models run, and not where they are made. Newer ones multiply int8 with
instructions (AVX-512 VNNI) that the older lack, and there sums of 8-bit products may overflow in
16 bits. QEMU's user mode emulates the instructions themselves, so that a run time chooses the code
it would choose there. Its times say nothing.
"""

from __future__ import annotations

import platform
import shutil
import sys

from msgspec import Struct

from millhand.errors import Unavailable
from millhand.messages import tr

_EMULATORS = ("qemu-x86_64", "qemu-x86_64-static")


class Older(Struct, frozen=True, kw_only=True):
    """A processor that can be emulated."""

    name: str
    model: str
    """As QEMU names it."""
    lacks: str
    """What today's have and it has not."""


OLDER = {
    one.name: one
    for one in (
        Older(name="haswell", model="Haswell-noTSX", lacks="2013: AVX2, no AVX-512, no VNNI"),
        Older(name="nehalem", model="Nehalem", lacks="2008: SSE 4.2, no AVX"),
    )
}


def emulation(name: str) -> tuple[str, ...]:
    """Return the words to put before a command, so that it runs on this older processor.

    Raises:
        Unavailable: there is no such processor, or no emulator here.
    """
    if name not in OLDER:
        raise Unavailable(
            tr("There is no older processor “{name}”.", name=name),
            mend=tr("There are: {names}.", names=", ".join(OLDER)),
        )
    found = next(filter(None, map(shutil.which, _EMULATORS)), None)
    if found is None or platform.machine() not in {"x86_64", "AMD64"} or sys.platform != "linux":
        raise Unavailable(
            tr("No older processor can be emulated here."),
            mend=tr("On Linux on x86-64: apt install qemu-user"),
        )
    return (found, "-cpu", OLDER[name].model)
