import pytest

from millhand.distil.plan import load_plan
from millhand.errors import ConfigError

PLAN = """\
millhand_distil: 1
name: impeller-student
task: anomaly-inspection
product: impeller
licence: Apache-2.0
seed: 7
teacher:
  use: quality.trunk
  statement: {permission: granted, evidence: "Apache-2.0 section 2, read today", stated_by: Ann}
student: {use: quality.small, with: {channels: 16}}
data: {folder: pictures, licence: CC0-1.0}
budget: {parameters: 100000, p50_ms: 1.5}
gates:
  - {use: quality.within, with: {metric: auroc, margin: 0.01}}
"""


def write(folder, text):
    path = folder / "plan.yaml"
    path.write_text(text)
    return path


def test_a_plan_is_data_with_a_hash(tmp_path):
    plan = load_plan(write(tmp_path, PLAN))
    assert plan.student.settings == {"channels": 16}
    assert plan.teacher.statement.stated_by == "Ann"
    reordered = "\n".join(sorted(PLAN.splitlines()[:6])) + "\n" + "\n".join(PLAN.splitlines()[6:])
    assert load_plan(write(tmp_path, reordered)).sha256 == plan.sha256
    assert load_plan(write(tmp_path, PLAN.replace("seed: 7", "seed: 8"))).sha256 != plan.sha256


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("seed: 7", "seed: -1", 6),
        ("seed: 7", "seeds: 7", 6),
        ("permission: granted", "permission: perhaps", 9),
        ("use: quality.small", "used: quality.small", 10),
        ("millhand_distil: 1", "millhand_distil: 9", 1),
        ("licence: CC0-1.0", "licence: CC0-1.0, group: '('", 11),
        ("p50_ms: 1.5", "p50_ms: soon", 12),
        ("margin: 0.01}}", "margin: 0.01}", 14),
    ],
)
def test_a_mistake_is_shown_with_its_line(tmp_path, old, new, line):
    assert old in PLAN
    path = write(tmp_path, PLAN.replace(old, new))
    with pytest.raises(ConfigError) as caught:
        load_plan(path)
    assert any(
        problem.place.line is not None and abs(problem.place.line - line) <= 1
        for problem in caught.value.problems
    ), str(caught.value)
    assert str(path) in str(caught.value)


def test_what_cannot_be_read(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load_plan(tmp_path / "none.yaml")
    (tmp_path / "plan.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_plan(tmp_path / "plan.yaml")
    with pytest.raises(ConfigError):
        load_plan(write(tmp_path, "- a\n- b\n"))
