"""What plugin authors test with: a controller in memory, a PLC that answers, faults on the wire.

Nothing in here needs pytest; the conformance kits in :mod:`millhand.testing.conformance` do
(``pip install 'millhand[testing]'``).
"""

from __future__ import annotations

from millhand.testing.memory import MemoryTags
from millhand.testing.peers import PeerGone, PeerProcess
from millhand.testing.permits import permit_for, worthless_permits
from millhand.testing.plc import PlayedPlc
from millhand.testing.proxy import FaultProxy
from millhand.testing.residue import Residue

__all__ = [
    "FaultProxy",
    "MemoryTags",
    "PeerGone",
    "PeerProcess",
    "PlayedPlc",
    "Residue",
    "permit_for",
    "worthless_permits",
]
