"""Every fault that a package can have, each refused by its name, and in the order of the checks."""

from __future__ import annotations

import hashlib
import json
import pickle
import shutil

import numpy as np
import pytest

from millhand.errors import PackageError
from millhand.models.package import open_package
from millhand.models.signature import SIGNATURE, new_key, sign_folder

MANIFEST = "manifest.json"


@pytest.fixture(scope="module")
def keys():
    return new_key()


@pytest.fixture
def other(tmp_path, kit):
    """Another whole package of the same form, made by the same people."""
    return kit.full_builder(name="other", parameters={"threshold": 9.0}).write(tmp_path / "other")


def change(folder, do):
    path = folder / MANIFEST
    data = json.loads(path.read_bytes())
    do(data)
    path.write_text(json.dumps(data))


def relist(folder, name):
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()

    def do(data):
        for part in (*data["graphs"], *data["golden"], *data["files"]):
            if part["path"] == name:
                part["sha256"] = digest

    change(folder, do)


def tampered_graph(folder, _):
    data = bytearray((folder / "model.onnx").read_bytes())
    data[len(data) // 2] ^= 1
    (folder / "model.onnx").write_bytes(data)


def truncated_graph(folder, _):
    whole = (folder / "model.onnx").read_bytes()
    (folder / "model.onnx").write_bytes(whole[: len(whole) // 2])


def relisted_half_graph(folder, _):
    truncated_graph(folder, _)
    relist(folder, "model.onnx")


def empty_graph(folder, _):
    (folder / "model.onnx").write_bytes(b"")


def no_graph(folder, _):
    (folder / "model.onnx").unlink()


def half_manifest(folder, _):
    whole = (folder / MANIFEST).read_bytes()
    (folder / MANIFEST).write_bytes(whole[: len(whole) // 2])


def no_manifest(folder, _):
    (folder / MANIFEST).unlink()


def of_the_future(folder, _):
    change(folder, lambda data: data.update(manifest_version=99))


def of_another_schema(folder, _):
    change(folder, lambda data: data.update(surprise=1))


def denied(folder, _):
    change(folder, lambda data: data["teacher"].update(permission="denied"))


def swapped_package(folder, other):
    shutil.rmtree(folder)
    shutil.copytree(other.folder, folder)


def swapped_files(folder, _):
    card, graph = (folder / "card.md").read_bytes(), (folder / "model.onnx").read_bytes()
    (folder / "card.md").write_bytes(graph)
    (folder / "model.onnx").write_bytes(card)


def linked_file(folder, other):
    (folder / "model.onnx").unlink()
    (folder / "model.onnx").symlink_to(other.folder / "model.onnx")


def file_too_many(folder, _):
    (folder / "run.sh").write_text("#!/bin/sh")


def pickle_beside(folder, _):
    (folder / "weights.pkl").write_bytes(pickle.dumps({"a": 1}))


def pickle_inside(folder, _):
    arrays = {"input.x": np.array([{"a": 1}], dtype=object), "output.y": np.zeros(3)}
    np.savez(folder / "golden/fp32-0.npz", **arrays)
    relist(folder, "golden/fp32-0.npz")


def pickle_as_card(folder, _):
    (folder / "card.md").write_bytes(pickle.dumps({"a": 1}))
    relist(folder, "card.md")


def other_golden(folder, _):
    np.savez(folder / "golden/fp32-0.npz", **{"input.x": np.zeros((2, 8), np.float32)})
    relist(folder, "golden/fp32-0.npz")


def other_shape(folder, _):
    change(folder, lambda data: data["inputs"][0].update(shape=["n", 9]))


def other_opset(folder, _):
    change(folder, lambda data: data["graphs"][0].update(opset=99))


FAULTS = {
    tampered_graph: "hash",
    truncated_graph: "hash",
    relisted_half_graph: "graph",
    empty_graph: "truncated",
    no_graph: "missing",
    half_manifest: "json",
    no_manifest: "missing",
    of_the_future: "version",
    of_another_schema: "schema",
    denied: "permission",
    swapped_package: "id",
    swapped_files: "hash",
    linked_file: "path",
    file_too_many: "unlisted",
    pickle_beside: "pickle",
    pickle_inside: "pickle",
    pickle_as_card: "pickle",
    other_golden: "golden",
    other_shape: "shape",
    other_opset: "opset",
}
NAMED = [pytest.param(do, fault, id=do.__name__) for do, fault in FAULTS.items()]
CHANGES_THE_MANIFEST = {
    half_manifest, no_manifest, of_the_future, of_another_schema, denied, swapped_package,
    relisted_half_graph, pickle_inside, pickle_as_card, other_golden, other_shape, other_opset,
}  # fmt: skip


def refused(folder, **asked):
    with pytest.raises(PackageError) as caught:
        open_package(folder, **asked)
    assert caught.value.message
    return caught.value.fault


@pytest.mark.parametrize(("do", "fault"), NAMED)
def test_each_fault_is_refused_by_its_name(folder, other, do, fault):
    expected = open_package(folder).id if fault == "id" else None
    do(folder, other)
    assert refused(folder, expected_id=expected) == fault


@pytest.mark.parametrize(("do", "fault"), NAMED)
def test_where_keys_are_trusted_the_signature_is_looked_at_first(folder, other, keys, do, fault):
    for whole in (folder, other.folder):
        (whole / SIGNATURE).write_bytes(sign_folder(whole, keys[0]))
    expected = open_package(folder, trusted_keys=[keys[1]]).id
    do(folder, other)
    # A swapped package is signed as it lies there, and a link is no file: two checks stand before.
    wanted = fault if fault in {"id", "path"} else "signature"
    assert refused(folder, expected_id=expected, trusted_keys=[keys[1]]) == wanted


@pytest.mark.parametrize("do", sorted(CHANGES_THE_MANIFEST, key=lambda do: do.__name__))
def test_where_an_id_is_asked_for_a_changed_manifest_is_another_package(folder, other, do):
    expected = open_package(folder).id
    do(folder, other)
    wanted = "missing" if do is no_manifest else "id"
    assert refused(folder, expected_id=expected) == wanted


def test_hashes_are_compared_before_the_schema_is(folder, other):
    of_another_schema(folder, other)
    assert refused(folder) == "schema"
    tampered_graph(folder, other)
    assert refused(folder) == "hash"


def test_permission_is_asked_before_anything_in_the_graph_is_read(folder, other):
    relisted_half_graph(folder, other)
    assert refused(folder) == "graph"
    denied(folder, other)
    assert refused(folder) == "permission"
