"""The provider's key in the console: checked, sealed, and shown to nobody again."""

import re

import httpx
import pytest

from guichet.audit import Actor
from guichet.billing.reconciling import RECONCILE_TENANT
from guichet.outbox import QUEUE, make_redis
from guichet.payments.choose import SECRET_KEY, WEBHOOK_SECRET
from guichet.payments.former_accounts import Leaving
from guichet.settings import Settings
from tests.console.conftest import AsStaff
from tests.console.town import Town, post
from tests.shops import Shop, open_shop

PAGE = "/merchants/lumen/connections"
#: A key that the sandbox knows, with a mark that is looked for.
PLANTED = "sk_test_planted0000000000000000mark"


@pytest.fixture
async def admin(as_staff: AsStaff) -> httpx.AsyncClient:
    return await as_staff("admin")


async def secret(town: Town, name: str) -> str | None:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        return await town.deployment.vault.open(unit.connection, town.lumen.id, name)


async def log(town: Town) -> list[tuple[str, str, str]]:
    async with town.deployment.db.unit(town.lumen.id) as unit:
        rows = await unit.fetch(
            """
            select actor, action, details::text
            from audit_log
            where tenant_id = $1
            order by at, id
            """,
            town.lumen.id,
        )
    return [tuple(row) for row in rows]


async def test_a_pasted_key_connects_the_account_and_its_events(
    town: Town, admin: httpx.AsyncClient, settings: Settings, shop: Shop, stripe_key: str
) -> None:
    answer = await post(admin, f"{PAGE}/key", {"key": f" {stripe_key}\n"})
    assert answer.headers["location"] == f"{PAGE}?done=endpoint"
    assert await secret(town, SECRET_KEY) == stripe_key
    [endpoint] = await shop.port.list_endpoints()
    assert endpoint.url == "http://lumen.localhost:8000/webhooks/stripe"
    assert endpoint.reference == str(town.lumen.id)
    page = await admin.get(PAGE)
    assert "Test mode" in page.text
    assert f"…{stripe_key[-4:]}" in page.text
    assert (await shop.port.account()).id in page.text
    redis = make_redis(settings.redis_url)
    knocks = await redis.zrange(QUEUE, 0, -1)
    await redis.aclose(close_connection_pool=True)
    assert [it for it in knocks if it.decode().startswith(f"{RECONCILE_TENANT}:{town.lumen.id}")]
    assert [action for _, action, _ in await log(town)] == [
        "provider_key.set",
        "webhook_endpoint.made",
    ]


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("", "Paste a secret key"),
        ("sk_test_", "Paste a secret key"),
        ("whsec_0123456789", "Paste a secret key"),
        ("sk_test_a b", "Paste a secret key"),
        ("sk_test_" + "a" * 300, "Paste a secret key"),
        ("sk_test_é0000", "Paste a secret key"),
        ("sk_test_0000\r\nstripe-account: acct_1", "Paste a secret key"),
        ("pk_test_0123456789", "publishable"),
        ("sk_live_0123456789", "does not know this key"),
    ],
)
async def test_what_is_no_key_that_works_is_refused_with_a_reason(
    town: Town, admin: httpx.AsyncClient, key: str, words: str
) -> None:
    answer = await post(admin, f"{PAGE}/key", {"key": key})
    assert answer.status_code == 422
    assert words in answer.text
    assert key in ("", "sk_test_") or key not in answer.text
    assert await secret(town, SECRET_KEY) is None
    assert await log(town) == []


async def test_a_key_without_a_permission_is_told_which_ones_by_name(
    town: Town, admin: httpx.AsyncClient, shop: Shop
) -> None:
    faults = [
        {"status": 403, "method": "GET", "path": f"/v1/{it}"} for it in ("invoices", "events")
    ]
    await shop.set(fail_next_requests=faults)
    answer = await post(admin, f"{PAGE}/key", {"key": shop.key})
    assert answer.status_code == 422
    assert "needed: Events: Read, Invoices: Read." in answer.text
    assert await log(town) == []


async def test_a_key_that_may_read_and_not_write_is_told_so_and_nothing_is_changed(
    town: Town, admin: httpx.AsyncClient, shop: Shop
) -> None:
    names = "checkout/sessions customers invoices payment_intents payment_methods "
    names += "subscription_schedules subscriptions webhook_endpoints"
    faults = [{"status": 403, "method": "POST", "path": f"/v1/{it}/"} for it in names.split()]
    before = [it.id for it in (await shop.sdk.events.list_async()).data]
    await shop.set(fail_next_requests=faults)
    answer = await post(admin, f"{PAGE}/key", {"key": shop.key})
    assert answer.status_code == 422
    assert (
        "needed: Checkout Sessions: Write, Customers: Write, Invoices: Write, PaymentIntents: "
        "Write, PaymentMethods: Write, Subscription Schedules: Write, Subscriptions: Write, "
        "Webhook Endpoints: Write."
    ) in answer.text
    assert await log(town) == []
    await shop.set(fail_next_requests=[])
    assert (await post(admin, f"{PAGE}/key", {"key": shop.key})).status_code == 303
    assert [it.id for it in (await shop.sdk.events.list_async()).data] == before


async def test_a_key_that_may_not_say_whose_it_is_is_refused(
    admin: httpx.AsyncClient, shop: Shop
) -> None:
    await shop.set(fail_next_requests=[{"status": 403, "path": "/v1/account"}])
    answer = await post(admin, f"{PAGE}/key", {"key": shop.key})
    assert answer.status_code == 422
    assert "needed: Account: Read." in answer.text


async def test_the_key_of_another_account_is_kept_only_when_that_is_confirmed(
    town: Town, admin: httpx.AsyncClient, stripe_key: str
) -> None:
    await post(admin, f"{PAGE}/key", {"key": stripe_key})
    other = f"{stripe_key}other"
    asked = await post(admin, f"{PAGE}/key", {"key": other})
    assert asked.status_code == 422
    assert "another account" in asked.text
    assert 'name="confirmed"' in asked.text
    assert other not in asked.text
    assert await secret(town, SECRET_KEY) == stripe_key
    assert (await post(admin, f"{PAGE}/key", {"key": other, "confirmed": "on"})).status_code == 303
    assert await secret(town, SECRET_KEY) == other


async def test_the_same_account_s_key_is_replaced_without_a_question(
    town: Town, admin: httpx.AsyncClient, stripe_key: str
) -> None:
    for _ in range(2):
        answer = await post(admin, f"{PAGE}/key", {"key": stripe_key})
        assert answer.status_code == 303


async def test_a_provider_that_does_not_answer_keeps_the_key_from_being_kept(
    town: Town, admin: httpx.AsyncClient, shop: Shop
) -> None:
    faults = [{"mode": "refused", "count": 99, "path": "/v1/account"}]
    await shop.set(fail_next_requests=faults)
    answer = await post(admin, f"{PAGE}/key", {"key": shop.key})
    assert answer.status_code == 503
    assert "provider does not answer" in answer.text
    assert await log(town) == []


async def test_a_key_stays_when_its_endpoint_cannot_be_made_and_the_button_finishes_it(
    town: Town, admin: httpx.AsyncClient, shop: Shop
) -> None:
    faults = [
        {"mode": "refused", "count": 2, "method": "POST", "path": "/v1/webhook_endpoints"},
    ]
    await post(admin, f"{PAGE}/key", {"key": shop.key})
    await shop.set(fail_next_requests=faults)
    answer = await post(admin, f"{PAGE}/endpoint")
    assert answer.status_code == 503
    assert "begun and not finished" in answer.text
    assert await secret(town, SECRET_KEY) == shop.key
    made = await post(admin, f"{PAGE}/endpoint")
    assert made.headers["location"] == f"{PAGE}?done=endpoint"
    assert len(await shop.port.list_endpoints()) == 1
    assert "begun and not finished" not in (await admin.get(PAGE)).text


async def test_a_former_account_that_lets_nobody_in_is_named_until_somebody_has_seen_to_it(
    town: Town, admin: httpx.AsyncClient, sandbox: str, stripe_key: str
) -> None:
    await post(admin, f"{PAGE}/key", {"key": stripe_key})
    async with open_shop(sandbox, stripe_key) as left:
        account = (await left.port.account()).id
        [endpoint] = await left.port.list_endpoints()
        await post(admin, f"{PAGE}/key", {"key": f"{stripe_key}other", "confirmed": "on"})
        assert "is being removed" in (await admin.get(PAGE)).text
        await left.set(revoked=True)
        await _leaving(town).finish(Actor("system", "a test"), "")
    page = (await admin.get(PAGE)).text
    assert account in page
    assert endpoint.id in page
    assert "Please remove it at the provider" in page
    fields = {"account": account, "mode": "test"}
    assert (await post(admin, f"{PAGE}/former", fields)).status_code == 303
    assert "Please remove it" not in (await admin.get(PAGE)).text
    assert (await log(town))[-1][1] == "former_account.settled"


def _leaving(town: Town) -> Leaving:
    deployment = town.deployment
    url = "http://lumen.localhost:8000/webhooks/stripe"
    return Leaving(deployment.db, deployment.vault, deployment.providers, town.lumen.id, url)


async def test_a_provider_that_turns_us_away_is_told_and_asked_again(
    admin: httpx.AsyncClient, shop: Shop
) -> None:
    await post(admin, f"{PAGE}/key", {"key": shop.key})
    await shop.set(revoked=True)
    refused = await post(admin, f"{PAGE}/check")
    assert refused.status_code == 503
    assert "has turned us away since" in refused.text
    await shop.set(revoked=False)
    assert (await post(admin, f"{PAGE}/check")).status_code == 303
    assert "has turned us away since" not in (await admin.get(PAGE)).text


async def test_no_secret_is_in_any_page_or_audit_row(town: Town, admin: httpx.AsyncClient) -> None:
    answers = [await post(admin, f"{PAGE}/key", {"key": PLANTED})]
    answers += [await post(admin, f"{PAGE}/key", {"key": f"{PLANTED}{it}"}) for it in ("2", " 3")]
    answers += [await post(admin, f"{PAGE}/{act}") for act in ("endpoint", "check")]
    signing = await secret(town, WEBHOOK_SECRET)
    assert signing is not None
    answers += [await admin.get(PAGE), await admin.get(f"{PAGE}/nothing")]
    everything = "".join([*(f"{it.text}{it.headers}" for it in answers), repr(await log(town))])
    assert re.findall(r"planted0000|whsec_", everything) == []
    assert signing not in everything


async def test_the_page_is_french_too(admin: httpx.AsyncClient) -> None:
    page = await admin.get(PAGE, headers={"accept-language": "fr"})
    assert "Aucun compte n’est encore connecté" in page.text
