"""Ticket routing on MaintIE: accuracy by coverage, what a certificate keeps, and time.

    python tests/benchmarks/admin_tickets.py --data shared/data/admin/maintie/gold_release.json

MaintIE (Bikaun et al., LREC-COLING 2024, MIT) holds 1,076 maintenance work orders whose entities
experts annotated. The kind of work is the first activity named in the text (replace, repair,
inspect, service, diagnose, adjust; any supporting activity is `support`), else `fault` where
something undesirable is named; 29 texts name neither and are left out. Texts that say the same stay
together. Every split draws the shelves anew: 70 % to learn, 15 % to calibrate, 15 % to test.

Pieces and steps were chosen while looking at one five-fold division of the same texts, so these
figures are slightly optimistic; the splits below are others.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from pathlib import Path
from time import perf_counter, process_time

import numpy as np

from millhand.distil.dataset import Shelf, Split
from millhand.statistics.calibration import softmax
from millhand.statistics.intervals import share
from millhand.statistics.selective import Certificate
from millhand_admin.tickets.fit import fit
from millhand_admin.tickets.graph import BUCKETS, KNOWN, PROBABILITIES, WEIGHTS, graph_of
from millhand_admin.tickets.ngrams import pieces
from millhand_admin.tickets.ticket import Ticket

_WORK = {
    "Replace": "replace",
    "Repair": "repair",
    "Inspect": "inspect",
    "Service": "service",
    "Diagnose": "diagnose",
    "Adjust": "adjust",
    "Calibrate": "adjust",
}
_WRONG = ("State/Undesirable", "Process/Undesirable")


def kind_of(entities: list[dict[str, object]]) -> str | None:
    """Return the kind of work that a text names."""
    for entity in sorted(entities, key=lambda one: int(str(one["start"]))):
        parts = str(entity["type"]).split("/")
        if parts[0] == "Activity":
            return _WORK.get(parts[-1], "support")
    wrong = any(str(entity["type"]).startswith(_WRONG) for entity in entities)
    return "fault" if wrong else None


def tickets_of(path: Path) -> list[Ticket]:
    """Read MaintIE."""
    rows = json.loads(path.read_text(encoding="utf-8"))
    pairs = [(row["text"], kind_of(row["entities"])) for row in rows]
    return [Ticket(text=text, kind=kind) for text, kind in pairs if kind is not None]


def accuracy_table(tickets: list[Ticket], splits: int) -> None:
    """Pooled over splits: accuracy at coverages, and what the certificate keeps."""
    sure: list[float] = []
    right: list[bool] = []
    at_70: list[float] = []
    certificates = 0
    answered = wrong = asked = baseline = 0
    begun = process_time()
    for number in range(splits):
        split = Split(train=0.7, calibration=0.15, test=0.15, salt=f"benchmark-{number}")
        fitted = fit(tickets, alpha=0.05, delta=0.1, split=split)
        test = [one for one in tickets if split.shelf(one.group) is Shelf.TEST]
        kinds = fitted.parameters.kinds
        common = Counter(
            one.kind for one in tickets if split.shelf(one.group) is Shelf.TRAIN
        ).most_common(1)[0][0]
        here: list[tuple[float, bool]] = []
        for one in test:
            logits = fitted.weights.logits(one.text, fitted.parameters.pieces)
            chances = softmax(logits[None, :] / fitted.temperature)[0]
            good = kinds[int(chances.argmax())] == one.kind
            known = fitted.weights.known(one.text, fitted.parameters.pieces)
            strange = known < fitted.parameters.known
            here.append((0.0 if strange else float(chances.max()), good))
            baseline += one.kind == common
        asked += len(here)
        certificates += isinstance(fitted.certificate, Certificate)
        kept = [good for chance, good in here if chance >= fitted.parameters.threshold]
        answered += len(kept)
        wrong += kept.count(False)
        here.sort(key=lambda pair: -pair[0])
        most = here[: round(0.7 * len(here))]
        at_70.append(sum(good for _, good in most) / len(most))
        sure += [chance for chance, _ in here]
        right += [good for _, good in here]
    cpu = process_time() - begun
    order = np.argsort(-np.array(sure))
    found = np.array(right)[order]
    print(
        f"{len(tickets)} tickets, 8 kinds, {splits} splits, {asked} answers tested, "
        f"{cpu / splits:.1f} CPU-s to fit one\n"
    )
    print("| coverage | right | accuracy | 95 % interval, as if all answers were independent |")
    print("|---|---|---|---|")
    for coverage in (1.0, 0.9, 0.8, 0.7, 0.6, 0.5):
        part = found[: round(coverage * len(found))]
        got = share(int(part.sum()), len(part))
        interval = f"{got.low:.1%} to {got.high:.1%}"
        print(f"| {coverage:.0%} | {got.count}/{got.of} | {part.mean():.1%} | {interval} |")
    print(
        f"\nAlways the commonest kind: {baseline / asked:.1%}. At 70 % coverage within each "
        f"split: {np.mean(at_70):.1%}, standard deviation over splits {np.std(at_70):.1%}, worst "
        f"{min(at_70):.1%}."
    )
    print(
        f"\nCertificate (at most 5 % wrong among the answered, 90 % sure): had in {certificates} "
        f"of {splits} splits; answered {answered / asked:.1%} of the test, {wrong} of {answered} "
        f"wrong ({wrong / max(answered, 1):.1%})."
    )


def time_table(tickets: list[Ticket]) -> None:
    """Time of one answer, pieces and graph apart."""
    import onnxruntime

    fitted = fit(tickets)
    rules = fitted.parameters.pieces
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    graph = graph_of(fitted.weights, fitted.temperature)
    session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    cut, whole = [], []
    for one in (tickets * 4)[:4000]:
        begun = perf_counter()
        buckets, weights = pieces(one.text, rules)
        between = perf_counter()
        session.run([PROBABILITIES, KNOWN], {BUCKETS: buckets, WEIGHTS: weights})
        whole.append(perf_counter() - begun)
        cut.append(between - begun)
    letters = np.mean([len(one.text) for one in tickets])
    print(
        f"\nOne thread, {letters:.0f} characters a text on average; ms, p50 / p99: pieces "
        f"{_ms(cut)}, pieces and graph {_ms(whole)}. Graph {len(graph) / 2**20:.1f} MB."
    )


def _ms(times: list[float]) -> str:
    low, high = np.percentile(np.array(times) * 1e3, [50, 99])
    return f"{low:.3f} / {high:.3f}"


def main(arguments: list[str]) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--splits", type=int, default=10)
    given = parser.parse_args(arguments)
    tickets = tickets_of(given.data)
    accuracy_table(tickets, given.splits)
    time_table(tickets)


if __name__ == "__main__":
    main(sys.argv[1:])
