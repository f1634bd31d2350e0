"""A provider's client secret: shown nowhere, and sent to no other issuer than its own."""

import httpx
import pytest

from guichet.auth.client_secrets import keep_client_secret, known_secrets, open_client_secret
from guichet.auth.failures import IdentityProviderMisconfigured
from tenants.identity_providers import IdentityProvider, secret_name
from tests.auth.hostile_provider import HostileProvider
from tests.console.provider_forms import PAGE, SECRET, save, set_secret, try_it
from tests.console.town import Town, post


async def test_a_secret_goes_to_no_other_issuer_than_the_one_it_was_given_for(
    admin: httpx.AsyncClient, provider: HostileProvider
) -> None:
    await save(admin, provider.issuer)
    await set_secret(admin)
    with HostileProvider(client_secret=SECRET) as thief:
        await save(admin, thief.issuer)
        assert "is sent to nobody else" in (await admin.get(PAGE)).text
        answer = await admin.get(await try_it(admin, thief))
        assert answer.status_code == 503
        assert thief.token_requests == []


async def test_an_operator_s_secret_is_tried_with_the_published_issuer_alone(
    town: Town, admin: httpx.AsyncClient, provider: HostileProvider
) -> None:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        await town.deployment.vault.store(
            unit.connection, unit.tenant_id, secret_name("work"), SECRET
        )
    await save(admin, provider.issuer)
    assert (await admin.get(await try_it(admin, provider))).status_code == 503
    assert provider.token_requests == []


async def test_customers_too_are_sent_to_no_other_issuer_with_a_secret(town: Town) -> None:
    given = IdentityProvider(id="work", label="W", issuer="https://id.example", client_id="c")
    other = IdentityProvider(id="work", label="W", issuer="https://thief.example", client_id="c")
    vault = town.deployment.vault
    async with town.deployment.db.unit(town.lumen.id) as unit:
        await keep_client_secret(unit, vault, given, SECRET, "a test")
        assert await open_client_secret(unit, vault, given) == SECRET
        with pytest.raises(IdentityProviderMisconfigured):
            await open_client_secret(unit, vault, other)
        await vault.store(unit.connection, unit.tenant_id, secret_name("work"), "operator's")
        assert await open_client_secret(unit, vault, other) == "operator's"


@pytest.mark.parametrize("value", ["", "two words", "x" * 2001, "line\nbreak"])
async def test_what_is_no_client_secret_is_refused(
    admin: httpx.AsyncClient, provider: HostileProvider, value: str
) -> None:
    await save(admin, provider.issuer)
    answer = await set_secret(admin, value)
    assert answer.status_code == 422
    assert not value or value not in answer.text


async def test_a_client_secret_is_in_no_page_or_audit_row(
    town: Town, admin: httpx.AsyncClient, provider: HostileProvider
) -> None:
    await save(admin, provider.issuer)
    answers = [await set_secret(admin)]
    answers += [await admin.get(PAGE), await post(admin, f"{PAGE}/work/check")]
    back = await try_it(admin, provider)
    answers += [await admin.get(back), await admin.get(back)]
    async with town.deployment.db.unit(town.lumen.id) as unit:
        rows = await unit.fetch(
            """
            select action, details::text
            from audit_log
            where tenant_id = $1
            """,
            town.lumen.id,
        )
    assert "client_secret.set" in repr(rows)
    everything = "".join(it.text for it in answers) + repr(rows)
    assert "planted" not in everything


async def test_a_client_secret_is_removed_at_once(
    town: Town, admin: httpx.AsyncClient, provider: HostileProvider
) -> None:
    await save(admin, provider.issuer)
    await set_secret(admin)
    assert "Replace the secret" in (await admin.get(PAGE)).text
    for _ in range(2):
        assert (await post(admin, f"{PAGE}/work/secret/remove")).status_code == 303
    assert "No secret" in (await admin.get(PAGE)).text
    async with town.deployment.db.unit(town.lumen.id) as unit:
        assert await known_secrets(unit) == {}
        told = await unit.fetchval(
            """
            select count(1)
            from audit_log
            where tenant_id = $1
            and action = 'client_secret.removed'
            """,
            unit.tenant_id,
        )
    assert told == 1
