"""From our model to the messages of each version and back."""

from millhand_vda5050.dialects.base import Dialect, Header, moment, now, seconds_of
from millhand_vda5050.dialects.v2 import V2
from millhand_vda5050.dialects.v3 import V3
from millhand_vda5050.wire.codec import Version

__all__ = ["Dialect", "Header", "dialect", "moment", "now", "seconds_of"]

_DIALECTS: dict[Version, Dialect] = {Version.V2: V2(), Version.V3: V3()}


def dialect(version: Version) -> Dialect:
    """Return what speaks ``version``."""
    return _DIALECTS[version]
