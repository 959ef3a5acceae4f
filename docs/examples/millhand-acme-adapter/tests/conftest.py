"""A toy scale on a free port, in this process."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from toy_scale import ToyScale


@pytest.fixture
async def toy_scale() -> AsyncIterator[ToyScale]:
    scale = ToyScale()
    await scale.start()
    yield scale
    await scale.stop()
