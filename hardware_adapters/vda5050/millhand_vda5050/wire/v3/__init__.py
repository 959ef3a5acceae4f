"""The messages of VDA 5050 3.0.0: one module a topic."""

from millhand_vda5050.wire.v3.connection import Connection
from millhand_vda5050.wire.v3.factsheet import Factsheet
from millhand_vda5050.wire.v3.instant_actions import InstantActions
from millhand_vda5050.wire.v3.order import Order
from millhand_vda5050.wire.v3.responses import Responses
from millhand_vda5050.wire.v3.state import State
from millhand_vda5050.wire.v3.visualization import Visualization

__all__ = [
    "Connection",
    "Factsheet",
    "InstantActions",
    "Order",
    "Responses",
    "State",
    "Visualization",
]
