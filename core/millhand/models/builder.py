"""Build a model package: hashes, shapes and counts are read from the files, not typed in."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import ValidationError

from millhand.errors import InternalError, PackageError
from millhand.messages import tr
from millhand.models.arrays import write_arrays
from millhand.models.card import render_card
from millhand.models.files import read_part
from millhand.models.golden_files import read_golden
from millhand.models.graph import GraphFacts, TensorFacts, read_facts
from millhand.models.manifest import (
    Abstention,
    Energy,
    ExtraFile,
    Golden,
    GraphFile,
    Latency,
    Manifest,
    Metric,
    Parity,
    Source,
    TeacherCard,
    TensorSpec,
)
from millhand.models.package import CARD, MANIFEST, Package, open_package

_PLAIN_FIELDS = (
    "version", "product", "created", "parameters", "seed", "command", "plan_sha256",
    "budget_p50_ms",
)  # fmt: skip
Precision = Literal["fp32", "fp16", "int8"]


class PackageBuilder:
    """Gather the parts of a package, then :meth:`write` it. Every ``add_…`` returns the builder.

    Args:
        name: lower-case name, the first half of the package's id.
        task: what it does, in a word.
        licence: SPDX expression of the package's licence.
        teacher: by whom and by what right it was taught.
        meanings: what each input and output holds, with unit or range, by tensor name.
        facts: the manifest's other plain fields: version, product, created, parameters,
            seed, command, plan_sha256, budget_p50_ms.
    """

    def __init__(
        self,
        *,
        name: str,
        task: str,
        licence: str,
        teacher: TeacherCard,
        meanings: Mapping[str, str],
        **facts: Any,
    ) -> None:
        self._fields: dict[str, Any] = {
            "name": name,
            "task": task,
            "licence": licence,
            "teacher": teacher,
            "created": datetime.now(UTC).date().isoformat(),
            **facts,
            "parameters": _plain(facts.get("parameters", {})),
        }
        self._meanings = dict(meanings)
        self._shapes: dict[str, tuple[int | str, ...]] = {}
        self._graph_facts: list[GraphFacts] = []
        self._content: dict[str, bytes] = {}
        self._graphs: list[GraphFile] = []
        self._golden: list[Golden] = []
        self._files: list[ExtraFile] = []
        self._sources: list[Source] = []
        self._metrics: list[Metric] = []
        self._latency: list[Latency] = []
        self._energy: list[Energy] = []
        self._parity: list[Parity] = []
        self._notes: list[str] = []

    @classmethod
    def of(cls, package: Package) -> Self:
        """Begin with all that a package holds but its card, to add to it.

        Raises:
            PackageError: a file changed since the package was opened.
        """
        old = package.manifest
        builder = cls(
            name=old.name,
            task=old.task,
            licence=old.licence,
            teacher=old.teacher,
            meanings={spec.name: spec.meaning for spec in (*old.inputs, *old.outputs)},
            **{key: getattr(old, key) for key in _PLAIN_FIELDS},
        )
        for graph in old.graphs:
            builder.add_graph(read_part(package.path(graph), graph), graph.precision)
        for golden in old.golden:
            inputs, outputs = read_golden(read_part(package.path(golden), golden), golden, old)
            builder.add_golden(
                inputs,
                outputs,
                golden.precision,
                absolute=golden.absolute,
                relative=golden.relative,
            )
        for extra in old.files:
            if extra.path != CARD:
                data = read_part(package.path(extra), extra)
                builder.add_file(extra.path, data, extra.meaning)
        builder.add_source(*old.sources).add_metric(*old.metrics).add_latency(*old.latency)
        builder.promise(old.abstention)
        return builder.add_energy(*old.energy).add_parity(*old.parity).add_note(*old.notes)

    def add_graph(self, graph: bytes | Path, precision: Precision = "fp32") -> Self:
        """Add one ONNX graph; opset, parameters and shapes are read from it.

        Raises:
            PackageError: ``graph`` or ``external``, it is not one self-contained graph.
        """
        data = graph if isinstance(graph, bytes) else graph.read_bytes()
        path = "model.onnx" if precision == "fp32" else f"model.{precision}.onnx"
        facts = read_facts(data, path)
        self._graph_facts.append(facts)
        self._graphs.append(
            GraphFile(
                path=path,
                sha256=self._keep(path, data),
                precision=precision,
                opset=facts.opset,
                parameters=facts.parameters,
            )
        )
        return self

    def add_golden(
        self,
        inputs: Mapping[str, NDArray[Any]],
        outputs: Mapping[str, NDArray[Any]],
        precision: Precision = "fp32",
        *,
        absolute: float = 1e-4,
        relative: float = 1e-4,
    ) -> Self:
        """Add inputs with the outputs they must reproduce within the bounds, on every load.

        The outputs are those of the graph of this precision on the machine that builds.
        """
        path = f"golden/{precision}-{len(self._golden)}.npz"
        arrays = {f"input.{name}": array for name, array in inputs.items()}
        arrays |= {f"output.{name}": array for name, array in outputs.items()}
        self._golden.append(
            Golden(
                path=path,
                sha256=self._keep(path, write_arrays(arrays)),
                precision=precision,
                absolute=absolute,
                relative=relative,
            )
        )
        self._shapes |= {name: np.shape(array) for name, array in outputs.items()}
        return self

    def add_file(self, path: str, data: bytes, meaning: str) -> Self:
        """Add another file that belongs to the package: licence text, plan, calibration data."""
        self._files.append(ExtraFile(path=path, sha256=self._keep(path, data), meaning=meaning))
        return self

    def add_source(self, *sources: Source) -> Self:
        """State where training data came from."""
        self._sources.extend(sources)
        return self

    def add_metric(self, *metrics: Metric) -> Self:
        """State measured figures."""
        self._metrics.extend(metrics)
        return self

    def add_latency(self, *latency: Latency) -> Self:
        """State measured times."""
        self._latency.extend(latency)
        return self

    def promise(self, abstention: Abstention | None) -> Self:
        """State when the model does not answer, and what is promised of its answers."""
        self._fields["abstention"] = abstention
        return self

    def tell(self, parameters: Mapping[str, Any]) -> Self:
        """Tell the agent more, or otherwise, than the package's parameters said so far."""
        self._fields["parameters"] = {**self._fields["parameters"], **_plain(parameters)}
        return self

    def add_energy(self, *energy: Energy) -> Self:
        """State what runs cost in energy, measured or estimated."""
        self._energy.extend(energy)
        return self

    def add_parity(self, *parity: Parity) -> Self:
        """State where the graph was seen to answer as it should."""
        self._parity.extend(parity)
        return self

    def add_note(self, *notes: str) -> Self:
        """State what else a reader must know."""
        self._notes.extend(notes)
        return self

    def write(self, folder: Path, *, replace: bool = False) -> Package:
        """Write the package, verify it as a stranger would, and only then give it its name.

        A crash leaves at most a hidden folder beside ``folder``, never half a package.

        Raises:
            PackageError: ``exists``, or any fault that :func:`open_package` finds.
            InternalError: a stated field is not one of the manifest.
        """
        if folder.exists() and not replace:
            raise PackageError(
                tr("{folder} exists.", folder=folder),
                fault="exists",
                mend=tr("Choose another folder, or remove this one."),
            )
        manifest, content = self._finish()
        folder.parent.mkdir(parents=True, exist_ok=True)
        fresh = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.new"
        try:
            for path, data in content.items():
                _write_durably(fresh / path, data)
            _write_durably(fresh / MANIFEST, manifest.to_bytes())
            open_package(fresh)
            _swap(fresh, folder)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)
        return open_package(folder)

    def _keep(self, path: str, data: bytes) -> str:
        if path in self._content:
            raise InternalError(tr("{path} is added twice.", path=path))
        self._content[path] = data
        return hashlib.sha256(data).hexdigest()

    def _finish(self) -> tuple[Manifest, dict[str, bytes]]:
        if not self._graph_facts:
            raise InternalError(tr("A package needs a graph before it can be written."))
        facts = self._graph_facts[0]
        try:
            manifest = Manifest(
                **self._fields,
                inputs=tuple(self._specs(facts.inputs)),
                outputs=tuple(self._specs(facts.outputs)),
                graphs=tuple(self._graphs),
                golden=tuple(self._golden),
                files=tuple(self._files),
                sources=tuple(self._sources),
                metrics=tuple(self._metrics),
                latency=tuple(self._latency),
                energy=tuple(self._energy),
                parity=tuple(self._parity),
                notes=tuple(self._notes),
            )
        except ValidationError as error:
            raise InternalError(tr("The manifest is not complete: {why}", why=error)) from error
        card = render_card(manifest).encode()
        listed = ExtraFile(
            path=CARD, sha256=hashlib.sha256(card).hexdigest(), meaning="The manifest for people."
        )
        manifest = manifest.model_copy(update={"files": (*manifest.files, listed)})
        return manifest, {**self._content, CARD: card}

    def _specs(self, tensors: Iterable[TensorFacts]) -> Iterable[TensorSpec]:
        for tensor in tensors:
            if tensor.name not in self._meanings:
                raise InternalError(tr("The meaning of {name} is not stated.", name=tensor.name))
            shape = self._shapes.get(tensor.name) if tensor.shape is None else tensor.shape
            if shape is None:
                raise InternalError(
                    tr("Neither graph nor golden says the shape of {name}.", name=tensor.name)
                )
            yield TensorSpec.model_validate(
                {
                    "name": tensor.name,
                    "dtype": tensor.dtype,
                    "shape": shape,
                    "meaning": self._meanings[tensor.name],
                }
            )


def _plain(parameters: Mapping[str, Any]) -> Any:
    """Return what comes back from JSON, or say that it would not come back."""
    try:
        return json.loads(json.dumps(parameters, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise InternalError(
            tr("The parameters of a package must be plain JSON: {why}.", why=error),
            mend=tr("Convert arrays to lists, and give finite numbers."),
        ) from error


def _write_durably(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _swap(fresh: Path, folder: Path) -> None:
    """Give ``fresh`` the name ``folder``; what had it is removed afterwards."""
    if not folder.exists():
        fresh.rename(folder)
        return
    old = folder.parent / f".{folder.name}.{secrets.token_hex(4)}.old"
    folder.rename(old)
    try:
        fresh.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)
