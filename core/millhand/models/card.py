"""The model card: a package's manifest told to a person.

The card is listed in the manifest and covered by the package's id, so it is written in one
language on every machine: the same plan must rebuild the same package.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from millhand.models.manifest import (
    Abstention,
    Energy,
    Latency,
    Manifest,
    Metric,
    Parity,
    TensorSpec,
)


def render_card(manifest: Manifest) -> str:
    """Return the card as Markdown."""
    teacher = manifest.teacher
    product = f" for {manifest.product}" if manifest.product else ""
    lines = [
        f"# {manifest.name} {manifest.version}",
        "",
        f"{manifest.task}{product}. Licence {manifest.licence}. Made {manifest.created}.",
        "",
        "## Teacher",
        "",
        f"{teacher.id} ({teacher.kind}), licence {teacher.licence}.",
        f"Permission to distil: {teacher.permission.value}. {teacher.evidence}",
        *([f"Stated by {teacher.stated_by}."] if teacher.stated_by else []),
        "",
        "## Inputs and outputs",
        "",
        *_table(("tensor", "type", "shape", "meaning"), _tensors(manifest)),
        "## Graphs",
        "",
        *_table(
            ("file", "precision", "opset", "parameters"),
            (
                (graph.path, graph.precision, str(graph.opset), f"{graph.parameters:,}")
                for graph in manifest.graphs
            ),
        ),
        "## Measured",
        "",
        *_measured(manifest.metrics),
        *_times(manifest.latency),
        *_energy(manifest.energy),
        *_parity(manifest.parity),
        "## When it does not answer",
        "",
        *_abstention(manifest.abstention),
        "## Data",
        "",
        *(
            _table(
                ("source", "items", "licence", "SHA-256", "made by"),
                ((s.name, str(s.items), s.licence, s.sha256, s.recipe) for s in manifest.sources),
            )
            if manifest.sources
            else ["None is stated.", ""]
        ),
        "## Rebuild",
        "",
        f"Seed {manifest.seed}, plan {manifest.plan_sha256 or 'none'}.",
        *(["", "```sh", manifest.command, "```"] if manifest.command else []),
        *(
            ["", "## Notes", "", *(f"- {note}" for note in manifest.notes)]
            if manifest.notes
            else []
        ),
        "",
    ]
    return "\n".join(lines)


def render_page(manifest: Manifest) -> str:
    """Return the card as one HTML page that loads nothing; what a manifest says cannot be markup.

    A card is the same for everybody, so it is in English.
    """
    from html import escape

    from markdown_it import MarkdownIt

    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(render_card(manifest))
    return _PAGE.format(title=escape(f"{manifest.name} {manifest.version}"), body=body)


_PAGE = """\
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto }}
table {{ border-collapse: collapse; display: block; overflow-x: auto }}
th, td {{ text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #8884 }}
pre {{ overflow-x: auto; padding: .8rem; background: #8882 }}
</style>
{body}</html>
"""


def _tensors(manifest: Manifest) -> Iterator[tuple[str, ...]]:
    for side, specs in (("in", manifest.inputs), ("out", manifest.outputs)):
        for spec in specs:
            yield f"{side}: {spec.name}", spec.dtype, _shape(spec), spec.meaning


def _shape(spec: TensorSpec) -> str:
    return " x ".join(str(size) for size in spec.shape) or "scalar"


def _measured(metrics: Sequence[Metric]) -> list[str]:
    if not metrics:
        return ["No figure of merit is stated.", ""]
    return _table(
        ("figure", "value", "interval", "teacher", "items", "data"),
        (
            (
                metric.name,
                f"{metric.value:.4g}",
                _interval(metric),
                "" if metric.teacher is None else f"{metric.teacher:.4g}",
                str(metric.items),
                metric.data,
            )
            for metric in metrics
        ),
    )


def _interval(metric: Metric) -> str:
    if metric.low is None or metric.high is None:
        return ""
    return f"{metric.low:.4g} to {metric.high:.4g} {metric.method}".rstrip()


def _times(latency: Sequence[Latency]) -> list[str]:
    if not latency:
        return ["No time is stated.", ""]
    return _table(
        ("target", "run time", "provider", "precision", "threads", "p50 ms", "p99 ms", "measured"),
        (
            (
                time.target,
                time.runtime,
                time.provider,
                time.precision,
                str(time.threads),
                f"{time.p50_ms:.2f}",
                f"{time.p99_ms:.2f}",
                time.measured,
            )
            for time in latency
        ),
    )


def _energy(energy: Sequence[Energy]) -> list[str]:
    if not energy:
        return ["No energy is stated.", ""]
    return _table(
        ("target", "run time", "precision", "threads", "mJ a run", "range", "how it is known"),
        (
            (
                one.target,
                one.runtime,
                one.precision,
                str(one.threads),
                f"{one.millijoules:.3g}",
                f"{one.low:.3g} to {one.high:.3g}",
                f"{one.source}: {one.method}",
            )
            for one in energy
        ),
    )


def _parity(parity: Sequence[Parity]) -> list[str]:
    if not parity:
        return []
    return _table(
        ("answers as it should on", "run time", "precision", "difference", "same answer", "items"),
        (
            (
                f"{one.processor}, emulated" if one.emulated else one.processor,
                one.runtime,
                one.precision,
                f"{one.difference:.2g}",
                "" if one.agreement is None else f"{one.agreement:.2%}",
                str(one.items),
            )
            for one in parity
        ),
    )


def _abstention(abstention: Abstention | None) -> list[str]:
    if abstention is None:
        return ["It always answers, or its agent decides; no promise is stated.", ""]
    return [*abstention_lines(abstention), ""]


def abstention_lines(abstention: Abstention) -> list[str]:
    """Say from which confidence on a model answers, and what is promised then."""
    data = f"{abstention.items} items ({abstention.data}), {abstention.method}"
    promise = f"at most {abstention.alpha:.3g} of its answers are wrong"
    sure = f"with a probability of at least {1 - abstention.delta:.3g}"
    if abstention.threshold is None or abstention.upper is None:
        needed = f"at least {abstention.needed} answered items, all right, would be needed"
        return [f"No promise that {promise} is possible from {data}: {needed}."]
    counts = f"{abstention.answered} answered, {abstention.wrong} of them wrongly"
    return [
        f"Below a confidence of {abstention.threshold:.4g} it does not answer.",
        f"Then {promise}, {sure}; proven: {abstention.upper:.3g}.",
        f"From {data}: {counts}. The promise ends when the data change.",
    ]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [head, ["---"] * len(head), *rows]
    return [*("| " + " | ".join(_cell(c) for c in line) + " |" for line in lines), ""]


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
