"""The student in torch: folding, crops, losses, and the graph that must do the same."""

import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch", reason="torch, which only distilling needs")

from millhand_quality.inspect.distil.cell_net import CellNet, template_of  # noqa: E402
from millhand_quality.inspect.distil.config import CellStudentConfig  # noqa: E402
from millhand_quality.inspect.distil.crops import Crop  # noqa: E402
from millhand_quality.inspect.distil.graph import Trained, graph_of  # noqa: E402
from millhand_quality.inspect.distil.novelty import fit_novelty, pooled  # noqa: E402
from millhand_quality.inspect.distil.training import (  # noqa: E402
    Step,
    crop_losses,
    on_teacher_grid,
    picture_losses,
    standardised,
    targets,
)
from millhand_quality.inspect.inspector import GraphRunner  # noqa: E402
from millhand_quality.inspect.pictures import Shape  # noqa: E402

pytestmark = pytest.mark.torch

CONFIG = CellStudentConfig(stem=4, fine=8, coarse=8, crop=32)
HEIGHT, WIDTH = 96, 64


@pytest.fixture
def net():
    """A net with statistics and maps of its own, as after learning."""
    torch.manual_seed(3)
    random = np.random.default_rng(0)
    mean = random.uniform(0.5, 1.5, (HEIGHT, WIDTH)).astype(np.float32)
    net = CellNet(CONFIG, template_of(mean, mean / 10))
    with torch.no_grad():
        for parameter in net.cell_parameters():
            parameter.normal_(std=0.3)
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(std=0.2)
                module.running_var.uniform_(0.5, 2)
                module.weight.uniform_(0.5, 2)
                module.bias.normal_(std=0.3)
    return net.eval()


def pictures(count, seed=0):
    random = np.random.default_rng(seed)
    return random.integers(0, 256, (count, HEIGHT, WIDTH, 3)).astype(np.uint8)


def trained(net, unit=0.7):
    planes = torch.from_numpy(pictures(12)).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        features = net(planes, net.maps()).features.numpy()
    return Trained(net, fit_novelty(pooled(features)), unit, Shape(HEIGHT, WIDTH, 3))


def test_the_graph_does_what_torch_does(net):
    student = trained(net)
    run = GraphRunner(graph_of(student).SerializeToString())
    for pixels in pictures(3, seed=1):
        wanted, got = student.outputs(pixels), run(pixels).outputs()
        assert wanted["heat"].shape == (HEIGHT // 4, WIDTH // 4)
        for name, array in wanted.items():
            np.testing.assert_allclose(got[name], array, rtol=2e-4, atol=2e-5, err_msg=name)


def test_scores_are_in_units_of_the_ordinary(net):
    pixels = pictures(1, seed=1)[0]
    one = GraphRunner(graph_of(trained(net, 1.0)).SerializeToString())(pixels)
    two = GraphRunner(graph_of(trained(net, 0.5)).SerializeToString())(pixels)
    np.testing.assert_allclose(two.score, 2 * one.score, rtol=1e-5)
    np.testing.assert_allclose(two.novelty, one.novelty, rtol=1e-6)


def test_the_graph_holds_no_trace_of_learning(net):
    model = graph_of(trained(net))
    assert {node.op_type for node in model.graph.node} <= {
        *("Transpose", "Cast", "Unsqueeze", "Conv", "Relu", "Add", "Resize", "Softplus", "Mul"),
        *("Reshape", "ReduceMax", "AveragePool", "Sub", "Abs", "Min", "ReduceMean"),
    }
    weights = sum(int(np.prod(tensor.dims)) for tensor in model.graph.initializer)
    learnt = sum(parameter.numel() for parameter in net.parameters())
    template = sum(p.numel() for n, p in net.named_parameters() if n.startswith("template"))
    maps = 2 * 8 * (HEIGHT // 16) * (WIDTH // 16)
    assert weights < learnt - template + maps + 100
    onnx.checker.check_model(model, full_check=True)


def test_a_crop_sees_what_the_whole_picture_shows_there(net):
    planes = torch.from_numpy(pictures(1)).permute(0, 3, 1, 2).float()
    maps = net.maps()
    with torch.no_grad():
        whole = net(planes, maps).logits[0]
        corner, side = (8, 0), 16
        cut = planes[:, :, 32:96, 0:64]
        part = net(cut, maps.crops([corner], side)).logits[0]
    # Away from the cut edge: at the picture's own border, both see the same padding.
    np.testing.assert_allclose(part[12:], whole[20:], rtol=1e-3, atol=1e-4)


def step(marks, teacher=None):
    defective, good = targets(torch.tensor(marks, dtype=torch.float32)[None])
    crops = [Crop(0, (0, 0), defective.shape[1])]
    return Step(crops, torch.zeros(1), defective, good, teacher)


def marks_of(*cells, size=8):
    marks = np.zeros((size, size))
    for row, column, count in cells:
        marks[row, column] = count
    return marks


def test_a_thin_border_around_a_defect_teaches_nothing():
    one = step(marks_of((3, 3, 9), (3, 4, 1)))
    assert one.defective[0, 3, 3] == 1
    assert one.defective.sum() == 1
    assert one.good[0, 2:5, 2:6].sum() == 0
    assert one.good.sum() == 64 - 12


def losses_of(logits, one, weight=0.0, guess=None):
    from millhand_quality.inspect.distil.cell_net import Seen

    return crop_losses(Seen(logits, guess, torch.zeros(1)), one, weight)


def test_what_is_missed_or_alarmed_costs():
    one = step(marks_of((3, 3, 9)))
    right = torch.full((1, 8, 8), -6.0)
    right[0, 3, 3] = 6.0
    missed = torch.full((1, 8, 8), -6.0)
    alarmed = right.clone()
    alarmed[0, 7, 7] = 6.0
    beside = right.clone()
    beside[0, 3, 4] = 6.0
    base = float(losses_of(right, one))
    assert base < 0.2
    assert float(losses_of(missed, one)) > base + 3
    assert float(losses_of(alarmed, one)) > base + 2
    assert float(losses_of(beside, one)) == pytest.approx(base)
    none = step(marks_of())
    assert float(picture_losses(right, none.defective, none.good)) > 3


def test_the_teacher_counts_by_its_weight():
    heat = torch.tensor([[[1.0, -1.0], [0.0, 0.5]]])
    one = step(marks_of(), heat)
    logits = torch.full((1, 8, 8), -6.0)
    near, far = heat + 0.1, heat + 3
    assert float(losses_of(logits, one, 0.5, far)) > float(losses_of(logits, one, 0.5, near)) + 1
    assert float(losses_of(logits, one, 0.0, far)) == float(losses_of(logits, one, 0.0, near))


def test_the_teachers_map_on_the_students_grid():
    fine = np.arange(64, dtype=np.float32).reshape(8, 8)
    np.testing.assert_array_equal(on_teacher_grid(fine, 64, 64)[0], [9, 11, 13, 15])
    coarse = np.array([[1, 2], [3, 4]], np.float32)
    np.testing.assert_array_equal(
        on_teacher_grid(coarse, 64, 64), coarse.repeat(2, axis=0).repeat(2, axis=1)
    )
    spread = standardised(np.exp(np.random.default_rng(0).normal(2, 3, (50, 4, 4))))
    assert abs(spread.mean()) < 1e-4
    assert abs(spread.std() - 1) < 1e-4
