"""What the command line does with log lines: to standard error, quiet unless asked."""

from __future__ import annotations

import logging
import sys


class _StandardError:
    """Standard error as it is when a line is written, so that a live view can stand above it."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()


def configure_logs(*, verbose: bool) -> None:
    """Send log lines to standard error: warnings and worse, with ``verbose`` our own news too.

    Only the command line calls this; an embedding program keeps its own logging.
    """
    import structlog

    level = logging.INFO if verbose else logging.WARNING
    stream = _StandardError()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="%H:%M:%S", utc=False),
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=stream),  # type: ignore[arg-type]
        cache_logger_on_first_use=False,
    )
    # Libraries say at INFO what only their authors want to know.
    logging.basicConfig(
        level=logging.WARNING, stream=stream, format="%(levelname)s %(name)s: %(message)s"
    )


def only_errors() -> None:
    """Keep warnings back in a command that tells of them itself; ``--verbose`` still shows all."""
    import structlog

    if not structlog.get_logger().is_enabled_for(logging.INFO):
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
