"""Refusals that are not about an object: limits, locks, keys, trouble, and what to retry."""

import asyncio
from typing import Any

import httpx
import pytest
import stripe

from stripe_sandbox.requests.limits import RateLimiter
from tests.stripe_sandbox.program import Account


async def _post(account: Account, path: str, data: Any, **headers: str) -> httpx.Response:
    return await account.http.post(path, data=data, headers=headers)


@pytest.mark.parametrize(
    ("path", "data", "message", "code", "param"),
    [
        ("/v1/customers", {"emial": "a"}, "Received unknown parameter: emial. Did you mean email?",
         "parameter_unknown", "emial"),
        ("/v1/customers", {"x": "1", "y": "2"}, "Received unknown parameters: x, y",
         "parameter_unknown", "x"),
        ("/v1/customers", {"address[town]": "1"}, "Received unknown parameter: address[town]",
         "parameter_unknown", "address[town]"),
        ("/v1/products", {}, "Missing required param: name.", "parameter_missing", "name"),
        ("/v1/products", {"name": ""}, "You passed an empty string for 'name'.",
         "parameter_invalid_empty", "name"),
        ("/v1/customers", {"tax_exempt": "maybe"},
         "Invalid tax_exempt: must be one of exempt, none, or reverse", None, "tax_exempt"),
        ("/v1/invoices", {"customer": "c", "collection_method": "x"},
         "Invalid collection_method: must be one of charge_automatically or send_invoice", None,
         "collection_method"),
        ("/v1/customers", {"balance": "ten"}, "Invalid integer: ten",
         "parameter_invalid_integer", "balance"),
        ("/v1/customers", {"address": "Paris"}, "Invalid object", None, "address"),
        ("/v1/customers", {"metadata": "x"}, "Invalid hash", None, "metadata"),
        ("/v1/customers", {f"metadata[{'k' * 41}]": "x"}, "Metadata keys can have up to 40", None,
         "metadata"),
        ("/v1/customers", {f"metadata[k{number}]": "x" for number in range(51)},
         "You can set up to 50 metadata keys", None, "metadata"),
        ("/v1/customers", {"metadata[k]": "x" * 501}, "Metadata values can have up to 500", None,
         "metadata"),
    ],
)  # fmt: skip
async def test_a_malformed_request_is_told_what_is_wrong(
    account: Account, path: str, data: Any, message: str, code: str | None, param: str
) -> None:
    answer = await _post(account, path, data)
    error = answer.json()["error"]
    assert (answer.status_code, error["type"]) == (400, "invalid_request_error")
    assert error["message"].startswith(message)
    assert (error.get("code"), error["param"]) == (code, param)
    assert answer.headers["request-id"] in error["request_log_url"]
    assert error.get("doc_url") == (
        f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}" if code else None
    )


async def test_more_requests_a_second_than_the_limit_are_refused(account: Account) -> None:
    await account.set(requests_per_second=1)
    answers = await asyncio.gather(*(account.http.get("/v1/customers") for _ in range(20)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert refused
    assert refused[0].json()["error"]["code"] == "rate_limit"
    assert refused[0].headers["stripe-rate-limited-reason"] == "global-rate"
    assert "stripe-should-retry" not in refused[0].headers
    await account.http.post("/_control/settings", json={"requests_per_second": 0})
    assert (await account.http.get("/v1/customers")).status_code == 200


def test_a_limit_counts_the_last_second_of_each_account() -> None:
    now = [10.0]
    limiter = RateLimiter(lambda: now[0])
    assert [limiter.admits("a", 2) for _ in range(3)] == [True, True, False]
    assert limiter.admits("b", 2)
    now[0] = 10.9
    assert not limiter.admits("a", 2)
    now[0] = 11.0
    assert [limiter.admits("a", 2) for _ in range(3)] == [True, True, False]


async def test_a_rate_limit_reaches_the_sdks_caller(account: Account) -> None:
    await account.set(fail_next_requests=[{"status": 429, "reason": "endpoint-rate"}])
    with pytest.raises(stripe.RateLimitError) as limited:
        await account.v1.customers.create_async()
    assert limited.value.headers
    assert limited.value.headers["stripe-rate-limited-reason"] == "endpoint-rate"
    assert limited.value.error
    assert limited.value.error.code == "rate_limit"


@pytest.mark.parametrize("fault", [{"status": 429, "code": "lock_timeout"}, {"status": 503}])
async def test_the_sdk_tries_again_what_it_is_told_to(
    account: Account, fault: dict[str, Any]
) -> None:
    await account.set(fail_next_requests=[fault])
    await account.v1.customers.create_async({"name": "Ada"})
    assert len((await account.v1.customers.list_async()).data) == 1


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, stripe.AuthenticationError),
        (403, stripe.PermissionError),
        (409, stripe.APIError),
        (500, stripe.APIError),
        (503, stripe.APIError),
    ],
)
async def test_every_status_reaches_the_sdks_caller_as_its_error(
    account: Account, status: int, error: type[stripe.StripeError]
) -> None:
    await account.set(fail_next_requests=[{"status": status, "count": 9, "method": "POST"}])
    with pytest.raises(error) as refused:
        await account.v1.customers.create_async(options={"max_network_retries": 0})
    assert refused.value.http_status == status
    assert refused.value.request_id


async def test_trouble_on_stripes_side_may_be_retried(account: Account) -> None:
    for status in (500, 503):
        await account.set(fail_next_requests=[{"status": status}])
        answer = await account.http.get("/v1/customers")
        assert (answer.status_code, answer.json()["error"]["type"]) == (status, "api_error")
        assert answer.headers["stripe-should-retry"] == "true"


async def test_a_key_does_not_speak_for_another_account(account: Account) -> None:
    await account.v1.accounts.retrieve_current_async()
    with pytest.raises(stripe.PermissionError) as refused:
        await account.v1.customers.list_async(options={"stripe_account": "acct_someone"})
    assert refused.value.error
    assert (refused.value.http_status, refused.value.error.code) == (403, "account_invalid")
    assert account.key not in str(refused.value)


async def test_an_idempotency_key_is_forgotten_after_its_time(account: Account) -> None:
    key = {"idempotency-key": "once"}
    first = (await _post(account, "/v1/customers", {"name": "A"}, **key)).json()["id"]
    assert (await _post(account, "/v1/customers", {"name": "A"}, **key)).json()["id"] == first
    await account.set(idempotency_key_seconds=0)
    again = await _post(account, "/v1/customers", {"name": "B"}, **key)
    assert (again.status_code, again.json()["name"]) == (200, "B")
    assert "idempotent-replayed" not in again.headers


async def test_a_read_does_not_mind_an_idempotency_key(account: Account) -> None:
    key = {"idempotency-key": "once"}
    assert (await account.http.get("/v1/customers", headers=key)).status_code == 200
    made = await _post(account, "/v1/customers", {"name": "A"}, **key)
    assert made.status_code == 200
    listed = await account.http.get("/v1/customers", headers=key)
    assert "idempotent-replayed" not in listed.headers
    assert len(listed.json()["data"]) == 1


async def test_an_idempotency_key_has_255_characters_at_most(account: Account) -> None:
    longest = await _post(account, "/v1/customers", {}, **{"idempotency-key": "k" * 255})
    assert longest.status_code == 200
    longer = await _post(account, "/v1/customers", {}, **{"idempotency-key": "k" * 256})
    assert (longer.status_code, longer.json()["error"]["type"]) == (400, "invalid_request_error")


async def test_a_failed_request_is_replayed_as_the_failure_that_it_was(account: Account) -> None:
    key = {"idempotency-key": "once"}
    data = {"customer": "cus_none", "items[0][price]": "price_none"}
    first = await _post(account, "/v1/subscriptions", data, **key)
    again = await _post(account, "/v1/subscriptions", data, **key)
    assert (first.status_code, again.status_code) == (400, 400)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize(
    ("field", "most"),
    [("name", 256), ("phone", 20), ("email", 512), ("business_name", 150), ("description", 5_000)],
)
async def test_a_customers_strings_have_their_lengths(
    account: Account, field: str, most: int
) -> None:
    ending = "@example.com" if field == "email" else ""
    longest = "a" * (most - len(ending)) + ending
    assert (await _post(account, "/v1/customers", {field: longest})).status_code == 200
    refused = await _post(account, "/v1/customers", {field: f"a{longest}"})
    error = refused.json()["error"]
    assert (refused.status_code, error["param"]) == (400, field)
    assert error["message"].endswith(f"; must be at most {most} characters")


async def test_a_list_has_one_cursor(account: Account) -> None:
    made = (await _post(account, "/v1/customers", {})).json()["id"]
    cursors = {"starting_after": made, "ending_before": made}
    refused = await account.http.get("/v1/customers", params=cursors)
    assert refused.status_code == 400
    assert refused.json()["error"]["message"].startswith("Received both")
