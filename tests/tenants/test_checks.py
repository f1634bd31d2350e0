"""A configuration document is read strictly, and all of its mistakes are told at once."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.branding import Branding
from tenants.checks import InvalidConfiguration, read_document
from tenants.configuration import LARGEST_DOCUMENT, Configuration

_PROVIDER = {"id": "work", "label": "Work", "issuer": "https://id.example", "client_id": "c"}


def _mistakes(document: object) -> dict[str, str]:
    with pytest.raises(InvalidConfiguration) as refused:
        read_document(json.dumps(document).encode())
    return {it.path: it.english for it in refused.value.mistakes}


def test_a_whole_document_is_read() -> None:
    document = {
        "locale": "fr",
        "branding": {"theme": "plain", "light": {"accent": "#0a0B0c"}, "radius": 0},
        "plans": [{"price_id": "price_1", "quantity_max": 5}],
        "identity_providers": [_PROVIDER],
        "support_email": "help@lumen.example",
    }
    read = read_document(json.dumps(document).encode())
    assert read.locale == "fr"
    assert read.plans[0].quantity_max == 5


def test_the_empty_document_is_the_configuration_of_a_new_tenant() -> None:
    assert read_document(b"{}") == Configuration()


def test_every_misfit_is_named_with_its_place() -> None:
    found = _mistakes(
        {
            "lokale": "fr",
            "locale": 1,
            "branding": {"radius": "big", "colour": "red", "light": {"accent": 3}},
            "plans": [{"price_id": "p"}, {"quantity_min": "x"}, 7],
            "changes": {"upgrade": "never"},
        }
    )
    assert set(found) == {
        "lokale",
        "locale",
        "branding.radius",
        "branding.colour",
        "branding.light.accent",
        "plans[1].price_id",
        "plans[1].quantity_min",
        "plans[2]",
        "changes.upgrade",
    }


_RULES: list[tuple[dict[str, Any], str]] = [
    ({"locale": "de"}, "locale"),
    ({"support_email": "nobody"}, "support_email"),
    ({"branding": {"theme": "../x"}}, "branding.theme"),
    ({"branding": {"scheme": "blue"}}, "branding.scheme"),
    ({"branding": {"radius": 25}}, "branding.radius"),
    ({"branding": {"radius": -1}}, "branding.radius"),
    ({"branding": {"dark": {"text": "red; }"}}}, "branding.dark.text"),
    ({"branding": {"logo": "../../etc"}}, "branding.logo"),
    ({"branding": {"links": [{"label": "x", "url": "javascript:1"}]}}, "branding.links[0].url"),
    ({"branding": {"links": [{"label": "x", "url": "https:/x"}]}}, "branding.links[0].url"),
    ({"mails": {"sender_address": "Lumen <hello@lumen.example>"}}, "mails.sender_address"),
    ({"mails": {"sender_address": "a@b@c"}}, "mails.sender_address"),
    ({"mails": {"sender_name": "Lumen\r\nBcc: all@example.com"}}, "mails.sender_name"),
    ({"mails": {"switched_off": ["receipt", "reciept"]}}, "mails.switched_off[1]"),
    ({"plans": [{"price_id": ""}]}, "plans[0].price_id"),
    ({"plans": [{"price_id": "a"}, {"price_id": "a"}]}, "plans[1].price_id"),
    ({"plans": [{"price_id": "a", "quantity_min": 2}]}, "plans[0].quantity_min"),
    ({"plans": [{"price_id": "a", "quantity_min": 0}]}, "plans[0].quantity_min"),
    ({"plans": [{"price_id": str(it)} for it in range(201)]}, "plans"),
    ({"identity_providers": [_PROVIDER, _PROVIDER]}, "identity_providers[1].id"),
    ({"identity_providers": [_PROVIDER | {"id": "A/b"}]}, "identity_providers[0].id"),
    ({"identity_providers": [_PROVIDER | {"label": ""}]}, "identity_providers[0].label"),
    (
        {"identity_providers": [_PROVIDER | {"issuer": "http://id.example"}]},
        "identity_providers[0].issuer",
    ),
    ({"identity_providers": [_PROVIDER | {"client_id": ""}]}, "identity_providers[0].client_id"),
    ({"identity_providers": [_PROVIDER | {"scopes": ["email"]}]}, "identity_providers[0].scopes"),
    (
        {"identity_providers": [_PROVIDER | {"endpoint_hosts": ["id.example:443", "a/b"]}]},
        "identity_providers[0].endpoint_hosts",
    ),
    ({"retries": {"time_zone": "Europe/Pari"}}, "retries.time_zone"),
    ({"retries": {"time_zone": ""}}, "retries.time_zone"),
    ({"retries": {"time_zone": "../../etc/passwd"}}, "retries.time_zone"),
    ({"retries": {"time_zone": "localtime"}}, "retries.time_zone"),
    ({"retries": {"time_zone": "Factory"}}, "retries.time_zone"),
    ({"retries": {"waits_days": [7, 7], "window_days": 14}}, "retries.waits_days"),
    ({"retries": {"grace_days": 7, "block_after_days": 6}}, "retries.block_after_days"),
    ({"retries": {"tries": 21}}, "retries.tries"),
    ({"retries": {"waits_days": [0]}}, "retries.waits_days"),
    ({"retries": {"waits_days": [1, 1e-9]}}, "retries.waits_days"),
    ({"retries": {"quiet": {"from_hour": 24}}}, "retries.quiet.from_hour"),
    ({"retries": {"declines": {"never": "retry"}}}, "retries.declines.never"),
]


@pytest.mark.parametrize(("document", "path"), _RULES)
def test_a_value_that_no_portal_can_have_is_refused(document: dict[str, Any], path: str) -> None:
    assert set(_mistakes(document)) == {path}


def test_a_provider_on_this_machine_may_do_without_tls() -> None:
    provider = _PROVIDER | {"issuer": "http://127.0.0.1:9400"}
    read = read_document(json.dumps({"identity_providers": [provider]}).encode())
    assert read.identity_providers[0].issuer == "http://127.0.0.1:9400"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"null",
        b"{",
        b"\xff",
        b"[" * 100_000,
        b'{"locale": "en"} x',
        b'{"retries": {"waits_days": [NaN]}}',
        b'{"retries": {"waits_days": [1e999]}}',
    ],
)
def test_what_is_no_json_object_is_refused(document: bytes) -> None:
    with pytest.raises(InvalidConfiguration):
        read_document(document)


def test_a_document_of_more_than_256_kib_is_not_even_parsed() -> None:
    with pytest.raises(InvalidConfiguration, match="larger"):
        read_document(b" " * (LARGEST_DOCUMENT + 1))


def test_the_mistakes_are_told_in_the_error_s_text() -> None:
    with pytest.raises(InvalidConfiguration, match=r"branding\.radius: Write a whole number"):
        read_document(b'{"branding": {"radius": 99}}')


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda it: (
        st.lists(it, max_size=3)
        | st.dictionaries(
            st.sampled_from([*Configuration.__struct_fields__, *Branding.__struct_fields__, "x"]),
            it,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(document=_JSON)
def test_no_json_makes_reading_fail_in_another_way(document: object) -> None:
    try:
        read = read_document(json.dumps(document).encode())
    except InvalidConfiguration as refused:
        told = refused.mistakes
        assert told
    else:
        assert isinstance(read, Configuration)
