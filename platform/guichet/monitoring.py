"""Prometheus metrics, served on a port of their own that no visitor reaches."""

import structlog
from prometheus_client import start_http_server

from guichet.settings import Settings

_log = structlog.get_logger()


def serve_metrics(settings: Settings) -> None:
    """Answer Prometheus from a thread of this process.

    Pages and jobs matter more, so a port that is taken is only reported.
    """
    host, _, port = settings.metrics_listen.rpartition(":")
    if not port:
        return
    try:
        start_http_server(int(port), host.strip("[]"))
    except OSError as error:
        _log.warning("metrics_not_served", reason=str(error))
