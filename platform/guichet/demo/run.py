"""Puts the demo together, tells the person where it is, and takes it apart again."""

import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from guichet.demo.catching import listens, mail_catcher
from guichet.demo.databases import start_postgres, start_redis
from guichet.demo.home import Home
from guichet.demo.identity import answers, identity_provider, issuer_url
from guichet.demo.people import CUSTOMERS, MERCHANTS, STAFF
from guichet.demo.programs import deployment_environment, deployment_program, stripe_sandbox
from guichet.demo.seeding import must_seed, remember_seeded, seeding
from guichet.demo.supervise import Stopped, Supervisor, ignore_signals, raise_on_signals
from guichet.embedded.programs import ProgramFailed, end_left_overs
from guichet.schema import MigrationFailed

_READY_SECONDS = 60.0
_SEED_SECONDS = 180.0

Say = Callable[[str], None]


class CannotRun(Exception):
    """The demo cannot run; the text says why and what to do."""


def run_demo(directory: Path, port: int, environ: Mapping[str, str], say: Say) -> None:
    """Run the demo until a signal asks it to end; nothing of it runs any more afterwards.

    Raises `HomeInUse` when another demo has the directory, `CannotRun` for all other reasons.
    """
    home = Home(directory)
    home.hold()
    supervisor = Supervisor(say)
    try:
        raise_on_signals()
        _start(home, port, environ, supervisor, say)
        supervisor.watch()
    except Stopped:
        pass
    except (ProgramFailed, MigrationFailed) as failure:
        raise CannotRun(f"{failure}\nThe logs are in {home.logs}") from failure
    finally:
        ignore_signals()
        supervisor.stop()
        home.release()
        say("Stopped.")


def _start(
    home: Home, port: int, environ: Mapping[str, str], supervisor: Supervisor, say: Say
) -> None:
    """Start everything, in parallel where nothing waits for another, until the web answers."""
    began = time.monotonic()
    end_left_overs(home.records)
    _need_port(port)
    say("Starting PostgreSQL, Valkey, the Stripe sandbox, identity provider and mail server ...")
    ports = home.ports("sandbox", "identity", "mail", "web-metrics", "worker-metrics")
    sandbox = stripe_sandbox(home, ports["sandbox"])
    identity = identity_provider(
        ports["identity"], record=home.records / "identity.pid", log=home.logs / "identity.log"
    )
    mail = mail_catcher(home, ports["mail"])
    supervisor.start(sandbox, identity, mail)
    sandbox_url, issuer = f"http://127.0.0.1:{ports['sandbox']}", issuer_url(ports["identity"])
    settings = deployment_environment(
        home,
        environ,
        port=port,
        redis_url=start_redis(home, environ, supervisor),
        database_url=start_postgres(home, environ, supervisor),
        sandbox_url=sandbox_url,
        mail_port=ports["mail"],
        issuer=issuer,
    )
    sandbox_ready = f"{sandbox_url}/_control"
    facts = {"issuer": issuer, "port": str(port), "database": environ.get("DATABASE_URL", "")}
    if must_seed(home, facts):
        say("Making the merchants, their customers and a year of invoices ...")
        sandbox.wait_until(lambda: answers(sandbox_ready), _READY_SECONDS)
        seeding(home, settings, sandbox_url, issuer).run(_SEED_SECONDS)
        remember_seeded(home, facts)
    web = deployment_program(home, "serve", settings, ports["web-metrics"])
    worker = deployment_program(home, "worker", settings, ports["worker-metrics"])
    supervisor.start(web, worker)
    web.wait_until(lambda: answers(f"http://127.0.0.1:{port}/health/ready"), _READY_SECONDS)
    sandbox.wait_until(lambda: answers(sandbox_ready), _READY_SECONDS)
    identity.wait_until(lambda: answers(f"{issuer}/jwks"), _READY_SECONDS)
    mail.wait_until(lambda: listens(ports["mail"]), _READY_SECONDS)
    say(_summary(home, port, sandbox_url, issuer, time.monotonic() - began))


def _need_port(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise CannotRun(
                f"port {port} cannot be used ({error.strerror})."
                f" Choose another: PORT={port + 1} make demo"
            ) from error


def _summary(home: Home, port: int, sandbox_url: str, issuer: str, seconds: float) -> str:
    portals = [f"  {f'http://{slug}.localhost:{port}':34} {note}" for slug, note in MERCHANTS]
    people = [f"  {person.email:34} {person.note}" for person in CUSTOMERS]
    staff = [f"  {person.email:34} {person.note}" for person in STAFF]
    return "\n".join(
        [
            f"Guichet is ready after {seconds:.1f} s: http://localhost:{port}",
            "",
            "Portals",
            *portals,
            "Sign in at a portal as one of its customers (no password)",
            *people,
            "Console",
            f"  {f'http://console.localhost:{port}':34} sign in as one of the staff",
            *staff,
            "Behind it",
            f"  {f'http://localhost:{port}/_demo/mail':34} the mails to the customers",
            f"  {sandbox_url + '/_control':34} the Stripe sandbox: its clocks can be moved on",
            f"  {issuer:34} the identity provider",
            f"  {home.logs}/",
            "",
            "Ctrl-C stops all of it; the data stays.",
        ]
    )
