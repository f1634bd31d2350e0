"""The adapter is what the port asks for: to mypy, and to whoever calls it."""

import inspect

import pytest

from guichet.payments.port import PaymentProvider
from guichet.payments.stripe.adapter import Stripe, Transport

_ASKED = [name for name, _ in inspect.getmembers(PaymentProvider, inspect.isfunction)]


def test_the_adapter_satisfies_the_port() -> None:
    # That this line passes mypy is the test; the others show what it cannot.
    provider: PaymentProvider = Stripe("sk_test_1", "http://127.0.0.1:1", Transport())
    assert provider


@pytest.mark.parametrize("name", [name for name in _ASKED if not name.startswith("_")])
def test_each_question_of_the_port_is_asked_in_its_words(name: str) -> None:
    asked, answered = getattr(PaymentProvider, name), getattr(Stripe, name)
    assert inspect.signature(answered) == inspect.signature(asked)
    assert answered.__module__.startswith("guichet.payments.stripe.")
