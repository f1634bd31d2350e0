"""Anything at all, at the real server: whatever is sent, no answer is a fault of ours."""

import base64
import re
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.isolation.asking import confirmation
from tests.isolation.server import Server, statuses
from tests.isolation.test_matrix import TABLE
from tests.isolation.twins import Twin, Twins, csrf_of, ids_of

EXAMPLES = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)

#: What has broken programs before: ends of texts, halves of characters, other alphabets' digits,
#: numbers too large, paths out, markup, templates, headers, statements.
HOSTILE = [
    b"",
    b"\0",
    b"a\0b",
    b"\xff\xfe",
    b"\xc3",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xf4\x90\x80\x80",
    b"\xef\xbb\xbf",
    "\u202e\u2028\ufeff".encode(),
    "١٢٣".encode(),
    "ſ".encode(),
    b"\r\nSet-Cookie: a=b",
    b"\n",
    b"%",
    b"%2500",
    b"../../../etc/passwd",
    b"..\\..",
    b"//evil.example",
    b"/\\evil.example",
    b"javascript:alert(1)",
    b"<script>alert(1)</script>",
    b"{{ 7*7 }}{% raw %}",
    b"%(name)s %s %n",
    b"' or 1=1 --",
    b"';select pg_sleep(9)--",
    b"-1",
    b"1e999",
    b"NaN",
    b"0x1f",
    b"1_0",
    b"9" * 18,
    b"9" * 40,
    b"9" * 5000,
    b"a" * 300,
    b"-" * 200,
    b"(a+)+$" * 20,
    b'"' * 300 + b"\\" * 300,
]
VALUES = st.sampled_from(HOSTILE) | st.binary(max_size=60)
NAMES = ["next", "after", "price", "quantity", "token", "csrf", "as_of", "due_now", "state", "code"]
POSTS = [key for key in TABLE if key.startswith("POST ") and key != "POST /sign-out"]
CONTENT_TYPES = [
    b"application/x-www-form-urlencoded",
    b"application/x-www-form-urlencoded; charset=utf-16",
    b"application/x-www-form-urlencoded; charset=nonsense",
    b"application/json",
    b"application/msgpack",
    b"multipart/form-data",
    b"multipart/form-data; boundary=x",
    b"multipart/form-data; boundary=" + b"x" * 500,
    b"text/plain",
    b"",
]
PATHS = sorted({key.split(" ")[1] for key in TABLE})
#: The parameters that the pages at the end of these paths read.
PARAMETERS = {
    "invoices": ["after"],
    "sign-in": ["next"],
    "{provider_id}": ["next"],
    "{language}": ["next"],
    "callback": ["state", "code", "iss", "error"],
    "review": ["price", "quantity"],
}
FIELDS = st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=6)
#: Without line ends, which no header can hold: see test_hosts.
HEADER = VALUES.map(lambda value: re.sub(rb"[\r\n\0]", b"", value)[:3000])


def percent(value: bytes) -> bytes:
    return quote_from_bytes(value, safe="").encode()


def encoded(fields: list[tuple[str, bytes]]) -> bytes:
    return b"&".join(name.encode() + b"=" + percent(value) for name, value in fields)


def host_of(twin: Twin) -> bytes:
    return twin.origin.removeprefix("http://").encode()


def request(line: bytes, headers: list[tuple[bytes, bytes]], body: bytes = b"") -> bytes:
    length = [(b"Content-Length", str(len(body)).encode())] if body else []
    head = [name + b": " + value for name, value in [*headers, *length, (b"Connection", b"close")]]
    return b"\r\n".join([line + b" HTTP/1.1", *head, b"", body])


def as_customer(twin: Twin, who: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(b"Host", host_of(twin)), (b"Cookie", f"guichet-session={who['session']}".encode())]


def check(server: Server, sent: bytes) -> None:
    """Every request is answered once; nothing of ours fails, hangs or falls over."""
    answer = server.send(sent)
    assert len(statuses(answer)) == 1, (sent, answer)
    assert statuses(answer)[0] < 500, (sent, answer)
    for place in re.findall(rb"(?mi)^location: (.*)\r$", answer):
        # A page of this portal, or one of the merchant's providers, which are on loopback here.
        assert re.match(rb"/(?![/\\])|http://127\.0\.0\.1:", place), (sent, place)
    assert not re.search(rb"(?mi)^set-cookie: a=b", answer)


@pytest.fixture(scope="module")
async def ada(twins: Twins) -> dict[str, str]:
    """Ada's ids, and the token of a session of hers."""
    return await ids_of(twins.left, "ada") | {"session": await twins.left.session("ada")}


@pytest.fixture(scope="module")
async def zoe(twins: Twins) -> dict[str, str]:
    """The same of Zoé, whose subscription has ended: no form of hers changes anything."""
    async with twins.left.browser("zoe") as zoe:
        csrf = csrf_of((await zoe.get("/invoices")).text)
        session = zoe.client.cookies["guichet-session"]
    return await ids_of(twins.left, "zoe") | {"session": session, "csrf": csrf}


@pytest.mark.parametrize("path", PATHS)
def test_each_hostile_value_in_each_path_is_answered(
    server: Server, twins: Twins, ada: dict[str, str], path: str
) -> None:
    """In place of one of the path's names; the others lead to where it is used."""
    for name in re.findall(r"\{([a-z_]+)\}", path):
        for value in HOSTILE:
            target = path.format_map(ada | {name: percent(value).decode()})
            check(server, request(b"GET " + target.encode(), as_customer(twins.left, ada)))


@pytest.mark.parametrize("path", PATHS)
def test_each_hostile_value_in_each_parameter_is_answered(
    server: Server, twins: Twins, ada: dict[str, str], path: str
) -> None:
    names = PARAMETERS.get(path.rpartition("/")[2], [])
    target = path.format_map(ada).encode()
    for name in names:
        for value in HOSTILE:
            query = encoded([(name, value)])
            headers = as_customer(twins.left, ada)
            check(server, request(b"GET " + target + b"?" + query, headers))
            check(server, request(b"GET " + target + b"?" + query, headers[:1]))


@EXAMPLES
@given(
    path=st.sampled_from(PATHS),
    value=st.binary(max_size=60),
    query=FIELDS,
    signed_in=st.booleans(),
)
def test_any_path_and_query_is_answered(
    server: Server,
    twins: Twins,
    ada: dict[str, str],
    path: str,
    value: bytes,
    query: list[tuple[str, bytes]],
    signed_in: bool,
) -> None:
    target = re.sub(r"\{[a-z_]+\}", percent(value).decode(), path).encode()
    headers = as_customer(twins.left, ada)[: 1 + signed_in]
    check(server, request(b"GET " + target + b"?" + encoded(query), headers))


@EXAMPLES
@given(raw=st.binary(max_size=40).map(lambda it: re.sub(rb"[\0-\x20\x7f-\xff?#]", b"%", it)))
def test_any_text_for_a_target_is_answered(server: Server, twins: Twins, raw: bytes) -> None:
    check(server, request(b"GET /" + raw, [(b"Host", host_of(twins.left))]))


@pytest.mark.parametrize("field", ["price", "quantity", "token", "csrf", "as_of", "due_now", "x"])
@pytest.mark.parametrize("key", POSTS)
def test_each_hostile_value_in_each_field_is_answered(
    server: Server, twins: Twins, zoe: dict[str, str], key: str, field: str
) -> None:
    form = {"csrf": zoe["csrf"]} | confirmation(twins.left)
    target = key.split(" ")[1].format_map(zoe).encode()
    headers = [
        *as_customer(twins.left, zoe),
        (b"Origin", twins.left.origin.encode()),
        (b"Content-Type", CONTENT_TYPES[0]),
    ]
    for value in HOSTILE:
        fields = {name: text.encode() for name, text in form.items()} | {field: value}
        check(server, request(b"POST " + target, headers, encoded(list(fields.items()))))


@EXAMPLES
@given(
    key=st.sampled_from(POSTS),
    fields=FIELDS,
    content_type=st.sampled_from(CONTENT_TYPES),
    kept=st.booleans(),
    raw=st.none() | st.binary(max_size=200),
)
def test_any_form_is_answered(
    server: Server,
    twins: Twins,
    zoe: dict[str, str],
    key: str,
    fields: list[tuple[str, bytes]],
    content_type: bytes,
    kept: bool,
    raw: bytes | None,
) -> None:
    """Mostly forms with the right token, so that the rest of them is read at all."""
    whole = {"csrf": zoe["csrf"]} | confirmation(twins.left)
    given_names = {name for name, _ in fields}
    own = [(n, v.encode()) for n, v in whole.items() if n not in given_names] if kept else []
    body = raw if raw is not None else encoded(own + fields)
    headers = [
        (b"Host", host_of(twins.left)),
        (b"Origin", twins.left.origin.encode()),
        (b"Cookie", f"guichet-session={zoe['session']}".encode()),
        (b"Content-Type", content_type),
    ]
    target = key.split(" ")[1].format_map(zoe).encode()
    check(server, request(b"POST " + target, headers, body))


@EXAMPLES
@given(
    parts=st.lists(
        st.tuples(
            st.sampled_from(
                [b"guichet-session", b"guichet-browser", b"guichet-language", b"x", b"$Version"]
            ),
            HEADER,
        ),
        max_size=4,
    ),
    language=HEADER,
    other=HEADER,
    path=st.sampled_from([b"/", b"/sign-in", b"/language/fr", b"/no-such-page", b"/invoices"]),
)
def test_any_cookie_and_language_is_answered(
    server: Server,
    twins: Twins,
    parts: list[tuple[bytes, bytes]],
    language: bytes,
    other: bytes,
    path: bytes,
) -> None:
    headers = [
        (b"Host", host_of(twins.left)),
        (b"Cookie", b"; ".join(name + b"=" + value for name, value in parts)),
        (b"Accept-Language", language),
        (b"User-Agent", other),
        (b"Origin", other),
        (b"Content-Type", other),
    ]
    check(server, request(b"GET " + path, headers))


@EXAMPLES
@given(
    host=HEADER, path=st.sampled_from([b"/", b"/sign-in", b"/health/ready", b"/webhooks/stripe"])
)
def test_any_host_is_answered(server: Server, host: bytes, path: bytes) -> None:
    check(server, request(b"GET " + path, [(b"Host", host)]))


@EXAMPLES
@given(signature=HEADER, body=VALUES | st.binary(max_size=500))
def test_any_delivery_is_answered(
    server: Server, twins: Twins, signature: bytes, body: bytes
) -> None:
    headers = [(b"Host", host_of(twins.left)), (b"Stripe-Signature", signature)]
    check(server, request(b"POST /webhooks/stripe", headers, body))


def test_random_bytes_are_answered_or_hung_up_on(server: Server) -> None:
    for seed in range(50):
        noise = base64.b85encode(bytes(range(seed, seed + 100))) + b"\r\n\r\n"
        assert all(status < 500 for status in statuses(server.send(noise)))


def test_a_confirmed_change_leads_to_where_it_was_made_whatever_the_path_says(
    server: Server, twins: Twins, ada: dict[str, str]
) -> None:
    """The path of a form may hold a line end, which must not get into the redirect."""
    origin = [(b"Origin", twins.left.origin.encode()), (b"Content-Type", CONTENT_TYPES[0])]
    page = server.send(request(b"GET /invoices", as_customer(twins.left, ada)))
    form = confirmation(twins.left) | {
        "csrf": csrf_of(page.decode()),
        "token": ada["request_id"],
        "quantity": "1",
    }
    fields = [(name, value.encode()) for name, value in form.items()]
    line = b"POST /subscriptions/sub%0d%0aset-cookie:%20a=b/change"
    answer = server.send(request(line, [*as_customer(twins.left, ada), *origin], encoded(fields)))
    assert statuses(answer) == [303], answer
    known = f"/subscriptions/{ada['subscription_id']}/changes/{ada['request_id']}"
    assert f"location: {known}\r\n".encode() in answer
    assert b"set-cookie" not in answer.lower()


def test_nothing_that_was_sent_was_unhandled(server: Server) -> None:
    """The last test of this file: what the others sent is in the log by now."""
    assert "unhandled" not in server.log.read_text()
    assert '"level":"error"' not in server.log.read_text()
