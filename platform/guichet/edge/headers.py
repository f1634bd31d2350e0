"""The headers that every answer carries, whatever made it."""

# Nothing is loaded from elsewhere, nothing runs inline, nobody frames a page. Pictures may be
# served by us alone; a form posts to its own host.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "script-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)

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


def security_headers(url_scheme: str) -> list[tuple[bytes, bytes]]:
    """The security headers for pages served over this scheme, ready for ASGI."""
    headers = _COMMON | (_STRICT_TRANSPORT if url_scheme == "https" else {})
    return [(name.encode(), value.encode()) for name, value in headers.items()]
