"""Forms that only our own pages can send.

Two walls. The token in the form is an HMAC keyed with a cookie's secret over the tenant, so it is
worth nothing in another session or at another tenant, and nothing is stored. And the request says
itself where it comes from: `Origin` where a browser sends it, else `Sec-Fetch-Site`; a request
with neither is no browser's form and is refused. Pages must not be sent with
`Referrer-Policy: no-referrer`, which makes browsers send `Origin: null` with our own forms.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable
from uuid import UUID

from guichet.errors import Forbidden

_LABEL = b"guichet form\0"


class ForgedForm(Forbidden):
    """This form is out of date or did not come from this site. Please go back, reload the page
    and send it again.
    """

    code = "forged_form"


def csrf_token(secret: str, tenant_id: UUID) -> str:
    """The token of forms shown to whoever holds `secret`: a session's token or, for a visitor who
    is not signed in, the value of the browser cookie.
    """
    tag = hmac.digest(secret.encode(), _LABEL + tenant_id.bytes, hashlib.sha256)
    return base64.urlsafe_b64encode(tag).rstrip(b"=").decode()


def check_origin(headers: Iterable[tuple[bytes, bytes]], own_origin: str) -> None:
    """Refuse a request that another origin caused; `own_origin` has no trailing slash.

    Raises `ForgedForm`. `Origin: null`, or one of the two headers twice, is refused too.
    """
    origins: list[bytes] = []
    sites: list[bytes] = []
    for name, value in headers:
        if name.lower() == b"origin":
            origins.append(value)
        elif name.lower() == b"sec-fetch-site":
            sites.append(value)
    if origins:
        if origins != [own_origin.encode()]:
            raise ForgedForm
    elif sites not in ([b"same-origin"], [b"none"]):
        raise ForgedForm


def check_form(
    headers: Iterable[tuple[bytes, bytes]],
    submitted: str | None,
    secret: str | None,
    tenant_id: UUID,
    own_origin: str,
) -> None:
    """Refuse a form that did not come from our own page for this very session and tenant.

    `submitted` is the form's field `csrf`, `secret` what `csrf_token` was made with. Raises
    `ForgedForm`.
    """
    check_origin(headers, own_origin)
    if submitted is None or secret is None:
        raise ForgedForm
    given = submitted.encode(errors="replace")
    if not hmac.compare_digest(given, csrf_token(secret, tenant_id).encode()):
        raise ForgedForm
