"""The worker process: ``python -m millhand.isolate.worker CONNECTION REGION``.

It opens its agents and models once, then answers observations one after another. It writes to
nothing but its socket: what a plugin prints goes to the standard error, which the engine logs.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter_ns

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
from millhand.errors import ConfigError, InternalError, MillhandError, PackageError
from millhand.isolate.frames import MemfdRegion, NamedRegion, attach_region, document_at, frame_at
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
    ToWorker,
    decode_to_worker,
    framed,
)
from millhand.messages import tr
from millhand.models.telemetry import silence
from millhand.pauses import freeze_start
from millhand.plugins.registrations import Registration

_decode_observation = from_msgpack(Observation)


@dataclass(slots=True)
class ResidentAgent:
    """An agent with its opened models by role and package id, and what it was opened on."""

    agent: Agent
    models: dict[str, dict[str, Model]]
    opened: OpenedAgent
    accelerator: Accelerator | None

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
        """Free the accelerator."""
        if self.accelerator is not None:
            self.accelerator.close()


def open_agent(spec: AgentSpec) -> ResidentAgent:
    """Build an agent and open its models.

    Raises:
        ConfigError: the class cannot be imported, or its configuration does not validate.
        PackageError: a package is damaged, foreign, or does not reproduce its golden outputs.
    """
    agent_class = Registration(spec.name, spec.target, "").load()
    agent: Agent = agent_class(agent_class.Config.model_validate(spec.config))
    needs = agent.needs()
    accelerator = _build_accelerator(spec)
    models: dict[str, dict[str, Model]] = {}
    packages: dict[str, str] = {}
    used: dict[str, Used] = {}
    choices: dict[str, str] = {}
    for wanted in spec.models:
        if accelerator is None:
            raise InternalError(f"{spec.name} names models and no accelerator")
        from millhand.models.package import open_package
        from millhand.models.sessions import open_model

        opened = open_model(
            open_package(Path(wanted.folder)), accelerator, precision=wanted.precision
        )
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
    return ResidentAgent(agent, models, opened_agent, accelerator)


def _only_role(spec: AgentSpec, needs: Needs) -> str:
    if len(needs.models) != 1:
        raise ConfigError(
            tr("{agent} has {count} model roles.", agent=spec.name, count=len(needs.models)),
            mend=tr("Name them under model: {roles}.", roles=", ".join(sorted(needs.models))),
        )
    return next(iter(needs.models))


def _build_accelerator(spec: AgentSpec) -> Accelerator | None:
    if spec.accelerator is None:
        return None
    accelerator_class = Registration(spec.accelerator.name, spec.accelerator.target, "").load()
    config = accelerator_class.Config.model_validate(spec.accelerator.config)
    accelerator: Accelerator = accelerator_class(spec.accelerator.name, config)
    return accelerator


def failure(error: BaseException, *, number: int = 0, agent: str = "") -> Failed:
    """Describe an error to the engine: kind, text, mend and, for packages, the fault."""
    if isinstance(error, MillhandError):
        text, mend = error.message, error.mend
    else:
        text, mend = f"{type(error).__name__}: {error}", ""
    fault = error.fault if isinstance(error, PackageError) else ""
    kind = type(error).__name__
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
        started = perf_counter_ns()
        decision = agents[message.agent].decide(observation)
        return Decided(
            number=message.number, decision=decision, decide_ns=perf_counter_ns() - started
        )
    except Exception as error:  # noqa: BLE001  whatever a plugin raises is told to the engine
        return failure(error, number=message.number, agent=message.agent)


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
    _keep_standard_output_clean()
    connection, region = arguments
    with connect(connection) as way:
        serve(_Channel(way), attach_region(region))


def _keep_standard_output_clean() -> None:
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())


if __name__ == "__main__":
    main(sys.argv[1:])
