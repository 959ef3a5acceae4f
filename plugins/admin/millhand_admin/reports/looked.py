"""One page for a person who must decide on a paper: each value beside the picture it was read from.

The picture is cut out of the document that the journal's blob store keeps, at the place that the
decision names; nothing is read anew.
"""

from __future__ import annotations

import base64
import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from jinja2 import Environment
from PIL import Image

from millhand.cli.places import JournalPlace
from millhand.contracts import Decision, Highlight, Value
from millhand.errors import ConfigError
from millhand.feedback.review import show
from millhand.journal.blobs import BlobReader
from millhand.journal.places import BLOBS
from millhand.messages import tr
from millhand_admin.paper.fact import Box, Fact, Method
from millhand_admin.reading.crops import Crops
from millhand_admin.reading.limits import Limits, UnreadableDocument
from millhand_admin.reading.page import Page
from millhand_admin.reading.sniff import sniff

_PLACE = re.compile(r"page (\d+) \[([\d.]+) ([\d.]+) ([\d.]+) ([\d.]+)\] (\w+) ([\d.]+)")
_SURE = 0.99
_TEMPLATE = """<!doctype html>
<html><head><meta charset="utf-8"><title>{{ title }}</title><style>
body { font: 16px/1.4 system-ui, sans-serif; margin: 2rem auto; max-width: 60rem; padding: 0 1rem }
td, th { padding: .3rem .6rem; border-bottom: 1px solid #8886; text-align: left }
img { max-height: 3rem; max-width: 28rem; background: #fff } .unsure { background: #fc03 }
small { opacity: .7 } :root { color-scheme: light dark }
</style></head><body><h1>{{ title }}</h1><p>{{ reason }}</p>
<table>{% for one in values %}
<tr class="{{ 'unsure' if one.unsure else '' }}"><th>{{ one.path }}</th><td>{{ one.value }}</td>
<td>{% if one.picture %}<img alt="{{ one.path }}" src="data:image/png;base64,{{ one.picture }}">
{% endif %}</td><td><small>{{ one.how }}</small></td></tr>{% endfor %}
</table></body></html>
"""


@dataclass(frozen=True, slots=True)
class Looked:
    """A value with the picture of its place, as PNG in base64; empty where it has none."""

    path: str
    value: str
    how: str
    unsure: bool
    picture: str


@dataclass(frozen=True, slots=True)
class Case:
    """What a person looks at: the paper under a question or decision."""

    document: str
    reason: str
    values: tuple[Looked, ...]


def look(place: JournalPlace, about: str) -> Case:
    """Return what was read from the paper of a question or decision.

    Raises:
        ConfigError: it is about no document.
    """
    with place.open() as journal:
        intent = show(journal, about).intent
    documents = list(intent.observation.documents.values())
    if not documents:
        raise ConfigError(tr("{about} is about no document.", about=about))
    reference = documents[0].ref
    content = BlobReader(place.folder / BLOBS).load_document(reference.sha256)
    values = values_of(intent.decision, content, Limits())
    return Case(reference.name, intent.decision.reason, tuple(values))


def as_json(case: Case) -> str:
    """Return a case as data, for a console."""
    return json.dumps(asdict(case), ensure_ascii=False)


def values_of(decision: Decision, document: bytes, limits: Limits) -> list[Looked]:
    """Return what a decision shows of a paper, each value with its picture."""
    found: list[Looked] = []
    for one in decision.explanations:
        if isinstance(one, Highlight):
            found.extend(_values(one.fields, document, limits))
    return found


def _values(fields: Mapping[str, Value], document: bytes, limits: Limits) -> Iterator[Looked]:
    pages = {int(match[1]) for text in fields.values() if (match := _PLACE.match(str(text)))}
    unturned = [Page(number, 1.0, (), Method.OCR) for number in sorted(pages)]
    crops = Crops(document, sniff(document), unturned, limits)
    for path, value in fields.items():
        how = fields.get(f"{path}@")
        if path.endswith("@") or how is None:
            continue
        place = _PLACE.match(str(how))
        if place is None:
            yield Looked(path, str(value), str(how), unsure=False, picture="")
            continue
        left, top, right, bottom = (float(place[number]) for number in range(2, 6))
        box = Box(left=left, top=top, right=right, bottom=bottom)
        fact = Fact[str](value=str(value), method=Method(place[6]), page=int(place[1]), box=box)
        yield Looked(path, str(value), str(how), unsure=float(place[7]) < _SURE,
                     picture=_picture(crops, fact))  # fmt: skip


def _picture(crops: Crops, fact: Fact[str]) -> str:
    try:
        crop = crops.of(fact)
    except UnreadableDocument:
        return ""
    if crop is None or not crop.size:
        return ""
    stream = io.BytesIO()
    Image.fromarray(crop).save(stream, "PNG")
    return base64.b64encode(stream.getvalue()).decode()


def as_page(title: str, reason: str, values: list[Looked]) -> str:
    """Return the page; it needs nothing else."""
    template = Environment(autoescape=True).from_string(_TEMPLATE)
    return template.render(title=title, reason=reason, values=values)
