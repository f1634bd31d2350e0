"""Who gets what: every route and method, asked by everybody it is not meant for.

The table is compared with the program's own routes, so a new page without an entry fails.
"""

import re
from typing import NamedTuple
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from guichet.app import portal_app
from guichet.edge.entrance import Edge
from tests.deliveries import body_of, signature
from tests.isolation.asking import Asked, ask, client_of, confirmation, csrf_for, outcome, told
from tests.isolation.marks import marks_of
from tests.isolation.twins import Twin, Twins, ids_of

SIGN_IN = "303 /sign-in"
PROVIDER = "303 provider"
#: To what came of the same button's first click: Ada has kept her plan before.
OUTCOME = "to the outcome"
METHODS = "303 /payment-methods"


class Row(NamedTuple):
    """One route and method: what a visitor gets, what a customer gets for things of their own."""

    nobody: str
    customer: str
    #: The query of a GET, the form of a POST.
    fields: dict[str, str] = {}  # noqa: RUF012 - never written to.


_TOKEN = {"token": "not a token"}
_NO_PAGE = {"session": "cs_test_none"}
_NO_PAYMENT = {"payment": "11111111-2222-4333-8444-555555555555"}
_PAY = {"price": "{scale}"}

#: The POSTs of a customer are such as change nothing: the answer shows how far they came.
TABLE = {
    "GET /": Row(SIGN_IN, "200"),
    "GET /subscriptions/{subscription_id}": Row(SIGN_IN, "200"),
    "GET /subscriptions/{subscription_id}/change": Row(SIGN_IN, "200"),
    "GET /subscriptions/{subscription_id}/change/review": Row(SIGN_IN, "200", _PAY),
    "POST /subscriptions/{subscription_id}/change": Row(SIGN_IN, "409", {"price": "{scale}"}),
    "POST /subscriptions/{subscription_id}/change/undo": Row(SIGN_IN, "409"),
    "GET /subscriptions/{subscription_id}/changes/{request_id}": Row(SIGN_IN, "200"),
    "GET /subscriptions/{subscription_id}/cancel": Row(SIGN_IN, "200"),
    "POST /subscriptions/{subscription_id}/cancel": Row(SIGN_IN, "422", _TOKEN),
    "POST /subscriptions/{subscription_id}/keep": Row(SIGN_IN, OUTCOME),
    "GET /invoices": Row(SIGN_IN, "200"),
    "GET /invoices/{invoice_id}/pdf": Row(SIGN_IN, PROVIDER),
    "GET /invoices/{invoice_id}/receipt": Row(SIGN_IN, PROVIDER),
    # Ada owes nothing.
    "GET /invoices/{invoice_id}/pay": Row(SIGN_IN, "200"),
    "POST /invoices/{invoice_id}/pay": Row(SIGN_IN, "422", _TOKEN),
    "POST /invoices/{invoice_id}/pay/card": Row(SIGN_IN, "200"),
    "GET /invoices/{invoice_id}/pay/card": Row(SIGN_IN, "404", _NO_PAGE),
    "GET /invoices/{invoice_id}/paid": Row(SIGN_IN, "404", _NO_PAYMENT),
    "GET /payment-methods": Row(SIGN_IN, "200"),
    "POST /payment-methods": Row(SIGN_IN, "200"),
    "GET /payment-methods/added": Row(SIGN_IN, "404", _NO_PAGE),
    "POST /payment-methods/{method_id}/order": Row(SIGN_IN, METHODS, {"to": "default"}),
    "GET /payment-methods/{method_id}/remove": Row(SIGN_IN, "409"),
    "POST /payment-methods/{method_id}/remove": Row(SIGN_IN, "409"),
    "GET /preferences": Row(SIGN_IN, "200"),
    "POST /preferences": Row(SIGN_IN, "422"),
    # Links of mails are for whoever has them; their forms want what only their own page has.
    "GET /fix/{fix_token}": Row("200", "200"),
    "POST /fix/{fix_token}": Row("403", "403"),
    "POST /fix/{fix_token}/card": Row("403", "403"),
    "GET /fix/{fix_token}/card": Row("404", "404", _NO_PAGE),
    "GET /fix/{fix_token}/paid": Row("404", "404", _NO_PAYMENT),
    "GET /unsubscribe/{mail_token}": Row("200", "200"),
    "POST /unsubscribe/{mail_token}": Row("200", "200"),
    "GET /language/{language}": Row("303 /", "303 /"),
    "GET /assets/{folder}/{name}": Row("200", "200"),
    "GET /assets/pictures/{picture_id}": Row("200", "200"),
    "GET /sign-in": Row("200", "303 /"),
    "GET /sign-in/{provider_id}": Row(PROVIDER, PROVIDER),
    "GET /sign-in/{provider_id}/callback": Row("400", "400"),
    "POST /sign-out": Row(SIGN_IN, SIGN_IN),
    # The console alone hands over a support view; there is none to end.
    "POST /support-view": Row("403", "403"),
    "POST /support-view/end": Row("403", "403"),
}
POSTS = [key for key in TABLE if key.startswith("POST ")]
#: A mail program has neither cookie nor origin (RFC 8058): the link's token alone is asked for.
FORMS = [key for key in POSTS if key != "POST /unsubscribe/{mail_token}"]
#: Whose things the names in a path stand for; a language is nobody's.
OF_A_CUSTOMER = ("subscription_id", "request_id", "invoice_id", "method_id")
OF_A_TENANT = ("picture_id", "provider_id", "folder", "fix_token", "mail_token")
WITH_IDS = [key for key in TABLE if re.search(r"\{(?!language|name)", key)]
WITH_CUSTOMERS_IDS = [key for key in TABLE if any(f"{{{it}}}" in key for it in OF_A_CUSTOMER)]

#: Ways to say that a request is for somebody else, at which nothing here looks.
HEADERS = (
    "x-forwarded-host",
    "x-host",
    "x-original-host",
    "x-forwarded-server",
    "x-http-host-override",
    "x-tenant",
    "x-tenant-id",
)
_RANDOM = {
    "subscription_id": "sub_AAAAAAAAAAAAAAAAAAAAAAAA",
    "invoice_id": "in_AAAAAAAAAAAAAAAAAAAAAAAA",
    "request_id": "11111111-2222-4333-8444-555555555555",
    "picture_id": "0" * 64,
    "provider_id": "aaaaaaaaa-id",
    "folder": "0" * 20,
    "method_id": "pm_AAAAAAAAAAAAAAAAAAAAAAAA",
    "fix_token": "A" * 64,
    "mail_token": "A" * 64,
}


def asked(key: str, twin: Twin) -> Asked:
    method, path = key.split(" ")
    fields = dict(TABLE[key].fields)
    if key.endswith("/change") and method == "POST":
        fields = confirmation(twin)
    return Asked(method, path, fields)


async def all_ids(twin: Twin, who: str) -> dict[str, str]:
    return await ids_of(twin, who) | {"scale": twin.shop.prices["scale"]}


async def ask_as(
    edge: Edge, twin: Twin, key: str, ids: dict[str, str], who: str, **how: dict[str, str]
) -> httpx.Response:
    """Ask at a twin's host as one of its customers, with the token that forms have."""
    async with client_of(edge, twin.origin, await twin.session(who)) as client:
        more = how.pop("more", {})
        if key in POSTS:
            more = {"csrf": await csrf_for(client)} | more
        return await ask(client, asked(key, twin), ids, more=more, **how)


def check(answer: httpx.Response, expected: str, twin: Twin) -> None:
    if expected == PROVIDER:
        # The merchant's own providers: where documents are, and where identities are.
        assert answer.status_code == 303
        known = (str(twin.shop.deployment.settings.stripe_url), twin.provider.issuer)
        assert answer.headers["location"].startswith(known)
    elif expected == OUTCOME:
        assert answer.status_code == 303
        assert re.match(r"/subscriptions/[^/]+/changes/[^/]+$", answer.headers["location"])
    else:
        assert outcome(answer) == expected, answer.text


def test_every_route_and_method_has_an_entry() -> None:
    routes = {
        f"{method} {re.sub(r':[a-z]+}', '}', route.path)}"
        for route in portal_app().routes
        for method in getattr(route, "methods", ())
        if method != "OPTIONS"
    }
    assert routes == TABLE.keys()


@pytest.mark.parametrize("key", TABLE)
async def test_who_is_not_signed_in_gets_what_the_table_says(twins: Twins, key: str) -> None:
    left = twins.left
    async with client_of(twins.edge, left.origin) as client:
        check(
            await ask(client, asked(key, left), await all_ids(left, "ada")), TABLE[key].nobody, left
        )


@pytest.mark.parametrize("key", TABLE)
async def test_a_customer_gets_what_the_table_says(twins: Twins, key: str) -> None:
    left = twins.left
    answer = await ask_as(twins.edge, left, key, await all_ids(left, "ada"), "ada")
    check(answer, TABLE[key].customer, left)


@pytest.mark.parametrize("key", WITH_CUSTOMERS_IDS)
async def test_another_customers_id_is_like_one_that_never_was(twins: Twins, key: str) -> None:
    adas = await all_ids(twins.left, "ada")
    graces = await all_ids(twins.left, "grace")
    await _check_foreign(twins.edge, twins.left, key, "grace", graces, adas, OF_A_CUSTOMER)


@pytest.mark.parametrize("key", WITH_IDS)
async def test_another_tenants_id_is_like_one_that_never_was(twins: Twins, key: str) -> None:
    for host, other in ((twins.left, twins.right), (twins.right, twins.left)):
        own, foreign = await all_ids(host, "ada"), await all_ids(other, "ada")
        await _check_foreign(
            twins.edge, host, key, "ada", own, foreign, OF_A_CUSTOMER + OF_A_TENANT
        )


async def _check_foreign(
    edge: Edge,
    host: Twin,
    key: str,
    who: str,
    own: dict[str, str],
    foreign: dict[str, str],
    names: tuple[str, ...],
) -> None:
    """Exchange each id of the path, and all of them, for the foreign and for a random one."""
    present = [name for name in names if f"{{{name}}}" in key]
    each_and_all = [[name] for name in present] + [present]
    for exchanged in each_and_all:
        theirs = {name: foreign[name] for name in exchanged}
        random = {name: _RANDOM[name] for name in exchanged}
        assert theirs.items().isdisjoint(own.items()) or who == "grace"
        token = {"token": str(uuid4())} if key in POSTS else {}
        refused = await ask_as(edge, host, key, own | theirs, who, more=token)
        unknown = await ask_as(edge, host, key, own | random, who, more=token)
        assert refused.status_code == 404, (exchanged, refused.text)
        assert told(refused, *theirs.values()) == told(unknown, *random.values())


@pytest.mark.parametrize("key", TABLE)
async def test_another_tenants_cookie_is_worth_nothing_here(twins: Twins, key: str) -> None:
    left, right = twins.left, twins.right
    ids, question = await all_ids(left, "ada"), asked(key, left)
    session = await right.session("ada")
    async with (
        client_of(twins.edge, left.origin, session) as stranger,
        client_of(twins.edge, left.origin) as nobody,
        client_of(twins.edge, right.origin, session) as at_home,
    ):
        # With the token that their own portal's forms carry, which must not count here.
        more = {"csrf": await csrf_for(at_home)} if key in POSTS else {}
        answer = await ask(stranger, question, ids, more=more)
        if key == "POST /sign-out":
            assert answer.status_code == 403
            assert (await at_home.get("/")).status_code == 200
            return
        expected = await ask(nobody, question, ids, more=more)
    assert _without_state(answer) == _without_state(expected)


def _without_state(answer: httpx.Response) -> object:
    """What an answer tells, but for the fresh values of a sign-in that it starts."""
    status, headers, text = told(answer)
    kept = [(name, value.split("?")[0]) for name, value in headers if name != "set-cookie"]
    return status, kept, text


@pytest.mark.parametrize("key", TABLE)
async def test_nothing_but_the_host_names_the_tenant(twins: Twins, key: str) -> None:
    left, right = twins.left, twins.right
    ids = await all_ids(left, "ada")
    host = right.origin.removeprefix("http://")
    headers = dict.fromkeys(HEADERS, host) | {
        "forwarded": f"host={host};proto=https",
        "x-original-url": f"{right.origin}/invoices",
        "x-rewrite-url": "/invoices",
        "x-http-method-override": "DELETE",
    }
    words = {"tenant": right.mark, "tenant_id": str(right.tenant_id), "host": host}
    answer = await ask_as(twins.edge, left, key, ids, "ada", headers=headers, more=words)
    check(answer, TABLE[key].customer, left)
    seen = answer.text + repr(answer.headers.multi_items())
    # A page links to itself in other languages, with the query that it was asked with.
    for word in words.values():
        seen = seen.replace(word, "").replace(quote(word), "")
    assert not [mark for mark in await marks_of(right, left) if mark in seen]


@pytest.mark.parametrize("key", FORMS)
@pytest.mark.parametrize(
    "fault",
    ["no token", "a wrong token", "another session's token", "another origin", "no origin", "null"],
)
async def test_a_form_that_is_not_ours_is_refused(twins: Twins, key: str, fault: str) -> None:
    left = twins.left
    ids = await all_ids(left, "ada")
    async with client_of(twins.edge, left.origin, await left.session("ada")) as client:
        more = {"csrf": await csrf_for(client)}
        headers = {}
        match fault:
            case "no token":
                more = {}
            case "a wrong token":
                more = {"csrf": "A" * 43}
            case "another session's token":
                async with left.browser("ada") as again:
                    more = {"csrf": await csrf_for(again.client)}
            case "another origin":
                headers = {"origin": twins.right.origin}
            case "no origin":
                headers = {"origin": ""}
            case "null":
                headers = {"origin": "null"}
        answer = await ask(client, asked(key, left), ids, headers=headers, more=more)
        assert answer.status_code == 403
        assert (await client.get("/")).status_code == 200


@pytest.mark.parametrize("path", sorted({key.split(" ")[1] for key in TABLE}))
async def test_other_methods_do_nothing_for_anybody(twins: Twins, path: str) -> None:
    left = twins.left
    ids, foreign = await all_ids(left, "ada"), await all_ids(twins.right, "ada")
    known = {key.split(" ")[0] for key in TABLE if key.split(" ")[1] == path}
    if "GET" in known:
        known.add("HEAD")
    methods = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "WHATEVER"}
    async with client_of(twins.edge, left.origin, await left.session("ada")) as client:
        for method in sorted(methods - known):
            own = await client.request(method, path.format_map(ids))
            other = await client.request(method, path.format_map(foreign))
            assert own.status_code == (204 if method == "OPTIONS" else 405), method
            assert own.headers.get("allow") == other.headers.get("allow")
            assert own.status_code == other.status_code


@pytest.mark.parametrize("key", [key for key in TABLE if key.startswith("GET ")])
async def test_a_head_is_answered_as_a_get_without_a_body(twins: Twins, key: str) -> None:
    left, ids = twins.left, await all_ids(twins.left, "ada")
    got = await ask_as(twins.edge, left, key, ids, "ada")
    async with client_of(twins.edge, left.origin, await left.session("ada")) as client:
        question = asked(key, left)._replace(method="HEAD")
        head = await ask(client, question, ids)
    assert (outcome(head), head.content) == (outcome(got), b"")
    assert head.headers.get("content-type") == got.headers.get("content-type")


#: What the edge answers by itself: host, method, path, status.
EDGE = [
    ("localhost:8000", "GET", "/health/live", 200),
    ("nobody.example", "GET", "/health/live", 200),
    ("quartzine.localhost:8000", "GET", "/health/ready", 200),
    ("quartzine.localhost:8000", "GET", "/health/secrets", 404),
    ("localhost:8000", "GET", "/", 404),
    ("localhost:8000", "GET", "/invoices", 404),
    ("localhost:8000", "POST", "/webhooks/stripe", 404),
    # To the console's own way in: a customer's session is nobody there.
    ("console.localhost:8000", "GET", "/", 303),
    ("console.localhost:8000", "GET", "/invoices", 404),
    ("console.localhost:8000", "GET", "/merchants/quartzine", 303),
    ("console.localhost:8000", "POST", "/webhooks/stripe", 404),
    ("preview.localhost:8000", "GET", "/", 404),
    ("preview.localhost:8000", "GET", "/invoices", 404),
    ("preview.localhost:8000", "POST", "/webhooks/stripe", 405),
    ("api.localhost:8000", "GET", "/", 404),
    ("nobody.localhost:8000", "GET", "/", 404),
    ("quartzine.localhost.evil.example", "GET", "/", 404),
    ("portal.quartzine.example", "GET", "/", 404),
    ("quartzine.localhost:8000", "GET", "/webhooks/stripe", 405),
    ("quartzine.localhost:8000", "POST", "/webhooks/stripe", 400),
    ("quartzine.localhost:8000", "POST", "/webhooks/other", 404),
    ("quartzine.localhost:8000", "POST", "/webhooks/stripe/", 404),
]


@pytest.mark.parametrize(("host", "method", "path", "status"), EDGE)
async def test_the_edge_answers_by_itself(
    twins: Twins, host: str, method: str, path: str, status: int
) -> None:
    async with client_of(twins.edge, f"http://{host}", await twins.left.session("ada")) as client:
        answer = await client.request(method, path)
    assert answer.status_code == status
    assert "set-cookie" not in answer.headers
    assert not [it for it in (twins.left.mark, twins.right.mark) if it in answer.text.lower()]


async def test_a_delivery_signed_for_one_tenant_is_refused_by_the_other(twins: Twins) -> None:
    body = body_of(1)
    for host, signer, status in (
        (twins.left, twins.left, 200),
        (twins.right, twins.left, 400),
        (twins.left, twins.right, 400),
    ):
        async with client_of(twins.edge, host.origin) as client:
            signed = {"stripe-signature": signature(body, signer.shop.webhook_secret)}
            answer = await client.post("/webhooks/stripe", content=body, headers=signed)
        assert answer.status_code == status
