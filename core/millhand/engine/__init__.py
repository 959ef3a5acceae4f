"""Lifecycle and supervision: what runs a scenario."""

from millhand.engine.engine import Engine
from millhand.engine.facade import BlockingEngine
from millhand.engine.snapshot import EngineSnapshot

__all__ = ["BlockingEngine", "Engine", "EngineSnapshot"]
