"""Opened models: a verified package on an accelerator, as a plain function of arrays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, Self, runtime_checkable

from msgspec import Struct
from numpy.typing import NDArray

from millhand.contracts.adapters import Accelerator, Session, Used
from millhand.errors import InternalError
from millhand.messages import tr
from millhand.models.golden import GoldenReport, check_golden
from millhand.models.package import Package
from millhand.models.shapes import misfit

_SHAPES_REMEMBERED = 64


class Choice(Struct, frozen=True, kw_only=True):
    """Which of a package's graphs to run where, and why: to be journalled beside what was used."""

    accelerator: str
    """The adapter's registered name."""
    settings: dict[str, Any] = {}
    """Its configuration, where it was chosen too."""
    precision: str
    reason: str = ""
    """In words, with the figures that decided; empty where there was nothing to choose."""


@runtime_checkable
class Chooses(Protocol):
    """An accelerator with a say in which of a package's graphs is run."""

    def choose(self, package: Package) -> Choice:
        """Choose; called before ``load`` where the caller names no precision."""
        ...


class OpenedModel:
    """A model that may decide: verified, loaded, and seen to reproduce its golden outputs.

    Implements :class:`millhand.contracts.Model`. For one thread at a time.
    """

    def __init__(
        self,
        package: Package,
        session: Session,
        golden: GoldenReport,
        choice: Choice | None = None,
    ) -> None:
        self._package = package
        self._session = session
        self._specs = package.manifest.inputs
        self._fitting: set[tuple[object, ...]] = set()
        self.golden = golden
        self.choice = choice
        """What the accelerator chose and why, where it had a say."""

    @property
    def package_id(self) -> str:
        """The package's id, which covers its every byte."""
        return self._package.id

    @property
    def package(self) -> Package:
        """The verified package."""
        return self._package

    @property
    def session(self) -> Session:
        """The session itself, to be measured."""
        return self._session

    @property
    def parameters(self) -> Mapping[str, Any]:
        """The manifest's free parameters for the agent."""
        return self._package.manifest.parameters

    @property
    def used(self) -> Used:
        """What it really runs on."""
        return self._session.used

    def __call__(self, **inputs: NDArray[Any]) -> Mapping[str, NDArray[Any]]:
        """Run once. The arrays returned belong to the caller.

        Raises:
            InternalError: an input's name, dtype or shape is not that of the manifest.
        """
        form = tuple((name, array.dtype, array.shape) for name, array in inputs.items())
        if form not in self._fitting:
            self._admit(inputs, form)
        return self._session.run(inputs)

    def _admit(self, inputs: Mapping[str, NDArray[Any]], form: tuple[object, ...]) -> None:
        wrong = misfit(self._specs, inputs)
        if wrong:
            raise InternalError(
                tr("The model {id} was asked wrongly: {why}.", id=self.package_id, why=wrong),
                mend=tr("This is a fault of the agent that asked: report it with the journal."),
            )
        if len(self._fitting) < _SHAPES_REMEMBERED:
            self._fitting.add(form)

    def close(self) -> None:
        """Give the accelerator's memory back. May be called twice."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_model(
    package: Package, accelerator: Accelerator, precision: str | None = None
) -> OpenedModel:
    """Load one graph of a verified package and let it prove itself on its golden outputs.

    Args:
        package: what :func:`millhand.models.package.open_package` returned.
        accelerator: where to run it.
        precision: which graph; by default the accelerator's choice, else fp32.

    Raises:
        PackageError: the graph is damaged, unfit for the run time, or answers wrongly.
        NotAllowed: it would run on a device that the configuration does not allow.
    """
    choice: Choice | None = None
    if precision is None and isinstance(accelerator, Chooses):
        choice = accelerator.choose(package)
        precision = choice.precision
    graph = package.graph(precision)
    session = accelerator.load(package.path(graph), package.manifest)
    try:
        golden = check_golden(session, package, graph.precision)
    except BaseException:
        session.close()
        raise
    return OpenedModel(package, session, golden, choice)
