"""Raw bytes to the real server: each request is for exactly one tenant, or it is refused.

What the server refuses by itself, before our program sees it, is marked `SERVER`: the HTTP parser
of Granian (hyper). It also hides two things that RFC 9112 has a recipient look at: of an
absolute-form target only the path is passed on, so the `Host` header decides alone, and of a
`Content-Length` beside a `Transfer-Encoding` nothing is left, but the connection is closed.
"""

import re
from typing import NamedTuple
from urllib.parse import unquote

import pytest

from tests.isolation.server import Server, statuses
from tests.isolation.twins import MARKS

QUARTZINE, BASALTINE = MARKS
LEFT, RIGHT = (f"{mark}.localhost:8000" for mark in MARKS)
CLOSE = "\r\nConnection: close\r\n\r\n"

#: Who is answered for: a mark, or the status of a refusal.
BAD = 400
NOBODY = 404
SERVER = 400


class Case(NamedTuple):
    """A request to the sign-in page, which everybody may see, and who has to answer it."""

    name: str
    request: str
    answered: str | int


def get(host: str, target: str = "/sign-in", version: str = "1.1", more: str = "") -> str:
    return f"GET {target} HTTP/{version}\r\nHost: {host}{more}{CLOSE}"


ONE_TENANT_OR_NONE = [
    Case("the host", get(LEFT), QUARTZINE),
    Case("without a port", get("quartzine.localhost"), QUARTZINE),
    Case("another port", get("quartzine.localhost:1"), QUARTZINE),
    Case("upper case", get("QuartzINE.LOCALHOST:8000"), QUARTZINE),
    Case("a trailing dot", get("quartzine.localhost.:8000"), QUARTZINE),
    Case("HTTP/1.0 with a host", get(LEFT, version="1.0"), QUARTZINE),
    Case("blanks around it", get(f"  {LEFT}\t "), QUARTZINE),
    Case("two hosts", get(f"{LEFT}\r\nHost: {RIGHT}"), BAD),
    Case("the same host twice", get(f"{LEFT}\r\nHost: {LEFT}"), BAD),
    Case("two hosts, one of them lower-case", get(f"{LEFT}\r\nhost: {RIGHT}"), BAD),
    Case("two hosts in one header", get(f"{LEFT}, {RIGHT}"), BAD),
    Case("two trailing dots", get("quartzine.localhost..:8000"), BAD),
    Case("a leading dot", get(".quartzine.localhost:8000"), BAD),
    Case("an empty label", get("quartzine..localhost"), BAD),
    Case("an empty host", get(""), BAD),
    Case("no host", f"GET /sign-in HTTP/1.1{CLOSE}", BAD),
    Case("HTTP/1.0 without a host", f"GET /sign-in HTTP/1.0{CLOSE}", BAD),
    Case(
        "HTTP/1.0 without a host, with X-Forwarded-Host",
        f"GET /sign-in HTTP/1.0\r\nX-Forwarded-Host: {LEFT}{CLOSE}",
        BAD,
    ),
    Case("X-Forwarded-Host", get(LEFT, more=f"\r\nX-Forwarded-Host: {RIGHT}"), QUARTZINE),
    Case("Forwarded", get(LEFT, more=f"\r\nForwarded: host={RIGHT}"), QUARTZINE),
    Case(
        "X-Forwarded-Host for nobody",
        get("nobody.localhost", more=f"\r\nX-Forwarded-Host: {LEFT}"),
        NOBODY,
    ),
    Case("userinfo", get(f"{RIGHT}@{LEFT}"), BAD),
    Case("userinfo with a password", get(f"a:b@{LEFT}"), BAD),
    Case("a scheme", get(f"http://{LEFT}"), BAD),
    Case("a path", get(f"{LEFT}/"), BAD),
    Case("a query", get(f"{LEFT}?x"), BAD),
    Case("a fragment", get(f"{LEFT}#{RIGHT}"), BAD),
    Case("a backslash", get(f"{LEFT}\\{RIGHT}"), BAD),
    Case("a percent sign", get("quartzine%2elocalhost"), BAD),
    Case("a blank in it", get("quartzine .localhost"), BAD),
    Case("a tab in it", get("quartzine\t.localhost"), BAD),
    Case("a port of letters", get("quartzine.localhost:http"), BAD),
    Case("port 0", get("quartzine.localhost:0"), BAD),
    Case("a port beyond all ports", get("quartzine.localhost:65536"), BAD),
    Case("two ports", get("quartzine.localhost:80:80"), BAD),
    Case("a full-width letter", get("ｑuartzine.localhost"), BAD),
    Case("a long s, which upper-cases to S", get("baſaltine.localhost"), BAD),
    Case("an ideographic full stop", get("quartzine。localhost"), BAD),
    Case("punycode of a look-alike", get("xn--quartzne-kza.localhost"), NOBODY),
    Case("a label of 64 characters", get("a" * 64 + ".localhost"), BAD),
    Case("a name of 254 characters", get("a." * 123 + "localhost"), BAD),
    Case("an address", get("127.0.0.1"), NOBODY),
    Case("an IPv6 address", get("[::1]:8000"), NOBODY),
    Case("half an IPv6 address", get("[::1"), BAD),
    Case("nobody's name", get("nobody.localhost"), NOBODY),
    Case("a name before the tenant's", get("www.quartzine.localhost"), NOBODY),
    Case("a name after the tenant's", get("quartzine.localhost.example"), NOBODY),
    Case("the base host", get("localhost"), NOBODY),
    Case("a custom domain that is not verified", get("portal.quartzine.example"), NOBODY),
    Case("an absolute target that agrees", get(LEFT, f"http://{LEFT}/sign-in"), QUARTZINE),
    Case("an absolute target that disagrees", get(LEFT, f"http://{RIGHT}/sign-in"), QUARTZINE),
    Case(
        "an absolute target without a host", f"GET http://{LEFT}/sign-in HTTP/1.1{CLOSE}", QUARTZINE
    ),
    Case("two slashes and a host", get(LEFT, f"//{RIGHT}/sign-in"), NOBODY),
    Case("a target without a slash", get(LEFT, "sign-in"), BAD),
    Case("no target", get(LEFT, ""), SERVER),
    Case("a blank in the target", get(LEFT, "/sign-in /"), SERVER),
    Case("a blank before the colon", get(f"{LEFT}\r\nHost : {RIGHT}"), SERVER),
    Case("a folded header", get(f"{LEFT}\r\n {RIGHT}"), SERVER),
    Case("a bare CR", get(f"{LEFT}\rHost: {RIGHT}"), SERVER),
    Case("a NUL", get("quartzine\0.localhost"), SERVER),
    Case("an escaped line end in the target", get(LEFT, "/sign-in%0d%0aHost:%20x"), 404),
    Case("HTTP/0.9", "GET /sign-in\r\n\r\n", SERVER),
    Case("HTTP/2.0 without its preface", get(LEFT, version="2.0"), SERVER),
    Case("HTTP/9.9", get(LEFT, version="9.9"), SERVER),
]


@pytest.mark.parametrize("case", ONE_TENANT_OR_NONE, ids=lambda case: case.name)
def test_a_request_is_for_one_tenant_or_refused(server: Server, case: Case) -> None:
    answer = server.send(case.request.encode())
    shown = [mark for mark in MARKS if mark.encode() in answer.lower()]
    if isinstance(case.answered, str):
        assert shown == [case.answered], answer
    else:
        assert statuses(answer) == [case.answered], answer


@pytest.mark.parametrize("form", ["GET {path} HTTP/1.1\r\nHost: {host}{close}"])
@pytest.mark.parametrize("path", ["/%2e%2e/sign-in", "/./sign-in", "/sign-in%2f..", "/SIGN-IN"])
def test_a_path_is_taken_as_it_is_written(server: Server, form: str, path: str) -> None:
    answer = server.send(form.format(path=path, host=LEFT, close=CLOSE).encode())
    assert statuses(answer) == [404], answer


SMUGGLED = f"GET /no-such-page HTTP/1.1\r\nHost: {RIGHT}\r\n\r\n"

#: Two lengths for one body: what one proxy takes for a body, another takes for a request.
SMUGGLING = {
    "length and chunks": "Content-Length: 4\r\nTransfer-Encoding: chunked",
    "chunks and length": "Transfer-Encoding: chunked\r\nContent-Length: 4",
    "two lengths": "Content-Length: 0\r\nContent-Length: 4",
    "two lengths in one": "Content-Length: 0, 4",
    "a length with a sign": "Content-Length: +4",
    "a negative length": "Content-Length: -1",
    "a hexadecimal length": "Content-Length: 0x4",
    "chunks, then something else": "Transfer-Encoding: chunked, identity",
    "an unknown encoding": "Transfer-Encoding: xchunked",
    "a tab for a blank": "Transfer-Encoding:\tchunked\r\nContent-Length: 4",
    "a name with a blank": "Transfer-Encoding : chunked\r\nContent-Length: 4",
    "a line end too few": "Content-Length: 4\nTransfer-Encoding: chunked",
    "a quoted encoding": 'Transfer-Encoding: "chunked"\r\nContent-Length: 4',
}


@pytest.mark.parametrize("lengths", SMUGGLING.values(), ids=SMUGGLING.keys())
def test_no_second_request_hides_in_a_body_of_two_lengths(server: Server, lengths: str) -> None:
    """At most one answer, and the connection is closed: nothing that follows is read."""
    answer = server.send(
        f"POST /sign-out HTTP/1.1\r\nHost: {LEFT}\r\n{lengths}\r\n\r\n0\r\n\r\n{SMUGGLED}".encode()
    )
    assert len(statuses(answer)) <= 1, answer
    assert BASALTINE.encode() not in answer.lower()


def test_a_body_that_nobody_reads_is_not_taken_for_the_next_request(server: Server) -> None:
    for path in (
        "/no-such-page",
        "/webhooks/stripe",
        "/sign-out",
        "/health/live",
        "/" + "x" * 5000,
    ):
        answer = server.send(
            f"POST {path} HTTP/1.1\r\nHost: {LEFT}\r\nContent-Length: {len(SMUGGLED)}\r\n\r\n"
            f"{SMUGGLED}GET /health/live HTTP/1.1\r\nHost: {LEFT}{CLOSE}".encode()
        )
        assert len(statuses(answer)) in (1, 2)
        assert statuses(answer)[1:] in ([], [200])
        assert BASALTINE.encode() not in answer.lower()


@pytest.mark.parametrize(
    "chunks", ["x\r\n", "-1\r\n", "0x4\r\nabcd\r\n0\r\n\r\n", "4\nabcd\n0\n\n", "f" * 17 + "\r\n"]
)
def test_malformed_chunks_end_the_connection(server: Server, chunks: str) -> None:
    answer = server.send(
        f"POST /sign-out HTTP/1.1\r\nHost: {LEFT}\r\nTransfer-Encoding: chunked\r\n\r\n"
        f"{chunks}{SMUGGLED}".encode()
    )
    assert len(statuses(answer)) <= 1
    assert BASALTINE.encode() not in answer.lower()


@pytest.mark.parametrize(
    ("request_text", "expected"),
    [
        (get(LEFT, more="".join(f"\r\nX-{number}: x" for number in range(200))), 431),
        (get(LEFT, more=f"\r\nX-Large: {'x' * 200_000}"), 431),
        (get(LEFT, f"/{'x' * 5_000}"), 414),
        (get(LEFT, f"/sign-in?next=/{'x' * 5_000}"), 414),
        (get(LEFT, f"/{'x' * 70_000}"), 414),
        (f"POST /sign-out HTTP/1.1\r\nHost: {LEFT}\r\nContent-Length: 99999999999{CLOSE}", 303),
    ],
    ids=["many headers", "a large header", "a long path", "a long query", "longer", "a large body"],
)
def test_what_is_too_large_is_refused(server: Server, request_text: str, expected: int) -> None:
    answer = server.send(request_text.encode())
    assert statuses(answer) == [expected], answer[:200]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "PROPFIND", "get", "X" * 50])
def test_other_methods_are_refused(server: Server, method: str) -> None:
    answer = server.send(get(LEFT).replace("GET", method, 1).encode())
    assert statuses(answer) == [405], answer


def test_a_tunnel_is_not_opened(server: Server) -> None:
    answer = server.send(f"CONNECT {RIGHT} HTTP/1.1\r\nHost: {LEFT}{CLOSE}".encode())
    assert statuses(answer) in ([], [400], [405])


def test_no_protocol_is_switched(server: Server) -> None:
    socket = (
        "\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13"
        "\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
    )
    for upgrade in (socket, "\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"):
        assert statuses(server.send(get(LEFT, more=upgrade).encode())) == [200]
    assert statuses(server.send(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")) in ([], [400])


def test_a_refusal_has_the_headers_of_every_page(server: Server) -> None:
    answer = server.send(get("nobody.localhost\\").encode()).lower()
    assert b"content-security-policy: default-src 'none'" in answer
    assert b"x-request-id: " in answer


@pytest.mark.parametrize(
    "host", ["quartzine.localhost:1", "QUARTZINE.localhost.", "quartzine.localhost"]
)
def test_an_address_of_ours_is_made_from_nothing_that_was_sent(server: Server, host: str) -> None:
    """What a cache keeps, or a provider is told, is the portal's one address."""
    headers = f"\r\nX-Forwarded-Host: {RIGHT}\r\nX-Forwarded-Proto: gopher"
    for target in ("/sign-in", "/", "/sign-in/quartzine-id", "/no-such-page", "/language/fr"):
        answer = server.send(get(host, target, more=headers).encode())
        assert statuses(answer)[0] in (200, 303, 404)
        text = unquote(answer.decode())
        assert re.findall(
            r"https?://[a-z.:0-9-]*localhost[.:0-9]*|gopher", text, re.IGNORECASE
        ) in (
            [],
            ["http://quartzine.localhost:8000"],
        )
