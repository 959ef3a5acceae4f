"""The messages of VDA 5050 2.1.0: one module a topic."""

from millhand_vda5050.wire.v2.connection import Connection
from millhand_vda5050.wire.v2.factsheet import Factsheet
from millhand_vda5050.wire.v2.instant_actions import InstantActions
from millhand_vda5050.wire.v2.order import Order
from millhand_vda5050.wire.v2.state import State
from millhand_vda5050.wire.v2.visualization import Visualization

__all__ = ["Connection", "Factsheet", "InstantActions", "Order", "State", "Visualization"]
