"""Turn what a run time says into the fault of a package."""

from __future__ import annotations

from millhand.errors import PackageError
from millhand.messages import tr

_OPERATOR = (
    "is not a registered function/op",
    "no op registered",
    "could not find an implementation",
    "no opset import for domain",
    "no schema registered",
    "no conversion rule found",
)
_OPSET = ("released onnx opset", "unsupported model ir version")


def fault_of(error: BaseException) -> str:
    """Name the fault that the run time's words tell: ``operator``, ``opset`` or ``graph``."""
    words = str(error).lower()
    if any(sign in words for sign in _OPERATOR):
        return "operator"
    return "opset" if any(sign in words for sign in _OPSET) else "graph"


def unloadable(path: str, runtime: str, error: BaseException) -> PackageError:
    """Return the error for a graph that the run time refuses."""
    fault = fault_of(error)
    return PackageError(
        tr("{runtime} cannot load {path}: {why}", runtime=runtime, path=path, why=said(error)),
        fault=fault,
        mend=tr("Build the package again; its graph is damaged.")
        if fault == "graph"
        else tr("Update the run time, or export the graph for the one that is installed."),
    )


def unrunnable(path: str, runtime: str, error: BaseException) -> PackageError:
    """Return the error for a graph that loads on the processor but cannot be carried out."""
    return PackageError(
        tr("{runtime} cannot run {path}: {why}", runtime=runtime, path=path, why=said(error)),
        fault="graph",
        mend=tr("Build the package again; its graph is damaged."),
    )


def unfit(path: str, why: str) -> PackageError:
    """Return the error for inputs that a loaded graph does not take."""
    return PackageError(
        tr("{path} does not take these inputs: {why}.", path=path, why=why),
        fault="shape",
        mend=tr("Build the package again; manifest and graph are not of one make."),
    )


def said(error: BaseException) -> str:
    """Return what a run time said in one line of bearable length."""
    return " ".join(str(error).split())[:400] or type(error).__name__
