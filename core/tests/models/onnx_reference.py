"""The onnx library's reference evaluator as an accelerator: real graphs, no run time."""

import onnx
from onnx.reference import ReferenceEvaluator
from pydantic import BaseModel, ConfigDict

from millhand.contracts import Used
from millhand.models.files import read_graph


class Reference:
    class Config(BaseModel):
        model_config = ConfigDict(extra="forbid", frozen=True)
        threads: int = 1
        flaw: float = 0.0
        die: bool = False

    def __init__(self, name, config):
        self.config = config
        self.sessions = []

    @classmethod
    def present(cls):
        return [{}, {"flaw": 0.5}]

    def load(self, graph, manifest):
        data, entry = read_graph(graph, manifest)
        if self.config.die:
            import os
            import signal

            os.kill(os.getpid(), signal.SIGSEGV)
        session = ReferenceSession(data, entry, self.config)
        self.sessions.append(session)
        return session

    def close(self):
        for session in self.sessions:
            session.close()


class ReferenceSession:
    def __init__(self, data, entry, config):
        self.evaluator = ReferenceEvaluator(onnx.load_from_string(data))
        self.flaw = config.flaw
        self.closed = False
        self.used = Used(
            provider="reference",
            device="python",
            precision=entry.precision,
            threads=config.threads,
            runtime=f"onnx {onnx.__version__}",
        )

    def run(self, inputs):
        found = self.evaluator.run(None, dict(inputs))
        names = self.evaluator.output_names
        pairs = zip(names, found, strict=True)
        return {name: array + array.dtype.type(self.flaw) for name, array in pairs}

    def close(self):
        self.closed = True
