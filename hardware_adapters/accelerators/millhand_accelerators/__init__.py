"""ONNX Runtime and OpenVINO for Millhand: where distilled models run."""

from __future__ import annotations

from collections.abc import Sequence

from millhand.plugins import hookimpl
from millhand.plugins.registrations import AdapterType, Capabilities, Face, QuantiserType

_FACES = frozenset({Face.ACCELERATOR})


@hookimpl
def millhand_capabilities() -> Capabilities:
    """State that models are run and measured here and nothing is sent anywhere."""
    return Capabilities(
        subprocess=True, notes="`auto` and `millhand bench` measure in processes of their own."
    )


@hookimpl
def millhand_adapters() -> Sequence[AdapterType]:
    """Register the accelerators; their libraries are imported when one is built."""
    return (
        AdapterType(
            name="onnxruntime",
            target="millhand_accelerators.onnx_runtime:OnnxRuntime",
            summary="ONNX Runtime on the processor, or on a provider of the ladder.",
            faces=_FACES,
        ),
        AdapterType(
            name="openvino",
            target="millhand_accelerators.open_vino:OpenVino",
            summary="OpenVINO, on Intel and other x86 processors often the fastest.",
            faces=_FACES,
        ),
        AdapterType(
            name="auto",
            target="millhand_accelerators.auto:Auto",
            summary="Measures what is present and takes the fastest that answers rightly.",
            faces=_FACES,
        ),
    )


@hookimpl
def millhand_quantisers() -> Sequence[QuantiserType]:
    """Register what makes int8 graphs; its libraries are imported when it is asked to."""
    return (
        QuantiserType(
            name="accelerators.static_int8",
            target="millhand_accelerators.static_int8:StaticInt8",
            summary="Static int8 in QDQ form, per channel, by ONNX Runtime's tools.",
        ),
    )
