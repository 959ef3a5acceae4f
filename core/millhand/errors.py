"""Every error that Millhand raises on purpose.

    MillhandError
    ├── Unavailable        something outside is away: reads and connects are retried, writes never
    ├── NeedsPerson        a person must act before trying again makes sense
    │   ├── ConfigError    a scenario, plan or setting is wrong (carries file, line and key)
    │   ├── NotAllowed     permission, certificate, licence or safety envelope says no
    │   └── PackageError   a model package is damaged, foreign or does not fit
    └── InternalError      a promise inside Millhand or a plugin was broken: a bug

The three branches are the three verdicts on a failure: *retry*, *ask a person*, *bug*.
A message says what was met, where, and the mend. Library exceptions never cross an
adapter's edge: the adapter turns them into one of these.
"""

from __future__ import annotations

from dataclasses import dataclass


class MillhandError(Exception):
    """Base of all errors raised on purpose.

    Args:
        message: what happened and where, in the reader's language.
        mend: what the reader can do about it.
    """

    def __init__(self, message: str, *, mend: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message} {self.mend}".rstrip() if self.mend else self.message


class Unavailable(MillhandError):
    """Something outside is away for now; reads and connects may be retried, writes never."""


class NeedsPerson(MillhandError):
    """Trying again is pointless until a person has acted."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a text file something stands. Lines and columns count from 1."""

    file: str
    line: int | None = None
    column: int | None = None
    key: str = ""

    def __str__(self) -> str:
        spot = self.file
        if self.line is not None:
            spot += f":{self.line}"
            if self.column is not None:
                spot += f":{self.column}"
        return f"{spot} at {self.key}" if self.key else spot


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a configuration: where, what was met, what was expected, the mend."""

    place: Place
    message: str
    expected: str = ""
    mend: str = ""

    def __str__(self) -> str:
        parts = [f"{self.place}: {self.message}"]
        if self.expected:
            parts.append(f"  expected: {self.expected}")
        if self.mend:
            parts.append(f"  mend: {self.mend}")
        return "\n".join(parts)


class ConfigError(NeedsPerson):
    """A scenario, plan or setting is wrong. Carries every problem found, not only the first."""

    def __init__(self, message: str, *, mend: str = "", problems: tuple[Problem, ...] = ()) -> None:
        super().__init__(message, mend=mend)
        self.problems = problems

    @classmethod
    def of(cls, problems: tuple[Problem, ...]) -> ConfigError:
        """Build one error out of all problems, each on lines of its own."""
        return cls("\n".join(str(problem) for problem in problems), problems=problems)


class NotAllowed(NeedsPerson):
    """Permission, certificate, licence or the safety envelope says no."""


class PackageError(NeedsPerson):
    """A model package is damaged, foreign, or does not fit. ``fault`` names the fault in a word."""

    def __init__(self, message: str, *, fault: str, mend: str = "") -> None:
        super().__init__(message, mend=mend)
        self.fault = fault


class InternalError(MillhandError):
    """A promise inside Millhand or a plugin was broken: report it as a bug."""
