"""``accelerator: auto``: measure what is here, take the fastest that answers rightly."""

from __future__ import annotations

import hashlib
import json
import platform
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar, Literal

import msgspec
import platformdirs
import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

import millhand_accelerators
from millhand.contracts.adapters import Accelerator, Session
from millhand.errors import ConfigError, PackageError
from millhand.messages import tr
from millhand.models.bench import BenchRow, bench, candidates, processors
from millhand.models.manifest import Manifest
from millhand.models.package import Package, open_package
from millhand.models.probe import Measured
from millhand.models.sessions import Choice
from millhand.models.timing import NEEDED_GAIN
from millhand.plugins.registrations import AdapterType
from millhand_accelerators.processor import processor_name

log = structlog.get_logger(__name__)

_LIBRARIES = ("onnxruntime", "openvino")


class AutoConfig(BaseModel):
    """Settings of an ``auto`` accelerator."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    among: tuple[Literal["onnxruntime", "openvino"], ...] = Field(
        default=("onnxruntime", "openvino"),
        min_length=1,
        description="Accelerators to choose from; one that is not installed is passed over.",
    )
    threads: int = Field(default=1, ge=1, le=256, description="Threads within one run.")
    precision: Literal["fp32", "fp16", "int8"] | None = Field(
        default=None, description="Choose for this precision only; default all in the package."
    )
    seconds: float = Field(
        default=0.5, ge=0.05, le=60, description="How long each is timed, in seconds."
    )


class Auto:
    """Chooses once for a package on a machine, remembers it, and says why.

    Implements :class:`millhand.contracts.Accelerator`. The choice is kept in the user's cache
    folder by package, machine, settings and versions of the libraries; it is made anew when
    one of them changes. Making it takes some seconds, once.
    """

    Config: ClassVar[type[BaseModel]] = AutoConfig

    def __init__(self, name: str, config: AutoConfig) -> None:
        self._name = name
        self._config = config
        self._chosen: dict[str, Accelerator] = {}
        self._types: dict[str, AdapterType] = {
            adapter.name: adapter
            for adapter in millhand_accelerators.millhand_adapters()
            if adapter.name in config.among
        }

    def choose(self, package: Package) -> Choice:
        """Return the remembered choice, or measure and remember.

        Raises:
            ConfigError: none of the accelerators is installed.
            PackageError: no accelerator runs the package rightly.
        """
        file = _cache_file(package, self._config)
        choice = _remembered(file, package)
        built = self._build(choice) if choice is not None else None
        if choice is None or built is None:
            choice = self._measure(package)
            built = self._build(choice)
            _remember(file, choice)
        assert built is not None
        log.info("accelerator chosen", accelerator=choice.accelerator, reason=choice.reason)
        self._chosen.setdefault(package.manifest.package_id, built)
        return choice

    def load(self, graph: Path, manifest: Manifest) -> Session:
        """Load one graph file of a verified package on the accelerator chosen for it.

        Raises:
            NotAllowed: the run time would fall back to a device that was not chosen.
            PackageError: as :meth:`choose`, or a fault of the graph.
        """
        if manifest.package_id not in self._chosen:
            self.choose(open_package(_folder_of(graph, manifest)))
        return self._chosen[manifest.package_id].load(graph, manifest)

    def close(self) -> None:
        """Close every session that was loaded."""
        while self._chosen:
            self._chosen.popitem()[1].close()

    def _measure(self, package: Package) -> Choice:
        among = candidates(self._types.values())
        if not among:
            raise ConfigError(
                tr("{name}: none of {among} is installed.", name=self._name, among=self._among()),
                mend=tr("Install one: pip install millhand-accelerators[openvino]"),
            )
        wanted = self._config.precision
        rows = bench(
            package,
            among,
            self._config.seconds,
            threads=(self._config.threads,),
            precisions=(wanted,) if wanted else (),
        )
        return select(package, rows)

    def _among(self) -> str:
        return ", ".join(self._config.among)

    def _build(self, choice: Choice) -> Accelerator | None:
        """Build what was chosen; None where the choice is none of this machine's."""
        if choice.accelerator not in self._types:
            return None
        kind = self._types[choice.accelerator].load()
        try:
            built: Accelerator = kind(self._name, kind.Config.model_validate(choice.settings))
        except (ValidationError, ConfigError) as error:
            log.warning("remembered choice does not fit", why=str(error))
            return None
        return built


def select(package: Package, rows: Sequence[BenchRow]) -> Choice:
    """Choose by the median time among the rows whose golden outputs were right.

    Raises:
        PackageError: there is none; ``fault`` is that of the first failure.
    """
    good = sorted(
        ((row, row.measured) for row in rows if row.measured is not None),
        key=lambda pair: pair[1].times.p50_ms,
    )
    if not good:
        raise _nothing_works(package, rows)
    plain = package.graph().precision
    usual = next(((row, m) for row, m in good if row.precision == plain), good[0])
    best = good[0]
    if best[1].times.p50_ms > (1 - NEEDED_GAIN) * usual[1].times.p50_ms:
        best = usual
    row, measured = best
    return Choice(
        accelerator=row.candidate.accelerator,
        settings={**row.candidate.settings, "threads": row.threads, "precision": row.precision},
        precision=row.precision,
        reason=_reason(row, measured, rows),
    )


def _reason(row: BenchRow, measured: Measured, rows: Sequence[BenchRow]) -> str:
    others = "; ".join(_figure(other) for other in rows if other is not row)
    return tr(
        "{best} on {device}, {threads} thread(s), measured {date}; against: {others}.",
        best=_figure(row),
        device=measured.device,
        threads=row.threads,
        date=datetime.now(UTC).date().isoformat(),
        others=others or tr("nothing else is installed"),
    )


def _figure(row: BenchRow) -> str:
    label = f"{row.candidate.label} {row.precision}"
    if row.measured is None:
        why = row.failed.message if row.failed else ""
        return tr("{label} fails ({why})", label=label, why=why)
    times = row.measured.times
    return tr(
        "{label} p50 {p50:.3f} ms, p99 {p99:.3f} ms",
        label=label,
        p50=times.p50_ms,
        p99=times.p99_ms,
    )


def _nothing_works(package: Package, rows: Sequence[BenchRow]) -> PackageError:
    faults = [row.failed.fault for row in rows if row.failed and row.failed.fault]
    return PackageError(
        tr(
            "No accelerator here runs {id} rightly: {why}.",
            id=package.id,
            why="; ".join(_figure(row) for row in rows),
        ),
        fault=faults[0] if faults else "graph",
        mend=tr("Build the package again, or install another accelerator."),
    )


def _folder_of(graph: Path, manifest: Manifest) -> Path:
    for entry in manifest.graphs:
        parts = PurePosixPath(entry.path).parts
        if graph.parts[-len(parts) :] == parts:
            return graph.parents[len(parts) - 1]
    raise PackageError(
        tr("{path} is none of the graphs that the manifest lists.", path=graph), fault="missing"
    )


def _cache_file(package: Package, config: AutoConfig) -> Path:
    facts: list[Any] = [
        package.id,
        processor_name(),
        processors(),
        platform.platform(),
        [_version(library) for library in _LIBRARIES],
        config.model_dump(mode="json"),
    ]
    digest = hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:32]
    return platformdirs.user_cache_path("millhand") / "accelerators" / f"{digest}.json"


def _version(library: str) -> str:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return ""


def _remembered(file: Path, package: Package) -> Choice | None:
    try:
        choice = msgspec.json.decode(file.read_bytes(), type=Choice)
    except OSError:
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        log.warning("remembered choice unreadable", file=str(file), why=str(error))
        return None
    return choice if choice.precision in package.precisions else None


def _remember(file: Path, choice: Choice) -> None:
    fresh = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(msgspec.json.encode(choice))
        fresh.replace(file)
    except OSError as error:
        log.warning("choice not remembered", file=str(file), why=str(error))
