"""The command `python -m stripe_sandbox`."""

import argparse
import sqlite3
from pathlib import Path

import uvicorn

from stripe_sandbox.app import Sandbox
from stripe_sandbox.state.store import Store


def main() -> None:
    """Serve a sandbox on loopback until it is told to stop."""
    parser = argparse.ArgumentParser(
        prog="python -m stripe_sandbox",
        description="A Stripe on this machine. Any sk_test_… key is an account of its own.",
    )
    parser.add_argument("--port", type=int, required=True, help="port on 127.0.0.1")
    parser.add_argument(
        "--state", type=Path, help="SQLite file that keeps the state; without it: memory"
    )
    options = parser.parse_args()
    try:
        store = Store(options.state)
    except sqlite3.OperationalError as error:
        parser.exit(1, f"{parser.prog}: cannot use {options.state}: {error}\n")
    app = Sandbox(store, f"http://127.0.0.1:{options.port}")
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=options.port,
        log_level="warning",
        access_log=False,
        lifespan="on",
        timeout_graceful_shutdown=2,
    )


if __name__ == "__main__":
    main()
