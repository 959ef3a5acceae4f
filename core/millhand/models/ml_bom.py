"""A package's passport as CycloneDX 1.6 JSON (an ML-BOM), checked by its library's validator.

Other tools read this: what the model is, what it was made from and by whose leave, how well it did,
with which licence and hashes. The manifest stays the truth; this is written from it.
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from millhand.errors import ConfigError, InternalError
from millhand.messages import tr
from millhand.models.card import abstention_lines
from millhand.models.manifest import Abstention, Energy, Manifest, Metric, Source, TensorSpec
from millhand.models.package import Package, listed_files

_NAMESPACE = uuid.UUID("5f0c7a52-3a86-5c0f-9f37-6f6f8f0c1d11")
"""Serial numbers are made from package ids, so that one package has one bill."""
_MILLIJOULES_A_KWH = 3.6e9


def ml_bom(package: Package) -> str:
    """Return the bill of one verified package.

    Raises:
        ConfigError: the library is not installed.
        InternalError: what came out does not follow the standard.
    """
    try:
        from cyclonedx.schema import SchemaVersion
        from cyclonedx.validation.json import JsonStrictValidator
    except ImportError as error:
        raise ConfigError(
            tr("The bill of materials needs the library cyclonedx-python-lib."),
            mend=tr("pip install 'millhand[sbom]'"),
        ) from error
    text = json.dumps(_bill(package), indent=1, ensure_ascii=False)
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault is not None:
        raise InternalError(tr("The bill does not follow CycloneDX 1.6: {fault}", fault=fault))
    return text


def _bill(package: Package) -> dict[str, Any]:
    manifest = package.manifest
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, package.id)}",
        "version": 1,
        "metadata": {"component": _model(package)},
        "components": [
            _teacher(manifest),
            *(_data(number, source) for number, source in enumerate(manifest.sources)),
        ],
        "dependencies": [
            {
                "ref": package.id,
                "dependsOn": ["teacher", *(f"data-{n}" for n in range(len(manifest.sources)))],
            }
        ],
    }


def _model(package: Package) -> dict[str, Any]:
    manifest = package.manifest
    files = [
        {
            "type": "file",
            "bom-ref": f"file:{part.path}",
            "name": part.path,
            "hashes": [{"alg": "SHA-256", "content": part.sha256}],
        }
        for part in listed_files(manifest)
    ]
    return {
        "type": "machine-learning-model",
        "bom-ref": package.id,
        "name": manifest.name,
        "version": manifest.version,
        "licenses": _licences(manifest.licence),
        "modelCard": _card(manifest),
        "components": files,
        "properties": [
            {"name": "millhand:package", "value": package.id},
            {"name": "millhand:plan", "value": manifest.plan_sha256 or ""},
            {"name": "millhand:permission", "value": manifest.teacher.permission.value},
            {"name": "millhand:evidence", "value": manifest.teacher.evidence},
        ],
    }


def _card(manifest: Manifest) -> dict[str, Any]:
    return {
        "modelParameters": {
            "approach": {"type": "supervised"},
            "task": manifest.task,
            "architectureFamily": "ONNX",
            "datasets": [{"ref": f"data-{n}"} for n in range(len(manifest.sources))],
            "inputs": [{"format": _format(spec)} for spec in manifest.inputs],
            "outputs": [{"format": _format(spec)} for spec in manifest.outputs],
        },
        "quantitativeAnalysis": {"performanceMetrics": [_figure(m) for m in manifest.metrics]},
        "considerations": {
            "technicalLimitations": [*_promise(manifest.abstention), *manifest.notes],
            **({"environmentalConsiderations": {
                "energyConsumptions": [_consumption(one) for one in manifest.energy]
            }} if manifest.energy else {}),
        },
    }  # fmt: skip


def _promise(abstention: Abstention | None) -> list[str]:
    return [] if abstention is None else [" ".join(abstention_lines(abstention)).strip()]


def _consumption(energy: Energy) -> dict[str, Any]:
    """Return the energy of one run; the standard counts in kWh and asks who delivers them."""
    kwh = {"value": energy.millijoules / _MILLIJOULES_A_KWH, "unit": "kWh"}
    return {
        "activity": "inference",
        "energyProviders": [
            {
                "organization": {"name": "unknown"},
                "energySource": "unknown",
                "energyProvided": kwh,
            }
        ],
        "activityEnergyCost": kwh,
        "properties": [
            {"name": "millhand:energy:source", "value": energy.source},
            {"name": "millhand:energy:range_mj", "value": f"{energy.low:.6g} {energy.high:.6g}"},
            {"name": "millhand:energy:target", "value": energy.target},
            {"name": "millhand:energy:method", "value": energy.method},
        ],
    }


def _figure(metric: Metric) -> dict[str, Any]:
    figure: dict[str, Any] = {
        "type": metric.name,
        "value": f"{metric.value:.6g}",
        "slice": metric.data,
    }
    if metric.low is not None and metric.high is not None:
        figure["confidenceInterval"] = {
            "lowerBound": f"{metric.low:.6g}",
            "upperBound": f"{metric.high:.6g}",
        }
    return figure


def _teacher(manifest: Manifest) -> dict[str, Any]:
    teacher = manifest.teacher
    found: dict[str, Any] = {
        "type": "machine-learning-model",
        "bom-ref": "teacher",
        "name": teacher.id,
        "licenses": _licences(teacher.licence),
    }
    if teacher.sha256:
        found["hashes"] = [{"alg": "SHA-256", "content": teacher.sha256}]
    return found


def _data(number: int, source: Source) -> dict[str, Any]:
    return {
        "type": "data",
        "bom-ref": f"data-{number}",
        "name": source.name,
        "hashes": [{"alg": "SHA-256", "content": source.sha256}],
        "licenses": _licences(source.licence),
        "data": [{"type": "dataset", "name": source.name}],
    }


def _licences(stated: str) -> list[dict[str, Any]]:
    """Return an SPDX identifier as one, an expression as one, and any other words as a name."""
    from cyclonedx.spdx import is_expression, is_supported_id

    if is_supported_id(stated):
        return [{"license": {"id": stated}}]
    if is_expression(stated):
        return [{"expression": stated}]
    return [{"license": {"name": stated}}]


def _format(spec: TensorSpec) -> str:
    shape = "x".join(str(size) for size in spec.shape) or "scalar"
    return f"{spec.name}: {spec.dtype} {shape}, {spec.meaning}"
