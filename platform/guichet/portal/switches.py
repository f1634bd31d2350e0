"""Which of a merchant's feature switches a route stands behind.

What is switched off answers as if it did not exist, whoever asks. What customers owe, and what they
have asked for and want to take back, stands behind none.
"""

from collections.abc import Mapping
from typing import Any

from guichet.errors import NotFound
from tenants.configuration import Configuration

_KEY = "needs"


def _need(*names: str) -> dict[str, Any]:
    """As Litestar's handlers take it: `@get("/…", opt=INVOICES)`; one of the names is enough."""
    return {_KEY: names}


CHANGING = _need("features.change_plan", "features.change_quantity")
CANCELLING = _need("cancel.enabled")
INVOICES = _need("features.invoices")
PAYMENT_METHODS = _need("features.payment_methods")
PREFERENCES = _need("features.preferences")


def check_switched_on(configuration: Configuration, opt: Mapping[str, Any]) -> None:
    """Raise `NotFound` where all that a route stands behind is switched off."""
    names: tuple[str, ...] = opt.get(_KEY, ())
    if names and not any(_is_on(configuration, name) for name in names):
        raise NotFound


def _is_on(configuration: Configuration, name: str) -> bool:
    section, _, field = name.partition(".")
    return bool(getattr(getattr(configuration, section), field))
