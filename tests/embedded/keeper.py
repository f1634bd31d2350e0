"""Starts one embedded server, tells its address as JSON, and waits to be ended.

A program of its own, so that tests can kill who started a server, or start one as somebody else.
"""

import json
import signal
import sys
from pathlib import Path

from guichet.embedded.postgres import EmbeddedPostgres
from guichet.embedded.valkey import EmbeddedValkey


def main(kind: str, directory: str) -> None:
    of_kind = EmbeddedPostgres if kind == "postgres" else EmbeddedValkey
    server = of_kind(Path(directory))
    url = server.start()
    sys.stdout.write(json.dumps({"url": url, "pid": server.pid}) + "\n")
    sys.stdout.flush()
    signal.sigwait({signal.SIGTERM})
    server.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
