"""What plugin authors test with: controllers in memory, conformance kits, fixtures."""

from millhand.testing.memory import MemoryTags
from millhand.testing.plc import PlayedPlc

__all__ = ["MemoryTags", "PlayedPlc"]
