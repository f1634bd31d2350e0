"""Calls of the SDK, with their errors turned into ours; the line bounds them in time."""

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from typing import Any, ParamSpec, TypeVar

import stripe

from guichet.payments.errors import ProviderError, ProviderUnreachable
from guichet.payments.stripe.line import LIMIT_SECONDS, deadline
from guichet.payments.stripe.refusals import is_missing, translate

#: The most objects that Stripe lists at once.
PAGE = 100

_Answer = TypeVar("_Answer")
_Copy = TypeVar("_Copy")
_Listed = TypeVar("_Listed", bound=stripe.StripeObject)
_Parameters = ParamSpec("_Parameters")


def bounded(
    method: Callable[_Parameters, Awaitable[_Answer]],
) -> Callable[_Parameters, Coroutine[Any, Any, _Answer]]:
    """Give a method that makes several calls the limit of one."""

    @functools.wraps(method)
    async def within_limit(*args: _Parameters.args, **kwargs: _Parameters.kwargs) -> _Answer:
        # A method that is called by a bounded one has that one's limit.
        ends_at = deadline.get() or asyncio.get_running_loop().time() + LIMIT_SECONDS
        outer = deadline.set(ends_at)
        try:
            return await method(*args, **kwargs)
        finally:
            deadline.reset(outer)

    return within_limit


async def ask(call: Awaitable[_Answer]) -> _Answer:
    """Await a call; raises a `ProviderError`."""
    try:
        return await call
    except stripe.StripeError as error:
        # Without its cause: the provider's text may quote what a customer typed.
        raise translate(error) from None


@contextlib.contextmanager
def after_a_change() -> Iterator[None]:
    """Look at what a change has made: whatever fails in here says nothing about the change.

    So no error raised in here says that nothing was changed.
    """
    try:
        yield
    except ProviderError as error:
        if not error.outcome_known:
            raise
        unknown = ProviderUnreachable()
        unknown.request_id = error.request_id
        raise unknown from None


async def find(call: Awaitable[_Answer], copy: Callable[[_Answer], _Copy]) -> _Copy | None:
    """As `ask`, answering what `copy` makes of the object, or None where there is none."""
    try:
        return copy(await call)
    except stripe.StripeError as error:
        if is_missing(error):
            return None
        raise translate(error) from None


async def pages(
    call: Callable[[Any], Awaitable[stripe.ListObject[_Listed]]],
    parameters: dict[str, Any],
    after: str | None = None,
) -> AsyncIterator[_Listed]:
    """Every object of a list, or those after one; each page is a call with a limit of its own."""
    wanted = {**parameters, "limit": PAGE}
    if after is not None:
        wanted["starting_after"] = after
    while True:
        page = await ask(call(wanted))
        for each in page.data:
            yield each
        if not page.has_more or not page.data:
            return
        wanted["starting_after"] = page.data[-1]["id"]
