"""A link of a mail opens what it was made for, at its tenant, and nothing can be made up."""

import base64
import os
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guichet.auth.mail_links import make_link_token, read_link_token, without_link_token

LUMEN = UUID(int=1)
MARMITE = UUID(int=2)


def master_key() -> str:
    return base64.b64encode(os.urandom(32)).decode()


KEY = master_key()


def test_a_token_names_its_message() -> None:
    message = uuid4()
    token = make_link_token([KEY], LUMEN, message, "fix")
    assert read_link_token([KEY], LUMEN, token, "fix") == message
    assert len(token) == 64


def test_a_token_is_worth_nothing_at_another_tenant_or_for_another_purpose() -> None:
    token = make_link_token([KEY], LUMEN, uuid4(), "unsubscribe")
    assert read_link_token([KEY], MARMITE, token, "unsubscribe") is None
    assert read_link_token([KEY], LUMEN, token, "fix") is None


def test_a_token_outlives_its_master_key_for_as_long_as_that_is_given() -> None:
    message, newer = uuid4(), master_key()
    token = make_link_token([KEY], LUMEN, message, "fix")
    assert read_link_token([newer, KEY], LUMEN, token, "fix") == message
    assert read_link_token([newer], LUMEN, token, "fix") is None
    assert make_link_token([newer, KEY], LUMEN, message, "fix") != token


def test_a_changed_byte_anywhere_is_refused() -> None:
    raw = base64.urlsafe_b64decode(make_link_token([KEY], LUMEN, uuid4(), "fix"))
    for place in range(len(raw)):
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        token = base64.urlsafe_b64encode(changed).decode()
        assert read_link_token([KEY], LUMEN, token, "fix") is None


@given(st.text(max_size=70) | st.binary(max_size=60).map(lambda b: base64.b64encode(b).decode()))
def test_whatever_else_is_sent_is_no_token(text: str) -> None:
    assert read_link_token([KEY], LUMEN, text, "fix") is None


def test_a_key_that_is_none_makes_no_token() -> None:
    with pytest.raises(ValueError, match="master key"):
        make_link_token([""], LUMEN, uuid4(), "fix")


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/fix/abc", "/fix/…"),
        ("/fix/abc/paid", "/fix/…/paid"),
        ("/unsubscribe/abc", "/unsubscribe/…"),
        ("/invoices/in_1/pay", "/invoices/in_1/pay"),
        (f"//fix/{'a' * 64}", "//fix/…"),
        (f"/FIX/{'a' * 63}", "/FIX/…"),
        ("/fixed/abc", "/fixed/abc"),
        ("/", "/"),
    ],
)
def test_a_log_shows_no_token(path: str, logged: str) -> None:
    assert without_link_token(path) == logged
