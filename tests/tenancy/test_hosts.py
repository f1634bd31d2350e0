"""One canonical host for a request, or a refusal."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from guichet.tenancy import MalformedHost, canonical_host


def _host(value: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"accept", b"*/*"), (b"host", value), (b"cookie", b"a=b")]


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        (b"lumen.localhost", "lumen.localhost"),
        (b"LUMEN.LocalHost", "lumen.localhost"),
        (b"lumen.localhost:8000", "lumen.localhost"),
        (b"lumen.localhost:1", "lumen.localhost"),
        (b"lumen.localhost:65535", "lumen.localhost"),
        (b"lumen.localhost.", "lumen.localhost"),
        (b"Lumen.localhost.:8000", "lumen.localhost"),
        (b"xn--bcher-kva.example", "xn--bcher-kva.example"),
        (b"XN--BCHER-KVA.example", "xn--bcher-kva.example"),
        (b"127.0.0.1:8000", "127.0.0.1"),
        (b"[::1]:8000", "[::1]"),
        (b"web_1", "web_1"),
        (b".".join([b"a" * 63] * 3 + [b"a" * 61]), ".".join(["a" * 63] * 3 + ["a" * 61])),
    ],
)
def test_one_host_however_it_is_spelled(given: bytes, canonical: str) -> None:
    assert canonical_host(_host(given)) == canonical


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b".",
        b"lumen.localhost..",
        b".lumen.localhost",
        b"lumen..localhost",
        b"lumen.localhost:",
        b"lumen.localhost:0",
        b"lumen.localhost:65536",
        b"lumen.localhost:99999",
        b"lumen.localhost:100000",
        b"lumen.localhost:80x",
        b"lumen.localhost:+80",
        b"lumen.localhost:-1",
        b"lumen.localhost:80:80",
        b"lumen.localhost: 80",
        "lumen.localhost:٨٠".encode(),
        b"user@lumen.localhost",
        b"user:password@lumen.localhost",
        b"volta.localhost@lumen.localhost",
        b"lumen.localhost/",
        b"lumen.localhost?",
        b"lumen.localhost#",
        b"lumen.localhost\\",
        b"http://lumen.localhost",
        b"lumen.localhost, volta.localhost",
        b"lumen.localhost volta.localhost",
        b" lumen.localhost",
        b"lumen.localhost\n",
        b"lumen.localhost\x00",
        b"lumen%2elocalhost",
        b"lumen*.localhost",
        "bücher.example".encode(),
        "bücher.example".encode("latin-1"),
        "ｌumen.localhost".encode(),
        "lumen。localhost".encode(),
        b"[::1",
        b"::1",
        b"[::1%25eth0]",
        b"[lumen.localhost]",
        b"a" * 64 + b".localhost",
        b".".join([b"a" * 63] * 3 + [b"a" * 62]),
        b"a." * 5000 + b"localhost",
    ],
)
def test_what_no_client_means_is_refused(value: bytes) -> None:
    with pytest.raises(MalformedHost) as refused:
        canonical_host(_host(value))
    assert refused.value.status == 400


@pytest.mark.parametrize("second", [b"volta.localhost", b"lumen.localhost", b""])
def test_two_hosts_are_refused_even_when_they_agree(second: bytes) -> None:
    with pytest.raises(MalformedHost):
        canonical_host([(b"host", b"lumen.localhost"), (b"host", second)])


_FORWARDED = [
    (b"x-forwarded-host", b"volta.localhost"),
    (b"x-forwarded-server", b"volta.localhost"),
    (b"x-host", b"volta.localhost"),
    (b"x-original-host", b"volta.localhost"),
    (b"forwarded", b"host=volta.localhost"),
]


def test_no_host_is_refused_whatever_a_proxy_says() -> None:
    with pytest.raises(MalformedHost):
        canonical_host([])
    with pytest.raises(MalformedHost):
        canonical_host(_FORWARDED)


def test_what_a_proxy_says_changes_nothing() -> None:
    assert canonical_host(_FORWARDED + _host(b"lumen.localhost")) == "lumen.localhost"


@pytest.mark.parametrize(
    "target",
    [
        b"",
        b"/",
        b"/http://volta.localhost/",
        b"//volta.localhost/",
        b"*",
        b"http://lumen.localhost",
        b"http://lumen.localhost:80/home",
        b"HTTPS://LUMEN.localhost.?a=b",
    ],
)
def test_a_target_that_names_the_same_host_is_taken(target: bytes) -> None:
    assert canonical_host(_host(b"lumen.localhost"), target) == "lumen.localhost"


@pytest.mark.parametrize(
    "target",
    [
        b"http://volta.localhost/",
        b"http://lumen.localhost@volta.localhost/",
        b"http://volta.localhost#lumen.localhost",
        b"http:///",
        b"http://",
        b"ftp://lumen.localhost/",
        b"lumen.localhost:443",
        b"javascript:alert(1)",
        b" /",
    ],
)
def test_a_target_that_names_another_host_or_none_is_refused(target: bytes) -> None:
    with pytest.raises(MalformedHost):
        canonical_host(_host(b"lumen.localhost"), target)


@given(value=st.binary(max_size=80) | st.from_regex(r"[a-zA-Z0-9.:@\[\]-]{0,40}").map(str.encode))
@example(value=b"a" * 253 + b".")
def test_an_accepted_host_is_already_canonical(value: bytes) -> None:
    try:
        host = canonical_host(_host(value))
    except MalformedHost:
        return
    assert canonical_host(_host(host.encode())) == host
    assert host == host.lower().strip().removesuffix(".")
    assert host.isascii()
    assert not set(host) & set("/@?#\\% ,")
