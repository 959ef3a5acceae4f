"""The worker process: ``python -m millhand.isolate.worker CONNECTION REGION MEMORY``.

It opens its agents and models once, then answers observations one after another. It writes to
nothing but its socket: what a plugin prints goes to the standard error, which the engine logs.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, perf_counter_ns
from typing import TYPE_CHECKING

import structlog
from msgspec import structs

from millhand.contracts import (
    Accelerator,
    Agent,
    Decision,
    Document,
    Frame,
    Model,
    Needs,
    Observation,
    Used,
)
from millhand.contracts.codec import from_msgpack
from millhand.errors import (
    ConfigError,
    InternalError,
    MillhandError,
    NotAllowed,
    PackageError,
    Unavailable,
)
from millhand.isolate.frames import (
    MemfdRegion,
    NamedRegion,
    attach_region,
    document_at,
    frame_at,
    warm_up,
)
from millhand.isolate.messages import (
    LARGEST_MESSAGE,
    LENGTH,
    AgentSpec,
    Close,
    Decide,
    Decided,
    Failed,
    FromWorker,
    Open,
    Opened,
    OpenedAgent,
    Rung,
    ToWorker,
    decode_to_worker,
    framed,
)
from millhand.messages import tr
from millhand.models.telemetry import silence
from millhand.pauses import freeze_start
from millhand.plugins.paths import based_on
from millhand.plugins.registrations import Registration

if TYPE_CHECKING:
    from millhand.models.ladder import LadderModel

log = structlog.get_logger(__name__)
_decode_observation = from_msgpack(Observation)


@dataclass(slots=True)
class ResidentAgent:
    """An agent with its opened models by role and package id, and what it was opened on."""

    agent: Agent
    models: dict[str, dict[str, Model]]
    opened: OpenedAgent
    accelerators: dict[str, Accelerator]

    def hurry(self, left_s: float | None) -> None:
        """Say how long the next decision may take, so that a ladder keeps time for its rungs."""
        for model in self._ladders():
            model.deadline = None if left_s is None else monotonic() + left_s

    def rungs(self) -> tuple[Rung, ...]:
        """Return what became of accelerators since this was asked last."""
        name = self.opened.name
        return tuple(
            Rung(agent=name, accelerator=change.accelerator, up=change.up, text=change.text)
            for model in self._ladders()
            for change in model.changes()
        )

    def _ladders(self) -> Iterator[LadderModel]:
        if len(self.accelerators) > 1:
            from millhand.models.ladder import LadderModel

            for packages in self.models.values():
                for model in packages.values():
                    if isinstance(model, LadderModel):
                        yield model

    def decide(self, observation: Observation) -> Decision:
        """Hand the agent the models that were pinned for this observation and let it decide."""
        pinned = {
            role: self.models[role][package_id] for role, package_id in observation.models.items()
        }
        decision = self.agent.decide(observation, pinned)
        if not isinstance(decision, Decision):
            raise InternalError(f"decide returned {type(decision).__name__} instead of a Decision")
        return decision

    def close(self) -> None:
        """Free the accelerators."""
        for accelerator in self.accelerators.values():
            accelerator.close()


def open_agent(spec: AgentSpec) -> ResidentAgent:
    """Build an agent and open its models.

    Raises:
        ConfigError: the class cannot be imported, or its configuration does not validate.
        PackageError: a package is damaged, foreign, or does not reproduce its golden outputs.
    """
    agent_class = Registration(spec.name, spec.target, "").load()
    config = agent_class.Config.model_validate(spec.config)
    agent: Agent = agent_class(based_on(config, Path(spec.folder)))
    needs = agent.needs()
    accelerators = _build_accelerators(spec)
    models: dict[str, dict[str, Model]] = {}
    packages: dict[str, str] = {}
    used: dict[str, Used] = {}
    choices: dict[str, str] = {}
    for wanted in spec.models:
        if not accelerators:
            raise InternalError(f"{spec.name} names models and no accelerator")
        from millhand.models.ladder import open_ladder
        from millhand.models.package import open_package

        package = open_package(Path(wanted.folder), trusted_keys=spec.trusted_keys)
        opened = open_ladder(package, accelerators, precision=wanted.precision)
        role = wanted.role or _only_role(spec, needs)
        models.setdefault(role, {})[opened.package_id] = opened
        label = role if wanted.product is None else f"{role}.{wanted.product}"
        packages[label] = opened.package_id
        used[label] = opened.used
        if opened.choice is not None:
            choices[label] = opened.choice.reason
    opened_agent = OpenedAgent(
        name=spec.name, needs=needs, packages=packages, used=used, choices=choices
    )
    return ResidentAgent(agent, models, opened_agent, accelerators)


def _only_role(spec: AgentSpec, needs: Needs) -> str:
    if len(needs.models) != 1:
        raise ConfigError(
            tr("{agent} has {count} model roles.", agent=spec.name, count=len(needs.models)),
            mend=tr("Name them under model: {roles}.", roles=", ".join(sorted(needs.models))),
        )
    return next(iter(needs.models))


def _build_accelerators(spec: AgentSpec) -> dict[str, Accelerator]:
    """Build the rungs of the ladder; those that are not here are left out, if one is.

    Raises:
        ConfigError: none of them is here; what the last one says.
    """
    built: dict[str, Accelerator] = {}
    for number, rung in enumerate(spec.accelerators, start=1):
        kind = Registration(rung.name, rung.target, "").load()
        try:
            built[rung.name] = kind(rung.name, kind.Config.model_validate(rung.config))
        except ConfigError as error:
            if number == len(spec.accelerators) and not built:
                raise
            log.warning("accelerator_not_here", accelerator=rung.name, why=str(error))
    return built


KINDS = (PackageError, ConfigError, NotAllowed, Unavailable)
"""Errors that are told as what they are; any other one is a plugin's fault."""


def failure(error: BaseException, *, number: int = 0, agent: str = "") -> Failed:
    """Describe an error to the engine: kind, text, mend and, for packages, the fault.

    The kind is the nearest one that the engine knows too: a plugin may have errors of its own.
    """
    if isinstance(error, MillhandError):
        text, mend = error.message, error.mend
    else:
        text, mend = f"{type(error).__name__}: {error}", ""
    fault = error.fault if isinstance(error, PackageError) else ""
    kinds = (known for known in KINDS if isinstance(error, known))
    kind = next(kinds, type(error)).__name__
    return Failed(number=number, agent=agent, kind=kind, text=text, mend=mend, fault=fault)


class _Channel:
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def receive(self) -> ToWorker | None:
        head = self._exactly(LENGTH.size)
        if head is None:
            return None
        (length,) = LENGTH.unpack(head)
        if length > LARGEST_MESSAGE:
            raise InternalError(f"message of {length} bytes")
        body = self._exactly(length)
        return None if body is None else decode_to_worker(body)

    def send(self, message: FromWorker) -> None:
        self._connection.sendall(framed(message))

    def _exactly(self, count: int) -> bytearray | None:
        buffer = bytearray(count)
        view = memoryview(buffer)
        while view:
            received = self._connection.recv_into(view)
            if received == 0:
                return None
            view = view[received:]
        return buffer


def _attach(message: Decide, observation: Observation, region: MemfdRegion | NamedRegion) -> None:
    if message.region_size > region.size:
        region.attach(message.region_size)
    frames: dict[str, Frame] = observation.frames
    for slot in message.frames:
        frames[slot.role] = frames[slot.role].with_pixels(frame_at(region, slot))
    documents: dict[str, Document] = observation.documents
    for place in message.documents:
        documents[place.role] = documents[place.role].with_content(document_at(region, place))


def serve(channel: _Channel, region: MemfdRegion | NamedRegion) -> None:
    """Answer until told to close or until the engine is gone."""
    first = channel.receive()
    if not isinstance(first, Open):
        return
    agents: dict[str, ResidentAgent] = {}
    for spec in first.agents:
        try:
            agents[spec.name] = open_agent(spec)
        except Exception as error:  # noqa: BLE001  whatever a plugin raises is told to the engine
            channel.send(failure(error, agent=spec.name))
            return
    if any(agent.opened.needs.frames for agent in agents.values()):
        warm_up()
    freeze_start()
    channel.send(Opened(agents=tuple(agent.opened for agent in agents.values())))
    while (message := channel.receive()) is not None and not isinstance(message, Close):
        if isinstance(message, Decide):
            channel.send(_answer(message, agents, region))
    for agent in agents.values():
        agent.close()


def _answer(
    message: Decide, agents: Mapping[str, ResidentAgent], region: MemfdRegion | NamedRegion
) -> Decided | Failed:
    try:
        observation = _decode_observation(message.observation)
        _attach(message, observation, region)
        agent = agents[message.agent]
        agent.hurry(message.left_s)
        started = perf_counter_ns()
        decision = agent.decide(observation)
        took_ns = perf_counter_ns() - started
        return Decided(
            number=message.number, decision=decision, decide_ns=took_ns, rungs=agent.rungs()
        )
    except Exception as error:  # noqa: BLE001  whatever a plugin raises is told to the engine
        told = failure(error, number=message.number, agent=message.agent)
        return structs.replace(told, rungs=agents[message.agent].rungs())


def connect(connection: str) -> socket.socket:
    """Open the way to the engine: ``fd:N``, inherited, or ``tcp:PORT``, loopback with a token.

    The token comes on the standard input, so that it stands in no list of processes.
    """
    kind, _, rest = connection.partition(":")
    if kind == "fd":
        return socket.socket(fileno=int(rest))
    way = socket.create_connection(("127.0.0.1", int(rest)))
    way.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    way.sendall(bytes.fromhex(sys.stdin.readline().strip()))
    return way


def main(arguments: list[str]) -> None:
    """Run the worker. Ctrl-C is the engine's to handle, so it is ignored here."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    silence()
    keep_standard_output_clean()
    connection, region, memory = arguments
    _limit_memory(int(memory))
    with connect(connection) as way:
        serve(_Channel(way), attach_region(region))


def _limit_memory(limit: int) -> None:
    """Refuse more than twice the limit at once, so that no leap takes the whole machine.

    What grows beyond the limit itself is seen from outside, by what is really resident.
    """
    if limit and sys.platform == "linux":
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_DATA)
        wanted = 2 * limit if most == resource.RLIM_INFINITY else min(2 * limit, most)
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, most))


def keep_standard_output_clean() -> None:
    """Send what a plugin prints to the standard error, which the engine logs."""
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


if __name__ == "__main__":
    main(sys.argv[1:])
