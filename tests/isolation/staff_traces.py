"""What a merchant's staff leave behind: people, an invitation, a draft, looks, a connection."""

from uuid import uuid4

import msgspec

from guichet.audit import Actor
from guichet.auth.staff.invitations import invite
from guichet.auth.staff.preview_links import open_preview
from guichet.auth.support import make_view
from guichet.payments.endpoints import WEBHOOK_PATH, EndpointMaker
from guichet.payments.former_accounts import leave_account
from guichet.payments.key_checks import check_key, keep_key
from tenants.drafts import load_draft, save_section
from tenants.members import put_tenant_member
from tenants.staff import Staff, add_staff, find_merchant_workspace
from tests.portal.shop import Shop


async def work_in_the_console(shop: Shop) -> Shop:
    """Have the merchant's owner use the console once; answers the shop with its new secret."""
    owner = await _hire(shop)
    await _prepare_settings(shop, owner)
    return await _connect(shop, Actor("staff", owner.email))


async def _hire(shop: Shop) -> Staff:
    mark, name = shop.merchant.slug, shop.merchant.name
    async with shop.deployment.db.system() as connection:
        owner = await add_staff(connection, f"owner@{mark}.example", f"Owner of {name}")
        await put_tenant_member(
            connection, shop.tenant_id, owner, "owner", f"agency@{mark}.example"
        )
        place = await find_merchant_workspace(connection, owner.id, mark)
        assert place is not None
        await invite(connection, place, f"invited@{mark}.example", "support", owner, "en")
    return owner


async def _prepare_settings(shop: Shop, owner: Staff) -> None:
    deployment, tenant_id = shop.deployment, shop.tenant_id
    async with deployment.db.unit(tenant_id) as unit:
        draft = await load_draft(unit.connection, tenant_id)
        await save_section(
            unit.connection,
            tenant_id,
            "support_email",
            f"soon@{shop.merchant.slug}.example",
            draft.fingerprint("support_email"),
            owner.email,
        )
        await open_preview(unit, deployment.settings.master_keys, owner.id)
        await make_view(unit, await shop.customer_id("linus"), owner, uuid4())


async def _connect(shop: Shop, by: Actor) -> Shop:
    """Set the key anew, and have an endpoint made, whose secret takes the former's place."""
    deployment, tenant_id = shop.deployment, shop.tenant_id
    checked = await check_key(deployment.providers, shop.key)
    async with deployment.db.unit(tenant_id) as unit:
        await keep_key(unit, deployment.vault, checked, by, "a test", confirmed=False)
    provider = await deployment.providers.client(tenant_id)
    url = f"https://portal.{shop.merchant.slug}.example{WEBHOOK_PATH}"
    maker = EndpointMaker(deployment.db, deployment.vault, provider, tenant_id, url)
    made = await maker.make(by, "a test", live=False)
    assert made.secret is not None
    async with deployment.db.unit(tenant_id) as unit:
        former = f"acct_{shop.merchant.slug}"
        await leave_account(unit, deployment.vault, former, "test", with_key=False)
    return msgspec.structs.replace(shop, webhook_secret=made.secret)
