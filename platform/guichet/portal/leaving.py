"""The way to a page of the provider's: Checkout, or the bank's.

A browser checks `form-action` along the whole way that a form leads, redirects included, and the
provider may send people to addresses that nobody can list: its own, a merchant's Checkout domain, a
bank's. So a form of ours ends at a page of ours, and that page goes on by itself: the policy stays
`form-action 'self'` for every page. A refresh without delay takes the page's place in the history,
so the back button does not stop at it.
"""

from urllib.parse import urlsplit

from litestar.response.base import ASGIResponse

from guichet.payments.errors import ProviderError
from guichet.portal.visit import Visit


def leave_for(visit: Visit, url: str) -> ASGIResponse:
    """Show the way to an address that the provider gave; raises `ProviderError` for none at all.

    The sandbox alone is on plain HTTP.
    """
    target = urlsplit(url)
    if target.scheme not in ("https", urlsplit(visit.deployment.settings.stripe_url).scheme):
        raise ProviderError
    response = visit.page("leaving.html", url=url, host=target.hostname or "")
    response.headers.add("refresh", f"0; url={url}")
    return response
