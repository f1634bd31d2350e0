"""A merchant whose every page is full: a year of customers, long words, yen, people, versions."""

from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

import msgspec

from guichet.auth.mail_links import make_link_token
from guichet.auth.staff.invitations import invite
from guichet.auth.staff.links import NOBODY
from guichet.auth.staff.preview_links import open_preview
from guichet.billing.news import follow_news
from guichet.billing.reconciling import reconcile
from guichet.demo.merchants import LUMEN
from guichet.metrics.figures import count_figures
from tenants.cancelling import CancelRules, OwnReason
from tenants.catalog import ChangeRule, ChangeRules
from tenants.configuration import Configuration, load_published, publish
from tenants.drafts import replace_draft
from tenants.hosts import add_host, lose_host, verify_host
from tenants.identity_providers import IdentityProvider
from tenants.members import put_agency_member, put_tenant_member
from tenants.staff import Staff, add_staff, find_merchant_workspace
from tests.console.town import Town
from tests.portal.shop import Shop, add_shop

SLUG = "ateliers-reunis"
#: As long as a word gets, and without a place to break it.
LONG_WORD = "Donaudampfschifffahrtsgesellschaftskapitän"
_LONG_NAME = f"{LONG_WORD} Maria-Theresia von Hohenzollern-Sigmaringen"
_LONG_EMAIL = "somebody.with.a.very.long.address@a-company-with-a-rather-long-name.example"
_LONG_HOST = f"{'very-' * 12}long.example"


class Furnished(NamedTuple):
    """The merchant, who owns its agency, and the addresses that only this merchant has."""

    shop: Shop
    owner: Staff
    #: A customer whose payment has failed.
    customer: str
    invitation: str
    #: The draft's preview: it begins with its host.
    preview: str


async def furnish(town: Town) -> Furnished:
    """Add the merchant, with an agency of its own."""
    offers = tuple(it._replace(product=f"{it.product} {LONG_WORD}") for it in LUMEN.offers)
    merchant = LUMEN._replace(
        slug=SLUG, name=f"Ateliers réunis {LONG_WORD}", currency="jpy", offers=offers
    )
    shop = await add_shop(town.edge, town.deployment, merchant)
    owner = await _hire(town, shop)
    customer = await _have_customers(shop)
    invitation = await _invite(town, owner)
    await _set(town, shop, owner)
    async with town.deployment.db.unit(shop.tenant_id) as unit:
        keys = town.deployment.settings.master_keys
        token = await open_preview(unit, keys, owner.id)
    return Furnished(
        shop,
        owner,
        customer,
        f"/invitations/{make_link_token(keys, NOBODY, invitation, 'invitation')}",
        town.deployment.directory.preview_url(f"/{SLUG}/{token}/show"),
    )


async def _hire(town: Town, shop: Shop) -> Staff:
    async with town.deployment.db.system() as connection:
        owner = await add_staff(connection, _LONG_EMAIL, _LONG_NAME)
        agency_id = await connection.fetchval(
            "select agency_id from tenants where id = $1", shop.tenant_id
        )
        await put_agency_member(connection, agency_id, owner, "owner", "a test")
        for email in ("short@example.com", f"other-{_LONG_EMAIL}"):
            other = await add_staff(connection, email, "")
            await put_tenant_member(connection, shop.tenant_id, other, "support", _LONG_EMAIL)
        for host in ("pending.example", "verified.example", "lost.example", _LONG_HOST):
            await add_host(connection, shop.tenant_id, host)
        for host in ("verified.example", "lost.example"):
            await verify_host(connection, shop.tenant_id, host, by_dns=True)
        await lose_host(connection, shop.tenant_id, "lost.example")
    return owner


async def _have_customers(shop: Shop) -> str:
    """Their payments followed and their figures counted; answers one who did not pay."""
    grace = await shop.customer_id("grace")
    await shop.stripe.v1.customers.update_async(grace, {"name": _LONG_NAME, "email": _LONG_EMAIL})
    provider = await shop.deployment.providers.client(shop.tenant_id)
    for _ in range(2):
        await reconcile(shop.deployment.db, provider, shop.tenant_id, every=timedelta(0))
    await follow_news(shop.deployment.db, shop.tenant_id, Configuration())
    await count_figures(shop.deployment.db, shop.tenant_id)
    return grace


async def _invite(town: Town, owner: Staff) -> UUID:
    async with town.deployment.db.system() as connection:
        place = await find_merchant_workspace(connection, owner.id, SLUG)
        assert place is not None
        await invite(connection, place, f"invited-{_LONG_EMAIL}", "admin", owner, "en")
        invited: UUID = await connection.fetchval(
            "select id from tenant_invitations where tenant_id = $1", place.id
        )
    return invited


async def _set(town: Town, shop: Shop, owner: Staff) -> None:
    """A second version, and a draft that differs from it in every section that has rows."""
    async with town.deployment.db.unit(shop.tenant_id) as unit:
        first = (await load_published(unit.connection, unit.tenant_id)).configuration
        second = msgspec.structs.replace(first, support_email=_LONG_EMAIL, retries=LUMEN.retries)
        reason = f"{LONG_WORD} asked for it. " * 5
        await publish(unit.connection, unit.tenant_id, second, owner.email, reason)
        plans = tuple(
            msgspec.structs.replace(plan, badge={"en": "Best value"}, hidden=True)
            for plan in second.plans
        )
        rules = (
            ChangeRule(from_plan=plans[0].price_id, to_plan=plans[1].price_id, when="forbidden"),
            ChangeRule(direction="quantity_up", status="past_due"),
        )
        provider = IdentityProvider("work", LONG_WORD, f"https://{_LONG_HOST}", "guichet")
        draft = msgspec.structs.replace(
            second,
            plans=plans,
            changes=ChangeRules(rules=rules),
            cancel=CancelRules(own_reasons=(OwnReason({"en": LONG_WORD * 2}),)),
            identity_providers=(provider,),
            branding=msgspec.structs.replace(
                second.branding,
                light=msgspec.structs.replace(second.branding.light, accent="#ffff66"),
                css=f".portal {{ color: red }} /* {LONG_WORD * 3} */",
            ),
        )
        await replace_draft(unit.connection, unit.tenant_id, draft, owner.email)
