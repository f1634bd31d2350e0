"""Where a merchant's customers sign in: set up, checked, and tried before it is published."""

from typing import Annotated

import msgspec
from litestar import get, post
from litestar.di import NamedDependency
from litestar.params import PathParameter
from litestar.response.base import ASGIResponse

from guichet.auth.attempts import begin_attempt, take_attempt
from guichet.auth.callbacks import read_callback
from guichet.auth.client_secrets import (
    ClientSecret,
    forget_client_secret,
    keep_client_secret,
    known_secrets,
    open_client_secret,
)
from guichet.auth.failures import SignInExpired, SignInFailed
from guichet.auth.oidc import Callback, Claims, Exchange
from guichet.auth.provider_checks import Finding, check_provider
from guichet.console.access import EDITORS
from guichet.console.connections.presets import PRESETS
from guichet.console.settings.sections import SectionPage, read_draft, save_posted, show_section
from guichet.console.visit import Visit
from guichet.db import Unit
from guichet.errors import NotFound
from guichet.theming.locale import gettext
from tenants.drafts import Draft, fingerprint, save_section
from tenants.identity_providers import IdentityProvider

ProviderId = Annotated[str, PathParameter(max_length=40)]

_PAGE = SectionPage("identity_providers", "/sign-in-providers", "sign_in_providers.html")
_LONGEST_SECRET = 2000


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


_NO_SECRET = _("Paste the client secret that the provider gave you, without blanks.")


class ShownProvider(msgspec.Struct, frozen=True, kw_only=True):
    """A provider of the draft, with what its registration needs."""

    provider: IdentityProvider
    secret: ClientSecret | None
    #: The issuer under this name that customers sign in with now, where it is another.
    published_issuer: str | None
    redirect_uri: str
    trial_uri: str


@get("/merchants/{merchant:str}/sign-in-providers", opt=EDITORS)
async def sign_in_providers(visit: NamedDependency[Visit]) -> ASGIResponse:
    """What the draft says, and how each provider stands."""
    return await _show(visit)


@post("/merchants/{merchant:str}/sign-in-providers", opt=EDITORS)
async def save_sign_in_providers(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Save the providers into the draft."""
    return await save_posted(visit, _PAGE, **await _context(visit))


@post("/merchants/{merchant:str}/sign-in-providers/{provider:str}/remove", opt=EDITORS)
async def remove_provider(visit: NamedDependency[Visit], provider: ProviderId) -> ASGIResponse:
    """Take a provider out of the draft; customers use it until that is published."""
    draft, found = await _find(visit, provider)
    left = tuple(it for it in draft.configuration.identity_providers if it.id != found.id)
    async with visit.deployment.db.unit(visit.place.id) as unit:
        seen = draft.fingerprint(_PAGE.section)
        by = visit.staff.email
        await save_section(unit.connection, unit.tenant_id, _PAGE.section, left, seen, by)
        details: dict[str, object] = {"before": {"issuer": found.issuer}, "after": None}
        await visit.record(unit, "identity_provider.removed", found.id, details)
    return visit.redirect(visit.path(f"{_PAGE.path}?saved=1"))


@post("/merchants/{merchant:str}/sign-in-providers/{provider:str}/secret", opt=EDITORS)
async def set_client_secret(visit: NamedDependency[Visit], provider: ProviderId) -> ASGIResponse:
    """Seal a client secret for the issuer that the draft names; it is never shown again."""
    _draft, found = await _find(visit, provider)
    field = f"secret-{found.id}"
    value = visit.form.get(field, "").strip()
    if not value.isprintable() or " " in value or not 0 < len(value) <= _LONGEST_SECRET:
        text = gettext(visit.locale)(_NO_SECRET)
        return await _show(visit, secret_mistakes={field: text})
    async with visit.deployment.db.unit(visit.place.id) as unit:
        await keep_client_secret(unit, visit.deployment.vault, found, value, visit.staff.email)
        await visit.record(unit, "client_secret.set", found.id, {"issuer": found.issuer})
    return visit.redirect(visit.path(f"{_PAGE.path}#{found.id}"))


@post("/merchants/{merchant:str}/sign-in-providers/{provider:str}/secret/remove", opt=EDITORS)
async def remove_client_secret(visit: NamedDependency[Visit], provider: ProviderId) -> ASGIResponse:
    """Forget a client secret, at once: the provider is a public client from then on."""
    _draft, found = await _find(visit, provider)
    async with visit.deployment.db.unit(visit.place.id) as unit:
        if await forget_client_secret(unit, visit.deployment.vault, found.id):
            await visit.record(unit, "client_secret.removed", found.id, {"issuer": found.issuer})
    return visit.redirect(visit.path(f"{_PAGE.path}#{found.id}"))


@post(
    "/merchants/{merchant:str}/sign-in-providers/{provider:str}/check",
    opt=EDITORS,
    status_code=200,
)
async def check(visit: NamedDependency[Visit], provider: ProviderId) -> ASGIResponse:
    """Ask the provider what a sign-in would ask, and say what is wrong."""
    _draft, found = await _find(visit, provider)
    async with visit.deployment.db.unit(visit.place.id) as unit:
        has_secret = found.id in await known_secrets(unit)
    discovery = visit.deployment.sign_in.relying_party.discovery
    findings = await check_provider(discovery, found, has_secret=has_secret)
    return await _show(visit, findings={found.id: findings})


@get("/merchants/{merchant:str}/sign-in-providers/{provider:str}/try", opt=EDITORS)
async def begin_trial(visit: NamedDependency[Visit], provider: ProviderId) -> ASGIResponse:
    """Send whoever is signed in here to the provider of the draft, as a customer would be."""
    _draft, found = await _find(visit, provider)
    party = visit.deployment.sign_in.relying_party
    async with visit.deployment.db.unit(visit.place.id) as unit:
        state, attempt = await begin_attempt(
            unit, _trial_name(found), _session(visit), fingerprint(found)
        )
    try:
        url = await party.authorization_url(
            found, _trial_uri(visit, found), state, attempt.nonce, attempt.code_verifier
        )
    except SignInFailed as failure:
        return _show_failure(visit, found, failure)
    return visit.redirect(url)


@get("/merchants/{merchant:str}/sign-in-providers/{provider:str}/callback", opt=EDITORS)
async def finish_trial(visit: NamedDependency[Visit], provider: ProviderId) -> ASGIResponse:
    """What the provider said; nobody is signed in by it and no customer is linked."""
    draft, found = await _find(visit, provider)
    try:
        callback = read_callback(visit.scope["query_string"])
        claims = await _redeem(visit, draft, found, callback)
    except SignInFailed as failure:
        return _show_failure(visit, found, failure)
    return visit.page(
        "sign_in_trial.html", home=visit.path(_PAGE.path), provider=found, claims=claims
    )


HANDLERS = (
    sign_in_providers,
    save_sign_in_providers,
    remove_provider,
    set_client_secret,
    remove_client_secret,
    check,
    begin_trial,
    finish_trial,
)


async def _redeem(
    visit: Visit, draft: Draft, provider: IdentityProvider, callback: Callback
) -> Claims:
    deployment = visit.deployment
    party = deployment.sign_in.relying_party
    async with deployment.db.unit(visit.place.id) as unit:
        attempt = await take_attempt(unit, _trial_name(provider), _session(visit), callback.state)
        if attempt.next_path != fingerprint(provider):
            raise SignInExpired(reason="the draft has changed since")
        secret = await _secret(visit, unit, draft, provider)
    await party.check_callback(provider, callback)
    exchange = Exchange(
        client_secret=secret,
        redirect_uri=_trial_uri(visit, provider),
        code=callback.code,
        code_verifier=attempt.code_verifier,
        nonce=attempt.nonce,
    )
    return await party.redeem(provider, exchange)


async def _secret(visit: Visit, unit: Unit, draft: Draft, provider: IdentityProvider) -> str | None:
    """The client secret; one that an operator has set goes to the published issuer alone."""
    trusted = _published_issuer(draft, provider) or ""
    return await open_client_secret(unit, visit.deployment.vault, provider, trusted or "-")


def _published_issuer(draft: Draft, provider: IdentityProvider) -> str | None:
    published = draft.published.configuration.identity_providers
    return next((it.issuer for it in published if it.id == provider.id), None)


def _trial_name(provider: IdentityProvider) -> str:
    """Of attempts; no provider is called so, so no sign-in of a customer takes one of these."""
    return f"try:{provider.id}"


def _session(visit: Visit) -> str:
    """What a trial is bound to: the session of whoever began it."""
    return str(visit.cookies.session)


def _trial_uri(visit: Visit, provider: IdentityProvider) -> str:
    path = visit.path(f"{_PAGE.path}/{provider.id}/callback")
    return visit.deployment.directory.console_url(path)


async def _find(visit: Visit, provider_id: str) -> tuple[Draft, IdentityProvider]:
    draft = await read_draft(visit)
    for provider in draft.configuration.identity_providers:
        if provider.id == provider_id:
            return draft, provider
    raise NotFound


async def _show(
    visit: Visit,
    secret_mistakes: dict[str, str] | None = None,
    findings: dict[str, list[Finding]] | None = None,
) -> ASGIResponse:
    context = await _context(visit)
    context["secret_mistakes"] = secret_mistakes or {}
    context["findings"] = findings or {}
    answer = await show_section(visit, _PAGE, **context)
    if secret_mistakes:
        answer.status_code = 422
    return answer


async def _context(visit: Visit) -> dict[str, object]:
    """What the page shows besides the form."""
    draft = await read_draft(visit)
    async with visit.deployment.db.unit(visit.place.id) as unit:
        secrets = await known_secrets(unit)
    shown = [
        _shown(visit, draft, it, secrets.get(it.id))
        for it in draft.configuration.identity_providers
    ]
    query = visit.scope["query_string"].decode("latin-1")
    return {
        "home": visit.path(_PAGE.path),
        "providers": shown,
        "presets": PRESETS,
        "preset": next((it for it in PRESETS if query == f"add={it.id}"), None),
        "secret_mistakes": {},
        "findings": {},
    }


def _shown(
    visit: Visit, draft: Draft, provider: IdentityProvider, secret: ClientSecret | None
) -> ShownProvider:
    published = _published_issuer(draft, provider)
    path = f"/sign-in/{provider.id}/callback"
    return ShownProvider(
        provider=provider,
        secret=secret,
        published_issuer=published if published != provider.issuer else None,
        redirect_uri=visit.deployment.directory.url(visit.tenant, path),
        trial_uri=_trial_uri(visit, provider),
    )


def _show_failure(visit: Visit, provider: IdentityProvider, failure: SignInFailed) -> ASGIResponse:
    return visit.page(
        "sign_in_trial.html",
        status=failure.status,
        home=visit.path(_PAGE.path),
        provider=provider,
        claims=None,
        message=failure.message,
        reason=failure.reason,
    )
