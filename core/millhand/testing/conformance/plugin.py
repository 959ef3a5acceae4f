"""The pytest plugin that collects what kits find.

Load it in ``conftest.py``::

    pytest_plugins = ["millhand.testing.conformance.plugin"]

It adds a line for each subject to the end of a run, and two options: ``--conformance FILE`` writes
the results, ``--conformance-against FILE`` fails a run whose results a file does not say. Under
pytest-xdist the processes that test hand their results to the one that reports.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from millhand.testing.conformance import results
from millhand.testing.conformance.kit import LACKS, Kit
from millhand.testing.conformance.promises import promise_of
from millhand.testing.conformance.results import FAILED, PASSED, Proven, Trial

_HANDED_OVER = "millhand_conformance"
_collected = pytest.StashKey[dict[tuple[str, str, str], Trial]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the two options."""
    group = parser.getgroup("millhand")
    group.addoption("--conformance", type=Path, metavar="FILE", help="merge results into FILE")
    group.addoption(
        "--conformance-against",
        type=Path,
        metavar="FILE",
        help="fail where FILE does not say what was found",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin with nothing."""
    config.stash[_collected] = {}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Note how a promise was met."""
    report = yield
    kit = getattr(item, "cls", None)
    found = promise_of(getattr(item, "function", None))
    if found is None or not (isinstance(kit, type) and issubclass(kit, Kit)):
        return report
    outcome = _outcome(report, call.when)
    if outcome:
        trial = Trial(kit.kit, kit.subject, kit.peer, kit.independent)
        trial = item.config.stash[_collected].setdefault(trial.key, trial)
        name = item.name.partition("[")[0].removeprefix("test_")
        text = " ".join((item.function.__doc__ or name).split()).rstrip(".")  # type: ignore[attr-defined]
        before = trial.promises.get(name)
        if before is None or before.outcome != FAILED:
            trial.promises[name] = Proven(text, str(found.level), outcome)
    return report


def _outcome(report: pytest.TestReport, when: str) -> str:
    """Say how it ended; empty where this report does not say."""
    if report.failed:
        return FAILED
    if report.skipped:
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else ""
        said = reason.removeprefix("Skipped: ")
        return said if said.startswith(LACKS) else ""
    return PASSED if when == "call" else ""


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the results, or hold them against a file; hand them over where another reports."""
    config = session.config
    found = list(config.stash[_collected].values())
    if hasattr(config, "workerinput"):
        config.workeroutput[_HANDED_OVER] = results.to_plain(found)  # type: ignore[attr-defined]
        return
    file, against = config.getoption("--conformance"), config.getoption("--conformance-against")
    if file is not None and found:
        results.write(file, results.merge(results.read(file), found))
    elif against is not None:
        missing = results.stale(results.read(_rooted(config, against)), found)
        if missing:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
            _show_stale(config, against, missing)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take over what another process of this run has found."""
    collected = node.config.stash[_collected]
    for trial in results.from_plain(getattr(node, "workeroutput", {}).get(_HANDED_OVER, ())):
        collected.setdefault(trial.key, trial).promises.update(trial.promises)


def _show_stale(config: pytest.Config, against: Path, missing: list[str]) -> None:
    """Let the closing line count a file that is behind as an error, with what is missing in it."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    if reporter is not None:
        text = "\n".join((f"{against} lacks what this run has proven; write it anew:", *missing))
        report = pytest.CollectReport(against.as_posix(), "failed", text, [])
        reporter.stats.setdefault("error", []).append(report)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what each subject has proven."""
    found = list(config.stash[_collected].values())
    if not found:
        return
    terminalreporter.section("conformance")
    for trial in found:
        outcomes = list(trial.promises.values())
        passed = sum(one.outcome == PASSED for one in outcomes)
        failed = sum(one.outcome == FAILED for one in outcomes)
        exempt = len(outcomes) - passed - failed
        terminalreporter.write_line(
            f"{trial.kit} {trial.subject} on {trial.peer}: {passed} kept, {failed} broken, "
            f"{exempt} exempt; {results.tier([trial])} by this run"
        )


def _rooted(config: pytest.Config, file: Path) -> Path:
    return file if file.is_absolute() else config.rootpath / file
