"""Checkout Sessions in setup mode, as the API makes, shows, expires and refuses them."""

from typing import Any

import httpx
import pytest
import stripe

from tests.stripe_sandbox.annotations import problems
from tests.stripe_sandbox.program import Account
from tests.stripe_sandbox.shop import START, open_shop

_TYPED = {"number": "4242424242424242", "expiry": "12/34", "cvc": "123", "name": "Ada"}


async def _open(account: Account, **params: Any) -> stripe.checkout.Session:
    asked: Any = {
        "mode": "setup",
        "currency": "usd",
        "success_url": "http://shop.localhost/done/{CHECKOUT_SESSION_ID}",
        **params,
    }
    return await account.v1.checkout.sessions.create_async(asked)


async def _submit(session: stripe.checkout.Session, **typed: str) -> httpx.Response:
    async with httpx.AsyncClient() as visitor:
        return await visitor.post(str(session.url), data={**_TYPED, **typed})


async def test_a_session_is_open_for_a_day_and_has_its_setup_intent(account: Account) -> None:
    shop = await open_shop(account)
    session = await _open(
        account, customer=shop.customer, locale="fr", metadata={"a": "b"},
        setup_intent_data={"metadata": {"c": "d"}}, expand=["setup_intent"],
    )  # fmt: skip
    assert session.id.startswith("cs_test_")
    assert (session.status, session.payment_status, session.mode) == (
        "open", "no_payment_required", "setup",
    )  # fmt: skip
    assert (session.created, session.expires_at) == (START, START + 86_400)
    assert session.customer_details
    assert session.customer_details.email == "ada@example.com"
    assert isinstance(session.setup_intent, stripe.SetupIntent)
    assert session.setup_intent.to_dict()["metadata"] == {"c": "d"}
    assert problems(session.to_dict()) == []
    (listed,) = (await account.v1.checkout.sessions.list_async({"customer": shop.customer})).data
    assert listed.id == session.id


@pytest.mark.parametrize(
    ("params", "param", "code"),
    [
        ({"mode": "subscription"}, "mode", None),
        ({"mode": "payment"}, "mode", None),
        ({"mode": "gift"}, "mode", None),
        ({"locale": "tlh"}, "locale", None),
        ({"success_url": ""}, "success_url", "parameter_missing"),
        ({"success_url": "javascript:alert(1)"}, "success_url", "url_invalid"),
        (
            {"success_url": "http://shop.localhost/\r\nset-cookie: a=b"},
            "success_url",
            "url_invalid",
        ),
        ({"cancel_url": "/relative"}, "cancel_url", "url_invalid"),
        ({"currency": ""}, "currency", "parameter_missing"),
        ({"customer": "cus_none"}, "customer", "resource_missing"),
        ({"expires_at": "60"}, "expires_at", None),
        ({"line_items[0][price]": "price_none"}, "line_items", None),
    ],
)
async def test_what_a_session_cannot_be_is_refused(
    account: Account, params: dict[str, str], param: str, code: str | None
) -> None:
    data = {"mode": "setup", "currency": "usd", "success_url": "http://shop.localhost/", **params}
    answer = await account.http.post("/v1/checkout/sessions", data=data)
    error = answer.json()["error"]
    assert (answer.status_code, error["param"], error.get("code")) == (400, param, code)


async def test_a_session_expires_in_the_time_of_its_customer(account: Account) -> None:
    shop = await open_shop(account)
    session = await _open(account, customer=shop.customer)
    await shop.advance(START + 86_400)
    after = await account.v1.checkout.sessions.retrieve_async(
        session.id, {"expand": ["setup_intent"]}
    )
    assert (after.status, after.url) == ("expired", None)
    assert isinstance(after.setup_intent, stripe.SetupIntent)
    assert after.setup_intent.status == "canceled"
    assert [event.type for event in await shop.events("checkout.session.expired")] == [
        "checkout.session.expired"
    ]
    assert (await _submit(session)).status_code == 410
    with pytest.raises(stripe.InvalidRequestError):
        await account.v1.checkout.sessions.expire_async(session.id)


async def test_a_form_sent_twice_keeps_one_card(account: Account) -> None:
    shop = await open_shop(account)
    session = await _open(account, customer=shop.customer)
    done = f"http://shop.localhost/done/{session.id}"
    for _ in range(2):
        answer = await _submit(session, number="5555555555554444")
        assert (answer.status_code, answer.headers["location"]) == (303, done)
    methods = await account.v1.payment_methods.list_async({"customer": shop.customer})
    assert len(methods.data) == 2
    assert len(await shop.events("checkout.session.completed")) == 1
    assert [method.billing_details.name for method in methods.data] == ["Ada", None]


async def test_a_session_without_a_customer_keeps_a_card_of_nobody_s(account: Account) -> None:
    session = await _open(account)
    await _submit(session)
    after = await account.v1.checkout.sessions.retrieve_async(
        session.id, {"expand": ["setup_intent.payment_method"]}
    )
    assert isinstance(after.setup_intent, stripe.SetupIntent)
    method = after.setup_intent.payment_method
    assert isinstance(method, stripe.PaymentMethod)
    assert (after.status, method.customer) == ("complete", None)


async def test_its_setup_intent_is_the_page_s_alone(account: Account) -> None:
    session = await _open(account)
    intents = account.v1.setup_intents
    for attempt in (
        intents.confirm_async(str(session.setup_intent), {"payment_method": "pm_card_visa"}),
        intents.cancel_async(str(session.setup_intent)),
    ):
        with pytest.raises(stripe.InvalidRequestError) as refused:
            await attempt
        assert refused.value.code == "setup_intent_unexpected_state"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"number": ""}, "Your card number is incomplete."),
        ({"number": "4242 4242 4242 4241"}, "Your card number is invalid."),
        ({"number": "4111111111111111"}, "used a non test card"),
        ({"number": "<b>"}, "Your card number is invalid."),
        ({"expiry": "13/30"}, "expiration date is incomplete"),
        ({"expiry": "12/25"}, "expiration year is in the past"),
        ({"cvc": "12"}, "security code is incomplete"),
        ({"number": "378282246310005", "cvc": "123"}, "security code is incomplete"),
        ({"name": " "}, "Please fill out this field."),
    ],
)
async def test_a_mistake_is_told_and_nothing_is_kept(
    account: Account, typed: dict[str, str], told: str
) -> None:
    shop = await open_shop(account)
    session = await _open(account, customer=shop.customer)
    answer = await _submit(session, **typed)
    assert answer.status_code == 422
    assert told in answer.text.replace("&#x27;", "'")
    assert "<b>" not in answer.text
    methods = await account.v1.payment_methods.list_async({"customer": shop.customer})
    assert len(methods.data) == 1


async def test_only_the_whole_address_opens_a_page(account: Account) -> None:
    session = await _open(account)
    url = str(session.url)
    async with httpx.AsyncClient() as visitor:
        found = [
            (await visitor.get(address)).status_code
            for address in (url, url[:-1], url.rpartition("/")[0], url.replace("acct_", "acct_x"))
        ]
        shown = await visitor.get(url)
    assert found == [200, 404, 404, 404]
    assert "script-src" not in shown.headers["content-security-policy"]
    assert "default-src 'none'" in shown.headers["content-security-policy"]
    assert shown.headers["referrer-policy"] == "same-origin"
