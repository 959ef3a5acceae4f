import contextlib
import io
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from millhand.models.arrays import BYTES_LIMIT, BadArrays, read_arrays, write_arrays

DTYPES = st.sampled_from(
    ["uint8", "int8", "int32", "int64", "float16", "float32", "float64", "bool"]
)


def npz(**members):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(f"{name}.npy", data)
    return out.getvalue()


def npy(header, data=b""):
    text = header.encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + data


@settings(deadline=None)
@given(
    st.dictionaries(
        st.text("abc", min_size=1, max_size=3),
        DTYPES.flatmap(lambda d: hnp.arrays(d, hnp.array_shapes(min_dims=0, max_dims=3))),
        max_size=4,
    )
)
def test_what_is_written_is_read(arrays):
    found = read_arrays(write_arrays(arrays))
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype
        np.testing.assert_array_equal(found[name], array)


def test_numpys_own_archives_are_read():
    fortran = np.asfortranarray(np.arange(6).reshape(2, 3))
    out = io.BytesIO()
    np.savez_compressed(out, a=fortran, b=np.float32(3))
    found = read_arrays(out.getvalue())
    np.testing.assert_array_equal(found["a"], fortran)
    assert found["b"].shape == ()


def test_objects_are_refused_unread():
    out = io.BytesIO()
    np.savez(out, a=np.array([print], dtype=object))
    with pytest.raises(BadArrays) as caught:
        read_arrays(out.getvalue())
    assert caught.value.pickle


def test_a_bomb_is_refused_before_it_is_unpacked():
    bomb = npz(a=bytes(BYTES_LIMIT + 1))
    assert len(bomb) < 200_000
    with pytest.raises(BadArrays):
        read_arrays(bomb)


@pytest.mark.parametrize(
    "member",
    [
        b"",
        b"no numpy",
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000000000,)}"),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (-4,)}", b"0000"),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}", b"0000"),
        npy("{'descr': '<f4', 'fortran_order': False, 'shape': __import__('os')}"),
        npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"00000000"),
    ],
)
def test_headers_that_lie(member):
    with pytest.raises(BadArrays):
        read_arrays(npz(a=member))


@settings(deadline=None, max_examples=200)
@given(st.integers(0, 2000), st.integers(0, 255))
def test_spoilt_archives_never_do_worse_than_be_refused(at, value):
    spoilt = bytearray(WHOLE)
    spoilt[at % len(spoilt)] = value
    with contextlib.suppress(BadArrays):
        read_arrays(bytes(spoilt))


WHOLE = write_arrays({"a": np.arange(100, dtype=np.float32), "b": np.zeros((2, 2), np.uint8)})
