"""Calls of the SDK, bounded in time, with their errors turned into ours."""

import asyncio
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

import stripe

from guichet.payments.errors import ProviderUnreachable
from guichet.payments.stripe.refusals import is_missing, translate

#: The most objects that Stripe lists at once.
PAGE = 100
#: The longest that anybody waits for one question of the port, with all its calls and retries, in
#: seconds. Leases of whoever asks are longer.
_LIMIT_SECONDS = 10.0

_Answer = TypeVar("_Answer")
_Copy = TypeVar("_Copy")
_Listed = TypeVar("_Listed", bound=stripe.StripeObject)
_Parameters = ParamSpec("_Parameters")


def bounded(
    method: Callable[_Parameters, Awaitable[_Answer]],
) -> Callable[_Parameters, Coroutine[Any, Any, _Answer]]:
    """Give a method that makes several calls the limit of one; raises `ProviderUnreachable`."""

    @functools.wraps(method)
    async def within_limit(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Answer:
        return await _within_limit(method(*args, **kwargs))

    return within_limit


async def ask(call: Awaitable[_Answer]) -> _Answer:
    """Await a call within its limit; raises a `ProviderError`."""
    try:
        return await _within_limit(call)
    except stripe.StripeError as error:
        # Without its cause: the provider's text may quote what a customer typed.
        raise translate(error) from None


async def find(call: Awaitable[_Answer], copy: Callable[[_Answer], _Copy]) -> _Copy | None:
    """As `ask`, answering what `copy` makes of the object, or None where there is none."""
    try:
        return copy(await _within_limit(call))
    except stripe.StripeError as error:
        if is_missing(error):
            return None
        raise translate(error) from None


async def _within_limit(call: Awaitable[_Answer]) -> _Answer:
    try:
        async with asyncio.timeout(_LIMIT_SECONDS):
            return await call
    except TimeoutError:
        raise ProviderUnreachable from None


async def pages(
    call: Callable[[Any], Awaitable[stripe.ListObject[_Listed]]], parameters: dict[str, Any]
) -> AsyncIterator[_Listed]:
    """Every object of a list; each page is a call with a limit of its own."""
    wanted = {**parameters, "limit": PAGE}
    while True:
        page = await ask(call(wanted))
        for each in page.data:
            yield each
        if not page.has_more or not page.data:
            return
        wanted["starting_after"] = page.data[-1]["id"]
