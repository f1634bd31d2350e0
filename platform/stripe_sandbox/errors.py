"""Errors in the shapes that Stripe answers with (https://docs.stripe.com/api/errors)."""

from typing import Any

from stripe_sandbox.documents import Document


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
        **details: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.details = {name: value for name, value in details.items() if value is not None}
        self.keeps_effects = keeps_effects
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


def server_error(status: int) -> ApiError:
    """Trouble on Stripe's side, or a limit reached: 500 and its like, and 429."""
    if status == 429:
        return ApiError(
            429,
            "invalid_request_error",
            "Request rate limit exceeded. Learn more about rate limits here "
            "https://stripe.com/docs/rate-limits.",
            code="rate_limit",
        )
    return ApiError(status, "api_error", "An unknown error occurred")
