"""The safety envelope: a pure judgement of every action, and permits that let a write out."""

from millhand.guard.envelope import Allowance, Change, Facts, Limits, Request, judge, step
from millhand.guard.permits import IssuedPermit, PermitOffice

__all__ = [
    "Allowance",
    "Change",
    "Facts",
    "IssuedPermit",
    "Limits",
    "PermitOffice",
    "Request",
    "judge",
    "step",
]
