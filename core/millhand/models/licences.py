"""Licences by their SPDX expressions, as ``packaging`` knows the list."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from millhand.messages import tr

_NOT_IN_A_REFERENCE = re.compile(r"[^A-Za-z0-9.-]+")


def spdx(expression: str) -> str:
    """Return an SPDX licence expression in its usual spelling.

    Raises:
        ValueError: it is none; what is not on SPDX's list is written ``LicenseRef-words``.
    """
    from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

    try:
        return canonicalize_license_expression(expression)
    except InvalidLicenseExpression as error:
        raise ValueError(
            tr(
                "“{licence}” is no SPDX licence expression; write its identifier, such as "
                "Apache-2.0, or {reference} for a licence of your own",
                licence=expression,
                reference=reference(expression),
            )
        ) from error


def reference(words: str) -> str:
    """Return the SPDX way to name a licence that is not on the list: ``LicenseRef-words``."""
    return f"LicenseRef-{_NOT_IN_A_REFERENCE.sub('-', words).strip('-') or 'unknown'}"


def as_spdx(words: str) -> str:
    """Return an expression as :func:`spdx`, and any other words as a reference."""
    try:
        return spdx(words)
    except ValueError:
        return reference(words)


Licence = Annotated[
    str, AfterValidator(spdx), Field(description="SPDX licence expression: MIT, LicenseRef-ours.")
]
