"""The payment provider: a key that is pasted once, and the endpoint that its events come to."""

import structlog
from litestar import get, post
from litestar.di import NamedDependency
from litestar.response.base import ASGIResponse

from guichet.audit import Actor
from guichet.billing.delivery_health import delivery_health
from guichet.billing.reconciling import RECONCILE_TENANT, hurry_reconciliation
from guichet.console.access import EDITORS
from guichet.console.visit import Visit
from guichet.errors import GuichetError
from guichet.payments.answers import Account
from guichet.payments.choose import SECRET_KEY, WEBHOOK_SECRET
from guichet.payments.connections import read_connection
from guichet.payments.endpoints import WEBHOOK_PATH, EndpointMaker, read_endpoint
from guichet.payments.errors import ProviderError
from guichet.payments.former_accounts import former_accounts, return_to_account
from guichet.payments.key_checks import (
    Fault,
    KeyRefused,
    check_key,
    keep_key,
    known_account,
)
from guichet.tenancy import Addresses
from guichet.theming.locale import gettext
from tenants.vault import secret_names

log = structlog.get_logger()

_PATH = "/connections"


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


class NoKeyYet(GuichetError):
    """There is no key yet. Please paste one first."""

    title = "A key first"
    status = 409
    code = "no_key_yet"


_FAULTS: dict[Fault, str] = {
    "malformed": _("Paste a secret key. It begins with sk_test_, sk_live_, rk_test_ or rk_live_."),
    "publishable": _("This is a publishable key. Paste the secret key, which begins with sk_."),
    "unknown": _("The provider does not know this key. Perhaps it was rolled or deleted."),
    "lacking": _(
        "This key lacks permissions that are needed: %(missing)s. Allow them at the provider and "
        "paste it again."
    ),
    "other_account": _(
        "This key is of another account, %(account)s, or of the other mode. Customers would see "
        "that one's data from now on. If this is what you want, tick the box and paste it again."
    ),
}


@get("/merchants/{merchant:str}/connections", opt=EDITORS)
async def connections(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Which account is connected, whether it lets us in, and how its events arrive."""
    return await _show(visit)


@post("/merchants/{merchant:str}/connections/key", opt=EDITORS)
async def set_key(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Try a key, seal it, and have its events delivered here; the key is never shown again."""
    deployment = visit.deployment
    by = Actor("staff", visit.staff.email)
    try:
        checked = await check_key(deployment.providers, visit.form.get("key", ""))
        async with deployment.db.unit(visit.place.id) as unit:
            is_confirmed = "confirmed" in visit.form
            await keep_key(
                unit, deployment.vault, checked, by, visit.request_id, confirmed=is_confirmed
            )
            await hurry_reconciliation(unit)
            deployment.outbox.knock_after_commit(unit, RECONCILE_TENANT)
    except KeyRefused as refused:
        return await _refuse(visit, refused)
    except ProviderError as error:
        return await _show(visit, status=error.status, message=error.message)
    deployment.providers.forget(visit.place.id)
    return await _make_endpoint(visit)


@post("/merchants/{merchant:str}/connections/endpoint", opt=EDITORS)
async def make_endpoint(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Have events delivered to a new endpoint, in place of the one before."""
    return await _make_endpoint(visit)


@post("/merchants/{merchant:str}/connections/check", opt=EDITORS)
async def ask_provider(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Ask the provider whether it lets us in; the sweeps take up what waits."""
    try:
        await visit.deployment.providers.probe(visit.place.id)
    except ProviderError as error:
        return await _show(visit, status=error.status, message=error.message)
    return visit.redirect(visit.path(f"{_PATH}?done=check"))


@post("/merchants/{merchant:str}/connections/former", opt=EDITORS)
async def settle_former(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Somebody has removed the endpoint of a former account by hand."""
    deployment = visit.deployment
    account, mode = visit.form.get("account", ""), visit.form.get("mode", "")
    async with deployment.db.unit(visit.place.id) as unit:
        if await return_to_account(unit, deployment.vault, account, mode):
            details: dict[str, object] = {"account": account, "mode": mode}
            await visit.record(unit, "former_account.settled", account, details)
    return visit.redirect(visit.path(_PATH))


HANDLERS = (connections, set_key, make_endpoint, ask_provider, settle_former)


async def _make_endpoint(visit: Visit) -> ASGIResponse:
    """The key stays where it is if this fails: the page says so, and a button tries again."""
    deployment, tenant_id = visit.deployment, visit.place.id
    async with deployment.db.unit(tenant_id) as unit:
        account = await known_account(unit)
    if account is None:
        raise NoKeyYet
    by = Actor("staff", visit.staff.email)
    try:
        provider = await deployment.providers.client(tenant_id)
        maker = EndpointMaker(deployment.db, deployment.vault, provider, tenant_id, _url(visit))
        await maker.make(by, visit.request_id, live=account.mode == "live")
    except ProviderError as error:
        log.warning("endpoint_not_made", tenant=visit.place.slug, reason=error.code)
        return await _show(visit, status=error.status, message=error.message)
    return visit.redirect(visit.path(f"{_PATH}?done=endpoint"))


def _url(visit: Visit) -> str:
    """Where events come to: the slug's host, which stays whatever becomes of custom domains."""
    return Addresses(visit.deployment.settings).portal(visit.place.slug, path=WEBHOOK_PATH)


async def _refuse(visit: Visit, refused: KeyRefused) -> ASGIResponse:
    values = {
        "missing": ", ".join(refused.missing),
        "account": _name(refused.account) if refused.account else "",
    }
    text = gettext(visit.locale)(_FAULTS[refused.fault]) % values
    asks = refused.fault == "other_account"
    return await _show(visit, status=422, mistakes={"key": text}, asks_to_confirm=asks)


def _name(account: Account) -> str:
    return f"{account.name} · {account.id}" if account.name else account.id


async def _show(
    visit: Visit,
    status: int = 200,
    message: str = "",
    mistakes: dict[str, str] | None = None,
    asks_to_confirm: bool = False,
) -> ASGIResponse:
    async with visit.deployment.db.unit(visit.place.id) as unit:
        names = await secret_names(unit.connection, unit.tenant_id)
        connection = await read_connection(unit)
        account = await known_account(unit)
        endpoint = await read_endpoint(unit)
        health = await delivery_health(unit)
        former = await former_accounts(unit)
    return visit.page(
        "connections.html",
        status=status,
        home=visit.path(_PATH),
        has_key=SECRET_KEY in names,
        has_webhook_secret=WEBHOOK_SECRET in names,
        connection=connection,
        account=account,
        endpoint=endpoint,
        former=former,
        endpoint_url=_url(visit),
        health=health,
        message=message,
        mistakes=mistakes or {},
        asks_to_confirm=asks_to_confirm,
        is_checked=b"done=check" in visit.scope["query_string"],
        is_made=b"done=endpoint" in visit.scope["query_string"],
    )
