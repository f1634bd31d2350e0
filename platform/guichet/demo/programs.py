"""The demo's programs besides its identity provider: sandbox, web and worker."""

import sys
from collections.abc import Mapping

from guichet.demo.home import Home
from guichet.embedded.programs import Program

#: Web and worker finish the requests and jobs in hand; the sandbox and others have nothing to do.
_FINISH_SECONDS = 6.0


def deployment_environment(
    home: Home,
    environ: Mapping[str, str],
    *,
    port: int,
    database_url: str,
    redis_url: str,
    sandbox_url: str,
    mail_port: int,
    issuer: str,
) -> dict[str, str]:
    """What web, worker and seeding read their settings from."""
    # The owner's URL is kept from the processes that face the network.
    inherited = {
        name: value
        for name, value in environ.items()
        if not name.startswith("GUICHET_") and name != "PORT"
    }
    local = ("127.0.0.1", "localhost", inherited.get("NO_PROXY", ""))
    return {
        **inherited,
        "NO_PROXY": ",".join(filter(None, local)),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "GUICHET_BASE_DOMAIN": f"localhost:{port}",
        "GUICHET_DEMO": "true",
        "GUICHET_HOME": str(home.directory),
        "GUICHET_LISTEN": f"127.0.0.1:{port}",
        "GUICHET_LOG_LEVEL": environ.get("GUICHET_LOG_LEVEL", "info"),
        "GUICHET_MASTER_KEY": home.master_key(),
        "GUICHET_MAIL_FROM": "mail@guichet.example",
        "GUICHET_METRICS_LISTEN": "off",
        "GUICHET_SMTP_URL": f"smtp://127.0.0.1:{mail_port}",
        "GUICHET_STAFF_OIDC_CLIENT_ID": "guichet-console",
        "GUICHET_STAFF_OIDC_CLIENT_SECRET": home.password("staff-oidc"),
        "GUICHET_STAFF_OIDC_ISSUER": issuer,
        "GUICHET_STAFF_OIDC_LABEL": "Single sign-on of the demo",
        "GUICHET_STRIPE_URL": sandbox_url,
    }


def stripe_sandbox(home: Home, port: int) -> Program:
    """The sandbox, whose accounts are kept in the home."""
    state = home.directory / "sandbox.sqlite"
    return Program(
        "sandbox",
        [
            *(sys.executable, "-m", "stripe_sandbox"),
            *("--port", str(port), "--state", str(state)),
        ],
        record=home.records / "sandbox.pid",
        log=home.logs / "sandbox.log",
        stop_seconds=3,
    )


def deployment_program(
    home: Home, command: str, environ: Mapping[str, str], metrics_port: int
) -> Program:
    """`guichet serve` or `guichet worker`, with its metrics on a port of their own."""
    return Program(
        "web" if command == "serve" else command,
        [sys.executable, "-m", "guichet.cli", command],
        record=home.records / f"{command}.pid",
        log=home.logs / f"{command}.log",
        # Nobody stands before the demo whom the web would have to wait for.
        environ={
            **environ,
            "GUICHET_METRICS_LISTEN": f"127.0.0.1:{metrics_port}",
            "GUICHET_DRAIN_SECONDS": "0",
        },
        stop_seconds=_FINISH_SECONDS,
    )
