"""The one host that a request is for, or a refusal.

Only the `Host` header counts (RFC 9112 section 3.2). What a proxy adds, such as
`X-Forwarded-Host`, is never read: a proxy in front must pass `Host` on.
"""

import functools
import re
from collections.abc import Iterable

from guichet.errors import MalformedRequest

# A name or an IPv6 address in brackets, then perhaps a port. The underscore is in no tenant's
# name; container networks use it in theirs, and health checks come by those.
_HOST = re.compile(
    r"(?P<name>[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*|\[[0-9a-f:.]{2,45}\])"
    r"\.?(?::(?P<port>[0-9]{1,5}))?",
    re.ASCII,
)
# RFC 1035 section 2.3.4: 255 bytes on the wire are 253 characters.
_LONGEST_NAME = 253
_SCHEMES = (b"http://", b"https://")


class MalformedHost(MalformedRequest):
    """The address of this request cannot be understood."""

    code = "malformed_host"


def canonical_host(headers: Iterable[tuple[bytes, bytes]], target: bytes = b"/") -> str:
    """The host a request is for: lower-case, without port and trailing dot.

    `headers` have lower-case names, as ASGI has them. `target` is the request target as it was
    sent, where the server tells it: an absolute one must name the same host. Raises
    `MalformedHost` for no `Host`, several of them, or one that no client means seriously. Punycode
    stays as it is; anything beyond ASCII is refused.
    """
    given = [value for name, value in headers if name == b"host"]
    if len(given) != 1:
        raise MalformedHost
    host = _parse(given[0])
    if target[:1] not in {b"/", b"*", b""} and _target_host(target) != host:
        raise MalformedHost
    return host


def _target_host(target: bytes) -> str:
    scheme = next((it for it in _SCHEMES if target[: len(it)].lower() == it), None)
    if scheme is None:
        raise MalformedHost
    return _parse(re.split(rb"[/?#]", target[len(scheme) :], maxsplit=1)[0])


# As many as there may be active tenants; a hostile mixture costs what parsing costs, and at most
# some MiB.
@functools.lru_cache(maxsize=16_384)
def _parse(value: bytes) -> str:
    try:
        match = _HOST.fullmatch(value.decode("ascii").lower())
    except UnicodeDecodeError:
        raise MalformedHost from None
    if match is None or len(match["name"]) > _LONGEST_NAME:
        raise MalformedHost
    if not 0 < int(match["port"] or 80) < 65536:
        raise MalformedHost
    return match["name"]
