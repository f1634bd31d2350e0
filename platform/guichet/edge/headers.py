"""The headers that every answer carries, whatever made it."""

from typing import Literal

from guichet.settings import Settings
from guichet.web.content_policy import content_security_policy

Place = Literal["portal", "console", "preview"]


CONTENT_SECURITY_POLICY = content_security_policy()

_COMMON = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

# Two years, as browsers' preload lists ask for. Never sent over plain HTTP (RFC 6797, 7.2).
_STRICT_TRANSPORT = {"strict-transport-security": "max-age=63072000; includeSubDomains; preload"}


def security_headers(settings: Settings, place: Place = "portal") -> list[tuple[bytes, bytes]]:
    """The security headers for the pages of a place, ready for ASGI.

    The console alone frames the previews, asks them for a page with a form, and has a script that
    sends forms by itself; nothing in a preview runs or is sent anywhere.
    """
    port = settings.base_domain.removeprefix(settings.base_host)
    console, preview = (
        f"{settings.url_scheme}://{host}{port}"
        for host in (settings.console_host, settings.preview_host)
    )
    headers = _COMMON | (_STRICT_TRANSPORT if settings.url_scheme == "https" else {})
    if place == "console":
        policy = content_security_policy(
            forms=f"'self' {preview}", frames=preview, connects="'self'"
        )
        headers |= {"content-security-policy": policy}
    elif place == "preview":
        policy = content_security_policy(scripts="'none'", forms="'none'", framed_by=console)
        headers |= {"content-security-policy": policy, "referrer-policy": "no-referrer"}
        # An older header that cannot name who may frame a page: the policy does.
        del headers["x-frame-options"]
    return [(name.encode(), value.encode()) for name, value in headers.items()]
