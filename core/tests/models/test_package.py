import hashlib
import json
import os
import pickle
import random

import numpy as np
import pytest

from millhand.errors import PackageError
from millhand.models.package import COUNT_LIMIT, open_package


def fault(folder, **kwargs):
    with pytest.raises(PackageError) as caught:
        open_package(folder, **kwargs)
    assert caught.value.message
    return caught.value.fault


def relist(folder, name):
    """Put a changed file's hash into the manifest, as a careful vandal would."""
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()

    def change(data):
        for part in (*data["graphs"], *data["golden"], *data["files"]):
            if part["path"] == name:
                part["sha256"] = digest

    return change


def test_opens_what_was_written(package):
    again = open_package(package.folder)
    assert again == package
    assert again.id == again.manifest.package_id
    assert again.manifest.graphs[0].parameters == 24
    assert again.manifest.graphs[0].opset == 17
    assert again.manifest.inputs[0].shape == ("n", 8)
    assert "Permission to distil: granted" in (package.folder / "card.md").read_text()


def test_a_pinned_id_is_held_to(package):
    assert open_package(package.folder, expected_id=package.id) == package
    assert fault(package.folder, expected_id="tiny@0123456789abcdef") == "id"


def test_no_folder_and_no_manifest(tmp_path, folder):
    assert fault(tmp_path / "nowhere") == "missing"
    (folder / "manifest.json").unlink()
    assert fault(folder) == "missing"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "\xff\xfe", '{"name": NaN}', '{"a": 1, "a": 2}', "[" * 100_000],
)
def test_bad_json(folder, text):
    (folder / "manifest.json").write_text(text, encoding="latin-1")
    assert fault(folder) == "json"


def test_unknown_version_and_schema(folder, kit):
    kit.rewrite(folder, lambda data: data.update(manifest_version=3))
    assert fault(folder) == "version"
    kit.rewrite(folder, lambda data: data.update(manifest_version=2, surprise=1))
    assert fault(folder) == "schema"


@pytest.mark.parametrize("name", ["model.onnx", "golden/fp32-0.npz", "card.md"])
def test_file_missing_changed_truncated(folder, name):
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[:-1])
    assert fault(folder) == "hash"
    (folder / name).write_bytes(b"")
    assert fault(folder) == "truncated"
    (folder / name).unlink()
    assert fault(folder) == "missing"


def test_any_changed_byte_is_found(folder):
    chance = random.Random(1)
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        whole = path.read_bytes()
        for _ in range(20):
            spoilt = bytearray(whole)
            spoilt[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
            path.write_bytes(spoilt)
            try:
                # A manifest may stay well-formed; then its id tells.
                opened = open_package(folder)
            except PackageError:
                continue
            assert path.name == "manifest.json"
            assert opened.id != f"tiny@{hashlib.sha256(whole).hexdigest()[:16]}"
        path.write_bytes(whole)
    assert open_package(folder)


def test_unlisted_file(folder):
    (folder / "extra.txt").write_text("hello")
    assert fault(folder) == "unlisted"


def test_a_file_listed_twice(folder, kit):
    kit.rewrite(folder, lambda data: data["files"].append(data["files"][0]))
    assert fault(folder) == "schema"


@pytest.mark.parametrize("bad", ["../model.onnx", "/etc/passwd", "a/../../b", "./model.onnx", ""])
def test_no_path_leads_out(folder, kit, bad):
    kit.rewrite(folder, lambda data: data["graphs"][0].update(path=bad))
    assert fault(folder) == "schema"


def test_links_and_special_files(folder, tmp_path):
    outside = tmp_path / "outside.onnx"
    outside.write_bytes((folder / "model.onnx").read_bytes())
    (folder / "model.onnx").unlink()
    (folder / "model.onnx").symlink_to(outside)
    assert fault(folder) == "path"
    (folder / "model.onnx").unlink()
    os.mkfifo(folder / "model.onnx")
    assert fault(folder) == "path"


def test_a_linked_folder_inside(folder, tmp_path):
    (folder / "golden").rename(tmp_path / "golden")
    (folder / "golden").symlink_to(tmp_path / "golden")
    assert fault(folder) == "path"


@pytest.mark.parametrize("name", ["weights.pkl", "model.pt", "array.npy", "x.CKPT"])
def test_pickle_by_name(folder, name):
    (folder / name).write_bytes(pickle.dumps({"a": 1}))
    assert fault(folder) == "pickle"


def test_pickle_by_content(folder, kit):
    (folder / "card.md").write_bytes(pickle.dumps({"a": 1}))
    kit.rewrite(folder, relist(folder, "card.md"))
    assert fault(folder) == "pickle"


def test_pickle_within_golden_arrays(folder, kit):
    arrays = {"input.x": np.array([{"a": 1}], dtype=object), "output.y": kit.Y}
    np.savez(folder / "golden/fp32-0.npz", **arrays)
    kit.rewrite(folder, relist(folder, "golden/fp32-0.npz"))
    assert fault(folder) == "pickle"


@pytest.mark.parametrize("permission", ["denied", "unknown"])
def test_permission_is_needed(folder, kit, permission):
    kit.rewrite(folder, lambda data: data["teacher"].update(permission=permission))
    assert fault(folder) == "permission"


def test_too_many_files_and_too_deep(folder):
    deep = folder / "a/b/c/d/e/f"
    deep.mkdir(parents=True)
    assert fault(folder) == "path"
    for path in sorted((folder / "a").rglob("*"), reverse=True):
        path.rmdir()
    (folder / "a").rmdir()
    for index in range(COUNT_LIMIT + 1):
        (folder / f"f{index}").touch()
    assert fault(folder) == "size"


def test_huge_manifest(folder):
    with (folder / "manifest.json").open("ab") as file:
        file.truncate(64 * 2**20)
    assert fault(folder) == "size"


def test_another_opset_shape_or_number_of_weights(folder, kit):
    def graph(**change):
        (folder / "model.onnx").write_bytes(kit.make_graph(**change).SerializeToString())
        kit.rewrite(folder, relist(folder, "model.onnx"))
        return fault(folder)

    assert graph(opset=18) == "opset"
    assert graph(batch=4) == "shape"
    assert graph(weights=np.zeros((8, 1), np.float32)) == "graph"


def test_another_dtype(folder, kit):
    kit.rewrite(folder, lambda data: data["inputs"][0].update(dtype="uint8"))
    assert fault(folder) == "shape"


def test_a_manifest_may_fix_what_the_graph_leaves_free(folder, kit):
    def fix(data):
        data["inputs"][0]["shape"] = [2, 8]
        data["outputs"][0]["shape"] = [2, 3]

    assert open_package(kit.rewrite(folder, fix)).manifest.inputs[0].shape == (2, 8)


def test_golden_that_does_not_fit(folder, kit):
    np.savez(folder / "golden/fp32-0.npz", **{"input.x": kit.X})
    kit.rewrite(folder, relist(folder, "golden/fp32-0.npz"))
    assert fault(folder) == "golden"
    (folder / "golden/fp32-0.npz").write_bytes(b"PK\x03\x04 no archive")
    kit.rewrite(folder, relist(folder, "golden/fp32-0.npz"))
    assert fault(folder) == "golden"


def test_the_id_covers_a_hand_written_manifest(folder):
    text = json.dumps(json.loads((folder / "manifest.json").read_bytes()), indent=2)
    (folder / "manifest.json").write_text(text)
    assert open_package(folder).id == f"tiny@{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def test_precision_that_is_not_there(package):
    assert package.graph().precision == "fp32"
    with pytest.raises(PackageError) as caught:
        package.graph("int8")
    assert caught.value.fault == "precision"
    assert "fp32" in str(caught.value)
