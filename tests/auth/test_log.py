"""What a sign-in leaves in the log of a web process: why it failed, and nothing that is private."""

import sys
from pathlib import Path

import httpx

from guichet.demo.identity import answers
from guichet.embedded.programs import Program, free_port
from guichet.settings import Settings
from tests.auth.hostile_provider import HostileProvider
from tests.auth.merchants import add_merchants, callback_path, sign_in
from tests.cli.running import environment


def web_process(settings: Settings, listen: str, directory: Path) -> Program:
    return Program(
        "web",
        [sys.executable, "-m", "guichet.cli", "serve"],
        record=directory / "web.pid",
        log=directory / "web.log",
        environ=environment(
            {
                "DATABASE_URL": settings.database_url,
                "REDIS_URL": settings.redis_url,
                "GUICHET_BASE_DOMAIN": settings.base_domain,
                "GUICHET_MASTER_KEY": settings.master_keys[0],
                "GUICHET_LISTEN": listen,
                "GUICHET_METRICS_LISTEN": "off",
                "GUICHET_STRIPE_URL": settings.stripe_url,
                "GUICHET_DEMO": "1",
            }
        ),
    )


def browser_of(listen: str) -> httpx.AsyncClient:
    host = {"host": "lumen.localhost:8000"}
    return httpx.AsyncClient(base_url=listen, headers=host, trust_env=False)


async def sign_in_well_and_badly(listen: str, hostile: HostileProvider) -> list[str]:
    """Once well, once with a used callback, once as nobody's customer; answers all secrets."""
    cookies: list[str] = []
    async with browser_of(listen) as ada:
        path = await callback_path(ada)
        assert (await ada.get(path)).status_code == 303
        assert (await ada.get(path)).status_code == 400
        cookies += [str(ada.cookies[f"guichet-{name}"]) for name in ("session", "browser")]
    hostile.user |= {"sub": "zoe-1", "email": "zoe@example.com"}
    async with browser_of(listen) as zoe:
        assert (await sign_in(zoe)).status_code == 403
    codes = [request["code"] for request in hostile.token_requests]
    verifiers = [request["code_verifier"] for request in hostile.token_requests]
    bearers = [bearer.removeprefix("Bearer ") for bearer in hostile.bearers]
    return [*cookies, *codes, *verifiers, *bearers]


async def test_the_log_says_why_a_sign_in_failed_and_holds_nothing_private(
    settings: Settings, hostile: HostileProvider, tmp_path: Path
) -> None:
    await add_merchants(settings, hostile)
    # The email comes from userinfo, so that an access token is on its way too.
    hostile.claims["email"] = None
    listen = f"127.0.0.1:{free_port()}"
    web = web_process(settings, listen, tmp_path)
    web.start()
    try:
        web.wait_until(lambda: answers(f"http://{listen}/health/ready"), 30)
        secrets = await sign_in_well_and_badly(f"http://{listen}", hostile)
    finally:
        web.stop()
    logged = (tmp_path / "web.log").read_text()
    assert "sign_in_expired" in logged
    assert "no_account" in logged
    assert len(secrets) == 8
    for secret in (*secrets, hostile.client_secret, "ada@example.com", "zoe@example.com", "state="):
        assert secret not in logged
