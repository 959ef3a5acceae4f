from __future__ import annotations

import hashlib
import io
import threading
import time
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image

from millhand.contracts.frames import FrameRef
from millhand.errors import InternalError, PackageError, Unavailable
from millhand.journal import png
from millhand.journal.blobs import BlobReader, BlobStore, frame_hash

DAY_NS = 86_400 * 10**9
Pixels = NDArray[np.uint8]


def picture(number: int = 0, *, height: int = 8, width: int = 12, channels: int = 3) -> Pixels:
    noise = np.random.default_rng(number)
    return noise.integers(0, 256, (height, width, channels), dtype=np.uint8)


def ref_of(pixels: Pixels, **changes: Any) -> FrameRef:
    height, width, channels = pixels.shape
    facts = {
        "sha256": frame_hash(pixels),
        "height": height,
        "width": width,
        "channels": channels,
    }
    return FrameRef(camera="cam", frame_seq=1, **(facts | changes))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[BlobStore]:
    with BlobStore(tmp_path / "blobs", 10**8, {"pass": 7, "reject": 90}) as opened:
        yield opened


# --- the hash ---


@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.sampled_from([1, 3])))
)
def test_hash_is_that_of_shape_and_pixels_however_they_lie(pixels: Pixels) -> None:
    expected = hashlib.sha256(b"millhand-frame/1 uint8 %d %d %d\n" % pixels.shape)
    expected.update(pixels.tobytes())
    assert frame_hash(pixels) == expected.hexdigest()
    assert frame_hash(np.asfortranarray(pixels)) == frame_hash(pixels)
    assert frame_hash(np.repeat(pixels, 2, axis=1)[:, ::2]) == frame_hash(pixels)
    if pixels.shape[2] == 1:
        assert frame_hash(pixels[:, :, 0]) == frame_hash(pixels)


def test_hash_tells_shapes_and_single_pixels_apart() -> None:
    pixels = picture()
    other = pixels.copy()
    other[3, 3, 1] ^= 1
    shapes = [pixels, other, pixels.reshape(12, 8, 3), pixels.reshape(24, 12, 1)]
    assert len({frame_hash(one) for one in shapes}) == 4


def test_hash_of_something_else_is_refused() -> None:
    with pytest.raises(InternalError, match="uint8"):
        frame_hash(picture().astype(np.float32))
    with pytest.raises(InternalError, match="uint8"):
        frame_hash(picture()[0, 0])


# --- round trip ---


@settings(max_examples=30, deadline=None)
@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.sampled_from([1, 3])))
)
def test_png_is_lossless(pixels: Pixels) -> None:
    height, width, channels = pixels.shape
    data = png.encode(pixels, "reject")
    assert np.array_equal(png.decode(data, height=height, width=width, channels=channels), pixels)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_picture_comes_back_as_it_was(store: BlobStore, channels: int) -> None:
    pixels = picture(channels=channels)
    ref = ref_of(pixels)
    assert store.put_frame(ref, pixels, "pass")
    store.flush()
    loaded = store.load_frame(ref)
    assert np.array_equal(loaded, pixels)
    assert not loaded.flags.writeable
    assert store.frame_path(ref.sha256) == (store.folder / ref.sha256[:2] / f"{ref.sha256}.png")
    with Image.open(store.frame_path(ref.sha256)) as image:  # as anybody would
        assert image.size == (12, 8)
    assert (store.dropped, store.failed, store.fault) == (0, 0, "")


def test_a_document_comes_back_as_it_was(store: BlobStore) -> None:
    digest = store.put_document(b"%PDF-1.7 \0\xff")
    assert digest == hashlib.sha256(b"%PDF-1.7 \0\xff").hexdigest()
    assert store.put_document(b"%PDF-1.7 \0\xff") == digest
    assert BlobReader(store.folder).load_document(digest) == b"%PDF-1.7 \0\xff"
    assert store.total_bytes == 11


def test_the_same_picture_is_stored_once(store: BlobStore) -> None:
    pixels = picture()
    for _ in range(3):
        store.put_frame(ref_of(pixels), pixels, "pass")
    store.flush()
    (file,) = store.folder.glob("??/*.png")
    assert store.total_bytes == file.stat().st_size


# --- what is wrong ---


def test_what_is_not_there(store: BlobStore) -> None:
    with pytest.raises(Unavailable, match="not in the store"):
        store.load_frame(ref_of(picture()))
    with pytest.raises(Unavailable, match="not in the store"):
        store.load_document("0" * 64)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "g" * 64, "A" * 64, "0" * 63])
def test_names_that_are_no_hash(store: BlobStore, name: str) -> None:
    with pytest.raises(PackageError, match="no hash"):
        store.load_document(name)
    with pytest.raises(PackageError, match="no hash"):
        store.load_frame(ref_of(picture(), sha256=name))


def _other_picture(_: bytes) -> bytes:
    return png.encode(picture(99), "pass")


def _bomb(_: bytes) -> bytes:
    """A few kilobytes that claim to be, and would unpack to, 900 megapixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        length, check = len(data).to_bytes(4, "big"), zlib.crc32(kind + data).to_bytes(4, "big")
        return length + kind + data + check

    side = (30_000).to_bytes(4, "big")
    rows = zlib.compress(bytes(10_000_000))
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", side + side + b"\x08\x00\x00\x00\x00")
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def _gif(_: bytes) -> bytes:
    file = io.BytesIO()
    Image.fromarray(picture()).save(file, format="GIF")
    return file.getvalue()


@pytest.mark.parametrize(
    "damage",
    [
        _other_picture,
        _bomb,
        _gif,
        lambda data: data[: len(data) // 2],
        lambda data: data[:20],
        lambda _: b"",
        lambda data: data[:60] + bytes([data[60] ^ 0xFF]) + data[61:],
    ],
)
def test_damaged_or_foreign_pictures_are_refused(store: BlobStore, damage: Any) -> None:
    pixels = picture()
    ref = ref_of(pixels)
    store.put_frame(ref, pixels, "pass")
    store.flush()
    path = store.frame_path(ref.sha256)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(PackageError) as caught:
        store.load_frame(ref)
    assert caught.value.fault == "damaged"


def test_a_bomb_is_not_unpacked_even_where_the_reference_asks_for_it(store: BlobStore) -> None:
    ref = ref_of(picture(), height=30_000, width=30_000, channels=1)
    path = store.frame_path(ref.sha256)
    path.parent.mkdir()
    path.write_bytes(_bomb(b""))
    with pytest.raises(PackageError, match="more than can be"):
        store.load_frame(ref)


def test_a_damaged_document_is_refused(store: BlobStore) -> None:
    digest = store.put_document(b"invoice 17")
    (path,) = store.folder.glob("??/*.bin")
    path.write_bytes(b"invoice 71")
    with pytest.raises(PackageError, match="does not match its name"):
        store.load_document(digest)


def test_pixels_of_another_size_than_the_reference(store: BlobStore) -> None:
    with pytest.raises(InternalError, match="size"):
        store.put_frame(ref_of(picture()), picture(height=9), "pass")


def test_a_picture_that_changed_while_it_waited_is_not_stored(store: BlobStore) -> None:
    pixels = picture()
    ref = ref_of(pixels)
    pixels[0, 0, 0] ^= 1
    store.put_frame(ref, pixels, "pass")
    store.flush()
    assert store.failed == 1
    assert "changed" in store.fault
    assert not list(store.folder.glob("??/*"))
    good = picture(1)
    store.put_frame(ref_of(good), good, "pass")
    store.flush()
    assert store.fault == ""


def test_too_many_waiting_are_dropped_and_counted(tmp_path: Path) -> None:
    with BlobStore(tmp_path, 10**8, {}, capacity=2) as store:
        store.flush()
        with store._lock:  # the writing thread gets stuck at its index
            taken = [
                store.put_frame(ref_of(pixels), pixels, "pass") for pixels in map(picture, range(9))
            ]
        store.flush()
        assert taken.count(False) == store.dropped
        assert 9 - 3 <= store.dropped <= 9 - 2
        assert len(list(tmp_path.glob("??/*.png"))) == 9 - store.dropped
    with pytest.raises(Unavailable, match="not open"):
        _ = store.total_bytes


def test_a_nearly_full_disk_is_left_to_the_journal(tmp_path: Path) -> None:
    with BlobStore(tmp_path, 10**8, {}, reserve_bytes=10**18) as store:
        pixels = picture()
        store.put_frame(ref_of(pixels), pixels, "pass")
        store.flush()
        assert store.dropped == 1
        assert "nearly full" in store.fault
        assert not list(tmp_path.glob("??/*"))


# --- keeping ---


def put(store: BlobStore, number: int, disposition: str) -> str:
    pixels = picture(number)
    ref = ref_of(pixels)
    store.put_frame(ref, pixels, disposition)
    store.flush()
    return ref.sha256


def test_what_is_not_to_be_kept_is_not_stored(tmp_path: Path) -> None:
    with BlobStore(tmp_path, 10**8, {"pass": 0}) as store:
        pixels = picture()
        assert not store.put_frame(ref_of(pixels), pixels, "pass")
        assert store.dropped == 0
        assert store.put_frame(ref_of(pixels), pixels, "reject")


def test_time_is_up_by_disposition(store: BlobStore) -> None:
    passed, rejected, other = put(store, 1, "pass"), put(store, 2, "reject"), put(store, 3, "odd")
    now = time.time_ns()
    assert store.sweep(now + 6 * DAY_NS) == 0
    assert store.sweep(now + 8 * DAY_NS) > 0
    kept = {path.stem for path in store.folder.glob("??/*.png")}
    assert kept == {rejected, other}
    assert passed not in kept
    store.sweep(now + 91 * DAY_NS)
    assert {path.stem for path in store.folder.glob("??/*.png")} == {other}


def test_quota_takes_the_oldest_passes_first(tmp_path: Path) -> None:
    size = len(png.encode(picture(), "reject"))
    with BlobStore(tmp_path, 10 * size, {"pass": 7, "reject": 90}) as store:
        rejects = [put(store, number, "reject") for number in range(4)]
        passes = [put(store, 100 + number, "pass") for number in range(20)]
        kept = {path.stem for path in tmp_path.glob("??/*.png")}
        assert set(rejects) <= kept
        assert kept - set(rejects) == set(passes[-(len(kept) - 4) :])
        assert store.total_bytes <= 10 * size
        assert store.total_bytes == sum(p.stat().st_size for p in tmp_path.glob("??/*.png"))
        assert len(kept) >= 8
        more = [put(store, 200 + number, "reject") for number in range(12)]
        kept = {path.stem for path in tmp_path.glob("??/*.png")}
        assert kept == set(more[-len(kept) :])


def test_a_picture_seen_again_stays_as_long_as_the_longest(store: BlobStore) -> None:
    name = put(store, 1, "reject")
    put(store, 1, "pass")
    store.sweep(time.time_ns() + 30 * DAY_NS)
    assert store.frame_path(name).exists()
    put(store, 2, "pass")
    put(store, 2, "reject")
    store.sweep(time.time_ns() + 30 * DAY_NS)
    assert len(list(store.folder.glob("??/*.png"))) == 2


@pytest.mark.parametrize("loss", ["removed", "damaged", "stale"])
def test_the_index_is_made_again_from_the_files(tmp_path: Path, loss: str) -> None:
    keep = {"pass": 7, "reject": 90}
    with BlobStore(tmp_path, 10**8, keep) as store:
        first = [put(store, 1, "pass"), put(store, 2, "reject")]
        document = store.put_document(b"kept")
        if loss == "stale":
            index = (tmp_path / "index.db").read_bytes()
        put(store, 3, "pass")
        total = store.total_bytes
    file = tmp_path / "index.db"
    if loss == "removed":
        file.unlink()
    elif loss == "damaged":
        file.write_bytes(b"garbage" * 1000)
    else:
        file.write_bytes(index)
        store.frame_path(first[0]).unlink()
        total = sum(path.stat().st_size for path in tmp_path.glob("??/*"))
    torn = tmp_path / first[1][:2] / f"{first[1]}.png.1.2.part"
    torn.write_bytes(b"half")
    with BlobStore(tmp_path, 10**8, keep) as store:
        store.flush()
        assert store.failed == 0
        assert store.total_bytes == total
        assert not torn.exists()
        assert store.load_document(document) == b"kept"
        store.sweep(time.time_ns() + 30 * DAY_NS)
        assert [path.stem for path in tmp_path.glob("??/*.png")] == [first[1]]


def test_documents_from_many_threads_beside_pictures(store: BlobStore) -> None:
    def work(name: int) -> None:
        for number in range(10):
            store.put_document(b"%d %d" % (name, number))

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for number in range(20):
        put(store, number, "pass")
    for thread in threads:
        thread.join()
    assert len(list(store.folder.glob("??/*.bin"))) == 40
    assert store.total_bytes == sum(p.stat().st_size for p in store.folder.glob("??/*"))
