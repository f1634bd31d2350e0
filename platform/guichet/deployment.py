"""What one process holds open: the pool, the directory of tenants, the vault, the provider's
clients, the outbox and the pages. The web and the workers open the same."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import msgspec
import structlog

from guichet.auth.signing_in import SignIn, open_sign_in
from guichet.auth.staff.signing_in import StaffSignIn, open_staff_sign_in
from guichet.billing.customers import bring_customers
from guichet.db import LOST, Database, connect
from guichet.outbox import Outbox, open_outbox
from guichet.payments.choose import Providers
from guichet.settings import Settings
from guichet.tenancy import Directory
from guichet.theming.pages import Pages
from guichet.theming.themes import themes_directory
from tenants.vault import Vault

_log = structlog.get_logger()

_RETRY_SECONDS = 0.5
#: A database that is away for longer at the start is a mistake in the settings.
PATIENCE_SECONDS = 60.0


class Deployment(msgspec.Struct, frozen=True, kw_only=True):
    """The long-lived parts of a process; everything else is made per request or job."""

    settings: Settings
    db: Database
    directory: Directory
    vault: Vault
    providers: Providers
    outbox: Outbox
    pages: Pages
    sign_in: SignIn
    staff_sign_in: StaffSignIn


@contextlib.asynccontextmanager
async def open_deployment(settings: Settings) -> AsyncIterator[Deployment]:
    """Open all parts, and close them in reverse order."""
    async with contextlib.AsyncExitStack() as stack:
        db = await stack.enter_async_context(
            connect(settings.database_url, settings.database_connections)
        )
        directory = await stack.enter_async_context(Directory(settings, db))
        vault = Vault(settings.master_keys)
        providers = await stack.enter_async_context(Providers(settings, db, vault))
        directory.on_change(providers.forget)
        yield Deployment(
            settings=settings,
            db=db,
            directory=directory,
            vault=vault,
            providers=providers,
            outbox=await stack.enter_async_context(open_outbox(settings.redis_url)),
            pages=Pages(themes_directory()),
            sign_in=await stack.enter_async_context(
                open_sign_in(settings, db, vault, bring_customers(db, providers))
            ),
            staff_sign_in=await stack.enter_async_context(open_staff_sign_in(settings, db)),
        )


@contextlib.asynccontextmanager
async def await_deployment(
    settings: Settings, patience_s: float = PATIENCE_SECONDS
) -> AsyncIterator[Deployment]:
    """As `open_deployment`, waiting for the database that long; then raises what it raised."""
    loop = asyncio.get_running_loop()
    give_up_at = loop.time() + patience_s
    async with contextlib.AsyncExitStack() as stack:
        while True:
            try:
                deployment = await stack.enter_async_context(open_deployment(settings))
                break
            except (OSError, *LOST) as error:
                if loop.time() > give_up_at:
                    raise
                _log.warning("database_away", reason=type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)
        yield deployment
