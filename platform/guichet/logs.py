"""Logs as JSON lines on standard output: fixed fields, no bodies, no cookies, no secrets."""

import contextlib
import logging
import sys
from datetime import datetime
from typing import Any, BinaryIO

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


class _Unfailing:
    """Drops a line that cannot be written.

    A full disk or a collector that went away is no reason to end what was to be told about.
    """

    def msg(self, message: Any) -> None:
        with contextlib.suppress(OSError, ValueError):
            super().msg(message)  # type: ignore[misc]

    log = debug = info = warn = warning = msg
    fatal = failure = err = error = critical = exception = msg


class Lines(_Unfailing, structlog.BytesLogger):
    """Writes lines of bytes as long as they can be written."""


class Prints(_Unfailing, structlog.PrintLogger):
    """Writes lines for a person as long as they can be written."""


class RequestLine(msgspec.Struct, kw_only=True, gc=False):
    """What is logged of a request, in the form of all other lines."""

    request_id: str
    #: The tenant's slug; empty where the host is nobody's.
    tenant: str
    door: str
    method: str
    path: str
    status: int
    ms: float
    timestamp: datetime
    event: str = "request"
    level: str = "info"


# None while the level is above that of requests.
_request_logger: Lines | None = None


def log_request(line: RequestLine) -> None:
    """Write a request's line: nothing is logged so often, and structlog takes thrice the time."""
    if _request_logger is not None:
        _request_logger.info(msgspec.json.encode(line))


def _keep_known_fields(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    return {name: value for name, value in event.items() if name in FIELDS}


def _encode(_logger: WrappedLogger, _method: str, event: EventDict) -> bytes:
    return msgspec.json.encode(event, enc_hook=str)


def configure(level: str = "info") -> None:
    """Set up structlog for the process; the standard library's warnings join the same stream."""
    global _request_logger
    stream: BinaryIO = sys.stdout.buffer

    def make_logger(*_: object) -> Lines:
        return Lines(stream)

    _request_logger = make_logger() if _LEVELS[level] <= _LEVELS["info"] else None
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
        logger_factory=make_logger,
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(
        level=max(_LEVELS[level], logging.WARNING),
        format='{"level":"%(levelname)s","event":"library","code":"%(name)s"}',
        stream=sys.stdout,
        force=True,
    )
