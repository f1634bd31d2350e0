"""The headers that each answer of the console and of previews has, and what else is a fault."""

import re
from collections.abc import Iterator

import httpx

from tests.console.secure import CONSOLE, PREVIEW
from tests.isolation.observatory import policies

#: The same on every answer of both hosts; what is None is not sent at all.
COMMON = {
    "x-content-type-options": "nosniff",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "strict-transport-security": "max-age=63072000; includeSubDomains; preload",
    "cache-control": "no-store",
    "access-control-allow-origin": None,
    "server": None,
    "x-powered-by": None,
}
ON_CONSOLE = COMMON | {"x-frame-options": "DENY", "referrer-policy": "same-origin"}
ON_PREVIEW = COMMON | {"x-frame-options": None, "referrer-policy": "no-referrer"}
CONSOLE_POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "img-src": "'self'",
    "connect-src": "'self'",
    "frame-src": PREVIEW,
    "form-action": f"'self' {PREVIEW}",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
PREVIEW_POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'none'",
    "img-src": "'self'",
    "form-action": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": CONSOLE,
}
_SAFE_COOKIE = {"httponly", "path=/", "samesite=lax", "secure"}


def faults(
    answer: httpx.Response, headers: dict[str, str | None], policy: dict[str, str]
) -> Iterator[str]:
    """What is wrong with an answer's headers."""
    for name, value in headers.items():
        if answer.headers.get_list(name) != ([] if value is None else [value]):
            yield f"{name}: {answer.headers.get_list(name)}"
    if policies(answer) != [policy]:
        yield f"policy: {policies(answer)}"
    if not re.fullmatch("[0-9a-f]{16}", answer.headers.get("x-request-id", "")):
        yield "no request id"
    kind = answer.headers.get("content-type", "")
    if kind.startswith("text/") and kind.count("charset=utf-8") != 1:
        yield f"content-type: {kind}"
    for cookie in answer.headers.get_list("set-cookie"):
        attributes = {it.strip().lower() for it in cookie.split(";")[1:]}
        if not cookie.startswith("__Host-") or not attributes >= _SAFE_COOKIE:
            yield f"cookie: {cookie}"
        if [it for it in attributes if it.startswith("domain")]:
            yield f"cookie: {cookie}"


def policy_of(header: str) -> dict[str, str]:
    """A policy by its directives."""
    return policies(httpx.Response(200, headers={"content-security-policy": header}))[0]
