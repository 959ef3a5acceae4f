"""OpenVINO and torch compute in one process: who distils may try the student at once.

Each order runs in a process of its own, so that a crash fails here and does not end all tests.
"""

import json
import subprocess
import sys

import numpy as np
import pytest

pytestmark = pytest.mark.torch

BOTH = """
import json, sys
from pathlib import Path
import numpy as np
from millhand.models.package import open_package
from millhand.models.sessions import open_model
from millhand_accelerators.open_vino import OpenVino, OpenVinoConfig

def ours():
    package = open_package(Path(sys.argv[1]))
    model = open_model(package, OpenVino("cpu", OpenVinoConfig(threads=2)))
    return [model(image=np.load(sys.argv[2]))["score"].tolist() for _ in range(20)], model

def theirs():
    import torch
    net = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.Flatten(), torch.nn.Linear(1568, 2)
    )
    train = torch.optim.SGD(net.parameters(), 0.001)
    for threads in (1, 2):
        torch.set_num_threads(threads)
        for _ in range(5):
            loss = net(torch.rand(4, 3, 16, 16)).square().sum()
            train.zero_grad()
            loss.backward()
            train.step()
    torch.linalg.eigh(torch.eye(64))
    assert torch.isfinite(loss)

"""
ORDERS = {
    "torch first": "theirs(); scores, kept = ours(); theirs()",
    "OpenVINO first": "_, kept = ours(); theirs(); scores, again = ours()",
}


@pytest.mark.parametrize("order", sorted(ORDERS))
def test_both_compute_in_one_process(order, tmp_path, package, kit):
    pytest.importorskip("openvino")
    picture = tmp_path / "picture.npy"
    np.save(picture, kit.PICTURE)
    code = f"{BOTH}{ORDERS[order]}\nprint(json.dumps(scores))"
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", code, str(package.folder), str(picture)],
        check=False,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    scores = np.array(json.loads(done.stdout))
    expected = np.broadcast_to(kit.numpy_net(kit.PICTURE), scores.shape)
    np.testing.assert_allclose(scores, expected, atol=2e-6, rtol=1e-5)
