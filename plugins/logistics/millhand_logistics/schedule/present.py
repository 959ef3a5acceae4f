"""The shop as it is now: its file, and what happened since."""

from __future__ import annotations

from datetime import UTC, datetime

from millhand_logistics.schedule.from_shop import OperationKey
from millhand_logistics.schedule.state import Planned, State
from millhand_logistics.shop.model import Machine, Operation, Order, Pin, Shop, Span


def with_orders(shop: Shop, orders: tuple[str, ...]) -> Shop:
    """Return the shop with the orders that came since, as JSON."""
    more = tuple(Order.model_validate_json(text) for text in orders)
    return shop.model_copy(update={"orders": (*shop.orders, *more)})


def keys_of(shop: Shop) -> list[OperationKey]:
    """Return order and operation of all operations of a shop, in its order."""
    return [(order.id, operation.id) for order in shop.orders for operation in order.operations]


def present(shop: Shop, state: State, now: int, *, assume: bool) -> Shop:
    """Return the shop as it is at ``now``, in seconds of UTC.

    Args:
        shop: the file, with all orders.
        state: what happened since.
        now: the present.
        assume: whether operations are taken to have run as planned until told otherwise.
    """
    orders = tuple(_order(order, state, now, assume=assume) for order in shop.orders)
    taken = _taken(shop.orders, orders)
    return shop.model_copy(
        update={
            "machines": {
                name: _machine(name, machine, state) for name, machine in shop.machines.items()
            },
            "materials": {
                name: m.model_copy(update={"on_hand": m.on_hand - taken.get(name, 0.0)})
                for name, m in shop.materials.items()
            },
            "orders": orders,
        }
    )


def _taken(before: tuple[Order, ...], after: tuple[Order, ...]) -> dict[str, float]:
    """Return the material that was taken from the stock by what has begun since the file."""
    found: dict[str, float] = {}
    for old, new in zip(before, after, strict=True):
        for was, operation in zip(old.operations, new.operations, strict=True):
            untouched = was.started is None and was.finished is None
            begun = operation.started is not None or operation.finished is not None
            if untouched and begun:
                for name, quantity in operation.needs.items():
                    found[name] = found.get(name, 0.0) + quantity
    return found


def _machine(name: str, machine: Machine, state: State) -> Machine:
    spans = tuple(
        Span.model_validate({"from": _moment(d.begin), "to": _moment(d.end), "why": d.why})
        for d in state.down
        if d.machine == name
    )
    return machine.model_copy(update={"down": (*machine.down, *spans)}) if spans else machine


def _order(order: Order, state: State, now: int, *, assume: bool) -> Order:
    hold = state.holds.get(order.id) or state.holds.get(order.lot or "")
    operations = tuple(
        _operation(order.id, operation, state, now, assume=assume) for operation in order.operations
    )
    return order.model_copy(update={"hold": hold or order.hold, "operations": operations})


def _operation(
    order: str, operation: Operation, state: State, now: int, *, assume: bool
) -> Operation:
    if operation.finished is not None:
        return operation
    told = state.progress.get(f"{order}|{operation.id}", "").split("|")
    if told[0] == "finished":
        done = operation.model_copy(update={"finished": _moment(int(told[1]))})
        return _started(done, told[2], int(told[3])) if len(told) > 3 else done
    if told[0] == "started":
        return _started(operation, told[1], int(told[2]))
    if told[0] == "bound":
        operation = _bound(operation, told[1], state)
    place = state.planned.get((order, operation.id))
    if not assume or place is None or place.begin >= now or _stands(state, place):
        return operation
    if place.end <= now:
        done = operation.model_copy(update={"finished": _moment(place.end)})
        return _started(done, place.machine, place.begin)
    if operation.started is not None:
        return operation
    return _started(operation, place.machine, place.begin)


def _bound(operation: Operation, machine: str, state: State) -> Operation:
    """Keep an operation where its load is, unless that machine is down."""
    down = any(d.open and d.machine == machine for d in state.down)
    if down or machine not in operation.machines:
        return operation
    return operation.model_copy(update={"machines": {machine: operation.machines[machine]}})


def _stands(state: State, place: Planned) -> bool:
    """Whether a machine has stood still since before an operation was to begin on it."""
    return any(d.open and d.machine == place.machine and place.begin >= d.begin for d in state.down)


def _started(operation: Operation, machine: str, at: int) -> Operation:
    pin = Pin(machine=machine, at=_moment(at))
    return operation.model_copy(update={"started": pin, "pinned": None})


def _moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
