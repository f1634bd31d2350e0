"""A whole deployment as processes of their own, so that any of them can be killed."""

import asyncio
import base64
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx

from guichet import schema
from guichet.app import create_app
from guichet.auth.sessions import open_session
from guichet.demo.merchants import LUMEN
from guichet.embedded.postgres import OWNER_ROLE, WEB_ROLE, EmbeddedPostgres
from guichet.embedded.programs import Program, free_port
from guichet.embedded.valkey import EmbeddedValkey
from guichet.payments.choose import WEBHOOK_SECRET
from guichet.settings import Settings
from tests.portal.shop import Customer, Shop, add_shop

_READY_SECONDS = 40


class Rig:
    """PostgreSQL, Valkey, the sandbox, a web process and a worker, each on a port it keeps."""

    def __init__(self, directory: Path) -> None:
        self.postgres = EmbeddedPostgres(directory / "postgres", port=free_port())
        self.valkey = EmbeddedValkey(directory / "valkey", port=free_port())
        self.web_port, self.sandbox_port = free_port(), free_port()
        self.sandbox_url = f"http://127.0.0.1:{self.sandbox_port}"
        self._directory = directory
        state = str(directory / "sandbox.sqlite")
        self.sandbox = self._program(
            "sandbox",
            ["-m", "stripe_sandbox", "--port", str(self.sandbox_port), "--state", state],
            {},
        )

    @contextlib.contextmanager
    def running(self) -> Iterator[Settings]:
        """Start everything; answers the settings that web and worker have."""
        self.postgres.start()
        owner = self.postgres.url(OWNER_ROLE)
        schema.apply_migrations(owner)
        asyncio.run(schema.grant_application(owner, WEB_ROLE))
        try:
            self.valkey.start()
            self.sandbox.start()
            settings = self._settings()
            environ = _environment(settings)
            self.web = self._program("web", ["-m", "guichet.cli", "serve"], environ)
            self.worker = self._program("worker", ["-m", "guichet.cli", "worker"], environ)
            self.web.start()
            self.worker.start()
            self.await_web()
            yield settings
        finally:
            for name in ("worker", "web", "sandbox", "valkey", "postgres"):
                if hasattr(self, name):
                    getattr(self, name).stop()

    def kill(self, victim: str) -> None:
        """`kill -9`, and wait for the end."""
        program = getattr(self, victim)
        os.kill(program.pid, signal.SIGKILL)
        while program.pid is not None:
            pass

    def restart(self, victim: str) -> None:
        """Start the victim again, as a service manager does."""
        getattr(self, victim).start()
        self.await_web()

    def await_web(self) -> None:
        """Wait until the web process is ready, database and all."""
        self.web.wait_until(
            lambda: answers(f"http://127.0.0.1:{self.web_port}/health/ready"), _READY_SECONDS
        )
        self.sandbox.wait_until(lambda: answers(f"{self.sandbox_url}/_control"), _READY_SECONDS)

    @contextlib.asynccontextmanager
    async def shop(self, settings: Settings, slug: str) -> AsyncIterator[Shop]:
        """A merchant of this deployment, whose events the sandbox delivers to the web process."""
        edge = create_app(settings)
        async with edge.lifespan() as deployment:
            shop = await add_shop(edge, deployment, LUMEN._replace(slug=slug))
            made = await shop.stripe.v1.webhook_endpoints.create_async(
                {"url": f"{shop.origin}/webhooks/stripe", "enabled_events": ["*"]}
            )
            assert made.secret
            async with deployment.db.unit(shop.tenant_id) as unit:
                await deployment.vault.store(
                    unit.connection, shop.tenant_id, WEBHOOK_SECRET, made.secret
                )
            yield shop

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
        ) as client:
            yield Customer(client, shop.origin, customer_id)

    async def set_latency(self, shop: Shop, milliseconds: int) -> None:
        """Have the sandbox answer this account late."""
        async with httpx.AsyncClient(trust_env=False) as client:
            answer = await client.post(
                f"{self.sandbox_url}/_control/settings",
                headers={"authorization": f"Bearer {shop.key}"},
                json={"latency_ms": milliseconds},
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


def _environment(settings: Settings) -> dict[str, str]:
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "GUICHET_BASE_DOMAIN": settings.base_domain,
        "GUICHET_MASTER_KEY": ",".join(settings.master_keys),
        "GUICHET_LISTEN": settings.listen,
        "GUICHET_METRICS_LISTEN": settings.metrics_listen,
        "GUICHET_STRIPE_URL": settings.stripe_url,
        "GUICHET_DEMO": "true",
        "NO_PROXY": "127.0.0.1,localhost",
    }


def answers(url: str) -> bool:
    """Whether an HTTP server answers 200 there."""
    try:
        return httpx.get(url, timeout=2, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False
