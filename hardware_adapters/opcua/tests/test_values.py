from __future__ import annotations

import pytest
from asyncua import ua
from hypothesis import given
from hypothesis import strategies as st

from millhand.contracts import Quality
from millhand.contracts.codec import to_json
from millhand_opcua.config import OpcUaTag
from millhand_opcua.values import Receipt, to_sample
from millhand_opcua.variables import Variable

RECEIPT = Receipt(1, 2, 3)


def variable(**options: object) -> Variable:
    return Variable("tag", OpcUaTag.model_validate({"node": "i=1", **options}), ua.NodeId(1))


@given(st.integers(0, 2**32 - 1))
def test_quality_is_the_severity_of_any_status(code: int) -> None:
    data = ua.DataValue(ua.Variant(1, ua.VariantType.Int32), ua.StatusCode(code))
    sample = to_sample(variable(), data, RECEIPT)
    assert sample.quality is [Quality.GOOD, Quality.UNCERTAIN, Quality.BAD, Quality.BAD][code >> 30]
    assert sample.status == code
    assert sample.value == 1


def test_an_overflow_at_the_server_is_a_gap() -> None:
    overflowed = ua.StatusCode(0x0480)
    data = ua.DataValue(ua.Variant(1, ua.VariantType.Int32), overflowed)
    sample = to_sample(variable(), data, RECEIPT)
    assert (sample.gap, sample.quality) == (True, Quality.GOOD)


VARIANTS = [
    ua.Variant(),
    ua.Variant([], ua.VariantType.Double, is_array=True),
    ua.Variant([[1, 2], [3, 4]], ua.VariantType.Int32),
    ua.Variant([1.0, float("nan")], ua.VariantType.Double),
    ua.Variant(ua.NodeId("a", 2), ua.VariantType.NodeId),
    ua.Variant(ua.QualifiedName("a", 2), ua.VariantType.QualifiedName),
    ua.Variant(ua.StatusCode(0x80000000), ua.VariantType.StatusCode),
    ua.Variant(ua.Argument(), ua.VariantType.ExtensionObject),
    ua.Variant(ua.LocalizedText(None), ua.VariantType.LocalizedText),
    ua.Variant([b"a", b""], ua.VariantType.ByteString),
]


@pytest.mark.parametrize("variant", VARIANTS, ids=str)
@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_whatever_comes_makes_one_sample_that_can_be_journalled(
    variant: ua.Variant, scale: float
) -> None:
    sample = to_sample(variable(scale=scale), ua.DataValue(variant), RECEIPT)
    assert to_json(sample)
    assert sample.value is not None or sample.note


def test_what_cannot_be_a_value_says_why() -> None:
    matrix, partly = VARIANTS[2], VARIANTS[3]
    assert "dimension" in to_sample(variable(), ua.DataValue(matrix), RECEIPT).note
    assert to_sample(variable(), ua.DataValue(partly), RECEIPT).note == "nan"
    structure = to_sample(variable(), ua.DataValue(VARIANTS[7]), RECEIPT)
    assert (structure.value, structure.quality) == (None, Quality.BAD)
