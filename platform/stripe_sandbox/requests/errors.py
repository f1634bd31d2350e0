"""Errors in the shapes that Stripe answers with (https://docs.stripe.com/api/errors)."""

from collections.abc import Mapping
from typing import Any

from stripe_sandbox.state.documents import Document


class ApiError(Exception):
    """An answer other than 2xx.

    `keeps_effects`: what happened before it stays, a declined charge for example. `remains`: the
    objects that stay when all else is undone, each with the event that tells of it.
    """

    def __init__(
        self,
        status: int,
        kind: str,
        message: str,
        *,
        keeps_effects: bool = False,
        headers: Mapping[str, str] | None = None,
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.details = {name: value for name, value in details.items() if value is not None}
        self.keeps_effects = keeps_effects
        self.headers = dict(headers or {})
        self.remains: list[tuple[Document, str]] = []

    def body(self) -> Document:
        """The JSON that goes out."""
        error: Document = {"type": self.kind, "message": str(self), **self.details}
        if code := error.get("code"):
            error["doc_url"] = f"https://stripe.com/docs/error-codes/{code.replace('_', '-')}"
        return {"error": error}


def invalid(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """A request that Stripe understands and refuses: 400."""
    return ApiError(400, "invalid_request_error", message, param=param, code=code)


def missing(noun: str, identifier: str, param: str | None = None) -> ApiError:
    """An object that this account does not have: 404 in a path, 400 when a parameter names it."""
    message = f"No such {noun}: '{identifier}'"
    status = 404 if param is None else 400
    return ApiError(
        status, "invalid_request_error", message, param=param or "id", code="resource_missing"
    )


def unknown_path(method: str, path: str) -> ApiError:
    """An address that the sandbox does not answer."""
    message = (
        f"Unrecognized request URL ({method}: {path}). Please see https://stripe.com/docs "
        "or we can help at https://support.stripe.com/."
    )
    return ApiError(404, "invalid_request_error", message)


def unauthenticated(message: str, code: str | None = None) -> ApiError:
    """No key, or one that is none: 401."""
    return ApiError(401, "invalid_request_error", message, code=code)


def forbidden(masked_key: str, account: str) -> ApiError:
    """A key that speaks for an account which is not its own: 403."""
    return ApiError(
        403,
        "invalid_request_error",
        f"The provided key '{masked_key}' does not have access to account '{account}' (or that "
        "account does not exist). Application access may have been revoked.",
        code="account_invalid",
    )


_RETRY = {"stripe-should-retry": "true"}


def rate_limited(reason: str = "global-rate") -> ApiError:
    """Too many requests: 429, with the limit that was reached."""
    return ApiError(
        429,
        "invalid_request_error",
        "Request rate limit exceeded. Learn more about rate limits here "
        "https://stripe.com/docs/rate-limits.",
        code="rate_limit",
        headers={"stripe-rate-limited-reason": reason},
    )


def locked() -> ApiError:
    """Another request works on the same object: 429 too, but no limit (docs.stripe.com/rate-limits,
    object lock timeouts)."""
    return ApiError(
        429,
        "invalid_request_error",
        "This object cannot be accessed right now because another API request or Stripe process "
        "is currently accessing it. If you see this error intermittently, retry the request. If "
        "you see this error frequently and are making multiple concurrent requests to a single "
        "object, make your requests serially or at a lower rate.",
        code="lock_timeout",
        headers=_RETRY,
    )


def server_error(status: int) -> ApiError:
    """Trouble on Stripe's side before anything was done: it may be asked again."""
    return ApiError(status, "api_error", "An unknown error occurred", headers=_RETRY)


def fault_error(status: int, code: str | None = None, reason: str | None = None) -> ApiError:
    """The error that a switch asks for, by its status and code."""
    if status == 429:
        return locked() if code == "lock_timeout" else rate_limited(reason or "global-rate")
    if status >= 500:
        return server_error(status)
    words = {
        401: "Invalid API Key provided.",
        403: "The provided key does not have the required permissions for this endpoint.",
        409: "The request conflicts with another request.",
    }
    message = words.get(status, "The request was refused by a switch of the sandbox.")
    headers = _RETRY if status == 409 else None
    return ApiError(status, "invalid_request_error", message, code=code, headers=headers)
