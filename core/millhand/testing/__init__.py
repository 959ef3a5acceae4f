"""What plugin authors test with: an in-memory controller, conformance kits, fixtures."""

from millhand.testing.memory import MemoryTags

__all__ = ["MemoryTags"]
