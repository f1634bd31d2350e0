"""`GET /internal/tls-allowed?domain=`: for which names a reverse proxy may get a certificate.

A proxy that gets certificates on demand asks this before each one, so that nobody can have it ask
for names without end. Answered from memory.
"""

from urllib.parse import parse_qsl

from litestar.response.base import ASGIResponse

from guichet.deployment import Deployment
from guichet.tenancy import MalformedHost, canonical_host

#: On the base host, which is asked from inside.
PATH = "/internal/tls-allowed"
_OWN = ("api", "console", "preview")


def answer_tls_allowed(deployment: Deployment, query: bytes) -> ASGIResponse:
    """200 for a name that this deployment serves over TLS, else 404."""
    domain = _asked(query)
    is_allowed = domain is not None and _is_served(deployment, domain)
    return ASGIResponse(
        body=b"yes" if is_allowed else b"no",
        status_code=200 if is_allowed else 404,
        media_type="text/plain",
    )


def _asked(query: bytes) -> str | None:
    """The one domain of the query, as requests name it."""
    try:
        asked = parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=1)
    except ValueError:
        return None
    if len(asked) != 1 or asked[0][0] != "domain" or ":" in asked[0][1]:
        return None
    try:
        return canonical_host([(b"host", asked[0][1].encode())])
    except MalformedHost:
        return None


def _is_served(deployment: Deployment, domain: str) -> bool:
    entry = deployment.directory.find(domain)
    if entry is not None:
        return entry.status == "active"
    return domain in (f"{name}.{deployment.settings.base_host}" for name in _OWN)
