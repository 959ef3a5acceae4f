"""Attacks on a person's own cell, on the simulator: what was held, by which rule, and the proof.

A plugin's attack imports ``Arena`` from :mod:`millhand.attack.arena` and the rest from here.
"""

from millhand.attack.attack import Attack, Finding, NotApplicable, Verdict, broken, held, judged

__all__ = ["Attack", "Finding", "NotApplicable", "Verdict", "broken", "held", "judged"]
