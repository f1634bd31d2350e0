"""A whole deployment as processes of their own, so that any of them can be killed."""

import asyncio
import base64
import contextlib
import functools
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import msgspec

from guichet import schema
from guichet.app import create_app
from guichet.auth.sessions import open_session
from guichet.demo.merchants import LUMEN
from guichet.embedded.postgres import OWNER_ROLE, WEB_ROLE, EmbeddedPostgres
from guichet.embedded.programs import Program, free_port
from guichet.embedded.valkey import EmbeddedValkey
from guichet.payments.choose import WEBHOOK_SECRET
from guichet.settings import Settings
from tenants.catalog import ChangeRules
from tests.cutting_proxy import CuttingProxy
from tests.loopback import NO_AUTHORITIES
from tests.portal.shop import Customer, Shop, add_shop

_READY_SECONDS = 40


class Proxies(NamedTuple):
    """What stands between the processes of the deployment and their servers."""

    postgres: CuttingProxy
    valkey: CuttingProxy

    def lead_to(self, settings: Settings) -> Settings:
        """The settings of a process that sees the servers through the proxies alone."""
        return msgspec.structs.replace(
            settings,
            database_url=_at_port(settings.database_url, self.postgres.port),
            redis_url=_at_port(settings.redis_url, self.valkey.port),
        )


class Rig:
    """PostgreSQL, Valkey, the sandbox, a web process and a worker, each on a port it keeps."""

    def __init__(self, directory: Path) -> None:
        self.postgres = EmbeddedPostgres(directory / "postgres", port=free_port())
        self.valkey = EmbeddedValkey(directory / "valkey", port=free_port())
        self.web_port, self.sandbox_port = free_port(), free_port()
        self.sandbox_url = f"http://127.0.0.1:{self.sandbox_port}"
        self._directory = directory
        self._environ: dict[str, str] = {}
        self._others: list[Program] = []
        state = str(directory / "sandbox.sqlite")
        self.sandbox = self._program(
            "sandbox",
            ["-m", "stripe_sandbox", "--port", str(self.sandbox_port), "--state", state],
            {},
        )

    @contextlib.contextmanager
    def running(self, proxies: Proxies | None = None) -> Iterator[Settings]:
        """Start everything; answers settings that lead straight to the servers."""
        self.postgres.start()
        owner = self.postgres.url(OWNER_ROLE)
        schema.apply_migrations(owner)
        asyncio.run(schema.grant_application(owner, WEB_ROLE))
        try:
            self.valkey.start()
            self.sandbox.start()
            settings = self._settings()
            self._environ = _environment(proxies.lead_to(settings) if proxies else settings)
            self.web = self._program("web", ["-m", "guichet.cli", "serve"], self._environ)
            self.worker = self._program("worker", ["-m", "guichet.cli", "worker"], self._environ)
            self.web.start()
            self.worker.start()
            self.await_web()
            yield settings
        finally:
            for program in self._others:
                program.stop()
            for name in ("worker", "web", "sandbox", "valkey", "postgres"):
                if hasattr(self, name):
                    getattr(self, name).stop()

    @contextlib.asynccontextmanager
    async def running_behind_proxies(self) -> AsyncIterator[tuple[Settings, Proxies]]:
        """As `running`, with the processes' ways to PostgreSQL and Valkey in the test's hand."""
        proxies = Proxies(
            CuttingProxy("127.0.0.1", self.postgres.port),
            CuttingProxy("127.0.0.1", self.valkey.port),
        )
        for proxy in proxies:
            await proxy.listen()
        running = self.running(proxies)
        # In a thread, since the proxies live in this one.
        settings = await asyncio.to_thread(running.__enter__)
        try:
            yield settings, proxies
        finally:
            for proxy in proxies:
                proxy.flow()
            await asyncio.to_thread(running.__exit__, None, None, None)
            for proxy in proxies:
                await proxy.close()

    def start_worker(
        self,
        name: str,
        more: Mapping[str, str] | None = None,
        arguments: Sequence[str] = ("-m", "guichet.cli", "worker"),
    ) -> Program:
        """One more worker, with `more` in its environment."""
        environ = {**self._environ, **(more or {})}
        return self._started(self._program(name, [*arguments], environ))

    def start_web(self, name: str) -> tuple[Program, int]:
        """One more web process, and its port."""
        port = free_port()
        environ = {**self._environ, "GUICHET_LISTEN": f"127.0.0.1:{port}"}
        program = self._started(self._program(name, ["-m", "guichet.cli", "serve"], environ))
        ready = f"http://127.0.0.1:{port}/health/ready"
        program.wait_until(lambda: answers(ready), _READY_SECONDS)
        return program, port

    def _started(self, program: Program) -> Program:
        program.start()
        self._others.append(program)
        return program

    def kill(self, victim: str) -> None:
        """`kill -9`, and wait for the end."""
        kill(getattr(self, victim))

    def restart(self, victim: str) -> None:
        """Start the victim again, as a service manager does."""
        getattr(self, victim).start()
        self.await_web()

    def await_web(self, *more_ports: int) -> None:
        """Wait until the web processes are ready, database and all."""
        for port in (self.web_port, *more_ports):
            ready = functools.partial(answers, f"http://127.0.0.1:{port}/health/ready")
            self.web.wait_until(ready, _READY_SECONDS)
        self.sandbox.wait_until(lambda: answers(f"{self.sandbox_url}/_control"), _READY_SECONDS)

    @contextlib.asynccontextmanager
    async def shop(
        self, settings: Settings, slug: str, changes: ChangeRules | None = None
    ) -> AsyncIterator[Shop]:
        """A merchant of this deployment, whose events the sandbox delivers to the web process."""
        edge = create_app(settings)
        async with edge.lifespan() as deployment:
            shop = await add_shop(edge, deployment, LUMEN._replace(slug=slug), changes)
            made = await shop.stripe.v1.webhook_endpoints.create_async(
                {"url": f"{shop.origin}/webhooks/stripe", "enabled_events": ["*"]}
            )
            assert made.secret
            async with deployment.db.unit(shop.tenant_id) as unit:
                await deployment.vault.store(
                    unit.connection, shop.tenant_id, WEBHOOK_SECRET, made.secret
                )
            yield msgspec.structs.replace(shop, webhook_secret=made.secret)

    @contextlib.asynccontextmanager
    async def signed_in(self, shop: Shop, who: str) -> AsyncIterator[Customer]:
        """A browser with a session, which speaks with the web process over a socket."""
        customer_id = await shop.customer_id(who)
        async with shop.deployment.db.unit(shop.tenant_id) as unit:
            token = await open_session(unit, customer_id, "test", "a test")
        headers = {
            "host": shop.origin.removeprefix("http://"),
            "cookie": f"guichet-session={token}",
        }
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{self.web_port}",
            headers=headers,
            timeout=30,
            trust_env=False,
            verify=NO_AUTHORITIES,
        ) as client:
            yield Customer(client, shop.origin, customer_id)

    async def set_latency(self, shop: Shop, milliseconds: int) -> None:
        """Have the sandbox answer this account late."""
        await self._set(shop, latency_ms=milliseconds)

    async def break_next(self, shop: Shop, **fault: object) -> None:
        """Have the sandbox fail the account's next request of a kind, in one of its modes."""
        await self._set(shop, fail_next_requests=[fault])

    async def mend(self, shop: Shop) -> None:
        """Have the sandbox fail nothing any more."""
        await self._set(shop, fail_next_requests=[])

    async def _set(self, shop: Shop, **switches: object) -> None:
        async with httpx.AsyncClient(trust_env=False, verify=NO_AUTHORITIES) as client:
            answer = await client.post(
                f"{self.sandbox_url}/_control/settings",
                headers={"authorization": f"Bearer {shop.key}"},
                json=switches,
            )
        assert answer.status_code == 200, answer.text

    def _settings(self) -> Settings:
        return Settings(
            database_url=self.postgres.url(WEB_ROLE),
            redis_url=self.valkey.url(),
            base_domain=f"localhost:{self.web_port}",
            master_keys=(base64.b64encode(os.urandom(32)).decode(),),
            listen=f"127.0.0.1:{self.web_port}",
            metrics_listen="off",
            stripe_url=self.sandbox_url,
            demo=True,
        )

    def _program(self, name: str, arguments: list[str], environ: dict[str, str]) -> Program:
        return Program(
            name,
            [sys.executable, *arguments],
            record=self._directory / f"{name}.pid",
            log=self._directory / f"{name}.log",
            environ={**os.environ, **environ},
        )


def reachable(directory: Path) -> Path:
    """A temporary directory that PostgreSQL, which is not root, can come by."""
    for folder in (directory, *directory.parents):
        if folder.name.startswith("pytest"):
            folder.chmod(0o711)
    return directory


def _at_port(url: str, port: int) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{port}").geturl()


def kill(program: Program | EmbeddedPostgres | EmbeddedValkey) -> None:
    """`kill -9`, and wait for the end."""
    if program.pid is not None:
        os.kill(program.pid, signal.SIGKILL)
    while program.pid is not None:
        time.sleep(0.01)


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "GUICHET_BASE_DOMAIN": settings.base_domain,
        "GUICHET_MASTER_KEY": ",".join(settings.master_keys),
        "GUICHET_LISTEN": settings.listen,
        "GUICHET_METRICS_LISTEN": settings.metrics_listen,
        "GUICHET_STRIPE_URL": settings.stripe_url,
        "GUICHET_SMTP_URL": settings.smtp_url,
        "GUICHET_MAIL_FROM": settings.mail_from,
        "GUICHET_DRAIN_SECONDS": "1",
        "GUICHET_DEMO": "true",
        "NO_PROXY": "127.0.0.1,localhost",
    }


def answers(url: str) -> bool:
    """Whether an HTTP server answers 200 there."""
    try:
        return httpx.get(url, timeout=2, trust_env=False, verify=NO_AUTHORITIES).status_code == 200
    except httpx.TransportError:
        return False
