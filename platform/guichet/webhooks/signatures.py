"""Stripe's signature scheme: who signed a body, and when.

Source: https://docs.stripe.com/webhooks, "Verify webhook signatures manually". The header is
`t=<seconds>,v1=<hex>[,v1=<hex>…]`; the signed text is the time, a dot, and the raw body. While a
secret is being rolled each secret signs, so there are several `v1`.
"""

import hmac

#: How far the signing time may be from ours, before and after, in seconds.
TOLERANCE_SECONDS = 300
#: Of a header and of the signatures in it: nobody honest sends more.
_MAX_HEADER_BYTES = 2048
_MAX_SIGNATURES = 8
_HEX_SHA256 = 64


def is_signed(header: bytes, body: bytes, secret: bytes, now: float) -> bool:
    """Whether the raw body was signed with the secret within the tolerance of `now`."""
    read = _read(header)
    if read is None:
        return False
    time, signatures = read
    if abs(now - int(time)) > TOLERANCE_SECONDS:
        return False
    expected = hmac.digest(secret, time + b"." + body, "sha256").hex().encode()
    # All are compared, so that the time taken says nothing.
    matches = [hmac.compare_digest(expected, given) for given in signatures]
    return any(matches)


def _read(header: bytes) -> tuple[bytes, list[bytes]] | None:
    """The time and the `v1` signatures; None when the header is not one of Stripe's."""
    if len(header) > _MAX_HEADER_BYTES:
        return None
    time, signatures = b"", []
    for part in header.split(b","):
        name, _, value = part.strip().partition(b"=")
        if name == b"t":
            if time:
                return None
            time = value
        elif name == b"v1" and len(value) == _HEX_SHA256:
            signatures.append(value)
    # Twelve digits reach past the year 30000; `isdigit` on bytes knows ASCII digits only.
    if not time.isdigit() or len(time) > 12 or not 0 < len(signatures) <= _MAX_SIGNATURES:
        return None
    return time, signatures
