"""Only a proxy that was named is believed, and no more than it can know."""

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.types import HTTPScope

from guichet.auth.client_addresses import client_address

TRUSTED = ("10.0.0.0/8", "2001:db8:ffff::/48", "192.0.2.7")
PROXY = "10.0.0.1"
CLIENT = "203.0.113.7"


def address(peer: str, *lines: str, trusted: tuple[str, ...] = TRUSTED) -> str:
    """The client's address when `peer` sends so many lines of the header."""
    headers = [(b"x-forwarded-for", line.encode("latin-1")) for line in lines]
    return client_address(cast(HTTPScope, {"client": (peer, 40000), "headers": headers}), trusted)


@pytest.mark.parametrize("peer", [CLIENT, "2001:db8::1", "11.0.0.1", "192.0.2.8", "", "/run/web"])
def test_a_peer_that_is_no_trusted_proxy_speaks_for_itself_alone(peer: str) -> None:
    assert address(peer, "198.51.100.1") == peer
    assert address(peer, PROXY) == peer


def test_as_it_comes_no_header_is_believed() -> None:
    assert address(PROXY, CLIENT, trusted=()) == PROXY


def test_a_request_without_a_peer_has_no_address() -> None:
    assert client_address(cast(HTTPScope, {"client": None, "headers": []}), TRUSTED) == ""


@pytest.mark.parametrize(
    "lines",
    [
        (CLIENT,),
        (f" {CLIENT}\t",),
        (f"198.51.100.1, {CLIENT}",),
        (f"198.51.100.1,{CLIENT},10.9.9.9,  192.0.2.7",),
        (f"10.0.0.5, {CLIENT}, 10.9.9.9",),
        (f"garbage, , <script>, {CLIENT}",),
        ("198.51.100.1", CLIENT),
        ("198.51.100.1", f"{CLIENT}, 10.9.9.9", "2001:db8:ffff::2"),
        (f"::ffff:{CLIENT}",),
    ],
)
def test_the_client_is_the_right_most_that_is_no_proxy_of_ours(lines: tuple[str, ...]) -> None:
    assert address(PROXY, *lines) == CLIENT


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("",),
        (",",),
        ("10.0.0.5, 192.0.2.7",),
        (f"{CLIENT},",),
        (f"{CLIENT}, unknown",),
        (f"{CLIENT}:50000",),
        ("[2001:db8::1]",),
        ("203.0.113.007",),
        ("203.0.113",),
        ("3405803783",),
        ("203.0.113.7/32",),
        (f'"{CLIENT}"',),
        ("203.0.113.²",),
        (f"{CLIENT} {CLIENT}",),
        (f"{CLIENT}\0",),
        (f"{CLIENT}, _hidden, 10.9.9.9",),
        ("\xff\xfe",),
    ],
)
def test_where_the_chain_names_nobody_it_is_the_peer(lines: tuple[str, ...]) -> None:
    assert address(PROXY, *lines) == PROXY


@pytest.mark.parametrize(
    ("peer", "line", "client"),
    [
        ("2001:db8:ffff::1", "2001:DB8:1::0007", "2001:db8:1::7"),
        ("2001:db8:ffff::1", "2001:db8:1::7, 10.0.0.9", "2001:db8:1::7"),
        ("2001:db8:fffe::1", "2001:db8:1::7", "2001:db8:fffe::1"),
        # An IPv4 proxy at a socket that listens on both.
        ("::ffff:10.0.0.1", CLIENT, CLIENT),
        ("::ffff:11.0.0.1", CLIENT, "::ffff:11.0.0.1"),
    ],
)
def test_ipv6_is_read_as_it_is_meant(peer: str, line: str, client: str) -> None:
    assert address(peer, line) == client


@given(st.text(st.characters(max_codepoint=255)))
def test_whatever_a_client_writes_the_proxy_names_the_client(written: str) -> None:
    assert address(PROXY, f"{written}, {CLIENT}") == CLIENT
    assert address(PROXY, written, CLIENT) == CLIENT
    assert address(CLIENT, written) == CLIENT
    assert address(PROXY, written)
