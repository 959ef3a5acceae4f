"""Attacks on what the cameras give."""

from __future__ import annotations

from millhand.attack.arena import Arena
from millhand.attack.attack import Finding, NotApplicable, judged
from millhand.contracts import Disposition, Verdict
from millhand.journal.records import Intent
from millhand.messages import tr

_PASSES = (Disposition.PASS, Disposition.PASS_FLAGGED)
_PARTS = 3


class _Camera:
    title: str
    promise = 3
    order: str
    rule: str

    async def run(self, arena: Arena) -> Finding:
        """Spoil the pictures of a few parts."""
        if not any(agent.see for agent in arena.scenario.file.agents.values()):
            raise NotApplicable(tr("No agent of this cell sees anything."))
        await arena.settled_parts(1)
        await arena.order(camera=self.order)
        try:
            before = len(arena.intents())
            await arena.settled_parts(_PARTS + 2)
            found = arena.intents()[before + 2 :]  # two may have been under way
        finally:
            await arena.order(camera="")
        await arena.recovered()
        passed = [one for one in found if self.wrong(one)]
        causes = sorted({str(one.cause) for one in found})
        return judged(
            not passed,
            self.rule,
            tr("{count} parts, causes {causes}, {passed} passed",
               count=len(found), causes=", ".join(causes), passed=len(passed)),
        )  # fmt: skip

    def wrong(self, intent: Intent) -> bool:
        """Say whether a part was passed that must not be."""
        return intent.disposition in _PASSES


class MissingPicture(_Camera):
    """The camera gives nothing."""

    title = tr("The camera gives no picture")
    order = "missing"
    rule = tr("jidoka: blind")


class LatePicture(_Camera):
    """The camera gives its picture after the deadline."""

    title = tr("The camera gives its pictures too late")
    order = "late"
    rule = tr("deadline; jidoka: blind")


class BlackPicture(_Camera):
    """The lamp is out: every pixel is black."""

    title = tr("The lamp is out: black pictures")
    order = "black"
    rule = tr("agent: abstains or rejects")


class SmallPicture(_Camera):
    """The picture has another size than the model was made for."""

    title = tr("Pictures of the wrong size")
    order = "small"
    rule = tr("package: input shape")


class AnotherPicture(_Camera):
    """Each part gets the picture of the part before."""

    title = tr("Each part gets the picture of the part before")
    order = "another"
    rule = tr("frames join by trigger number")

    def wrong(self, intent: Intent) -> bool:
        """Say whether an agent has decided on another part's picture."""
        trigger = getattr(intent.observation.trigger, "trigger_seq", None)
        foreign = any(
            frame.ref.trigger_seq not in (None, trigger)
            for frame in intent.observation.frames.values()
        )
        return foreign and intent.decision.verdict is not Verdict.NOT_DECIDABLE
