"""Turn what a run time says while loading into the fault of a package."""

from __future__ import annotations

from millhand.errors import PackageError
from millhand.messages import tr

_OPSET = ("opset", "ir_version", "ir version")
_OPERATOR = (
    "is not a registered function/op",
    "no op registered",
    "could not find an implementation",
    "no opset import for domain",
    "not supported operator",
    "unsupported operator",
    "no conversion rule",
    "not_implemented",
    "domain_version",
    "no schema registered",
)


def fault_of(error: BaseException) -> str:
    """Name the fault that the run time's words tell: ``operator``, ``opset`` or ``graph``."""
    words = str(error).lower()
    if any(sign in words for sign in _OPERATOR):
        return "operator"
    return "opset" if any(sign in words for sign in _OPSET) else "graph"


def unloadable(path: str, runtime: str, error: BaseException) -> PackageError:
    """Return the error for a graph that the run time refuses."""
    why = " ".join(str(error).split())[:400] or type(error).__name__
    return PackageError(
        tr("{runtime} cannot load {path}: {why}", runtime=runtime, path=path, why=why),
        fault=fault_of(error),
        mend=tr("Update the run time, or export the graph for the one that is installed."),
    )
