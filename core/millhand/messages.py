"""The one catalogue of messages to people (GNU gettext).

Wrap every text that a person reads in :func:`tr`. Placeholders are named, so that a
translator may reorder them::

    tr("The tag {tag} is unknown.", tag=name)

The language is that of the environment (``LANGUAGE``, ``LC_ALL``, ``LC_MESSAGES``,
``LANG``); a language without a catalogue falls back to English. Catalogues lie in
``locale/<language>/LC_MESSAGES/millhand.mo``; ``locale/millhand.pot`` is the template.
"""

from __future__ import annotations

import difflib
import gettext
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

LOCALE_DIRECTORY = Path(__file__).parent / "locale"


@lru_cache(maxsize=1)
def _catalogue() -> gettext.NullTranslations:
    return gettext.translation("millhand", LOCALE_DIRECTORY, fallback=True)


def tr(message: str, /, **values: object) -> str:
    """Translate ``message`` and fill in its named placeholders."""
    text = _catalogue().gettext(message)
    return text.format(**values) if values else text


def trn(singular: str, plural: str, count: int, /, **values: object) -> str:
    """Translate with the plural form for ``count``, which fills the placeholder ``{count}``."""
    text = _catalogue().ngettext(singular, plural, count)
    return text.format(count=count, **values)


def did_you_mean(met: str, known: Iterable[str]) -> str:
    """Say which known names are near to the one met, or list them where they are few.

    Returns an empty text where there is nothing helpful to say.
    """
    names = sorted(set(known))
    folded = {name.casefold(): name for name in names}
    near = _nearest(met.casefold(), list(folded))
    if near:
        return tr("Did you mean {names}?", names=tr(" or ").join(folded[name] for name in near))
    if names and len(names) <= 12:
        return tr("Known are: {names}.", names=", ".join(names))
    return ""


def _nearest(met: str, known: list[str]) -> list[str]:
    """Return the nearest names, and only those about as near as the nearest of all."""
    near = difflib.get_close_matches(met, known, n=3)
    ratios = [difflib.SequenceMatcher(None, name, met).ratio() for name in near]
    return [name for name, ratio in zip(near, ratios, strict=True) if ratio > ratios[0] - 0.1]
