"""Commands that plugins contribute through the hook ``millhand_commands``."""

from __future__ import annotations

from functools import lru_cache

import click


@lru_cache(maxsize=1)
def contributed_commands() -> dict[str, click.Command]:
    return {}
