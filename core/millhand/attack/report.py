"""The report of an attack run as one HTML file that needs nothing else: no script, no network."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import jinja2

from millhand.attack.attack import Verdict
from millhand.attack.run import AttackRun
from millhand.messages import tr, trn


def write_report(file: Path, run: AttackRun, *, command: str = "") -> None:
    """Write the report, whole or not at all."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("millhand.attack"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals |= {"tr": tr, "promises": promises(), "words": words()}
    moment = dt.datetime.fromtimestamp(run.started_utc_ns / 1e9, dt.UTC)
    text = environment.get_template("attack_report.html.j2").render(
        run=run,
        headline=headline(run),
        started=f"{moment:%Y-%m-%d %H:%M:%S} UTC",
        counts={verdict.value: run.count(verdict) for verdict in Verdict},
        command=command,
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{file.name}.{os.getpid()}")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(file)


def headline(run: AttackRun) -> str:
    """Say in a sentence how it went."""
    broken, held = run.count(Verdict.BROKEN), run.count(Verdict.HELD)
    if broken:
        return trn("{count} promise was broken.", "{count} of the attacks broke a promise.", broken)
    return trn("{count} attack, and all held.", "{count} attacks, and all held.", held)


def words() -> dict[str, str]:
    """Return what a person reads for a verdict."""
    return {
        "held": tr("held"),
        "broken": tr("broken"),
        "not_applicable": tr("not applicable"),
    }


def promises() -> dict[int, str]:
    """Return the promises by number, in a few words."""
    return {
        1: tr("no acknowledged decision is lost"),
        2: tr("no effect without an intent, none twice"),
        3: tr("late is not sent"),
        4: tr("agents act only in the mode given"),
        5: tr("a refusal is never silent"),
        6: tr("the PLC notices when nobody is there"),
        7: tr("a bad plugin hurts only itself"),
        8: tr("what is away comes back by itself"),
        9: tr("a full disk stops acting, not reading"),
        10: tr("the record can be checked"),
        11: tr("nothing leaves the plant"),
        12: tr("safe mode always starts"),
        13: tr("it says when it does not know"),
        14: tr("text is data"),
    }
