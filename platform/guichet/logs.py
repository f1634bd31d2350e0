"""Logs as JSON lines on standard output: fixed fields, no bodies, no cookies, no secrets."""

import logging
import sys

import msgspec
import structlog
from structlog.typing import EventDict, WrappedLogger

#: A field of any other name is dropped, so that nothing private is logged by accident.
FIELDS = frozenset(
    {
        "attempt",
        "change",
        "code",
        "count",
        "door",
        "error",
        "event",
        "event_id",
        "event_type",
        "exception",
        "job",
        "level",
        "method",
        "ms",
        "object",
        "path",
        "reason",
        "request_id",
        "seconds",
        "status",
        "tenant",
        "timestamp",
    }
)

_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def _keep_known_fields(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: value for name, value in event.items() if name in FIELDS}


def _encode(_logger: WrappedLogger, _method: str, event: EventDict) -> bytes:
    return msgspec.json.encode(event, enc_hook=str)


def configure(level: str = "info") -> None:
    """Set up structlog for the process; the standard library's warnings join the same stream."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            _keep_known_fields,
            _encode,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        level=max(_LEVELS[level], logging.WARNING),
        format='{"level":"%(levelname)s","event":"library","code":"%(name)s"}',
        stream=sys.stdout,
        force=True,
    )
