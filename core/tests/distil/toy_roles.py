"""A teacher that knows a rule, and a student that learns a line from it by least squares."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from pydantic import BaseModel, ConfigDict, Field

from millhand.distil.roles import Exported, GoldenPair, Judged, Proof
from millhand.models.manifest import Metric, TeacherCard


class RuleConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    permission: str = "granted"


class Rule:
    """Says how far a point lies beyond the line x + 2 y = 0.5, softly."""

    Config = RuleConfig
    labelled = 0

    def __init__(self, config):
        self.config = config

    def card(self):
        return TeacherCard(
            id="rule 1",
            kind="none",
            licence="CC0-1.0",
            permission=self.config.permission,
            evidence="It is a rule of ours.",
        )

    def label(self, items):
        Rule.labelled += len(items)
        return [{"soft": 1 / (1 + np.exp(-4 * (x["x"] @ np.array([1, 2]) - 0.5)))} for x in items]

    def close(self):
        pass


class LinearConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    noise: float = Field(default=0.0, ge=0)
    golden_error: float = 0.0
    golden_bound: float = 1e-4
    judged: int = 0
    proven: int = 0
    wrong: int = 0


class Linear:
    Config = LinearConfig

    def __init__(self, config):
        self.config = config

    def learn(self, lesson):
        lesson.report(0.5, "fitting")
        items = [*lesson.train.arrays(), *lesson.pool.arrays()]
        x = np.stack([arrays["x"] for _, arrays in items])
        soft = np.stack([label["soft"] for label in lesson.teacher.label([a for _, a in items])])
        rng = np.random.default_rng(lesson.plan.seed)
        logits = np.log(soft / (1 - soft)) + rng.normal(size=len(soft)) * self.config.noise
        design = np.column_stack([x, np.ones(len(x))])
        weights, *_ = np.linalg.lstsq(design, logits, rcond=None)
        weights = weights.astype(np.float32)
        graph = linear_graph(weights[:2].reshape(2, 1), weights[2:])
        golden = x[:4]
        answer = 1 / (1 + np.exp(-(golden @ weights[:2].reshape(2, 1) + weights[2:])))
        return Exported(
            graphs={"fp32": graph},
            meanings={"x": "a point in the plane", "p": "probability, 0 to 1"},
            golden=[
                GoldenPair(
                    inputs={"x": golden},
                    outputs={"p": answer.astype(np.float32) + np.float32(self.config.golden_error)},
                    absolute=self.config.golden_bound,
                )
            ],
            parameters={"threshold": 0.5, "calibrated_on": len(lesson.calibration)},
            files={"LICENSE": (b"CC0", "Licence of the rule.")},
            notes=["A line suffices."],
            judged=Judged(
                inputs=[{"x": row[None]} for row in x[: self.config.judged]],
                answer=yes,
            ),
            proof=self.proof(x) if self.config.proven else None,
        )

    def proof(self, x):
        """Points far from the line, so that the student is sure; some are told wrongly."""
        rng = np.random.default_rng(1)
        far = rng.uniform(-3, 3, size=(self.config.proven, 2))
        right = [bool(point @ np.array([1, 2]) > 0.5) for point in far]
        for place in range(self.config.wrong):
            right[place] = not right[place]
        return Proof(
            inputs=[{"x": point[None].astype(np.float32)} for point in far],
            right=right,
            answer=yes,
            confidence=lambda outputs: float(max(outputs["p"][0, 0], 1 - outputs["p"][0, 0])),
            data="far points",
            told=lambda found: {"answers_from": found.threshold},
        )

    def evaluate(self, model, teacher, items):
        x = np.stack([arrays["x"] for _, arrays in items.arrays()])
        told = np.stack([label["soft"] for label in teacher.label([{"x": row} for row in x])])
        same = (model(x=x)["p"][:, 0] > model.parameters["threshold"]) == (told > 0.5)
        return [
            Metric(
                name="accuracy",
                value=float(same.mean()),
                teacher=1.0,
                items=len(items),
                data="sealed test",
            )
        ]


def yes(outputs):
    return bool(outputs["p"][0, 0] > 0.5)


def linear_graph(weights, bias):
    graph = helper.make_graph(
        [
            helper.make_node("MatMul", ["x", "w"], ["m"]),
            helper.make_node("Add", ["m", "b"], ["a"]),
            helper.make_node("Sigmoid", ["a"], ["p"]),
        ],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("p", TensorProto.FLOAT, ["n", 1])],
        [numpy_helper.from_array(weights, "w"), numpy_helper.from_array(bias, "b")],
    )
    opsets = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8).SerializeToString()


class RoundedConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    turned: bool = False


class Rounded:
    """Keeps the weights in 8 or 7 bits and multiplies them out before use."""

    Config = RoundedConfig

    def __init__(self, config):
        self.config = config

    def quantise(self, graph, inputs, *, bits):
        model = onnx.load_from_string(graph)
        named = {one.name: one for one in model.graph.initializer}
        weights = numpy_helper.to_array(named["w"]) * (-1 if self.config.turned else 1)
        scale = np.float32(np.abs(weights).max() / (2 ** (bits - 1) - 1))
        model.graph.initializer.remove(named["w"])
        kept = np.rint(weights / scale).astype(np.int8)
        model.graph.initializer.extend(
            [numpy_helper.from_array(kept, "kept"), numpy_helper.from_array(scale, "scale")]
        )
        model.graph.node.insert(
            0, helper.make_node("Cast", ["kept"], ["whole"], to=TensorProto.FLOAT)
        )
        model.graph.node.insert(1, helper.make_node("Mul", ["whole", "scale"], ["w"]))
        return model.SerializeToString()
